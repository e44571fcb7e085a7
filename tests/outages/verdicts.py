"""This is the judgement over a day, by the simulator's own book and by what lies in Kafka."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from adapters.event_stores import OutboxEvent
from adapters.kafka.readers import open_reader
from adapters.kafka.settings import KafkaSettings
from adapters.postgres import PostgresStores
from tasks.projecting import differences
from tests.builders import A_DAY, ACCOUNT
from tests.outages.worlds import OutageWorld, until

type Sums = dict[str, tuple[int, int]]
"""By the broker's order number: shares filled, and their value in won."""


async def judge(world: OutageWorld) -> dict[str, int]:
    """Hold our book against the broker's, and the topics against the outbox; give how much there was.

    Raises:
        AssertionError: saying what was lost or counted twice.
    """
    book = await world.market.book(ACCOUNT)
    fills = judge_fills(world.stores, book)
    judge_account(world.stores, book)
    judge_orders(world.stores, book)
    await until(lambda: _is_taken_in(world.stores), "the projection")
    events = await judge_events(world.stores, world.kafka)
    return {"fills": fills, "orders": len(book["orders"]), "events": events}


def judge_fills(stores: PostgresStores, book: Mapping[str, Any]) -> int:
    """See that each fill of each order is booked once."""
    theirs: Sums = defaultdict(lambda: (0, 0))
    for fill in book["fills"]:
        shares, value = theirs[fill["number"]]
        theirs[fill["number"]] = shares + fill["quantity"], value + fill["quantity"] * fill["price"]
    ours: Sums = defaultdict(lambda: (0, 0))
    with stores.begin() as work:
        for execution in work.executions.of_day(A_DAY):
            shares, value = ours[execution.broker_order_id]
            ours[execution.broker_order_id] = shares + execution.quantity, value + execution.value
    assert ours == theirs
    return len(book["fills"])


def judge_account(stores: PostgresStores, book: Mapping[str, Any]) -> None:
    """Compare shares and cash."""
    with stores.begin() as work:
        ledger = work.ledger.load()
    held = {symbol: ledger.position(symbol).quantity for symbol in ledger.held_symbols}
    assert held == {row["symbol"]: row["quantity"] for row in book["positions"]}
    assert ledger.cash == book["cash"]["after_settlement"]


def judge_orders(stores: PostgresStores, book: Mapping[str, Any]) -> None:
    """See that each order that came through the API is one of ours, and none came twice."""
    new = [row for row in book["orders"] if row["act"] == "NEW" and row["channel"] != "HTS"]
    with stores.begin() as work:
        numbers = Counter(order.broker_order_id for order in work.orders.of_day(A_DAY))
        doubtful = [order for order in work.orders.open() if order.is_in_doubt]
    assert doubtful == []
    assert {row["number"]: numbers[row["number"]] for row in new} == dict.fromkeys(
        (row["number"] for row in new), 1
    )


async def judge_events(stores: PostgresStores, kafka: KafkaSettings) -> int:
    """See that every event lies in its topic, and for each symbol in order of its first coming."""
    with stores.begin() as work:
        written = work.outbox.after(0, limit=1_000_000)
    found = await _read(kafka)
    numbers = {event.event_id for event in written}
    assert {event.event_id for event in found} ^ numbers == set(), f"of {len(numbers)}"
    for told in _by_place(found):
        firsts = list(dict.fromkeys(told))
        assert all(before < after for before, after in pairwise(firsts)), "out of order"
    return len(written)


def _by_place(events: Iterable[OutboxEvent]) -> Iterable[list[int]]:
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for event in events:
        places[event.topic, event.key].append(event.event_id)
    return places.values()


async def _read(kafka: KafkaSettings) -> list[OutboxEvent]:
    found: list[OutboxEvent] = []
    async with open_reader(kafka) as reader:
        reader.seek({})
        while not found or await reader.rest():
            for records in (await reader.take()).values():
                found += [reader.decode(record) for record in records]
    return found


def _is_taken_in(stores: PostgresStores) -> bool:
    with stores.begin() as work:
        return differences(work) == ()
