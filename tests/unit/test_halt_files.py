"""This is the kill switch on disk: atomically written, and closed whenever it cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.halt_files import HaltFile
from tests.builders import A_DAY, seoul
from trading.halts import Halt, TradingState

AT = seoul(A_DAY, "10:00")
HALT = Halt("operator", TradingState.REDUCING, "too fast a market", AT)


def test_no_file_means_no_halt(tmp_path: Path) -> None:
    assert HaltFile(tmp_path / "halt.json").read(at=AT) == ()


def test_a_halt_survives_the_process(tmp_path: Path) -> None:
    HaltFile(tmp_path / "halt.json").put(HALT)
    assert HaltFile(tmp_path / "halt.json").read(at=AT) == (HALT,)


def test_one_halt_per_source_and_strategy(tmp_path: Path) -> None:
    file = HaltFile(tmp_path / "halt.json")
    file.put(HALT)
    file.put(Halt("operator", TradingState.HALTED, "worse", AT))
    file.put(Halt("operator", TradingState.HALTED, "one strategy", AT, "trend"))
    assert [halt.reason for halt in file.read(at=AT)] == ["worse", "one strategy"]


@pytest.mark.parametrize("content", ["", "[]", "{", "null", '[{"source": "x"}]', '"HALTED"', "[1]"])
def test_what_cannot_be_read_halts_everything(tmp_path: Path, content: str) -> None:
    path = tmp_path / "halt.json"
    path.write_text(content, encoding="utf-8")
    (halt,) = HaltFile(path).read(at=AT)
    assert (halt.source, halt.state) == ("file", TradingState.HALTED)


def test_a_folder_in_its_place_halts_everything(tmp_path: Path) -> None:
    path = tmp_path / "halt.json"
    path.mkdir()
    assert HaltFile(path).read(at=AT)[0].state is TradingState.HALTED


def test_lifting_the_last_halt_removes_the_file(tmp_path: Path) -> None:
    file = HaltFile(tmp_path / "halt.json")
    file.put(HALT)
    assert file.lift("operator", at=AT)
    assert not file.path.exists()
    assert not file.lift("operator", at=AT)


def test_lifting_clears_an_unreadable_file(tmp_path: Path) -> None:
    file = HaltFile(tmp_path / "halt.json")
    file.path.touch()
    assert file.lift("operator", at=AT)
    assert file.read(at=AT) == ()
