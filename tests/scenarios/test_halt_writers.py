"""This is the halt file under real processes: killed at any moment, and several at once."""

from __future__ import annotations

import fcntl
import os
import random
import signal
import threading
import time
from ctypes import c_long
from multiprocessing import get_context
from pathlib import Path

import pytest

from adapters.halt_files import LONGEST_PATIENCE_SECONDS, PATIENCE_SECONDS, HaltFile
from tests.halt_writers import AT, PLACES, halt_of, hold_on, wait_for_holder, write_on

KILLS = 24
WARM = get_context("forkserver")
WARM.set_forkserver_preload(["tests.halt_writers"])


def assert_kept(file: HaltFile, name: str, written: int) -> None:
    """Make sure that everything a writer had finished is in force: as it wrote it, or as it wrote it next."""
    written_by_us = (halt for halt in file.read(at=AT) if halt.source == "operator")
    halts = {halt.strategy_id: int(halt.reason) for halt in written_by_us}
    for number in range(max(0, written - PLACES + 1), written + 1):
        assert halts[halt_of(name, number).strategy_id] in {number, number + PLACES}


def test_a_writer_killed_at_any_moment_leaves_every_finished_halt(tmp_path: Path) -> None:
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(2**32))
    print(f"SEED={seed}")  # noqa: T201 - repeats a failure
    dice = random.Random(seed)  # noqa: S311 - to repeat a failure, not for secrets
    for turn in range(KILLS):
        file = HaltFile(tmp_path / str(turn) / "halt.json")
        written = WARM.RawValue(c_long, -1)
        writer = WARM.Process(target=write_on, args=(file.path, "one", written, 10**9))
        writer.start()
        while written.value < 0 and turn:  # the first is killed while it begins
            time.sleep(0.001)
        time.sleep(dice.uniform(0, 0.05))
        writer.kill()
        writer.join()
        writer.close()
        assert_kept(file, "one", written.value)
        sources = {halt.source for halt in file.read(at=AT)}
        assert sources <= ({"operator"} if written.value >= 0 else {"operator", "file"})


@pytest.mark.parametrize("count", [2, 4])
def test_writers_at_the_same_time_lose_no_halt(tmp_path: Path, count: int) -> None:
    file, each = HaltFile(tmp_path / "halt.json"), 60
    written = [WARM.RawValue(c_long, -1) for _ in range(count)]
    writers = [
        WARM.Process(target=write_on, args=(file.path, f"writer{i}", written[i], each))
        for i in range(count)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=60)
        assert writer.exitcode == 0
        writer.close()
    for number in range(count):
        assert written[number].value == each - 1
        assert_kept(file, f"writer{number}", each - 1)


def test_a_stopped_writer_keeps_no_halt_waiting(tmp_path: Path) -> None:
    """A process that somebody has stopped in the midst of writing holds the lock for ever."""
    file = HaltFile(tmp_path / "halt.json")
    file.put(halt_of("one", 0))
    holder = WARM.Process(target=hold_on, args=(file.path,))
    holder.start()
    wait_for_holder(file.path)
    assert holder.pid is not None
    os.kill(holder.pid, signal.SIGSTOP)
    began = time.monotonic()
    file.put(halt_of("one", 1))
    took = time.monotonic() - began
    with pytest.raises(TimeoutError):
        file.lift("operator", strategy_id="one-1", at=AT)
    holder.kill()
    holder.join()
    assert took < LONGEST_PATIENCE_SECONDS
    assert len(file.read(at=AT)) == 2


def test_a_slow_writer_is_waited_for(tmp_path: Path) -> None:
    """Nobody overtakes a writer who runs: what it has read would overwrite the halt of the other."""
    file = HaltFile(tmp_path / "halt.json")
    file.put(halt_of("one", 0))
    holder = WARM.Process(target=hold_on, args=(file.path, 1.5))
    holder.start()
    wait_for_holder(file.path)
    began = time.monotonic()
    file.put(halt_of("one", 1))
    assert time.monotonic() - began > 1
    holder.join()
    assert len(file.read(at=AT)) == 2


def test_a_lock_that_changes_hands_is_waited_for(tmp_path: Path) -> None:
    """Its next holder has taken it and not yet written who it is: whoever overtook it now would lose a halt."""
    file = HaltFile(tmp_path / "halt.json")
    file.put(halt_of("one", 0))
    other = threading.Thread(target=file.put, args=(halt_of("one", 1),))
    with file.path.with_suffix(".lock").open("r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        other.start()
        other.join(timeout=3 * PATIENCE_SECONDS)
        assert other.is_alive()
    other.join()
    assert len(file.read(at=AT)) == 2
