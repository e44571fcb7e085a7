"""This is when garbage is collected in a process that trades: not while a stop is on its way."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


def spare_long_collections() -> None:
    """Leave what has been loaded so far out of every later garbage collection: a full one held a stop back for 0.2 s.

    For a process that lasts as long as what it has loaded, because that is never freed any more.
    """
    gc.collect()
    gc.freeze()


@contextmanager
def no_collections() -> Iterator[None]:
    """Let garbage lie until the end of the block: even a short collection takes 1 to 4 ms of a stop's way."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
