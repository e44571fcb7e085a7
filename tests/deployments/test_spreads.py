"""Trials are spread over processes of this machine as they would run in one, and batches lose none."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from importlib.util import find_spec
from multiprocessing import active_children
from pathlib import Path
from typing import Any, Final

import pytest

from backtest.cells import Row, possible
from deployments.spreads import cluster
from tasks.spreads import LARGEST_BATCH, Here, Processes, Spread, batches
from tests.pythons import PROJECT
from tests.sweep_worlds import SPACE, WHOLE, a_question, trial
from trading.errors import BadInput

QUESTION = a_question()
TRIALS, _ = possible(QUESTION, WHOLE, SPACE.cells())


def rows_of(spread: Spread) -> dict[str, Row]:
    """Run all trials."""
    return {row.key: row for rows in spread.run(QUESTION, TRIALS) for row in rows}


EXPECTED = rows_of(Here())


def test_processes_give_the_rows_of_one() -> None:
    assert rows_of(Processes(2)) == EXPECTED


def test_other_processes_do_their_part() -> None:
    rows: dict[str, Row] = {}
    helped = False
    for found in Processes(2).ready().run(QUESTION, TRIALS * 10):
        helped = helped or bool(active_children())
        rows |= {row.key: row for row in found}
    assert rows == EXPECTED
    assert helped
    assert not active_children()  # nobody is left behind
    assert not questions_held()


def test_who_stops_early_waits_for_nobody() -> None:
    running = Processes(2).ready().run(QUESTION, TRIALS * 40)
    first = next(running)
    running.close()
    assert all(row == EXPECTED[row.key] for row in first)
    assert not questions_held()


def test_a_worker_that_dies_is_told() -> None:
    running = Processes(2).ready().run(QUESTION, TRIALS * 40)
    next(running)
    for child in active_children():
        child.kill()
    with pytest.raises(BrokenProcessPool):
        list(running)
    assert not questions_held()


def questions_held() -> list[Path]:
    """Find the memory of questions that this process holds still."""
    held = Path("/proc/self/fd").iterdir()
    return [place for place in held if place.is_symlink() and "question" in str(place.readlink())]


KILLED: Final = """
from multiprocessing import active_children
from backtest.cells import possible
from tasks.spreads import Processes
from tests.sweep_worlds import SPACE, WHOLE, a_question

question = a_question()
trials, _ = possible(question, WHOLE, SPACE.cells())
running = Processes(2).ready().run(question, trials * 100)
next(running)
print(*(child.pid for child in active_children()), flush=True)
input()
"""


def test_the_others_end_with_a_command_that_is_killed() -> None:
    command = (sys.executable, "-c", KILLED)
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, cwd=PROJECT, **pipes) as process:  # noqa: S603 - ours
        assert process.stdout is not None
        others = [int(word) for word in process.stdout.readline().split()]
        process.kill()
    assert others
    for _ in range(200):
        if not any(Path(f"/proc/{other}").exists() for other in others):
            return
        time.sleep(0.1)
    pytest.fail(f"still there: {others}")


@pytest.mark.parametrize("where", ["nowhere", "dask:8786", ""])
def test_a_place_that_there_is_not_is_named_with_those_there_are(where: str) -> None:
    with pytest.raises(BadInput, match="processes, dask, ray"):
        cluster(where, 2)


@pytest.mark.skipif(bool(find_spec("prefect_ray")), reason="it is installed")
def test_an_extra_that_is_missing_is_named() -> None:
    with pytest.raises(BadInput, match="prefect-ray"):
        cluster("ray", 2)


@pytest.mark.parametrize(("count", "workers"), [(1, 2), (7, 2), (100, 2), (5_000, 8)])
def test_batches_hold_every_trial_once_and_few_enough_to_lose(count: int, workers: int) -> None:
    trials = [trial(fast=n) for n in range(count)]
    found = batches(trials, workers)
    assert [each for batch in found for each in batch] == trials
    assert max(map(len, found)) <= LARGEST_BATCH
    assert len(found[-1]) == 1, "nobody waits long for the last"
