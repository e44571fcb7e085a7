"""This is the proof of `maemae backtest` by convention: bars of a file in, everything in JSON out, or one sentence."""

from __future__ import annotations

import gzip
import hashlib
import sys
from pathlib import Path

import numpy as np
import pytest

from adapters.kis_sim.histories import BUNDLED
from backtest.options import convention
from backtest.outcomes import outcome_of
from tests.consoles import Console, run_process
from tests.conventions import DAYS, columns_of, run
from trading.instruments import Symbol

SEED = 20261123
SYMBOLS = tuple(map(Symbol, ("000010", "000020", "000030")))
TREND = ("fast=1", "slow=2", "volume_ratio=null", "volume_window=1")
KEYS = {
    "engine", "convention", "options", "strategies", "symbols", "from", "to", "cash", "data",
    "metrics", "trades", "fills", "orders", "equity", "sha256",
}  # fmt: skip
HEAVY = ("pandas", "prefect", "sqlalchemy", "psycopg", "httpx", "holidays")


def some_rows(symbol: Symbol) -> list[tuple[int, ...]]:
    """Give a bar for each day, from one seed."""
    dice = np.random.default_rng([SEED, int(symbol)])
    closes = 10_000 + dice.integers(-200, 210, len(DAYS)).cumsum()
    opens = closes + dice.integers(-150, 150, len(DAYS))
    highs, lows = np.maximum(opens, closes) + 50, np.minimum(opens, closes) - 50
    return list(zip(*(each.tolist() for each in (opens, highs, lows, closes)), strict=True))


