"""This is the table of other engines in the docs: one of them may be measured anew, the others keep their lines."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from bench.peers.tables import BEGIN, END, Document, Lines, Row

MACHINE: Final = {"cores": 2, "load": "0.1", "python": "3.13.0", "seed": 1}
OWN: Final = {"A": 0.5, "B": 2.0}


def the_table(*rows: Row, before: str = "") -> str:
    return Lines("en", OWN, ("ours", "theirs", "another")).table(rows, MACHINE, before=before)


def lines_of(table: str) -> list[str]:
    return [line for line in table.splitlines() if line.startswith("|")][2:]


def test_what_is_not_measured_keeps_its_line_and_its_place() -> None:
    before = the_table(Row("theirs", "B", cpu=4), Row("another", "A", cpu=1), Row("theirs", "A"))
    after = the_table(Row("ours", "A", cpu=0.5), Row("theirs", "B", cpu=8), before=before)
    assert [line.split("|")[1:3] for line in lines_of(after)] == [
        [" A ", " ours "],
        [" A ", " theirs "],
        [" A ", " another "],
        [" B ", " theirs "],
    ]
    assert lines_of(before)[1] in lines_of(after)
    assert "| 8 | 4.00 |" in lines_of(after)[3]  # seconds, and times our own 2


def test_an_engine_that_is_absent_keeps_its_figures() -> None:
    before = the_table(Row("theirs", "A", cpu=1))
    assert the_table(Row("theirs", "", note="absent"), before=before) == before
    assert "not installed here" in the_table(Row("theirs", "", note="absent"))


def test_an_engine_that_is_unequal_loses_its_figures() -> None:
    before = the_table(Row("theirs", "A", cpu=1), Row("another", "A", cpu=1))
    after = lines_of(the_table(Row("theirs", "", note="unequal"), before=before))
    assert [line.split("|")[2] for line in after] == [" another ", " theirs "]
    assert "no figures" in after[1]


def test_figures_take_the_place_of_a_note() -> None:
    before = the_table(Row("theirs", "", note="absent"))
    (line,) = lines_of(the_table(Row("theirs", "A", cpu=1), before=before))
    assert "not installed" not in line


def test_a_page_keeps_what_stands_around_its_table(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"above\n{BEGIN}old\n{END}\nbelow\n", "utf-8")
    document = Document.read(page)
    document.table = "new\n"
    document.write()
    assert page.read_text("utf-8") == f"above\n{BEGIN}new\n{END}\nbelow\n"
