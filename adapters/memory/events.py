"""This is the outbox, the consumers' places and what events add up to, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from time import monotonic

from adapters.event_stores import (
    Backlog,
    OutboxEvent,
    Partition,
    ToldHolding,
    ToldOrder,
    newest_orders,
    sum_of_fills,
)
from adapters.memory.controls import as_json
from adapters.memory.tables import Log, Table


class MemoryOutbox:
    """Events, those that wait and all of them."""

    def __init__(self) -> None:
        self.rows: Log[OutboxEvent] = Log()
        self.waiting: Table[int, float] = Table()

    def add(self, event: OutboxEvent) -> None:
        """Write one event."""
        number = len(self.rows) + 1
        self.rows.append(replace(event, payload=as_json(event.payload), event_id=number))
        self.waiting.put(number, monotonic())

    def pending(self, *, limit: int = 1000, behind: Sequence[int] = ()) -> tuple[OutboxEvent, ...]:
        """Give the oldest unsent events, or those behind the ones on their way."""
        last = max(behind, default=0)
        waiting = [event for event in self.rows if event.event_id in self.waiting]
        if sum(event.event_id <= last for event in waiting) != len(behind):
            return ()
        return tuple(event for event in waiting if event.event_id > last)[:limit]

    def sent(self, event_ids: Sequence[int]) -> None:
        """Note that these need not be relayed any more."""
        for event_id in event_ids:
            self.waiting.drop(event_id)

    def backlog(self) -> Backlog:
        """Tell how many are unsent, and how long the oldest has been."""
        now = monotonic()
        return Backlog(len(self.waiting), timedelta(seconds=now - min(self.waiting, default=now)))

    def after(self, event_id: int, *, limit: int = 1000) -> tuple[OutboxEvent, ...]:
        """Read the log."""
        return tuple(event for event in self.rows if event.event_id > event_id)[:limit]


class MemoryConsumptions:
    """How far each consumer has read, and what it took in."""

    def __init__(self) -> None:
        self.places: Table[tuple[str, Partition], tuple[str, Partition, int]] = Table()
        self.taken: Table[tuple[str, int], tuple[str, int]] = Table()

    def offsets(self, consumer: str) -> dict[Partition, int]:
        """Give the offset of each partition from which the consumer goes on."""
        return {partition: offset for name, partition, offset in self.places if name == consumer}

    def take(self, consumer: str, event_ids: Iterable[int]) -> set[int]:
        """Note events as taken in; give those that were not before."""
        keys = ((consumer, event_id) for event_id in event_ids)
        return {key[1] for key in keys if self.taken.add(key, key)}

    def move(self, consumer: str, offsets: Mapping[Partition, int]) -> None:
        """Note from which offsets the consumer goes on."""
        for partition, offset in offsets.items():
            self.places.put((consumer, partition), (consumer, partition, offset))

    def forget(self, consumer: str) -> None:
        """Let the consumer begin anew."""
        for partition in self.offsets(consumer):
            self.places.drop((consumer, partition))
        for key in [key for key in self.taken if key[0] == consumer]:
            self.taken.drop(key)


class MemoryProjection:
    """Orders and holdings, built from events alone."""

    def __init__(self) -> None:
        self.told: Table[str, ToldOrder] = Table()
        self.held: Table[tuple[str, str], ToldHolding] = Table()

    def apply(self, events: Iterable[OutboxEvent]) -> None:
        """Add events that were not added before."""
        told = tuple(events)
        for order in newest_orders(told).values():
            known = self.told.get(order.client_order_id)
            if known is None or known.event_id < order.event_id:
                self.told.put(order.client_order_id, order)
        for key, fills in sum_of_fills(told).items():
            self.held.put(key, fills.added_to(self.held.get(key)))

    def orders(self) -> tuple[ToldOrder, ...]:
        """Give every order, by id."""
        return tuple(sorted(self.told, key=lambda order: order.client_order_id))

    def holdings(self) -> tuple[ToldHolding, ...]:
        """Give what each strategy traded."""
        return tuple(sorted(self.held, key=lambda held: (held.strategy_id, held.symbol)))

    def clear(self) -> None:
        """Forget everything."""
        for order in self.told:
            self.told.drop(order.client_order_id)
        for held in self.held:
            self.held.drop((held.strategy_id, held.symbol))
