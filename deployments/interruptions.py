"""This is Ctrl-C, SIGTERM and a closed terminal: one way to be asked to stop, and none during the stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

_ASKING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def listen() -> None:
    """Let SIGTERM and SIGHUP raise KeyboardInterrupt as Ctrl-C does.

    SIGINT is set as well: a shell that starts us in the background has it ignored, and our programs would
    inherit that; a Prefect worker that ignores SIGINT cannot be stopped.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let nothing interrupt the block; who asks again is already being served."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _ignore) for number in _ASKING}
    try:
        yield
    finally:
        for number, handling in before.items():
            signal.signal(number, handling)


def _interrupt(_number: int, _frame: Any) -> None:
    signal.raise_signal(signal.SIGINT)


def _ignore(_number: int, _frame: Any) -> None:
    """Do nothing; unlike SIG_IGN this is not inherited by programs."""
