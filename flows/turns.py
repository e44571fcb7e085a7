"""This is being the only one for long: the lock is looked after, for a restart of the database loses it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog

from adapters.stores import NameLock
from trading.errors import StoreUnavailable

_LOG: Final = structlog.get_logger(__name__)
LOOK_SECONDS: Final = 1.0
"""Between two looks at a lock: two may be at work for so long after a restart of the database."""


@asynccontextmanager
async def watching(
    lock: NameLock, on_overtaken: Callable[[], None] | None
) -> AsyncIterator[asyncio.Event]:
    """Keep the lock during the block; once another has it, call `on_overtaken` and set the event."""
    overtaken = asyncio.Event()
    looking = asyncio.create_task(_watch(lock, overtaken, on_overtaken)) if on_overtaken else None
    try:
        yield overtaken
    finally:
        if looking:
            looking.cancel()


async def wait_for_turn(lock: NameLock) -> None:
    """Return when the lock is ours."""
    while not await _has_turn(lock, unless_told=False):  # noqa: ASYNC110 - the database has it
        await asyncio.sleep(LOOK_SECONDS)


async def wait_for_loss(lock: NameLock) -> None:
    """Return when another has the lock."""
    while await _has_turn(lock, unless_told=True):  # noqa: ASYNC110 - the database has it
        await asyncio.sleep(LOOK_SECONDS)
    _LOG.warning("another process is at work instead of this one")


async def _watch(
    lock: NameLock, overtaken: asyncio.Event, on_overtaken: Callable[[], None]
) -> None:
    await wait_for_loss(lock)
    overtaken.set()
    on_overtaken()


async def _has_turn(lock: NameLock, *, unless_told: bool) -> bool:
    """Ask for the lock; `unless_told` stands while the database is away, when nobody can take it."""
    try:
        return await asyncio.to_thread(lock.keep)
    except StoreUnavailable:
        return unless_told
