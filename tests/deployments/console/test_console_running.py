"""This is the proof of the commands that run something: doctor, report, backtest, migrate, and the console itself."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest

from adapters.reports import write_report
from adapters.wording import Wording
from deployments.cli import COMMANDS
from deployments.console import status
from tests.consoles import PROJECT, RUN, Console
from tests.report_days import a_day_record
from trading.reports import build_report

UNSAID = re.compile(r"console\.[a-z]")
"""The key of a sentence that is not in the catalogue."""
PRICES = "adapters/kis_sim/data/mit_daily_ohlcv_2016_2019.csv.gz"
CHECKS = [
    "python",
    "disk",
    "files",
    "calendar",
    "halts",
    "settings",
    "channel",
    "notices",
    "database",
    "config",
    "trigrams",
    "rehearsal",
    "database_clock",
    "market_clock",
    "broker",
    "broker_clock",
    "kafka",
    "prefect",
]
METRICS = [
    "final_equity",
    "days",
    "total_return",
    "cagr",
    "volatility",
    "sharpe",
    "probabilistic_sharpe",
    "sortino",
    "max_drawdown",
    "calmar",
    "exposure",
    "turnover",
    "trades",
    "win_rate",
    "profit_factor",
    "commission",
    "tax",
    "denied",
]


@pytest.mark.usefixtures("at_simulator", "database")
def test_doctor_finds_what_is_well_and_says_what_to_do_about_the_rest(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    answer = console("doctor", "--json")
    rows = answer.document["checks"]
    assert [row["check"] for row in rows] == CHECKS
    assert all(row.keys() == {"check", "health", "message", "advice"} for row in rows)
    health = {row["check"]: row["health"] for row in rows}
    well = "python files halts settings channel database trigrams database_clock market_clock broker broker_clock"
    assert {health[name] for name in well.split()} == {"ok"}
    assert (health["prefect"], health["notices"], answer.code) == ("fail", "warn", 2)
    assert all(row["advice"] for row in rows if row["health"] != "ok")
    assert not [row for row in rows if UNSAID.search(row["message"] + row["advice"])]
    secrets = (os.environ["MAEMAE_KIS__APPSECRET"], os.environ["MAEMAE_KIS__APPKEY"])
    assert not [secret for secret in secrets if secret in answer.out]


def test_doctor_comes_to_its_end_when_everything_is_down(console: Console) -> None:
    answer = console("doctor")
    assert answer.code == 2
    lines = [line for line in answer.out.splitlines() if not line.startswith("    ")]
    assert len(lines) == len(CHECKS)
    assert "maemae up or maemae demo" in answer.out


def test_doctor_names_a_misspelt_variable(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAEMAE_LANGAGE", "ko")
    rows = {row["check"]: row for row in console("doctor", "--json").document["checks"]}
    assert rows["settings"]["health"] == "warn"
    assert "MAEMAE_LANGAGE" in rows["settings"]["message"]


def test_doctor_stops_at_settings_that_cannot_be_read(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAEMAE_CHANNEL", "prod")
    rows = console("doctor", "--json").document["checks"]
    assert rows[-1]["check"] == "settings"
    assert "'prod'" in rows[-1]["message"]


@pytest.mark.usefixtures("at_simulator")
def test_doctor_sees_a_database_that_was_never_migrated(
    console: Console, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAEMAE_DATABASE_URL", postgres_url.rpartition("/")[0] + "/postgres")
    rows = {row["check"]: row for row in console("doctor", "--json").document["checks"]}
    assert (rows["database"]["health"], rows["database"]["advice"]) == ("fail", "maemae migrate")


def test_the_newest_report_is_shown_and_its_page_named(console: Console, home: Path) -> None:
    files = write_report(build_report(a_day_record()), {}, home / "reports", wording=Wording("en"))
    answer = console("report")
    assert answer.code == 0
    assert str(files.html) in answer.out
    assert "data:image" not in answer.out
    document = console("report", "--json").document
    assert document["files"] == {
        "html": str(files.html),
        "markdown": str(files.markdown),
        "json": str(files.json),
    }
    assert document["report"] == json.loads(files.json.read_text("utf-8"))


def test_a_backtest_trades_what_the_demo_trades(console: Console) -> None:
    document = console(
        "backtest", "trend-20-60", "--data", PRICES, "--from", "2018-01-02", "--to", "2018-01-31", "--json"
    ).document  # fmt: skip
    assert {"strategies", "from", "to", "cash", "metrics", "fills", "equity"} <= document.keys()
    assert list(document["metrics"]) == METRICS
    assert (document["strategies"], document["cash"]) == (["trend-20-60"], 100_000_000)
    # 051910 crossed on 2018-01-15: bought at the next opening, 438,000 won, and stopped 5 % below on the 18th
    bought, sold = (fill for fill in document["fills"] if fill["symbol"] == "051910")
    assert (bought["trading_day"], bought["side"], bought["price"]) == (
        "2018-01-16",
        "BUY",
        "438000.0000",
    )
    assert (sold["trading_day"], sold["side"]) == ("2018-01-18", "SELL")
    assert sold["quantity"] == bought["quantity"]
    result = sum(
        (1 if fill["side"] == "SELL" else -1) * fill["value"] - fill["commission"] - fill["tax"]
        for fill in document["fills"]
    )
    assert document["metrics"]["final_equity"] == 100_000_000 + result  # nothing is held at the end
    assert document["equity"][-1]["closing"] == document["metrics"]["final_equity"]


@pytest.mark.usefixtures("filled")
def test_a_backtest_reads_the_database(console: Console) -> None:
    answer = console("backtest")
    assert answer.code == 2
    assert "005380" in answer.err  # only one symbol has bars there


def test_migrating_twice_is_fine_and_tells_no_password(
    console: Console, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    monkeypatch.setenv("MAEMAE_DATABASE_URL", postgres_url)
    password = postgres_url.partition("maemae:")[2].partition("@")[0]
    for _ in range(2):
        answer = console("migrate")
        assert (answer.code, answer.err) == (0, "")
        assert password not in answer.out
    assert console("orders", "--day", "2018-01-16", "--json").document["orders"] == []


@pytest.mark.parametrize("language", ["ko", "en"])
def test_help_names_every_command_in_the_owners_language(
    console: Console, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("MAEMAE_LANGUAGE", language)
    answer = console("--help")
    assert answer.code == 0
    for name in [name for commands in COMMANDS.values() for name in commands]:
        assert f" {name} " in answer.out
    assert not UNSAID.search(answer.out)


@pytest.mark.parametrize("name", [name for group in COMMANDS.values() for name in group])
def test_every_command_explains_itself(console: Console, name: str) -> None:
    answer = console(name, "--help")
    assert (answer.code, answer.err) == (0, "")
    assert name in answer.out
    assert not UNSAID.search(answer.out)


def test_an_interrupt_is_quiet(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(status, "load_settings", interrupt)
    answer = console("status")
    assert (answer.code, answer.out, answer.err) == (130, "", "")


@pytest.mark.usefixtures("home")
def test_a_reader_that_goes_away_is_no_fault() -> None:
    words = (sys.executable, "-c", RUN, "backtest", "--data", PRICES, "--json")
    with subprocess.Popen(  # noqa: S603 - our own words
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=PROJECT
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141
