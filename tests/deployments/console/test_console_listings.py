"""This is the proof of `maemae backtest --listings`: the universe as of each day, in both engines or refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.consoles import Answer, Console
from tests.conventions import DAYS

TREND = ("fast=1", "slow=2", "volume_ratio=null", "volume_window=1")
GONE, STAYS = "000010", "000020"
LAST = DAYS[5]
"""On the next day `GONE` is listed no more, though the file goes on with prices."""


@pytest.fixture
def asked(tmp_path: Path) -> tuple[str, ...]:
    """The command for a trend over two symbols: bought on day 3, sold on day 12, bought again on day 13."""
    closes = [10_000, *range(10_000, 11_000, 100), 10_800, *range(11_000, 12_000, 100)]
    rows = [
        f"{symbol},{day.isoformat()},{price},{price + 50},{price - 50},{price},1000000"
        for symbol in (GONE, STAYS)
        for price, day in zip(closes, DAYS, strict=False)
    ]
    file = tmp_path / "bars.csv"
    file.write_text("\n".join(["symbol,date,open,high,low,close,volume", *rows]) + "\n", "utf-8")
    sets = [word for each in TREND for word in ("--set", each)]
    kind = ("--kind", "moving_average_cross", *sets, "--data", str(file), "--json")
    return ("backtest", *kind, "--market", "none", "--quantity", "10")


def listings(folder: Path, row: str) -> tuple[str, str]:
    """Write a file of listings, and give the words that name it."""
    file = folder / "listings.csv"
    file.write_text(f"symbol,listed_on,delisted_on\n{row}\n", "utf-8")
    return "--listings", str(file)


def trades_of(answer: Answer, symbol: str) -> list[dict[str, Any]]:
    """Give the trades of one symbol, oldest first."""
    return [trade for trade in answer.document["trades"] if trade["symbol"] == symbol]


def test_what_is_delisted_is_closed_out_and_the_rest_goes_on(
    console: Console, asked: tuple[str, ...], tmp_path: Path
) -> None:
    until = listings(tmp_path, f"{GONE},,{DAYS[6].isoformat()}")
    (gone,) = trades_of(console(*asked, *until), GONE)
    assert (gone["left_on"], gone["trigger"]) == (LAST.isoformat(), "delisted")
    assert (float(gone["exit_price"]), gone["quantity"]) == (10_400, 10)
    stays = trades_of(console(*asked, *until), STAYS)
    assert [trade["left_on"] for trade in stays] == [DAYS[12].isoformat(), None]
    untold = trades_of(console(*asked), GONE)
    assert [trade["left_on"] for trade in untold] == [DAYS[12].isoformat(), None]


def test_nothing_is_bought_before_it_is_listed(
    console: Console, asked: tuple[str, ...], tmp_path: Path
) -> None:
    since = listings(tmp_path, f"{GONE},{DAYS[10].isoformat()},")
    exact, fast = (
        console(*asked, *since, "--engine", engine).document for engine in ("exact", "fast")
    )
    assert exact["sha256"] == fast["sha256"]
    bought = [
        (fill["symbol"], fill["trading_day"]) for fill in exact["fills"] if fill["side"] == "BUY"
    ]
    days = [day.isoformat() for day in DAYS]
    assert sorted(bought) == [(GONE, days[13]), (STAYS, days[3]), (STAYS, days[13])]


def test_the_fast_engine_refuses_what_it_would_have_to_close_out(
    console: Console, asked: tuple[str, ...], tmp_path: Path
) -> None:
    until = listings(tmp_path, f"{GONE},,{DAYS[6].isoformat()}")
    answer = console(*asked, *until, "--engine", "fast")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("listings")
    assert GONE in answer.err
    before = ("--to", DAYS[5].isoformat())
    assert console(*asked, *until, *before, "--engine", "fast").document["fills"]


def test_a_wrong_listing_is_one_sentence(
    console: Console, asked: tuple[str, ...], tmp_path: Path
) -> None:
    answer = console(*asked, *listings(tmp_path, f"{GONE},soon,"))
    assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
    assert "listings.csv row 2: listed_on" in answer.err
