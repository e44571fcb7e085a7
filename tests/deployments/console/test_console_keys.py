"""This is the care of the broker's keys from a terminal, tried against a real simulator."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.audit_files import AUDIT_FILE, AuditFile
from adapters.kis.auth import TokenVault
from adapters.kis.files import shared_name
from flows.settings import load_settings
from tests.builders import ACCOUNT
from tests.consoles import PROJECT, RUN, Answer, Console

SECRET = "typed-and-never-shown"  # noqa: S105 - made up


@pytest.fixture
def no_keys(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment that names no keys."""
    for name in ("ENVIRONMENT", "APPKEY", "APPSECRET", "ACCOUNT"):
        monkeypatch.delenv(f"MAEMAE_KIS__{name}")
    return home


@pytest.fixture
def at_broker(
    no_keys: Path, simulator: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """The simulator for a channel with kept keys."""
    assert not no_keys.exists()
    monkeypatch.setenv("MAEMAE_KIS__BASE_URL", simulator["http"])
    monkeypatch.setenv("MAEMAE_KIS__WS_URL", simulator["ws"])
    return simulator


def types(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def keeps(
    console: Console, patch: pytest.MonkeyPatch, scope: str, *keys: str, **options: str
) -> Answer:
    types(patch, *keys)
    further = [word for name, value in options.items() for word in (f"--{name}", value)]
    return console("keys", "set", scope, "--account", ACCOUNT, *further)


def verdicts(answer: Answer) -> dict[str, str]:
    return {row["scope"]: row["verdict"] for row in answer.document["keys"]}


def test_keys_are_kept_unreadable_and_found_by_the_channel_that_they_are_for(
    console: Console, no_keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = keeps(console, monkeypatch, "paper", f"key-{SECRET}", f"secret-{SECRET}")
    assert answer.code == 0, answer
    file = no_keys / "keys" / "paper.age"
    assert file.stat().st_mode & 0o777 == 0o600
    assert SECRET.encode() not in file.read_bytes()
    assert SECRET not in answer.out + answer.err
    monkeypatch.setenv("MAEMAE_CHANNEL", "paper")
    broker = load_settings().broker
    assert broker.appsecret.get_secret_value() == f"secret-{SECRET}"
    assert (broker.environment, broker.account, broker.is_read_only) == ("paper", ACCOUNT, False)


def test_what_is_typed_is_not_echoed(no_keys: Path) -> None:
    ours, theirs = pty.openpty()
    words = (sys.executable, "-c", RUN, "keys", "set", "paper", "--account", ACCOUNT)
    with subprocess.Popen(  # noqa: S603 - our own words
        words, stdin=theirs, stdout=theirs, stderr=theirs, cwd=PROJECT, start_new_session=True
    ) as process:
        os.close(theirs)
        shown = _answer(ours, b"appkey: ", f"key-{SECRET}\n")
        shown += _answer(ours, b"appsecret: ", f"secret-{SECRET}\n")
        shown += _read_until(ours, b"keys check")
        assert process.wait(60) == 0, shown
    assert SECRET.encode() not in shown
    assert (no_keys / "keys" / "paper.age").exists()


def _answer(terminal: int, question: bytes, line: str) -> bytes:
    shown = _read_until(terminal, question)
    time.sleep(0.2)  # the echo is switched off right before the question is asked, or after
    os.write(terminal, line.encode())
    return shown


def _read_until(terminal: int, words: bytes) -> bytes:
    shown = b""
    while words not in shown:
        shown += os.read(terminal, 1024)
    return shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("paper", "--account", "123"), "account"),
        (("nothing", "--account", ACCOUNT), "nothing"),
        (("paper", "--account", ACCOUNT, "--environment", "real"), "paper"),
        (("read", "--account", ACCOUNT), "environment"),
    ],
)
def test_wrong_words_are_refused_before_anything_is_asked(
    console: Console,
    no_keys: Path,
    words: tuple[str, ...],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    types(monkeypatch)
    answer = console("keys", "set", *words)
    assert answer.code == 2, answer
    assert said in answer.err
    assert not (no_keys / "keys").exists()


def test_a_missing_line_keeps_nothing(
    console: Console, no_keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = keeps(console, monkeypatch, "paper", "only-the-appkey")
    assert answer.code == 2
    assert "appsecret" in answer.err
    assert not (no_keys / "keys").exists()


def test_each_scope_is_told_and_tried(
    console: Console, at_broker: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert console("keys", "check").code == 2, "there are none"
    good = (at_broker["appkey"], at_broker["appsecret"])
    keeps(console, monkeypatch, "paper", *good)
    keeps(console, monkeypatch, "read", *good, environment="real")
    well = console("keys", "check", "--json")
    assert well.code == 0, well
    assert verdicts(well) == {"real": "absent", "paper": "accepted", "read": "accepted"}
    assert {row["environment"] for row in well.document["keys"]} == {"", "paper", "real"}

    keeps(console, monkeypatch, "real", at_broker["appkey"], SECRET)
    torn = Path(os.environ["MAEMAE_HOME"]) / "keys" / "read.age"
    torn.write_bytes(torn.read_bytes()[:-1])
    worse = console("keys", "check", "--json")
    assert worse.code == 2
    assert verdicts(worse) == {"real": "refused", "paper": "accepted", "read": "unreadable"}
    shown = worse.out + worse.err + well.out + console("keys", "check").out
    assert not any(secret in shown for secret in (*good, SECRET, ACCOUNT))


def test_a_broker_that_does_not_answer_is_no_refusal(
    console: Console, no_keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not no_keys.exists()
    monkeypatch.setenv("MAEMAE_KIS__RETRY_SECONDS", "0.01")
    keeps(console, monkeypatch, "paper", "key", SECRET)
    assert verdicts(console("keys", "check", "--json"))["paper"] == "unanswered"


def test_rotation_tries_the_new_keys_and_gives_the_old_token_back(
    console: Console, at_broker: dict[str, Any], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeps(console, monkeypatch, "paper", at_broker["appkey"], at_broker["appsecret"])
    assert console("keys", "check").code == 0
    token = _token(home, at_broker)
    assert _is_accepted(at_broker, token)
    kept = home / "keys" / "paper.age"
    before = kept.read_bytes()

    types(monkeypatch, "new-appkey", SECRET)
    refused = console("keys", "rotate", "paper")
    assert refused.code == 2, refused
    assert kept.read_bytes() == before, "what the broker refuses does not replace what works"
    assert _is_accepted(at_broker, token)

    types(monkeypatch, at_broker["appkey"], at_broker["appsecret"])
    same = console("keys", "rotate", "paper")
    assert (same.code, SECRET in same.err) == (2, False)


def test_after_a_rotation_the_new_keys_work_and_the_old_token_does_not(
    console: Console, two_keys: dict[str, Any], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeps(console, monkeypatch, "paper", "old-appkey", "old-secret")
    assert acts_that_wait(home) == ["keys set"]
    assert console("keys", "check").code == 0
    old = {**two_keys, "appkey": "old-appkey", "appsecret": "old-secret"}
    token = _token(home, old)
    assert _is_accepted(old, token)

    types(monkeypatch, "new-appkey", "new-secret")
    answer = console("keys", "rotate", "paper")
    assert answer.code == 0, answer
    assert not re.search("(old|new)-(appkey|secret)", answer.out + answer.err)
    assert acts_that_wait(home) == ["keys set", "keys rotate"], "for the log of the paper account"
    assert not _is_accepted(old, token)
    assert _token(home, old) == ""
    monkeypatch.setenv("MAEMAE_CHANNEL", "paper")
    assert load_settings().broker.appkey.get_secret_value() == "new-appkey"
    assert console("keys", "check").code == 0


def acts_that_wait(home: Path) -> list[str]:
    """Give what the log of the paper account takes in next."""
    file = AuditFile(home / AUDIT_FILE, channel="paper", account=ACCOUNT)
    return [act.entry.action for act in file.waiting.all()]


@pytest.fixture
def two_keys(no_keys: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A simulator that knows two pairs of keys."""
    from tests.flow_worlds import a_market  # noqa: PLC0415 - imports Prefect

    assert not no_keys.exists()
    pairs = ["--appkey", "old-appkey", "--appsecret", "old-secret"]
    pairs += ["--appkey", "new-appkey", "--appsecret", "new-secret"]
    with a_market("both", *pairs) as market:
        monkeypatch.setenv("MAEMAE_KIS__BASE_URL", market.url)
        monkeypatch.setenv("MAEMAE_KIS__WS_URL", market.ws_url)
        yield {"http": market.url}


def _token(home: Path, broker: dict[str, Any]) -> str:
    vault = TokenVault(home / "tokens", shared_name(broker["http"], broker["appkey"]))
    return vault.load().token.get_secret_value()


def _is_accepted(broker: dict[str, Any], token: str) -> bool:
    headers = {
        "authorization": f"Bearer {token}",
        "appkey": broker["appkey"],
        "appsecret": broker["appsecret"],
        "tr_id": "FHKST01010100",
        "custtype": "P",
    }
    place = f"{broker['http']}/uapi/domestic-stock/v1/quotations/inquire-price"
    query = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": "005930"}
    return bool(httpx.get(place, headers=headers, params=query).json().get("rt_cd") == "0")
