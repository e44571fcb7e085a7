"""This is a process that writes halts until it is killed, and tells how far it has come."""

from __future__ import annotations

import time
from ctypes import c_long
from pathlib import Path

from adapters.halt_files import HaltFile
from tests.builders import A_DAY, seoul
from trading.halts import Halt, TradingState

AT = seoul(A_DAY, "10:00")
PLACES = 20
"""Halts of each writer that may stand at once."""


def halt_of(name: str, number: int) -> Halt:
    """Give a writer's halt `number`; it takes the place of the one twenty before."""
    strategy = f"{name}-{number % PLACES}"
    return Halt("operator", TradingState.HALTED, str(number), AT, strategy)


def write_on(path: Path, name: str, written: c_long, until: int) -> None:
    """Put one halt after another; `written` is the number of the last one that is certainly on disk."""
    file = HaltFile(path)
    for number in range(until):
        file.put(halt_of(name, number))
        written.value = number


def hold_on(path: Path, seconds: float = 3600) -> None:
    """Be in the midst of writing for so long."""
    with HaltFile(path)._only_writer(is_urgent=True):  # noqa: SLF001 - the moment that is looked at
        time.sleep(seconds)


def wait_for_holder(path: Path) -> None:
    """Wait until a process is in the midst of writing."""
    while not path.with_suffix(".lock").read_bytes():
        time.sleep(0.001)
