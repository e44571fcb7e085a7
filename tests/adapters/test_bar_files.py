"""This is the proof that a file of bars is read as it is meant, or refused with line, column and value."""

from __future__ import annotations

import gzip
import os
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from arro3.core import DataType, Field, Schema
from arro3.io import read_csv, write_parquet

from adapters.bar_files import read_bars, read_columns, read_table
from adapters.bar_tables import GrowingColumn, Integers
from tests.builders import A_DAY, LG_CHEM, SAMSUNG, seoul
from trading.bars import Interval
from trading.errors import BadInput
from trading.instruments import Symbol

HEADER = "symbol,date,open,high,low,close,volume"
ROW = "051910,2018-01-16,438000,440000,430000,431000,1000"
BUNDLED = (
    Path(__file__).resolve().parents[2] / "adapters/kis_sim/data/mit_daily_ohlcv_2016_2019.csv.gz"
)

LATER = ROW.replace("2018-01-16", "2018-01-17")
DAYS_OF_PARQUET = DataType.date32()
HALTED = "051910,2018-01-17,0,0,0,431000,0"

COLUMN_FAULTS = {
    "missing column": ("symbol,date,open,high,low,close\n", ("bars.csv: columns", "volume")),
    "missing day": ("symbol,open,high,low,close,volume\n", ("bars.csv: columns", "date or ts")),
    "empty file": ("", ("bars.csv: columns", "nothing")),
    "a column twice": (f"{HEADER},close\n{ROW},1\n", ("bars.csv: columns", "'close'", "once")),
    "no rows": (f"{HEADER}\n", ("bars.csv: rows", "at least one bar")),
    "no trade": (f"{HEADER}\n{HALTED}\n", ("bars.csv: rows", "at least one bar")),
    "zeros of a disk": ("\0" * 4_000, ("bars.csv: columns",)),
}
"""What a file is wrong in, and words that the refusal must have."""

TEXT_FAULTS = {
    "no day": (ROW.replace("2018-01-16", "monday"), ("bars.csv row 2: date", "monday")),
    "no such day": (ROW.replace("01-16", "02-30"), ("bars.csv row 2: date", "2018-02-30")),
    "fraction": (ROW.replace("431000", "431000.5"), ("line 2: close", "431000.5", "whole")),
    "nan": (f"{ROW}\n{LATER.replace('440000', 'NaN')}", ("line 3: high", "NaN", "whole number")),
    "nothing": (f"{ROW}\n{LATER.replace('440000', '')}", ("line 3: high", "''", "whole number")),
    "short row": ("051910,2018-01-16,1", ("line 2: high", "None")),
    "words behind a day": (ROW.replace("-16", "-16th"), ("row 2: date", "2018-01-16th")),
    "beyond counting": (ROW.replace("431000", "9" * 18), ("row 2: close", "up to 1,000,000")),
    "beyond 64 bits": (ROW.replace("431000", "9" * 20), ("line 2: close", "up to 1,000,000")),
}
ROW_FAULTS = {
    "no symbol": (f"{ROW}\n{ROW.replace('051910', '51910')}", ("row 3: symbol", "51910")),
    "a day twice": (f"{ROW}\n{ROW}", ("bars.csv row 3: date", "051910 2018-01-16", "one row")),
    "out of order": (f"{LATER}\n{ROW}", ("row 3: date", "2018-01-16", "after 2018-01-17")),
    "zero price": (f"{ROW}\n{LATER.replace('438000', '0')}", ("row 3: open", "=0", "above 0")),
    "zero close": (f"{ROW}\n{LATER.replace('431000', '0')}", ("row 3: close", "=0", "above 0")),
    "negative price": (f"{ROW}\n{LATER.replace('430000', '-5')}", ("row 3: low", "=-5")),
    "negative volume": (f"{ROW}\n{LATER.replace(',1000', ',-1')}", ("row 3: volume", "=-1")),
    "high below low": (f"{ROW}\n{LATER.replace('440000', '429000')}", ("row 3: high", "429000")),
}


def read(tmp_path: Path, text: str) -> dict[Symbol, tuple[Integers, ...]]:
    """Read a CSV file of `text`."""
    file = tmp_path / "bars.csv"
    file.write_text(text, "utf-8")
    return read_columns(file)


