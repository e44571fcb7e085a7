"""This is stopping when a disk takes nothing more: what cannot be written down must not be done."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from tasks.desk import Desk
from tasks.halts import put_halt
from trading.errors import DiskFull, MaemaeError
from trading.halts import Halt, TradingState

SOURCE: Final = "disk"
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def stopping_when_full(desk: Desk) -> Iterator[None]:
    """Stop trading when the block fails because a disk is full; the failure goes on."""
    try:
        yield
    except (MaemaeError, OSError, ExceptionGroup) as problem:
        for error in _each(problem):
            if isinstance(error, DiskFull) or getattr(error, "errno", None) in _FULL:
                stop_for_full_disk(desk, str(error))
        raise


def _each(error: Exception) -> Iterator[Exception]:
    if isinstance(error, ExceptionGroup):
        for inner in error.exceptions:
            yield from _each(inner)
    else:
        yield error


def stop_for_full_disk(desk: Desk, words: str) -> None:
    """Put the halt and tell the owner, once; what cannot be written of it stops trading all the same."""
    at = desk.now()
    if any(halt.state is TradingState.HALTED for halt in desk.halt_file.read(at=at)):
        return
    reason = desk.wording.text("halt.disk", words=words)
    with suppress(MaemaeError, OSError):
        put_halt.fn(desk, Halt(SOURCE, TradingState.HALTED, reason, at))
