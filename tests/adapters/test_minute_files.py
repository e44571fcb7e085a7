"""This is the proof that a file of minute bars is read as it is meant, or refused with line, column and value."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from adapters.minute_files import read_minutes
from tests.builders import LG_CHEM, SAMSUNG, seoul
from trading.bars import Bar, Interval
from trading.errors import BadInput
from trading.instruments import Symbol

HEADER = "symbol,ts,open,high,low,close,volume"
ROW = "051910,2018-01-16 09:01:00,438000,440000,430000,431000,1000"
LATER = ROW.replace("09:01", "09:02")

FAULTS = {
    "no minute": (ROW.replace(" 09:01:00", ""), ("line 2: ts", "2018-01-16", "end of a minute")),
    "seconds": (ROW.replace("01:00", "01:30"), ("line 2: ts", "09:01:30")),
    "beginnings": (ROW.replace("09:01", "09:00"), ("line 2: ts", "one minute after the opening")),
    "another zone": (ROW.replace("01:00", "01:00+09:00"), ("line 2: ts", "Seoul")),
    "no moment": (ROW.replace("2018", "now"), ("line 2: ts", "now")),
    "twice": (f"{ROW}\n{ROW}", ("line 3: ts", "2018-01-16 09:01", "rising minutes of 051910")),
    "out of order": (f"{LATER}\n{ROW}", ("line 3: ts", "2018-01-16 09:01")),
    "zero price": (f"{ROW}\n{LATER.replace('430000', '0')}", ("line 3: low", "=0", "above 0")),
    "negative volume": (LATER.replace(",1000", ",-1"), ("line 2: volume", "=-1")),
    "high below low": (LATER.replace("440000", "429000"), ("line 2: high", "429000")),
    "fraction": (ROW.replace("431000", "431000.5"), ("line 2: close", "431000.5")),
    "no symbol": (ROW.replace("051910", "51910"), ("line 2: symbol", "51910")),
    "short row": ("051910,2018-01-16 09:01", ("line 2: open", "None")),
}
"""What a row is wrong in, and words that the refusal must have."""


def read(tmp_path: Path, text: str) -> dict[Symbol, tuple[Bar, ...]]:
    """Read a CSV file of `text`."""
    file = tmp_path / "minutes.csv"
    file.write_text(text, "utf-8")
    return read_minutes(file)


def test_minutes_are_named_after_their_end_in_seoul(tmp_path: Path) -> None:
    rows = f"{HEADER}\n{ROW}\n{ROW.replace('051910', '005930')}\n{LATER}\n"
    found = read(tmp_path, rows)
    assert {symbol: len(bars) for symbol, bars in found.items()} == {SAMSUNG: 1, LG_CHEM: 2}
    bar, later = found[LG_CHEM]
    at = seoul(bar.trading_day, "09:01")
    assert (bar.at, bar.interval, bar.trading_day.isoformat()) == (
        at,
        Interval.MINUTE,
        "2018-01-16",
    )
    assert (bar.open, bar.high, bar.low, bar.close) == (438_000, 440_000, 430_000, 431_000)
    assert (later.at - bar.at).total_seconds() == 60
    packed = tmp_path / "minutes.csv.gz"
    packed.write_bytes(gzip.compress(rows.encode()))
    assert read_minutes(packed) == found


def test_a_minute_without_a_trade_is_left_out(tmp_path: Path) -> None:
    silent = LATER.replace("438000,440000,430000,431000,1000", "431000,431000,431000,431000,0")
    assert len(read(tmp_path, f"{HEADER}\n{ROW}\n{silent}\n")[LG_CHEM]) == 1


@pytest.mark.parametrize("name", FAULTS)
def test_a_wrong_row_is_refused_with_file_place_and_value(tmp_path: Path, name: str) -> None:
    rows, words = FAULTS[name]
    with pytest.raises(BadInput) as caught:
        read(tmp_path, f"{HEADER}\n{rows}\n")
    assert [word for word in words if word not in str(caught.value)] == []


def test_a_file_of_daily_bars_is_refused_with_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"minutes\.csv: columns.*ts"):
        read(tmp_path, "symbol,date,open,high,low,close,volume\n")


@pytest.mark.parametrize("name", ["nowhere.csv", "bars.parquet"])
def test_what_is_no_csv_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match="a CSV file of minute bars"):
        read_minutes(tmp_path / name)
