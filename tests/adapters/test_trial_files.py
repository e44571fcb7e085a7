"""Finished trials stay finished: after a crash in the middle of a line, and beside a second sweep."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from adapters.trial_files import TrialFile, tried_in
from trading.errors import BadInput

ONE, TWO = {"key": "1", "sharpe": 0.5}, {"key": "2", "sharpe": None}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that is not there yet, nor is its folder."""
    return tmp_path / "trend" / "question.jsonl"


def write(path: Path, *documents: Mapping[str, object]) -> None:
    file = TrialFile(path)
    with file.writing():
        file.add(documents)


def test_what_was_finished_is_there_again(path: Path) -> None:
    write(path, ONE)
    write(path, TWO)
    assert TrialFile(path).finished == {"1": ONE, "2": TWO}


def test_a_trial_is_written_once(path: Path) -> None:
    write(path, ONE, TWO)
    write(path, ONE)
    assert path.read_text("utf-8").count("\n") == 2


@pytest.mark.parametrize("cut", range(1, 20))
def test_a_line_that_a_crash_cut_off_is_not_half_read_and_goes(path: Path, cut: int) -> None:
    write(path, ONE, TWO)
    path.write_bytes(path.read_bytes()[:-cut])
    assert TrialFile(path).finished == {"1": ONE}
    write(path, {"key": "3"})
    assert [json.loads(line)["key"] for line in path.read_text("utf-8").splitlines()] == ["1", "3"]


def test_what_was_added_is_written_before_the_next_begins(path: Path) -> None:
    file = TrialFile(path)
    with file.writing():
        file.add([ONE])
        assert TrialFile(path).finished == {"1": ONE}


def test_a_second_sweep_of_the_same_question_is_refused(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from adapters.trial_files import TrialFile\n"
        "with TrialFile(Path(sys.argv[1])).writing(): print('held', flush=True); sys.stdin.read()"
    )
    words = (sys.executable, "-c", code, str(path))
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:  # noqa: S603 - our own words
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(BadInput, match="running"), TrialFile(path).writing():
            pass
        other.communicate("")
    write(path, ONE)


def test_what_another_sweep_finished_meanwhile_is_kept_and_not_tried_again(path: Path) -> None:
    file = TrialFile(path)
    write(path, ONE)
    with file.writing():
        assert file.finished == {"1": ONE}
        file.add([TWO])
    assert TrialFile(path).finished == {"1": ONE, "2": TWO}


def test_a_file_that_was_removed_meanwhile_begins_anew(path: Path) -> None:
    write(path, ONE)
    file = TrialFile(path)
    path.unlink()
    with file.writing():
        file.add([TWO])
    assert TrialFile(path).finished == {"2": TWO}


@pytest.mark.parametrize("line", ["{", "[1]", "5", "{}", "\0\0"])
def test_a_line_that_is_no_trial_is_named(path: Path, line: str) -> None:
    write(path, ONE)
    path.write_text(f"{path.read_text('utf-8')}{line}\n", "utf-8")
    with pytest.raises(BadInput, match=r"question\.jsonl line 2.*remove"):
        TrialFile(path)


def test_the_tries_of_all_questions_in_a_folder_count(path: Path) -> None:
    assert not list(tried_in(path.parent))
    write(path, ONE, TWO)
    write(path.with_name("other.jsonl"), ONE)
    assert len(list(tried_in(path.parent))) == 3