@pytest.mark.parametrize("name", COLUMN_FAULTS)
def test_a_file_without_a_column_is_refused_with_what_it_has(tmp_path: Path, name: str) -> None:
    content, words = COLUMN_FAULTS[name]
    with pytest.raises(BadInput) as caught:
        read(tmp_path, content)
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize("name", [*TEXT_FAULTS, *ROW_FAULTS])
def test_a_wrong_row_is_refused_with_file_place_and_value(tmp_path: Path, name: str) -> None:
    rows, words = (TEXT_FAULTS | ROW_FAULTS)[name]
    with pytest.raises(BadInput) as caught:
        read(tmp_path, f"{HEADER}\n{rows}\n")
    assert [word for word in words if word not in str(caught.value)] == []


RAW_FAULTS = {
    "bytes": ("bars.csv", bytes(range(128, 256)), ("bars.csv line 1", "UTF-8")),
    "letters of Windows": (
        "bars.csv",
        f"{HEADER},name\n{ROW},LG\n{LATER},엘지화학\n".encode("cp949"),
        ("bars.csv line 3", "UTF-8"),
    ),
    "UTF-16": ("bars.csv", f"{HEADER}\n{ROW}\n".encode("utf-16"), ("line 1", "UTF-8")),
    "old line ends": ("bars.csv", f"{HEADER}\r{ROW}\r".encode(), ("line 1", "commas")),
    "one endless value": ("bars.csv", b"x" * 200_000, ("line 1", "commas")),
    "no gzip": ("bars.csv.gz", f"{HEADER}\n".encode(), ("bars.csv.gz", "whole gzipped")),
    "half a gzip": (
        "bars.csv.gz",
        gzip.compress(f"{HEADER}\n{ROW}\n".encode())[:-20],
        ("bars.csv.gz", "whole gzipped"),
    ),
    "no parquet inside": ("bars.parquet", b"PAR1" + bytes(80) + b"PAR1", ("whole parquet",)),
}
"""Files that are none of bars, and words that the refusal must have."""


@pytest.mark.parametrize("name", RAW_FAULTS)
def test_what_is_no_file_of_bars_is_refused_by_name(tmp_path: Path, name: str) -> None:
    place, content, words = RAW_FAULTS[name]
    file = tmp_path / place
    file.write_bytes(content)
    with pytest.raises(BadInput) as caught:
        read_columns(file)
    assert [word for word in words if word not in str(caught.value)] == []


MOMENTS = {
    "Seoul": "2018-01-16T00:00:00+09:00",
    "Greenwich, of pandas": "2018-01-15 15:00:00+00:00",
    "Greenwich": "2018-01-15T15:00:00Z",
    "no offset": "2018-01-16 00:00:00",
    "no dashes": "20180116",
}
"""The beginning of A_DAY in Seoul."""


@pytest.mark.parametrize("fraction", ["", ".0"], ids=["at once", "line by line"])
@pytest.mark.parametrize("written", MOMENTS.values(), ids=MOMENTS)
def test_a_moment_is_on_its_day_in_seoul(tmp_path: Path, written: str, fraction: str) -> None:
    columns = read(tmp_path, f"{HEADER}\n{ROW.replace('2018-01-16', written)}{fraction}\n")
    assert columns[LG_CHEM][0].tolist() == [A_DAY.toordinal()]


@pytest.mark.parametrize(
    ("kind", "moment"),
    [
        (DataType.timestamp("ns", tz="UTC"), "2018-01-15T15:00:00Z"),
        (DataType.timestamp("us", tz="Asia/Seoul"), "2018-01-16T00:00:00+09:00"),
        (DataType.timestamp("s"), "2018-01-16T00:00:00"),
        (DataType.date32(), "2018-01-16"),
        (DataType.utf8(), "2018-01-15T15:00:00Z"),
    ],
    ids=str,
)
def test_a_parquet_files_moment_is_on_its_day_in_seoul(
    tmp_path: Path, kind: DataType, moment: str
) -> None:
    rows = ROW.replace("2018-01-16", moment)
    file = as_parquet(tmp_path / "bars.parquet", rows, DataType.int64(), day=kind)
    assert read_columns(file)[LG_CHEM][0].tolist() == [A_DAY.toordinal()]


