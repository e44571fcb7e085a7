"""This is telling the outside: events leave the outbox in their order, and the owner hears when they cannot."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from adapters.event_logs import EventWriter, LogUnavailable
from adapters.event_messages import events_buried, events_drained, events_waiting
from adapters.event_stores import Backlog, WaitingEvent
from adapters.notifier import Notifier
from adapters.stores import Stores
from adapters.wording import Wording
from risk.trips import TripLimits
from trading.errors import StoreUnavailable

_LOG: Final = structlog.get_logger(__name__)
BATCH: Final = 2000
PAUSE_SECONDS: Final = 0.1
"""Between two looks into an empty outbox."""
RETRY_SECONDS: Final = 1.0
WATCH_SECONDS: Final = 5.0


@dataclass
class Relay:
    """Sends one account's outbox. One runs at a time; what is sent twice for all that has the same number.

    The next events leave only after the ones before are acknowledged, so that the order of each key holds
    through every failure; they are read meanwhile.
    """

    stores: Stores
    writer: EventWriter
    limits: TripLimits
    notifier: Notifier
    wording: Wording
    words: str = ""
    """Why the last attempt failed, "" when it did not."""
    is_warned: bool = False
    told: tuple[WaitingEvent, ...] = ()
    """Acknowledged, and not noted as sent so far."""
    ahead: tuple[WaitingEvent, ...] = ()
    """Read while those before them were on their way."""

    async def run(self) -> None:
        """Send until cancelled."""
        seconds = 0.0
        while True:
            await asyncio.sleep(seconds)
            seconds = await self._attempt()

    async def watch(self) -> None:
        """Look at the backlog until cancelled."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)  # what lay there at the start may have gone by then
            try:
                await asyncio.to_thread(self.look)
            except StoreUnavailable as problem:
                self._note(str(problem))

    async def step(self) -> int:
        """Send the oldest events that wait; give how many.

        Raises:
            LogUnavailable: when not all were acknowledged; they wait on.
            StoreUnavailable: when the outbox cannot be read or written.
        """
        events, self.ahead = self.ahead or await asyncio.to_thread(self._turn), ()
        if events:
            # A coroutine would only begin when this one first waits, which is after all events have been encoded.
            turning = asyncio.get_running_loop().run_in_executor(None, self._turn, events)
            try:
                letters = await self.writer.publish(events)
            finally:
                ahead = await turning
            self.told, self.ahead = events, ahead
            if letters:
                self.notifier.send(events_buried(letters, self.wording))
        return len(events)

    def look(self) -> Backlog:
        """Tell the owner once when the backlog reaches the warning's figures, and once when it is gone.

        Raises:
            StoreUnavailable: when the outbox cannot be read.
        """
        with self.stores.begin() as work:
            backlog = work.outbox.backlog()
        if self.is_warned and not backlog.count:
            self.is_warned = False
            self.notifier.send(events_drained(self.wording))
        elif not self.is_warned and self._is_long(backlog):
            self.is_warned = True
            self.notifier.send(events_waiting(backlog, self.words, self.wording))
        return backlog

    async def _attempt(self) -> float:
        """Send what waits; give the seconds to the next attempt."""
        try:
            count = await self.step()
        except (LogUnavailable, StoreUnavailable) as problem:
            self._note(str(problem))
            return RETRY_SECONDS
        self._note("")
        return 0 if count else PAUSE_SECONDS

    def _note(self, words: str) -> None:
        """Log what fails once, not at each attempt."""
        if words and words != self.words:
            _LOG.warning("events wait", words=words)
        self.words = words

    def _is_long(self, backlog: Backlog) -> bool:
        age = timedelta(seconds=self.limits.unsent_seconds_warning)
        return backlog.count >= self.limits.unsent_events_warning or backlog.age >= age

    def _turn(self, leaving: Sequence[WaitingEvent] = ()) -> tuple[WaitingEvent, ...]:
        """Note what was acknowledged, and read what waits behind the events that are leaving."""
        with self.stores.begin() as work:
            if self.told:
                work.outbox.sent([event.event_id for event in self.told])
            ahead = work.outbox.pending(limit=BATCH, behind=[e.event_id for e in leaving])
        self.told = ()
        return ahead
