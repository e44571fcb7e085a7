"""This is the promise that no secret is readable in what we write."""

from __future__ import annotations

import pytest

from adapters.redaction import Redactor, mask_account

APPKEY = "PSabcdefghijklmnopqrstuvwxyz12345678"
ACCOUNT = "50012345-01"
REDACTOR = Redactor(secrets=[APPKEY, ""], accounts=[ACCOUNT])


def test_an_account_keeps_its_first_two_digits_and_its_product() -> None:
    assert mask_account("50012345-01") == "50******-01"
    assert mask_account("5001234501") == "50********"


@pytest.mark.parametrize(
    "text",
    [
        "authorization: Bearer abc.DEF-123_456",
        "Bearer eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiJ0b2tlbiJ9.abc-DEF",
        "token is eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiJ0b2tlbiJ9.abc-DEF",
        '{"access_token":"abc.DEF-123_456","expires_in":86400}',
        "{'appsecret': 'abc.DEF-123_456'}",
        "GET /x?appkey=abc.DEF-123_456&page=1",
        "secretkey=abc.DEF-123_456",
        "https://hooks.slack.com/services/T00/B00/abcDEF123456",
        "xoxb-12-abcDEF123456",
        "postgresql+psycopg://maemae:abcDEF123456@127.0.0.1:5432/maemae",
        '"approval_key": "abcDEF-123456"',
    ],
)
def test_what_looks_like_a_secret_is_struck(text: str) -> None:
    cleaned = Redactor().clean_text(text)
    assert "***" in cleaned
    assert "DEF" not in cleaned


def test_what_stands_around_a_secret_stays() -> None:
    assert Redactor().clean_text("GET /x?appkey=abc&page=1") == "GET /x?appkey=***&page=1"
    url = "postgresql://u:p@127.0.0.1:5432/maemae"
    assert Redactor().clean_text(url) == "postgresql://***@127.0.0.1:5432/maemae"


@pytest.mark.parametrize(
    "text",
    [
        "20180116-051910-B-0000000000000001",
        "2018-01-16 09:31:02",
        "005930 50,685,658",
        "token refresh",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert Redactor().clean_text(text) == text


@pytest.mark.parametrize(
    "text", ["account 50012345-01", "CANO=50012345&ACNT_PRDT_CD=01", "50012345", "5001234501"]
)
def test_the_account_is_half_hidden_wherever_it_stands(text: str) -> None:
    cleaned = REDACTOR.clean_text(text)
    assert "012345" not in cleaned
    assert "50****" in cleaned


def test_an_account_in_the_usual_form_is_hidden_even_if_unknown() -> None:
    assert Redactor().clean_text("of 73754150-01.") == "of 73******-01."
    assert Redactor().clean({"CANO": "73754150"}) == {"CANO": "73******"}
    assert Redactor().clean({"account": 73754150}) == {"account": "73******"}


def test_a_known_secret_is_struck_in_any_depth_and_disguise() -> None:
    deep = {"a": [{"b": (f"x{APPKEY}y", 7, None, 1.5, True)}], APPKEY: Exception(APPKEY)}
    cleaned = REDACTOR.clean(deep)
    assert cleaned["a"] == [{"b": ["x***y", 7, None, 1.5, True]}]
    assert APPKEY not in repr(cleaned)


def test_a_field_that_is_called_a_secret_is_struck_whatever_it_holds() -> None:
    fields = {
        "appkey": "a",
        "App_Secret": 1,
        "token": "t",
        "authorization": ["x"],
        "symbol": "005930",
    }
    assert Redactor().clean(fields) == {
        "appkey": "***",
        "App_Secret": "***",
        "token": "***",
        "authorization": "***",
        "symbol": "005930",
    }