ROWS = {symbol: some_rows(symbol) for symbol in SYMBOLS}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A file of three symbols."""
    lines = ["symbol,date,open,high,low,close,volume"]
    for symbol, rows in ROWS.items():
        days = columns_of(rows).days
        lines += [
            f"{symbol},{day.isoformat()},{','.join(map(str, row))},1000000"
            for day, row in zip(DAYS, rows, strict=True)
        ]
        assert len(days) == len(rows)
    file = tmp_path / "bars.csv"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return file


def words(data: Path, *more: str) -> tuple[str, ...]:
    """Give the command for a trend over `data`."""
    sets = [word for each in TREND for word in ("--set", each)]
    kind = ("--kind", "moving_average_cross", *sets, "--data", str(data))
    return ("backtest", *kind, "--convention", "krx-daily", "--market", "none", "--json", *more)


def test_the_command_says_what_the_engine_found(console: Console, data: Path) -> None:
    document = console(*words(data)).document
    options = convention("krx-daily")
    assert options
    expected = outcome_of(run(ROWS, options))
    assert document.keys() == KEYS
    assert len(expected.fills) > 20
    assert [(f["trading_day"], f["symbol"], f["quantity"]) for f in document["fills"]] == [
        (f.trading_day.isoformat(), f.symbol, f.quantity) for f in expected.fills
    ]
    assert document["metrics"]["final_equity"] == expected.equity[-1][1]
    assert document["equity"][-1]["closing"] == expected.equity[-1][1]
    assert document["cash"] == 30_000_000
    assert document["options"]["commission_rate"] == "0.000140527"


def test_it_says_which_version_of_the_bars_it_used(console: Console, data: Path) -> None:
    told = console(*words(data)).document["data"]
    assert told == {
        "source": "bars.csv",
        "version": hashlib.sha256(data.read_bytes()).hexdigest(),
        "adjustments": {},
    }


SAME = {
    "each its cash": (),
    "one account": ("--cash-split", "shared", "--weight", "0.3", "--maximum-holdings", "2"),
    "at the next close": ("--convention", "next-close", "--quantity", "7", "--tax", "0.002"),
}


@pytest.mark.parametrize("name", SAME)
def test_both_engines_come_to_the_same(console: Console, data: Path, name: str) -> None:
    asked = [word for word in words(data) if word not in {"--convention", "krx-daily"}]
    how = SAME[name] if "--convention" in SAME[name] else ("--convention", "krx-daily", *SAME[name])
    exact, fast = (
        console(*asked, *how, "--engine", engine).document for engine in ("exact", "fast")
    )
    assert exact["fills"]
    assert exact["sha256"] == fast["sha256"]
    differing = {
        name for name in exact["metrics"] if exact["metrics"][name] != fast["metrics"][name]
    }
    assert differing <= {"denied"}  # the fast one makes no orders
    assert [t["result"] for t in exact["trades"]] == [t["result"] for t in fast["trades"]]


def test_what_the_fast_engine_does_not_know_it_refuses_by_name(
    console: Console, data: Path
) -> None:
    krx = ["krx" if word == "none" else word for word in words(data, "--engine", "fast")]
    answer = console(*krx)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("market")


def test_trades_add_up_to_the_result(console: Console, data: Path) -> None:
    document = console(*words(data)).document
    closed = [trade for trade in document["trades"] if trade["left_on"]]
    assert {trade["trigger"] for trade in closed} == {"cross", "stop"}
    assert len(closed) == document["metrics"]["trades"]
    still = [trade for trade in document["trades"] if not trade["left_on"]]
    spent = sum(t["quantity"] * float(t["entry_price"]) + t["commission"] for t in still)
    cash = 30_000_000 + sum(trade["result"] for trade in closed) - spent
    held = sum(t["quantity"] * ROWS[t["symbol"]][-1][3] for t in still)
    assert cash + held == document["metrics"]["final_equity"]
    assert len(document["orders"]) >= len(document["fills"])


def test_one_account_with_places_and_weights(console: Console, data: Path) -> None:
    shared = ("--cash-split", "shared", "--cash", "1000000", "--weight", "0.3")
    document = console(*words(data, *shared, "--maximum-holdings", "1")).document
    assert document["cash"] == 1_000_000
    assert document["options"]["sizing"] == "weight"
    refused = [o for o in document["orders"] if "MAXIMUM_HOLDINGS" in o["error_message"]]
    assert refused
    values = [fill["value"] for fill in document["fills"] if fill["side"] == "BUY"]
    assert max(values) <= 330_000


def test_symbols_days_and_fixed_quantities_are_as_asked(console: Console, data: Path) -> None:
    asked = ("--symbols", "000010", "000030", "--from", "2018-02-01", "--to", "2018-02-28")
    document = console(*words(data, *asked, "--quantity", "7", "--tax", "0")).document
    assert {fill["symbol"] for fill in document["fills"]} == {"000010", "000030"}
    assert {fill["quantity"] for fill in document["fills"]} == {7}
    assert {fill["tax"] for fill in document["fills"]} == {0}
    days = [point["trading_day"] for point in document["equity"]]
    assert (days[0], days[-1]) == ("2018-02-01", "2018-02-28")


def test_without_json_it_is_a_table(console: Console, data: Path) -> None:
    answer = console(*(word for word in words(data) if word != "--json"))
    assert (answer.code, answer.err) == (0, "")
    assert "Final equity" in answer.out
    assert " Name " not in answer.out, "a file knows no names"


def test_a_file_needs_neither_database_nor_prefect_nor_pandas(data: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from deployments.cli import main; code = main();"
        f"print(sorted(set({HEAVY}) & set(sys.modules)), file=sys.stderr); sys.exit(code)"
    )
    answer = run_process(*words(data), code=code, MAEMAE_HOME=str(tmp_path))
    assert (answer.code, answer.err.strip()) == (0, "[]")
    assert answer.document["convention"] == "krx-daily"
    assert "pandas" not in sys.argv  # the process above was another one


WRONG = {
    "unknown symbol": (("--symbols", "000099"), ("bars.csv: symbol", "000099", "000010")),
    "no symbol": (("--symbols", "99"), ("symbol", "'99'", "six")),
    "unknown parameter": (("--set", "quick=3"), ("quick",)),
    "parameter out of range": (("--set", "slow=5000"), ("slow", "5000", "1000")),
    "parameter that is no number": (("--set", "slow=soon"), ("slow", "soon")),
    "parameter without a value": (("--set", "slow"), ("--set", "fast=50")),
    "days outside": (("--from", "2019-01-01"), ("bars.csv: days", "2018-01-02..2018-03-30")),
    "days before": (("--to", "2017-01-01", "--from", "2016-01-01"), ("bars.csv: days",)),
    "days turned": (("--from", "2018-02-02", "--to", "2018-02-01"), ("first", "2018-02-02")),
    "window too long": (("--set", "slow=400"), ("bars.csv: bars", str(len(DAYS)), "401")),
    "no such tax": (("--tax", "half"), ("--tax", "half", "dated")),
    "no such market": (("--tax", "0.5"), ("tax_rate", "0.5", "0.002")),
    "no cash": (("--cash", "0"), ("cash", "above 0")),
    "cash beyond counting": (("--cash", "9" * 26), ("cash", "up to 1000000000000000")),
    "shares beyond counting": (("--quantity", "9" * 20), ("quantity", "up to")),
    "scale beyond counting": (("--price-scale", "1000000000"), ("price_scale", "100000000")),
    "places where there is one": (("--maximum-holdings", "3"), ("maximum_holdings",)),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_question_is_one_sentence_and_nothing_is_printed(
    console: Console, data: Path, name: str
) -> None:
    more, told = WRONG[name]
    answer = console(*words(data, *more))
    assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
    assert [word for word in told if word not in answer.err] == []


def test_a_wrong_row_is_told_with_file_and_place(console: Console, data: Path) -> None:
    data.write_text(data.read_text("utf-8").replace(",1000000", ",many", 1), "utf-8")
    answer = console(*words(data))
    assert (answer.code, answer.out) == (2, "")
    assert "bars.csv line 2: volume" in answer.err


OF_THE_CHANNEL = {
    "kind": (("--kind", "moving_average_cross"), "--kind"),
    "engine": (("--engine", "fast"), "--engine"),
    "market": (("--market", "none"), "--market"),
    "symbols": (("--symbols", "000010"), "--symbols"),
}


@pytest.mark.parametrize("name", OF_THE_CHANNEL)
def test_the_channels_own_convention_takes_nothing_from_the_command(
    console: Console, data: Path, name: str
) -> None:
    more, field = OF_THE_CHANNEL[name]
    answer = console("backtest", "--convention", "channel", "--data", str(data), *more)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(field)


@pytest.mark.parametrize(
    ("first", "named"),
    [("2018-01-02", "bars"), ("2019-01-02", "days")],
    ids=["window too long", "days outside"],
)
def test_the_channels_own_convention_names_the_file_that_does_not_fit(
    console: Console, tmp_path: Path, first: str, named: str
) -> None:
    lines = gzip.decompress(BUNDLED.read_bytes()).decode().splitlines()
    days = [line for line in lines[1:] if "2018-01-01" <= line.split(",")[1][:10] <= "2018-02-28"]
    data = tmp_path / "few.csv"
    data.write_text("\n".join([lines[0], *days]) + "\n", "utf-8")
    asked = ("backtest", "trend-20-60", "--file", "--data", str(data), "--to", "2019-12-31")
    answer = console(*asked, "--from", first)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"few.csv: {named}")


def test_a_strategy_of_the_channel_trades_by_a_convention(console: Console, data: Path) -> None:
    answer = console(
        "backtest", "trend-20-60", "--convention", "next-close", "--market", "none", "--json",
        "--data", str(data), "--symbols", "000010,000020", "--to", "2018-02-28",
    )  # fmt: skip
    assert answer.code == 2  # 61 days of 60/20 are more than the file has
    assert "bars.csv: bars" in answer.err


def test_the_page_says_what_the_command_says(console: Console, data: Path, tmp_path: Path) -> None:
    page, index = tmp_path / "sheets" / "page.html", tmp_path / "kospi.csv"
    rows = [f"{day.isoformat()},{2_000 + place}" for place, day in enumerate(DAYS)]
    index.write_text("\n".join(["date,close", *rows]) + "\n", "utf-8")
    answer = console(*words(data, "--html", str(page), "--benchmark", str(index)))
    assert answer.document.keys() == KEYS
    assert str(page) in answer.err
    text = page.read_text("utf-8")
    assert f"{answer.document['metrics']['final_equity']:,}" in text
    assert "KOSPI: +" in text
    assert all(f"\N{MULTIPLICATION SIGN}{factor}" in text for factor in ("0.5", "1", "2", "3"))
    assert text.count("<figure>") == len(SYMBOLS)
    assert "commission_rate=0.000140527" in text


def test_the_page_is_the_same_to_the_byte_wherever_it_is_made(data: Path, tmp_path: Path) -> None:
    places = ({"TZ": "Asia/Seoul"}, {"TZ": "America/New_York"})
    pages = [tmp_path / f"{number}.html" for number in range(len(places))]
    for number, (page, place) in enumerate(zip(pages, places, strict=True)):
        asked = words(data, "--html", str(page))
        answer = run_process(*asked, PYTHONHASHSEED=str(number), **place)
        assert answer.code == 0, answer.err
    one, other = (page.read_bytes() for page in pages)
    assert one == other


def test_an_index_without_a_page_and_a_bad_one_are_refused(
    console: Console, data: Path, tmp_path: Path
) -> None:
    page, index = tmp_path / "page.html", tmp_path / "kospi.csv"
    index.write_text("date,close\n2018-01-02,zero\n", "utf-8")
    alone = console(*words(data, "--benchmark", str(index)))
    assert (alone.code, alone.out) == (2, "")
    assert "--benchmark" in alone.err
    bad = console(*words(data, "--html", str(page), "--benchmark", str(index)))
    assert (bad.code, bad.out) == (2, "")
    assert "kospi.csv row 2: close" in bad.err
    assert not page.exists()
