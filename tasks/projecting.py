"""This is taking events in: each once, its effect and the place in the log in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from adapters.event_logs import (
    DeadLetter,
    EventReader,
    EventWriter,
    LogUnavailable,
    Record,
    Undecodable,
)
from adapters.event_messages import events_buried, events_stuck
from adapters.event_stores import (
    OutboxEvent,
    Partition,
    ToldHolding,
    ToldOrder,
    Unstorable,
    newest_orders,
    sum_of_fills,
)
from adapters.events import execution_fill, order_new
from adapters.notifier import Notifier
from adapters.stores import Stores, UnitOfWork
from adapters.wording import Wording
from trading.errors import StoreUnavailable
from trading.orders import Order

_LOG: Final = structlog.get_logger(__name__)
CONSUMER: Final = "book"
BATCH: Final = 2000
RETRY_SECONDS: Final = 1.0


@dataclass
class Projector:
    """Builds one account's orders and holdings from the log, from the offsets that the database keeps."""

    stores: Stores
    owner: Mapping[str, str]
    reader: EventReader
    writer: EventWriter
    notifier: Notifier
    wording: Wording
    offsets: dict[Partition, int] | None = None
    words: str = ""
    """Why the last attempt failed, "" when it did not."""

    async def run(self) -> None:
        """Take in until cancelled; stand still at what cannot be taken in, and go on when it can.

        Raises:
            LogUnavailable: when the log does not answer; a new reader goes on from the same place.
        """
        while True:
            try:
                await self.step()
                self.words = ""
            except LogUnavailable:
                raise
            except Exception as problem:  # noqa: BLE001 - whatever it is, events are told beside it
                self._note(problem)
                self.offsets = None
                await asyncio.sleep(RETRY_SECONDS)

    async def step(self) -> int:
        """Take in what has come; give how many records that were.

        Dead letters are written before the place in the log moves behind them. When another has moved the
        place meanwhile, nothing is taken in and reading begins from there.

        Raises:
            LogUnavailable: when the log does not answer.
            StoreUnavailable: when the database does not.
        """
        if self.offsets is None:
            self.offsets = await asyncio.to_thread(self._stored_offsets)
            self.reader.seek(self.offsets)
        batch = await self.reader.take()
        events, letters = self._sort(record for records in batch.values() for record in records)
        await self._bury(letters)
        reached = {place: records[-1].offset + 1 for place, records in batch.items() if records}
        try:
            await asyncio.to_thread(self._take_in, [event for _, event in events], reached)
        except Unstorable:
            await self._bury(await asyncio.to_thread(self._take_in_singly, events))
            await asyncio.to_thread(self._take_in, (), reached)
        return sum(map(len, batch.values()))

    async def _bury(self, letters: Sequence[DeadLetter]) -> None:
        if letters:
            await self.writer.bury(letters)
            self.notifier.send(events_buried(letters, self.wording))

    def _note(self, problem: Exception) -> None:
        """Log what fails once, not at each attempt; the owner hears what no outage explains."""
        words = f"{type(problem).__name__}: {problem}".splitlines()[0]
        if words != self.words:
            is_outage = isinstance(problem, StoreUnavailable)
            _LOG.warning("events are not taken in", words=words, exc_info=not is_outage)
            if not is_outage:
                self.notifier.send(events_stuck(words, self.wording))
        self.words = words

    def _sort(
        self, records: Iterator[Record]
    ) -> tuple[list[tuple[Record, OutboxEvent]], list[DeadLetter]]:
        """Tell events of ours from what is no event; another account's are neither."""
        events, letters = [], []
        for record in records:
            try:
                event = self.reader.decode(record)
            except Undecodable as error:
                letters.append(DeadLetter(record, str(error)))
                continue
            if self.owner.items() <= event.payload.items():
                events.append((record, event))
        return events, letters

    def _stored_offsets(self) -> dict[Partition, int]:
        with self.stores.begin() as work:
            return work.consumptions.offsets(CONSUMER)

    def _take_in(self, events: Sequence[OutboxEvent], reached: Mapping[Partition, int]) -> None:
        with self.stores.begin() as work:
            if work.consumptions.offsets(CONSUMER) != self.offsets:
                self.offsets = None
                return
            take_in(work, events)
            work.consumptions.move(CONSUMER, reached)
        self.offsets = {**(self.offsets or {}), **reached}

    def _take_in_singly(self, events: Sequence[tuple[Record, OutboxEvent]]) -> list[DeadLetter]:
        """Take in each event by itself, for each counts once; give those that nobody can."""
        letters = []
        for record, event in events:
            try:
                self._take_in([event], {})
            except Unstorable as error:
                letters.append(DeadLetter(record, str(error)))
        return letters


def take_in(work: UnitOfWork, events: Sequence[OutboxEvent]) -> None:
    """Add those events that were not added before."""
    new = work.consumptions.take(CONSUMER, [event.event_id for event in events])
    work.projection.apply({e.event_id: e for e in events if e.event_id in new}.values())


def begin_anew(work: UnitOfWork) -> None:
    """Forget everything that was built from events; a projector at work goes back to the beginning of the log."""
    work.consumptions.forget(CONSUMER)
    work.projection.clear()


def rebuild(stores: Stores) -> int:
    """Build everything anew from the outbox, which is the whole log; give the number of events."""
    with stores.begin() as work:
        begin_anew(work)
        count, last = 0, 0
        while events := work.outbox.after(last, limit=BATCH):
            take_in(work, events)
            count, last = count + len(events), events[-1].event_id
    return count


def differences(work: UnitOfWork) -> tuple[ToldOrder | ToldHolding, ...]:
    """Give every order and holding that the events tell otherwise than our book has it, or only one of the two."""
    told = {replace(order, event_id=0) for order in work.projection.orders()}
    fills = work.executions.all()
    named = {order.client_order_id for order in told}
    named |= {each.client_order_id for each in work.orders.open()}
    named |= {fill.client_order_id for fill in fills}
    orders = {_as_told(order) for order in map(work.orders.get, named) if order}
    held = set(sum_of_fills(execution_fill(fill) for fill in fills).values())
    return tuple(sorted((told ^ orders) | (held ^ {*work.projection.holdings()}), key=str))


def _as_told(order: Order) -> ToldOrder:
    (told,) = newest_orders([order_new(order)]).values()
    return told
