"""This is the fence between real money and paper: what does not fit together does not validate."""

from typing import Any

import pytest
from pydantic import ValidationError

from adapters.kis.settings import Environment, KisSettings

REAL_HOST = "https://openapi.koreainvestment.com:9443"
PAPER_HOST = "https://openapivts.koreainvestment.com:29443"
REAL_SOCKET = "ws://ops.koreainvestment.com:21000"
PAPER_SOCKET = "ws://ops.koreainvestment.com:31000"
SECRET = "never-to-be-seen"  # noqa: S105 - made up


def some_settings(**changes: Any) -> KisSettings:
    values = {
        "environment": "paper",
        "appkey": f"key-{SECRET}",
        "appsecret": SECRET,
        "account": "12345678-01",
    }
    return KisSettings.model_validate(values | changes)


@pytest.mark.parametrize(
    ("environment", "host", "socket", "pace"),
    [("real", REAL_HOST, REAL_SOCKET, 18), ("paper", PAPER_HOST, PAPER_SOCKET, 1)],
)
def test_the_environment_chooses_hosts_and_pace(
    environment: str, host: str, socket: str, pace: int
) -> None:
    settings = some_settings(environment=environment)
    assert (settings.base_url, settings.ws_url, settings.pace) == (host, socket, pace)


@pytest.mark.parametrize(
    ("environment", "field", "url"),
    [
        ("paper", "base_url", REAL_HOST),
        ("real", "base_url", PAPER_HOST),
        ("paper", "ws_url", REAL_SOCKET),
        ("real", "ws_url", PAPER_SOCKET),
        ("real", "base_url", "http://openapi.koreainvestment.com:9443"),
        ("real", "base_url", "https://openapi.koreainvestment.com.example.org:9443"),
        ("paper", "base_url", "https://openapivts.koreainvestment.com@example.org"),
        ("paper", "base_url", "http://192.0.2.7:9443"),
        ("paper", "base_url", "file://localhost/etc"),
    ],
)
def test_a_host_of_another_environment_or_of_nobody_we_know_is_refused(
    environment: str, field: str, url: str
) -> None:
    with pytest.raises(ValidationError, match=f"{environment} environment") as caught:
        some_settings(environment=environment, **{field: url})
    assert caught.value.errors()[0]["loc"] == (field,)


@pytest.mark.parametrize("environment", list(Environment))
@pytest.mark.parametrize("host", ["127.0.0.1:9443", "localhost:80", "[::1]:9443"])
def test_a_simulator_on_this_machine_may_be_either(environment: Environment, host: str) -> None:
    settings = some_settings(
        environment=environment, base_url=f"http://{host}/", ws_url=f"ws://{host}"
    )
    assert settings.base_url == f"http://{host}"
    assert settings.ws_url == f"ws://{host}"


def test_the_account_falls_into_its_two_fields() -> None:
    settings = some_settings(account="50012345-22")
    assert (settings.account_number, settings.product_code) == ("50012345", "22")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("account", "1234567801"),
        ("account", ""),
        ("environment", "live"),
        ("appkey", ""),
        ("appsecret", ""),
        ("calls_per_second", 0),
        ("calls_per_second", 101),
        ("timeout_seconds", 0),
        ("appkee", "x"),
    ],
)
def test_a_wrong_value_names_its_field(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        some_settings(**{field: value})
    assert [error["loc"] for error in caught.value.errors()] == [(field,)]


def test_no_text_of_the_settings_shows_a_key() -> None:
    settings = some_settings()
    with pytest.raises(ValidationError) as caught:
        some_settings(account="wrong")
    shown = (
        f"{settings!r} {settings!s} {settings.model_dump_json()} {caught.value!s} {caught.value!r}"
    )
    assert SECRET not in shown
