"""Real processes that give signs of life: what hangs is ended, what works or is somebody else's is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.heartbeats import Beat, Heart, last_beat
from deployments.heartbeats import HeartMonitor
from tests.consoles import PROJECT

PATIENCE = 2.0
WORKER = """
import asyncio, signal, sys
from pathlib import Path
from flows import stream_fills

def hang(*_):
    while True:
        pass

async def work():
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, hang)
    async with stream_fills.giving_signs_of_life(Path(sys.argv[1])):
        await asyncio.sleep(600)

stream_fills.BEAT_SECONDS = 0.1
asyncio.run(work())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where they are given."""
    return tmp_path / "stream.beat"


@contextmanager
def at_work(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process whose event loop gives signs of life, until SIGUSR1 lets it yield no more."""
    words = (sys.executable, "-c", WORKER, str(path))
    with subprocess.Popen(words, cwd=PROJECT) as process:  # noqa: S603 - our own words
        try:
            wait_until(lambda: last_beat(path) is not None)
            yield process
        finally:
            process.kill()


def wait_until(is_true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGUSR1], ids=["stopped", "busy"])
def test_a_process_that_hangs_is_ended_and_its_lock_is_free(
    path: Path, number: signal.Signals
) -> None:
    monitor = HeartMonitor(path, patience=PATIENCE)
    with at_work(path) as process:
        assert not monitor.look()
        os.kill(process.pid, number)
        began = time.monotonic()
        wait_until(monitor.look)
        assert time.monotonic() - began >= PATIENCE - 0.2
        assert process.wait(5) == -signal.SIGKILL
    assert last_beat(path) is None
    assert not monitor.look()


def test_a_process_that_works_is_left_alone(path: Path) -> None:
    monitor = HeartMonitor(path, patience=PATIENCE)
    with at_work(path) as process:
        until = time.monotonic() + 2 * PATIENCE
        while time.monotonic() < until:
            assert not monitor.look()
            time.sleep(0.1)
        assert process.poll() is None


def test_a_look_after_a_long_sleep_of_our_own_ends_nobody(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine may have slept: who has not been scheduled could give no sign."""
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    ended: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, _: ended.append(pid))
    monitor, heart = HeartMonitor(path, patience=PATIENCE), Heart(path)
    heart.beat()
    for seconds in (0.0, 3_600.0, 1.0, 0.5):
        clock[0] += seconds
        assert not monitor.look()
    clock[0] += 0.5
    assert monitor.look()
    assert ended == [os.getpid()]
    heart.stop()


def test_a_sign_of_a_process_that_is_gone_names_nobody(path: Path) -> None:
    """Its number may be another program's by now."""
    heart = Heart(path)
    heart.beat()
    assert last_beat(path) == Beat(os.getpid(), 1)
    heart.stop()
    assert last_beat(path) is None


def test_of_two_only_the_first_gives_signs_and_the_second_after_its_end(path: Path) -> None:
    first, second = Heart(path), Heart(path)
    first.beat()
    second.beat()
    first.beat()
    assert last_beat(path) == Beat(os.getpid(), 2)
    first.stop()
    second.beat()
    assert last_beat(path) == Beat(os.getpid(), 1)
    second.stop()


def test_where_no_sign_can_be_written_the_work_goes_on(tmp_path: Path) -> None:
    Heart(tmp_path / "nowhere" / "stream.beat").beat()
    assert last_beat(tmp_path / "nowhere" / "stream.beat") is None
