"""This is the proof that wrong input gets one sentence with field, value and what would be right, and code 2."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.consoles import NOWHERE, Answer, Console, run_process

type Change = Callable[[Path], object]


def _edit(old: str, new: str) -> Change:
    """Give the change of one text in the channel's file."""

    def change(folder: Path) -> None:
        file = folder / "dev.yaml"
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new), "utf-8")

    return change


def _write(content: str) -> Change:
    return lambda folder: (folder / "dev.yaml").write_text(content, "utf-8")


def _remove(folder: Path) -> None:
    (folder / "dev.yaml").unlink()


CHANNEL_FAULTS: dict[str, tuple[Change, tuple[str, ...]]] = {
    "no YAML": (_write("channel: [dev"), ("dev.yaml", "line 1", "valid YAML")),
    "a list": (_write("- dev"), ("dev.yaml", "['dev']", "a mapping")),
    "no file": (_remove, ("MAEMAE_CHANNEL", "'dev'", "dev.yaml")),
    "unknown strategy": (
        _edit("kind: moving_average_cross", "kind: magic"),
        ("strategies.0.kind", "'magic'", "moving_average_cross"),
    ),
    "parameter of the wrong type": (
        _edit("fast: 20", "fast: soon"),
        ("strategies.0.parameters.fast", "'soon'", "valid integer"),
    ),
    "parameters that do not fit": (
        _edit("fast: 20", "fast: 300"),
        ("strategies.0.parameters.fast", "300", "slow=60"),
    ),
    "unknown parameter": (
        _edit("fast: 20", "speed: 20"),
        ("strategies.0.parameters.speed", "20", "no such setting"),
    ),
    "limit out of range": (
        _edit("daily_loss: 0.02", "daily_loss: 2"),
        ("risk.daily_loss", "2", "less than or equal to 0.5"),
    ),
    "misspelt limit": (
        _edit("daily_loss:", "dayly_loss:"),
        ("risk.dayly_loss", "0.02", "no such setting"),
    ),
    "negative stop": (
        _edit("stop_loss: 0.05", "stop_loss: -1"),
        ("strategies.0.exits.stop_loss", "-1", "greater than 0"),
    ),
    "missing section": (_edit("strategies:", "strategems:"), ("strategies", "missing", "required")),
    "other channel": (_edit("channel: dev", "channel: live"), ("channel", "'live'", "dev")),
    "symbol that nobody watches": (
        _edit('watch_list: ["005380", ', "watch_list: ["),
        ("strategies.symbols", "005380", "watch_list"),
    ),
    "same name twice": (
        _edit("id: trend-20-40", "id: trend-20-60"),
        ("strategies.id", "trend-20-60", "once"),
    ),
    "entry heavier than allowed": (
        _edit("target_weight: 0.15", "target_weight: 0.5"),
        ("sizing.target_weight", "0.5", "risk.maximum_weight=0.2"),
    ),
}


@pytest.mark.parametrize("name", CHANNEL_FAULTS)
def test_a_wrong_channel_file_is_told_in_one_sentence(
    console: Console, channels: Path, name: str
) -> None:
    change, words = CHANNEL_FAULTS[name]
    change(channels)
    _assert_one_sentence(console("positions"), *words)


VARIABLE_FAULTS: dict[str, tuple[dict[str, str | None], tuple[str, ...]]] = {
    "unknown channel": ({"MAEMAE_CHANNEL": "prod"}, ("MAEMAE_CHANNEL", "'prod'", "'paper'")),
    "impossible port": (
        {"MAEMAE_PREFECT_PORT": "99999"},
        ("MAEMAE_PREFECT_PORT", "99999", "less than or equal to 65535"),
    ),
    "account of another form": (
        {"MAEMAE_KIS__ACCOUNT": "123"},
        ("MAEMAE_KIS__ACCOUNT", "123", r"\d{8}-\d{2}"),
    ),
    "no account": (
        {"MAEMAE_KIS__ACCOUNT": None},
        ("MAEMAE_KIS__ACCOUNT", "missing", "12345678-01"),
    ),
    "no appkey": ({"MAEMAE_KIS__APPKEY": None}, ("MAEMAE_KIS__APPKEY", "missing", "make demo")),
    "paper keys on the real host": (
        {
            "MAEMAE_KIS__ENVIRONMENT": "paper",
            "MAEMAE_KIS__BASE_URL": "https://openapi.koreainvestment.com:9443",
        },
        ("MAEMAE_KIS__BASE_URL", "openapi.koreainvestment.com:9443", "openapivts"),
    ),
    "unknown key of the broker": (
        {"MAEMAE_KIS__APKEY": "x"},
        ("MAEMAE_KIS__APKEY", "not permitted"),
    ),
    "no database": ({"MAEMAE_DATABASE_URL": None}, ("MAEMAE_DATABASE_URL", "missing", "make demo")),
    "a database of another kind": (
        {"MAEMAE_DATABASE_URL": "sqlite:///x"},
        ("MAEMAE_DATABASE_URL", "postgresql://user"),
    ),
    "unreachable database": (
        {"MAEMAE_DATABASE_URL": NOWHERE},
        ("127.0.0.1:1/nowhere", "maemae up"),
    ),
}


