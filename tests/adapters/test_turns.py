"""Tests that ask what the clock says run alone, and nobody starves."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillWaiting
from pathlib import Path
from threading import Event

import pytest

from tests.turns import turn

MOMENT = 0.2


def waits(someone: Future[None]) -> bool:
    try:
        someone.result(timeout=MOMENT)
    except StillWaiting:
        return True
    return False


def test_a_timed_test_waits_for_the_others_and_the_next_ones_wait_for_it(tmp_path: Path) -> None:
    leave = Event()

    def test_of(*, alone: bool) -> None:
        with turn(tmp_path, alone=alone):
            assert leave.wait(timeout=30) or not alone

    with ThreadPoolExecutor() as others:
        with turn(tmp_path, alone=False), turn(tmp_path, alone=False):  # two share
            timed = others.submit(test_of, alone=True)
            assert waits(timed)
            late = others.submit(test_of, alone=False)
            assert waits(late)
        assert waits(timed)
        assert waits(late)
        leave.set()
        timed.result(timeout=30)
        late.result(timeout=30)


def test_a_test_that_fails_gives_its_turn_back(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), turn(tmp_path, alone=True):
        _ = 1 / 0
    with turn(tmp_path, alone=True):
        pass
