"""This is the proof that a file of bars is read as it is meant, or refused with line, column and value."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from adapters.bar_files import read_bars
from tests.builders import A_DAY, LG_CHEM, seoul
from trading.bars import Interval
from trading.errors import BadInput

HEADER = "symbol,date,open,high,low,close,volume"
ROW = "051910,2018-01-16,438000,440000,430000,431000,1000"
BUNDLED = (
    Path(__file__).resolve().parents[2] / "adapters/kis_sim/data/mit_daily_ohlcv_2016_2019.csv.gz"
)

FAULTS = {
    "missing column": ("symbol,date,open,high,low,close\n", ("bars.csv: columns", "volume")),
    "empty file": ("", ("bars.csv: columns", "nothing")),
    "no day": (f"{HEADER}\n{ROW.replace('2018-01-16', 'monday')}", ("line 2: date", "monday")),
    "fraction": (f"{HEADER}\n{ROW.replace('431000', '431000.5')}", ("line 2: close", "431000.5")),
    "short row": (f"{HEADER}\n051910,2018-01-16,1", ("line 2: high", "None")),
    "no symbol": (f"{HEADER}\n{ROW.replace('051910', '51910')}", ("symbol", "51910")),
    "a day twice": (f"{HEADER}\n{ROW}\n{ROW}", ("bars.csv: rows", "051910 2018-01-16")),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_wrong_file_is_refused_with_place_and_value(tmp_path: Path, name: str) -> None:
    content, words = FAULTS[name]
    file = tmp_path / "bars.csv"
    file.write_text(content, "utf-8")
    with pytest.raises(BadInput) as caught:
        read_bars(file)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("day_column", ["date", "ts"])
def test_bars_come_by_symbol_and_oldest_first(tmp_path: Path, day_column: str) -> None:
    later = ROW.replace("2018-01-16", "2018-01-17")
    file = tmp_path / "bars.csv.gz"
    file.write_bytes(
        gzip.compress(f"{HEADER.replace('date', day_column)}\n{later}\n{ROW}\n".encode())
    )
    bars = read_bars(file)[LG_CHEM]
    assert [bar.trading_day.day for bar in bars] == [16, 17]
    assert (bars[0].trading_day, bars[0].at, bars[0].interval) == (
        A_DAY,
        seoul(A_DAY, "00:00"),
        Interval.DAY,
    )
    assert (bars[0].open, bars[0].high, bars[0].low, bars[0].close, bars[0].volume) == (
        438_000, 440_000, 430_000, 431_000, 1_000,
    )  # fmt: skip


def test_the_bundled_prices_are_read_whole() -> None:
    bars = read_bars(BUNDLED)
    assert sum(map(len, bars.values())) == 5_868
    assert len(bars) == 6