@pytest.mark.parametrize(
    ("price", "day", "named"),
    [
        (DataType.int64(), DataType.int64(), "date"),
        (DataType.bool(), DataType.date32(), "open"),
    ],
    ids=str,
)
def test_a_column_of_another_kind_is_refused(
    tmp_path: Path, price: DataType, day: DataType, named: str
) -> None:
    row = ROW.replace("2018-01-16", "20180116") if named == "date" else ROW
    for figure in ("438000", "440000", "430000", "431000") if named == "open" else ():
        row = row.replace(figure, "true")
    file = as_parquet(tmp_path / "bars.parquet", row, price, day=day)
    with pytest.raises(BadInput, match=rf"bars\.parquet rows: {named}"):
        read_columns(file)


def as_parquet(path: Path, rows: str, price: DataType, day: DataType = DAYS_OF_PARQUET) -> Path:
    """Write rows of text as a parquet file whose prices and days have types of their own."""
    types = [DataType.utf8(), day, *[price] * 4, DataType.int64()]
    schema = Schema([Field(n, t) for n, t in zip(HEADER.split(","), types, strict=True)])
    table = read_csv(BytesIO(f"{HEADER}\n{rows}\n".encode()), schema, has_header=True)
    write_parquet(table, path)
    return path


@pytest.mark.parametrize(
    "price",
    [DataType.int32(), DataType.float64(), DataType.decimal128(19, 2), DataType.utf8()],
    ids=str,
)
def test_a_parquet_file_is_read_and_refused_like_a_csv_file(
    tmp_path: Path, price: DataType
) -> None:
    file = as_parquet(
        tmp_path / "bars.parquet", f"{ROW}\n{LATER}\n{ROW.replace('051910', '005930')}", price
    )
    found = read_columns(file)
    assert {symbol: len(days) for symbol, (days, *_) in found.items()} == {LG_CHEM: 2, SAMSUNG: 1}
    wrong = as_parquet(tmp_path / "wrong.parquet", f"{LATER}\n{ROW}", price)
    with pytest.raises(BadInput, match=r"wrong\.parquet row 2: date"):
        read_columns(wrong)


@pytest.mark.parametrize("value", ["NaN", "0.5", ""])
def test_what_is_no_whole_number_in_a_parquet_file_is_refused(tmp_path: Path, value: str) -> None:
    rows = f"{ROW}\n{LATER.replace('431000', value)}"
    file = as_parquet(tmp_path / "bars.parquet", rows, DataType.float64())
    with pytest.raises(BadInput, match=r"bars\.parquet row 2: close"):
        read_columns(file)


def test_what_is_no_parquet_file_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "bars.parquet"
    file.write_text(HEADER)
    with pytest.raises(BadInput, match=r"bars\.parquet"):
        read_columns(file)


def test_a_symbol_that_the_file_has_not_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "bars.csv"
    file.write_text(f"{HEADER}\n{ROW}\n", "utf-8")
    with pytest.raises(BadInput, match=r"bars\.csv: symbol='005930'.*051910"):
        read_table(file, [LG_CHEM, SAMSUNG])


def test_a_broken_footer_is_told_in_one_sentence_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = as_parquet(tmp_path / "bars.parquet", f"{ROW}\n{LATER}", DataType.int64())
    whole = file.read_bytes()
    footer = int.from_bytes(whole[-8:-4], "little")
    file.write_bytes(whole[: -8 - footer] + bytes(footer) + whole[-8:])
    with pytest.raises(BadInput, match=r"bars\.parquet=.* a whole parquet file"):
        read_bars(file)
    assert capfd.readouterr().err == ""
    os.write(2, b"heard again")
    assert capfd.readouterr().err == "heard again"


