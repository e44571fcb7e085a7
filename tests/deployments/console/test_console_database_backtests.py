"""This is the proof of `maemae backtest` over the database: which bars, which universe, which index, which version."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from adapters.bar_files import read_bars
from adapters.kis_sim.histories import BUNDLED
from adapters.postgres import PostgresStores
from tests.builders import HYUNDAI, LG_CHEM, seoul
from tests.consoles import Console
from trading.adjustments import Factor
from trading.indices import Index, IndexBar
from trading.instruments import Instrument

FIRST, LAST = date(2017, 9, 1), date(2018, 3, 30)
GONE = date(2018, 3, 19)
"""The day from which LG Chem is listed no more, had it been so: a Monday, six days after it is bought."""
ASKED = (
    "backtest", "--kind", "moving_average_cross", "--set", "fast=5", "--set", "slow=10",
    "--symbols", LG_CHEM, HYUNDAI, "--convention", "next-open", "--json",
)  # fmt: skip


@pytest.fixture
def stocked(stores: PostgresStores, database: str) -> PostgresStores:
    """Seven months of six shares, KOSPI, and what is known of two of them."""
    assert database
    with stores.begin() as work:
        for bars in read_bars(BUNDLED).values():
            work.bars.upsert([bar for bar in bars if FIRST <= bar.trading_day <= LAST])
        days = [bar.trading_day for bar in bars if FIRST <= bar.trading_day <= LAST]
        levels = [Decimal(2_400 + place) for place in range(len(days))]
        work.indices.upsert(
            [
                IndexBar(Index.KOSPI, day, *[level] * 4)
                for day, level in zip(days, levels, strict=True)
            ]
        )
        work.instruments.upsert([Instrument(LG_CHEM, "LG화학"), Instrument(HYUNDAI, "현대차")])
        work.adjustments.add(LG_CHEM, [Factor(FIRST, Fraction(1))], at=seoul(LAST, "15:45"))
    return stores


def test_it_names_the_version_of_its_series_and_factors(
    console: Console, stocked: PostgresStores
) -> None:
    first, again = (console(*ASKED).document["data"] for _ in range(2))
    assert first == again
    assert (first["source"], first["adjustments"]) == ("database", {LG_CHEM: 1})
    with stocked.begin() as work:
        work.adjustments.add(LG_CHEM, [Factor(FIRST, Fraction(1, 2))], at=seoul(LAST, "15:50"))
        (bar,) = [b for b in read_bars(BUNDLED)[HYUNDAI] if b.trading_day == LAST]
        work.bars.upsert([bar, *[b for b in read_bars(BUNDLED)[LG_CHEM] if b.trading_day == FIRST]])
    same = console(*ASKED).document["data"]
    assert (same["version"], same["adjustments"]) == (first["version"], {LG_CHEM: 2})
    with stocked.begin() as work:
        work.bars.upsert([b for b in read_bars(BUNDLED)[HYUNDAI] if b.trading_day > LAST][:1])
    assert console(*ASKED).document["data"]["version"] != first["version"]


def test_what_the_database_knows_as_delisted_is_closed_out(
    console: Console, stocked: PostgresStores, tmp_path: Path
) -> None:
    with stocked.begin() as work:
        work.instruments.upsert([Instrument(LG_CHEM, "LG화학", delisted_on=GONE)])
    page = tmp_path / "page.html"
    document = console(*ASKED, "--html", str(page)).document
    ended = [t for t in document["trades"] if t["trigger"] == "delisted"]
    told = [(t["symbol"], t["entered_on"], t["left_on"]) for t in ended]
    assert told == [(LG_CHEM, "2018-03-13", "2018-03-16")]
    (last,) = [b for b in read_bars(BUNDLED)[LG_CHEM] if b.trading_day == date(2018, 3, 16)]
    assert float(ended[0]["exit_price"]) == last.close
    assert "KOSPI: +" in page.read_text("utf-8")


@pytest.mark.usefixtures("stocked")
def test_the_channel_names_the_version_of_its_bars_too(console: Console) -> None:
    asked = ("backtest", "trend-20-60", "--from", "2018-01-02", "--to", "2018-01-31", "--json")
    told = console(*asked).document
    assert told["data"]["source"] == "database"
    assert told["data"]["adjustments"] == {LG_CHEM: 1}
    assert len(told["data"]["version"]) == 64
    assert told["fills"]


@pytest.mark.usefixtures("stocked")
def test_a_symbol_without_bars_is_named_and_not_left_out(console: Console) -> None:
    answer = console(*ASKED[:7], "--symbols", LG_CHEM, "999999", "--json")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("database: symbols: '999999'")
