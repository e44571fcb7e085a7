"""This is the proof of `maemae backtest` for strategies of minute bars: a file and the database give the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest
import yaml

from adapters.calendars import XkrxCalendar
from adapters.postgres import PostgresStores
from tests.builders import SAMSUNG
from tests.consoles import Console
from tests.minute_days import A_SESSION, day_of
from trading.bars import Bar
from trading.sessions import KST

DAYS: Final = XkrxCalendar().trading_days(date(2026, 11, 16), date(2026, 11, 18))
RISING: Final = [50_000, 50_100, 50_200, 50_300, 50_400, 49_900, 49_800, 49_700]
"""A range of 50,000 to 50,100; above it at 9:03, bought at 9:04's opening, below it at 9:06, sold at 9:07's."""
STRATEGY: Final = {
    "id": "range",
    "kind": "opening_range_breakout",
    "parameters": {"minutes": 2, "enter_until": 60, "leave_after": 300},
    "symbols": [str(SAMSUNG)],
}
ASKED: Final = ("backtest", "range", "--file", "--from", "2026-11-17", "--json")


def minutes() -> list[Bar]:
    """Give a day to warm up, and two on which the range is left."""
    still, *days = DAYS
    return [*day_of(still, [50_000] * A_SESSION), *(b for day in days for b in day_of(day, RISING))]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The bars in a file."""
    rows = [
        f"{bar.symbol},{bar.at.astimezone(KST):%Y-%m-%d %H:%M},"
        f"{bar.open},{bar.high},{bar.low},{bar.close},{bar.volume * 100}"
        for bar in minutes()
    ]
    file = tmp_path / "minutes.csv"
    header = "symbol,ts,open,high,low,close,volume"
    file.write_text("\n".join([header, *rows]) + "\n", "utf-8")
    return file


@pytest.fixture
def channel(home: Path, tmp_path: Path) -> Path:
    """The channel with such a strategy beside its own."""
    assert not home.exists()
    file = tmp_path / "channels" / "dev.yaml"
    document = yaml.safe_load(file.read_text("utf-8"))
    document["strategies"].append(STRATEGY)
    file.write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")
    return file


@pytest.mark.usefixtures("channel")
def test_a_strategy_of_minutes_trades_a_file_of_minutes(
    console: Console, data: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    answer = console(*ASKED, "--data", str(data), "--html", str(page))
    assert answer.code == 0, answer.err
    document = answer.document
    assert (document["convention"], document["strategies"]) == ("channel", ["range"])
    fills = [(fill["side"], int(Decimal(fill["price"]))) for fill in document["fills"]]
    assert fills == [("BUY", 50_300), ("SELL", 49_800)] * 2
    assert document["metrics"]["days"] == 2
    assert "<figure>" in page.read_text("utf-8")


@pytest.mark.usefixtures("channel")
def test_the_database_gives_the_same(
    console: Console, data: Path, stores: PostgresStores, database: str
) -> None:
    assert database
    from_file = console(*ASKED, "--data", str(data)).document
    with stores.begin() as work:
        work.bars.upsert([replace(bar, volume=bar.volume * 100) for bar in minutes()])
    from_database = console(*ASKED).document
    assert from_database.pop("data")["source"] == "database"
    assert from_file.pop("data")["source"] == data.name
    assert from_database == from_file


@pytest.mark.usefixtures("channel")
def test_a_file_is_of_days_or_of_minutes(console: Console, data: Path) -> None:
    answer = console("backtest", "--file", "--data", str(data))
    assert (answer.code, answer.out) == (2, "")
    assert "range" in answer.err
    assert "minutes.csv" in answer.err
