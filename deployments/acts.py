"""This is the start and the stop of the stack in the audit log: who, when, which channel, code and settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from typing import Final

import httpx

from adapters.clock import SystemClock
from adapters.stores import AuditEntry, UnitOfWork
from flows.settings import Settings, load_channel
from flows.sources import open_stores, ticking_clock
from trading.audits import OPERATOR
from trading.errors import MaemaeError, StoreUnavailable

UP: Final = "up"
DOWN: Final = "down"
STACK: Final = "stack"
"""Who stops it when a part cannot be kept running."""


@contextmanager
def noted(
    settings: Settings, act: str, failure: Callable[[], MaemaeError | None]
) -> Iterator[None]:
    """Note the start under the name `act`, and the stop when the block ends, however it ends.

    While the database is away the stop waits on disk (`<home>/acts`), and the next act takes it into the log. What
    the disk refuses as well is let go: nothing may keep the stack from stopping.
    """
    _note(settings, AuditEntry(OPERATOR, act))
    try:
        yield
    finally:
        with suppress(MaemaeError):
            reason = failure()
            told = {"reason": str(reason)} if reason else {}
            _note(settings, AuditEntry(STACK if reason else OPERATOR, DOWN, told))


def _note(settings: Settings, act: AuditEntry) -> None:
    """Write one row; the version is None before there is one, and when nobody can be asked."""
    at = _now(settings)
    with closing(open_stores(settings)) as stores:
        try:
            with stores.begin() as work:
                work.audit.add(_told(act, settings, work), at=at)
        except StoreUnavailable:
            stores.keep_act(_told(act, settings), at=at)


def _told(act: AuditEntry, settings: Settings, work: UnitOfWork | None = None) -> AuditEntry:
    current = work.configs.in_force() if work else None
    version = current.version if current else None
    running = {"channel": settings.channel, "commit": settings.commit, "version": version}
    return AuditEntry(act.actor, act.action, {**running, **act.detail})


def _now(settings: Settings) -> datetime:
    """Give the market's time, the computer's when nobody can tell it."""
    try:
        with ticking_clock(settings, load_channel(settings)) as clock:
            return clock.now()
    except (httpx.HTTPError, MaemaeError):
        return SystemClock().now()
