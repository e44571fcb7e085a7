"""Programs of the stack are watched, end whole, and do not outlive us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deployments.keepers import GaveUp, Keeper
from deployments.processes import Program, StartFailed

SLEEPS = "import time; time.sleep(60)"
HAS_A_CHILD = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', '{SLEEPS}']).pid, flush=True); {SLEEPS}"
IGNORES_SIGTERM = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); {SLEEPS}"
PATIENCE = 20.0


def wait_until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and waits to be cleared away does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def child_of_started(parent: Program) -> int:
    """Start a program that tells the id of its child, and give it as soon as the child runs."""
    parent.start()
    wait_until(lambda: parent.log.read_text().strip().isdigit())
    child = int(parent.log.read_text())
    assert is_alive(child)
    return child


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    made: list[Program] = []

    def make(code: str, *, is_ready: Callable[[], bool] = lambda: True) -> Program:
        command = (sys.executable, "-c", code)
        one = Program("sample", command, dict(os.environ), tmp_path / "sample.log", is_ready)
        made.append(one)
        return one

    yield make
    for one in made:
        one.stop(within=0)


def test_a_program_takes_its_children_along(program: Callable[..., Program]) -> None:
    parent = program(HAS_A_CHILD)
    child = child_of_started(parent)

    parent.stop(within=5)

    assert not parent.is_running
    assert not is_alive(child)


def test_what_a_killed_program_left_behind_is_ended_before_it_starts_again(
    program: Callable[..., Program],
) -> None:
    parent = program(HAS_A_CHILD)
    child = child_of_started(parent)
    assert parent.pid is not None
    os.kill(parent.pid, signal.SIGKILL)
    wait_until(lambda: not parent.is_running)
    assert is_alive(child)

    parent.start()

    assert not is_alive(child)
    assert parent.is_running


def test_what_does_not_listen_is_killed(program: Callable[..., Program], tmp_path: Path) -> None:
    deaf = program(IGNORES_SIGTERM)
    deaf.start()
    wait_until(lambda: "deaf" in (tmp_path / "sample.log").read_text())

    began = time.monotonic()
    deaf.stop(within=0.3)

    assert time.monotonic() - began >= 0.3
    assert not deaf.is_running


def test_ctrl_c_in_the_terminal_does_not_reach_a_program(program: Callable[..., Program]) -> None:
    one = program(SLEEPS)
    one.start()

    assert one.pid is not None
    assert os.getpgid(one.pid) != os.getpgid(0)
    assert os.getsid(one.pid) != os.getsid(0)


def test_a_program_that_ends_before_it_is_ready_says_why(program: Callable[..., Program]) -> None:
    broken = program("import sys; sys.exit('no such database')", is_ready=lambda: False)
    broken.start()

    with pytest.raises(StartFailed, match="sample: no such database"):
        broken.wait_until_ready()


def test_a_program_gets_a_sigterm_when_its_starter_is_killed(tmp_path: Path) -> None:
    """Else a worker would trade on while nobody mirrors Prefect's pauses."""
    starter = f"""
import os, sys, time
from pathlib import Path
from deployments.processes import Program
one = Program("orphan", (sys.executable, "-c", "{SLEEPS}"), dict(os.environ), Path({str(tmp_path / "o.log")!r}))
one.start()
print(one.pid, flush=True)
time.sleep(60)
"""
    words = (sys.executable, "-c", starter)
    with subprocess.Popen(words, stdout=subprocess.PIPE) as started:  # noqa: S603 - our words
        assert started.stdout is not None
        orphan = int(started.stdout.readline())
        assert is_alive(orphan)

        started.send_signal(signal.SIGKILL)

    wait_until(lambda: not is_alive(orphan))


def test_a_keeper_starts_again_what_has_ended(program: Callable[..., Program]) -> None:
    one = program(SLEEPS)
    one.start()
    first = one.pid
    keeper = Keeper(one)
    assert not keeper.keep()

    assert first is not None
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: not one.is_running)

    assert keeper.keep()
    assert one.pid not in {first, None}


def test_a_keeper_gives_up_when_it_happens_too_often(program: Callable[..., Program]) -> None:
    broken = program("import sys; sys.exit('again')")
    keeper = Keeper(broken, limit=2)

    for _ in range(2):
        assert keeper.keep()
        wait_until(lambda: not broken.is_running)

    with pytest.raises(GaveUp, match="sample: again"):
        keeper.keep()


def test_a_keeper_does_without_what_is_not_vital(program: Callable[..., Program]) -> None:
    broken = program("import sys; sys.exit('again')")
    keeper = Keeper(broken, limit=0, is_vital=False)

    assert not keeper.keep()


def test_a_keeper_replaces_what_runs_but_has_not_answered_for_long(
    program: Callable[..., Program],
) -> None:
    stuck = program(SLEEPS)
    stuck.start()
    first = stuck.pid
    keeper = Keeper(stuck, is_healthy=lambda: False, patience=0.1, pause=0.0)
    keeper.keep()
    time.sleep(0.2)

    assert keeper.keep()
    assert stuck.pid not in {first, None}


def test_a_keeper_has_patience_with_one_bad_answer(program: Callable[..., Program]) -> None:
    answers = iter([False, True, False, True])
    slow = program(SLEEPS)
    slow.start()
    keeper = Keeper(slow, is_healthy=lambda: next(answers), patience=5.0, pause=0.0)

    assert [keeper.keep() for _ in range(4)] == [False] * 4