@pytest.mark.parametrize("bad", ["0", "a price"])
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_rows_of_others_are_not_looked_at_and_rows_keep_their_numbers(
    tmp_path: Path, ending: str, bad: str
) -> None:
    other = ROW.replace("051910", "005930").replace("438000", bad)
    rows = f"{other}\n{ROW}\n{other}\n{LATER}\n{ROW}"
    if ending == "parquet":
        rows = rows.replace("a price", "")
        file = as_parquet(tmp_path / "bars.parquet", rows, DataType.int64())
    else:
        file = tmp_path / "bars.csv"
        file.write_text(f"{HEADER}\n{rows}\n", "utf-8")
    last = 5 if ending == "parquet" else 6
    with pytest.raises(BadInput, match=rf"bars\.{ending} row {last}: date"):
        read_table(file, [LG_CHEM])
    with pytest.raises(BadInput, match=rf"bars\.{ending} \w+ {last - 4}: open"):
        read_table(file)


@pytest.mark.parametrize("fraction", ["", ".0"], ids=["at once", "line by line"])
def test_some_symbols_are_read_as_they_are_among_all(tmp_path: Path, fraction: str) -> None:
    rows = [ROW + fraction, ROW.replace("051910", "005930"), LATER, ROW.replace("051910", "000660")]
    file = tmp_path / "bars.csv"
    file.write_text("\n".join((HEADER, *rows, "")), "utf-8")
    everything, some = read_table(file), read_table(file, [LG_CHEM, SAMSUNG])
    assert some.symbols == everything.symbols[1:]
    assert some.starts.tolist() == [0, 1, 3]
    assert some.bars.tolist() == everything.bars[:, 1:].tolist()


HALTS = {
    "zeros": HALTED,
    "all zeros": HALTED.replace("431000", "0"),
    "zeros and a block trade": HALTED.replace("431000,0", "431000,700"),
    "flat without volume": "051910,2018-01-17,431000,431000,431000,431000,0",
}


@pytest.mark.parametrize("name", HALTS)
def test_a_halted_day_is_left_out_however_it_is_written(tmp_path: Path, name: str) -> None:
    columns = read(tmp_path, f"{HEADER}\n{ROW}\n{HALTS[name]}\n")[LG_CHEM]
    assert [column.tolist() for column in columns] == [
        [A_DAY.toordinal()], [438_000], [440_000], [430_000], [431_000], [1_000],
    ]  # fmt: skip


def test_fractions_of_zero_and_other_columns_do_not_matter(tmp_path: Path) -> None:
    row = "LG Chem,051910,2018-01-16T00:00:00,438000.0,440000.0,430000,431000,1000"
    (columns,) = read(tmp_path, f"name,{HEADER}\n{row}\n").values()
    assert [int(column[0]) for column in columns[1:]] == [438_000, 440_000, 430_000, 431_000, 1_000]


@pytest.mark.parametrize("day_column", ["date", "ts"])
def test_bars_come_by_symbol_whatever_stands_between_them(tmp_path: Path, day_column: str) -> None:
    file = tmp_path / "bars.csv.gz"
    rows = f"{ROW}\n{ROW.replace('051910', '005930')}\n{LATER}\n"
    file.write_bytes(gzip.compress(f"\ufeff{HEADER.replace('date', day_column)}\n{rows}".encode()))
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


def test_figures_that_need_it_make_a_column_wide_and_no_other_is_lost(tmp_path: Path) -> None:
    columns = read(tmp_path, f"{HEADER}\n{ROW}\n{LATER.replace(',1000', f',{2**31}')}\n")[LG_CHEM]
    assert columns[5].tolist() == [1_000, 2**31]
    assert columns[4].tolist() == [431_000, 431_000]


@pytest.mark.parametrize("rows", [1, 4_000, 5_000_000])
def test_a_column_grows_by_parts_and_widens_with_the_first_that_needs_it(rows: int) -> None:
    column = GrowingColumn()
    for part in (np.arange(rows), np.full(rows, 2**40), np.arange(3)):
        column.add(part)
    whole = column.whole()
    assert (len(whole), int(whole[rows - 1]), int(whole[rows])) == (2 * rows + 3, rows - 1, 2**40)
    assert whole[-3:].tolist() == [0, 1, 2]


def test_the_bundled_prices_are_read_whole() -> None:
    bars = read_bars(BUNDLED)
    assert sum(map(len, bars.values())) == 5_868
    assert len(bars) == 6