@pytest.mark.parametrize("name", VARIABLE_FAULTS)
def test_a_wrong_variable_is_told_in_one_sentence_without_secrets(
    console: Console, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("MAEMAE_DATABASE_URL", NOWHERE)
    variables, words = VARIABLE_FAULTS[name]
    for variable, value in variables.items():
        if value is None:
            monkeypatch.delenv(variable)
        else:
            monkeypatch.setenv(variable, value)
    answer = console("positions")
    _assert_one_sentence(answer, *words)
    assert not re.search("geheim|the-appkey|the-appsecret", answer.err)


USAGE_FAULTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "unknown command": (("statsu",), ("statsu", "status")),
    "unknown option": (("orders", "--jsn"), ("--jsn", "--json")),
    "unknown level": (("halt", "--level", "off"), ("--level", "'off'", "halted, reducing")),
    "no day": (("orders", "--day", "tomorrow"), ("--day", "'tomorrow'", "YYYY-MM-DD")),
    "unknown strategy": (
        ("halt", "--strategy", "trnd"),
        ("--strategy", "'trnd'", "trend-20-60, trend-20-40"),
    ),
    "no reason": (("resume",), ("--reason", "missing", "why")),
    "empty reason": (("resume", "--reason", " "), ("--reason", "' '", "why")),
    "no report": (("report",), ("--day", "missing", "eod-report")),
    "no report of the day": (("report", "--day", "2018-01-16"), ("--day", "2018-01-16")),
    "no data file": (("backtest", "--data", "nowhere.csv"), ("--data", "nowhere.csv", "CSV")),
    "no cash": (
        ("backtest", "--data", "adapters/kis_sim/data/mit_daily_ohlcv_2016_2019.csv.gz", "--cash", "much"),
        ("--cash", "'much'", "whole number"),
    ),
    "days outside the data": (
        ("backtest", "--data", "adapters/kis_sim/data/mit_daily_ohlcv_2016_2019.csv.gz", "--from", "2025-01-01"),
        ("2025-01-01", "2019-12-30"),
    ),
    "a file with other columns": (
        ("backtest", "--data", "adapters/kis_sim/data/instruments.csv"),
        ("instruments.csv", "english", "volume"),
    ),
    "wrong argument of the simulator": (("sim", "--day", "soon"), ("day", "soon")),
}  # fmt: skip


@pytest.mark.parametrize("name", USAGE_FAULTS)
def test_a_wrong_word_is_told_in_one_sentence_and_nothing_is_written(
    console: Console, home: Path, name: str
) -> None:
    words, told = USAGE_FAULTS[name]
    _assert_one_sentence(console(*words), *told)
    assert not home.exists()


@pytest.mark.parametrize(
    ("words", "variables", "told"),
    [
        (("orders", "--jsn"), {}, ("--jsn 옵션은 없습니다", "--json")),
        (("positions",), {"MAEMAE_CHANNEL": "prod"}, ("'prod'", "올바른 값", "'live' 중 하나")),
        (("positions",), {"MAEMAE_DATABASE_URL": NOWHERE}, ("데이터베이스", "127.0.0.1:1")),
    ],
)
@pytest.mark.usefixtures("home")
def test_the_process_speaks_korean_and_exits_with_two(
    words: tuple[str, ...], variables: dict[str, str], told: tuple[str, ...]
) -> None:
    _assert_one_sentence(run_process(*words, MAEMAE_LANGUAGE="ko", **variables), *told)


@pytest.mark.usefixtures("database")
def test_a_database_without_tables_is_told_in_one_sentence(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "MAEMAE_DATABASE_URL", os.environ["MAEMAE_DATABASE_URL"].rpartition("/")[0] + "/postgres"
    )
    _assert_one_sentence(console("orders", "--day", "2018-01-16"), "maemae migrate")


def test_a_fault_of_ours_leaves_its_traceback_in_a_file(
    console: Console, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAEMAE_HOME", str(home))
    (home / "reports").mkdir(parents=True)
    (home / "reports" / "2018-01-16.md").mkdir()  # a folder where a page should be
    answer = console("report")
    assert answer.code == 1
    assert len(answer.err.splitlines()) == 1
    assert "IsADirectoryError" in answer.err
    log = home / "logs" / "console.log"
    assert str(log) in answer.err
    assert "Traceback" in log.read_text("utf-8")
    assert log.stat().st_mode & 0o077 == 0


def _assert_one_sentence(answer: Answer, *words: str) -> None:
    assert answer.code == 2, answer
    assert answer.out == ""
    assert len(answer.err.splitlines()) == 1, answer.err
    for word in words:
        assert word in answer.err


@pytest.fixture
def channels(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the channel files, which are read before the database is asked."""
    assert not home.exists()
    monkeypatch.setenv("MAEMAE_DATABASE_URL", NOWHERE)
    return Path(os.environ["MAEMAE_CHANNELS"])
