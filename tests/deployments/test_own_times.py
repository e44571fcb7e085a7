"""This is the measure of the rollback's own time, tried: it forgives what others do, and nothing of its own."""

from __future__ import annotations

import subprocess
import sys
from time import monotonic

from tests.own_times import OwnTime

BURN = "import time\nwhile time.process_time() < {seconds}: pass\n# {mark}"


def burn(seconds: float, mark: str) -> subprocess.Popen[bytes]:
    """Let a process of its own use so much of a processor."""
    words = (sys.executable, "-c", BURN.format(seconds=seconds, mark=mark))
    return subprocess.Popen(words)  # noqa: S603 - our own words


def test_what_it_does_and_what_it_waits_for_counts() -> None:
    own, began = OwnTime("worker-of-this-test"), monotonic()
    burn(0.5, "worker-of-this-test").wait()
    took = monotonic() - began
    assert 0.5 <= own.seconds() <= took + 0.1


def test_what_others_have_of_the_processors_does_not_count() -> None:
    own, began = OwnTime("worker-of-this-test"), monotonic()
    others = [subprocess.Popen((sys.executable, "-c", "while True: pass")) for _ in range(3)]
    burn(0.5, "worker-of-this-test").wait()
    took, seconds = monotonic() - began, own.seconds()
    for other in others:
        other.kill()
        other.wait()
    assert 0.5 <= seconds < took
