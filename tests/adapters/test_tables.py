"""A table is one file, whole or not there, and a name that says no format is refused before any work."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from arro3.io import read_parquet

from adapters.tables import require_ending, write_table
from trading.errors import BadInput

ROWS: list[dict[str, Any]] = [
    {"fast": 5, "stop_loss": "0.03", "sharpe": 0.5, "days": 10, "note": None},
    {"fast": None, "stop_loss": "0.05", "sharpe": None, "days": 11, "note": None},
]


def test_csv_has_a_line_for_each_row(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "table.csv"
    write_table(path, ROWS)
    with path.open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    assert [row["stop_loss"] for row in read] == ["0.03", "0.05"]
    assert (read[1]["fast"], read[1]["sharpe"]) == ("", "")
    assert list(path.parent.iterdir()) == [path]


def test_parquet_keeps_numbers_and_gaps(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    write_table(path, ROWS)
    table = read_parquet(path).read_all()
    assert table.column_names == list(ROWS[0])
    for name in ROWS[0]:
        assert table.column(name).to_pylist() == [row[name] for row in ROWS]


def test_no_rows_are_a_table_too(tmp_path: Path) -> None:
    write_table(tmp_path / "table.csv", [])
    assert (tmp_path / "table.csv").read_text("utf-8") == "\n"


@pytest.mark.parametrize("name", ["table", "table.xlsx", "table.csv.gz"])
def test_an_ending_that_says_no_format_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="--table"):
        require_ending(Path(name))
