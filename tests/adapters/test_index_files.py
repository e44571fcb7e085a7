"""An index comes from a file as it is, or with a sentence that names the row."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.index_files import read_index
from trading.errors import BadInput


def write(path: Path, *rows: str) -> Path:
    file = path / "kospi.csv"
    file.write_text("\n".join(rows) + "\n", "utf-8")
    return file


def test_days_and_closes_are_read_with_their_decimals(tmp_path: Path) -> None:
    file = write(tmp_path, "date,open,close", "2018-01-02,1,2479.65", '2018-01-03,1,"2,486.35"')
    index = read_index(file)
    assert index.name == "KOSPI"
    assert index.closes == [
        (date(2018, 1, 2), Decimal("2479.65")),
        (date(2018, 1, 3), Decimal("2486.35")),
    ]


def test_a_day_without_a_close_takes_the_last_one_before(tmp_path: Path) -> None:
    index = read_index(write(tmp_path, "date,close", "2018-01-02,100", "2018-01-05,110"))
    assert index.level_on(date(2018, 1, 1)) is None
    assert index.level_on(date(2018, 1, 2)) == index.level_on(date(2018, 1, 4)) == 100
    assert index.level_on(date(2019, 1, 1)) == 110


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        (("day,close", "2018-01-02,1"), "columns"),
        (("date,close", "2018-01-02,"), "row 2: close"),
        (("date,close", "2018-01-02,nan"), "row 2: close"),
        (("date,close", "2018-01-02,0"), "row 2: close"),
        (("date,close", "2018-01-02,1", "2018-13-02,1"), "row 3: date"),
        (("date,close", "2018-01-03,1", "2018-01-02,1"), "2018-01-02"),
        (("date,close", "2018-01-03,1", "2018-01-03,1"), "2018-01-03"),
        (("date,close",), "rows"),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path: Path, rows: tuple[str, ...], named: str) -> None:
    with pytest.raises(BadInput, match=rf"kospi\.csv.*{named}"):
        read_index(write(tmp_path, *rows))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nowhere"):
        read_index(tmp_path / "nowhere.csv")
