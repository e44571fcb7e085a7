"""This is what maemae asks of its memory about events: those to tell, those that were taken in, what they add up to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, Protocol

from trading.errors import MaemaeError

type Partition = tuple[str, int]
"""A topic and the number of one of its partitions."""
ORDER_TOPICS: Final = ("order.new", "order.state")
FILL_TOPIC: Final = "execution.fill"


class Unstorable(MaemaeError):
    """Events say what no store can keep, however often it is tried."""


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    """One event for the outside, written in the transaction of its effect."""

    topic: str
    key: str
    payload: Mapping[str, Any]
    at: datetime
    event_id: int = 0


class WrittenEvent(NamedTuple):
    """An event that waits with its record written: `body` is all of it but the number."""

    topic: str
    key: str
    event_id: int
    body: bytes


type WaitingEvent = OutboxEvent | WrittenEvent
type BodyOf = Callable[[OutboxEvent], bytes]
"""What writes the body of an event; whatever it raises, the event has none then and waits as it is."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many events wait for the relay, and since when the oldest does, by the memory's own clock."""

    count: int
    age: timedelta


@dataclass(frozen=True, slots=True)
class ToldOrder:
    """An order as the events tell it; `event_id` is the newest that told of it."""

    client_order_id: str
    symbol: str
    side: str
    status: str
    quantity: int
    filled_quantity: int
    filled_value: int
    event_id: int


@dataclass(frozen=True, slots=True)
class ToldHolding:
    """What the fills of a strategy add up to: shares held, and the won that came in less those that went out."""

    strategy_id: str
    symbol: str
    quantity: int
    cash: int

    def added_to(self, other: ToldHolding | None) -> ToldHolding:
        """Give the sum."""
        if other is None:
            return self
        quantity, cash = self.quantity + other.quantity, self.cash + other.cash
        return replace(self, quantity=quantity, cash=cash)


class Outbox(Protocol):
    """Events, each kept for good: those that wait to be relayed, and all of them as a log."""

    def add(self, event: OutboxEvent) -> None:
        """Write one event."""
        ...

    def pending(self, *, limit: int = 1000, behind: Sequence[int] = ()) -> tuple[WaitingEvent, ...]:
        """Give the oldest unsent events; with the numbers of those on their way, what waits behind them.

        That is nothing while one with a lower number waits that is not of them: its unit of work ended late, and
        it comes first.
        """
        ...

    def sent(self, event_ids: Sequence[int]) -> None:
        """Note that these need not be relayed any more."""
        ...

    def backlog(self) -> Backlog:
        """Tell how many are unsent, and how long the oldest has been."""
        ...

    def after(self, event_id: int, *, limit: int = 1000) -> tuple[OutboxEvent, ...]:
        """Read the log: the events behind that one, sent or not, oldest first."""
        ...


class Consumptions(Protocol):
    """How far each consumer has read, and what it took in, written in the transaction of the effect."""

    def offsets(self, consumer: str) -> dict[Partition, int]:
        """Give the offset of each partition from which the consumer goes on; locked until the end of the unit."""
        ...

    def take(self, consumer: str, event_ids: Iterable[int]) -> set[int]:
        """Note events as taken in; give those that were not before."""
        ...

    def move(self, consumer: str, offsets: Mapping[Partition, int]) -> None:
        """Note from which offsets the consumer goes on."""
        ...

    def forget(self, consumer: str) -> None:
        """Let the consumer begin anew: from offset 0, with nothing taken in."""
        ...


class Projection(Protocol):
    """The account's orders and holdings, built from events alone."""

    def apply(self, events: Iterable[OutboxEvent]) -> None:
        """Add events that were not added before. Of an order the newest event counts, whichever comes last.

        Raises:
            Unstorable: when one of them says what cannot be kept.
        """
        ...

    def orders(self) -> tuple[ToldOrder, ...]:
        """Give every order, by id."""
        ...

    def holdings(self) -> tuple[ToldHolding, ...]:
        """Give what each strategy traded, by strategy and symbol."""
        ...

    def clear(self) -> None:
        """Forget everything."""
        ...


def newest_orders(events: Iterable[OutboxEvent]) -> dict[str, ToldOrder]:
    """Read the newest state of each order that the events tell of."""
    newest: dict[str, OutboxEvent] = {}
    for event in events:
        if event.topic in ORDER_TOPICS:
            order_id = event.payload["client_order_id"]
            known = newest.get(order_id)
            if known is None or known.event_id < event.event_id:
                newest[order_id] = event
    return {order_id: _order(event) for order_id, event in newest.items()}


def sum_of_fills(events: Iterable[OutboxEvent]) -> dict[tuple[str, str], ToldHolding]:
    """Read what the fills among the events add to each holding."""
    sums: dict[tuple[str, str], ToldHolding] = {}
    for fill in (_fill(event) for event in events if event.topic == FILL_TOPIC):
        key = (fill.strategy_id, fill.symbol)
        sums[key] = fill.added_to(sums.get(key))
    return sums


def _order(event: OutboxEvent) -> ToldOrder:
    told = event.payload
    return ToldOrder(
        client_order_id=told["client_order_id"],
        symbol=event.key,
        side=told["side"],
        status=told["status"],
        quantity=told["quantity"],
        filled_quantity=told["filled_quantity"],
        filled_value=told["filled_value"],
        event_id=event.event_id,
    )


def _fill(event: OutboxEvent) -> ToldHolding:
    told = event.payload
    sign = 1 if told["side"] == "BUY" else -1
    cash = -sign * told["value"] - told["commission"] - told["tax"]
    return ToldHolding(told["strategy_id"], event.key, sign * told["quantity"], cash)
