"""This is what every memory promises about events: told once, taken in once, and adding up to the same."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from adapters.event_stores import Backlog, OutboxEvent, ToldHolding, ToldOrder
from adapters.events import execution_fill, order_new, order_state, signal_out
from adapters.stores import Stores
from tests.builders import LG_CHEM, a_fill, a_signal, an_accepted_order, an_order
from tests.store_samples import AT, in_one
from trading.orders import Order, OrderStatus

HERE = ("order.state", 0)
THERE = ("order.state", 1)


def tell(memory: Stores, count: int = 3) -> list[int]:
    """Write events; give their numbers."""
    with memory.begin() as work:
        for number in range(count):
            work.outbox.add(OutboxEvent("order.state", f"00000{number}", {"n": number}, AT))
        return [event.event_id for event in work.outbox.pending()]


class TestTheOutbox:
    def test_what_was_sent_waits_no_more_and_stays_in_the_log(self, memory: Stores) -> None:
        first, second, third = tell(memory)
        in_one(memory, lambda work: work.outbox.sent([first, third]))
        with memory.begin() as work:
            assert [event.event_id for event in work.outbox.pending()] == [second]
            assert [event.event_id for event in work.outbox.after(0)] == [first, second, third]
            assert [event.event_id for event in work.outbox.after(first, limit=1)] == [second]
            assert work.outbox.backlog().count == 1

    def test_behind_those_on_their_way_waits_the_rest(self, memory: Stores) -> None:
        first, second, *rest = tell(memory, 5)
        with memory.begin() as work:
            behind = work.outbox.pending(behind=[first, second], limit=2)
            assert [event.event_id for event in behind] == rest[:2]
            assert work.outbox.pending(behind=[first, second, *rest]) == ()

    def test_nothing_is_behind_while_an_earlier_one_waits(self, memory: Stores) -> None:
        """It was committed after the later ones were read, and leaves before what came after it."""
        first, second, third, _ = tell(memory, 4)
        with memory.begin() as work:
            assert work.outbox.pending(behind=[second, third]) == ()
            work.outbox.sent([first])
            assert len(work.outbox.pending(behind=[second, third])) == 1

    def test_an_empty_outbox_has_no_backlog(self, memory: Stores) -> None:
        in_one(memory, lambda work: work.outbox.sent([]))
        assert in_one(memory, lambda work: work.outbox.backlog()) == Backlog(0, timedelta())

    def test_a_backlog_grows_older_whatever_the_market_says_of_the_time(
        self, memory: Stores
    ) -> None:
        tell(memory)
        first = in_one(memory, lambda work: work.outbox.backlog())
        later = in_one(memory, lambda work: work.outbox.backlog())
        assert timedelta() < first.age < later.age < timedelta(minutes=1)

    def test_an_event_is_gone_with_the_effect_that_failed(self, memory: Stores) -> None:
        with suppress(RuntimeError), memory.begin() as work:
            work.outbox.add(OutboxEvent("order.state", LG_CHEM, {}, AT))
            raise RuntimeError
        assert in_one(memory, lambda work: work.outbox.after(0)) == ()


class TestConsumers:
    def test_an_event_is_taken_in_once_by_each_consumer(self, memory: Stores) -> None:
        assert in_one(memory, lambda work: work.consumptions.take("book", [7, 7, 8])) == {7, 8}
        with memory.begin() as work:
            assert work.consumptions.take("book", [8, 9]) == {9}
            assert work.consumptions.take("other", [8]) == {8}
            assert work.consumptions.take("other", []) == set()

    def test_each_consumer_goes_on_where_it_was(self, memory: Stores) -> None:
        in_one(memory, lambda work: work.consumptions.move("book", {HERE: 5, THERE: 1}))
        in_one(memory, lambda work: work.consumptions.move("book", {HERE: 6}))
        in_one(memory, lambda work: work.consumptions.move("other", {HERE: 1}))
        in_one(memory, lambda work: work.consumptions.move("other", {}))
        with memory.begin() as work:
            assert work.consumptions.offsets("book") == {HERE: 6, THERE: 1}
            assert work.consumptions.offsets("other") == {HERE: 1}
            assert work.consumptions.offsets("nobody") == {}

    def test_a_consumer_that_is_forgotten_begins_anew(self, memory: Stores) -> None:
        with memory.begin() as work:
            work.consumptions.move("book", {HERE: 5})
            work.consumptions.take("book", [7])
            work.consumptions.take("other", [7])
        in_one(memory, lambda work: work.consumptions.forget("book"))
        with memory.begin() as work:
            assert work.consumptions.offsets("book") == {}
            assert work.consumptions.take("book", [7]) == {7}
            assert work.consumptions.take("other", [7]) == set()

    def test_an_effect_that_fails_leaves_the_place_where_it_was(self, memory: Stores) -> None:
        with suppress(RuntimeError), memory.begin() as work:
            work.consumptions.move("book", {HERE: 5})
            work.consumptions.take("book", [7])
            work.projection.apply([numbered(order_new(an_order()), 1)])
            raise RuntimeError
        with memory.begin() as work:
            assert work.consumptions.offsets("book") == {}
            assert work.consumptions.take("book", [7]) == {7}
            assert work.projection.orders() == ()


def numbered(event: OutboxEvent, event_id: int) -> OutboxEvent:
    """Give the event as a log hands it out."""
    return replace(event, event_id=event_id)


def told(order: Order, event_id: int, **changes: Any) -> ToldOrder:
    """Give the order as it is told."""
    row = ToldOrder(
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=order.side,
        status=order.status,
        quantity=order.quantity,
        filled_quantity=order.filled_quantity,
        filled_value=order.filled_value,
        event_id=event_id,
    )
    return replace(row, **changes)


class TestTheProjection:
    def test_of_an_order_the_newest_event_counts_whichever_comes_last(self, memory: Stores) -> None:
        order = an_accepted_order()
        with memory.begin() as work:
            for event in (numbered(order_state(order), 3), numbered(order_new(an_order()), 1)):
                work.projection.apply([event])
        assert in_one(memory, lambda work: work.projection.orders()) == (told(order, 3),)
        assert order.status is OrderStatus.ACCEPTED

    def test_fills_add_up(self, memory: Stores) -> None:
        order = an_accepted_order()
        with memory.begin() as work:
            for event_id, price in enumerate((428_000, 428_500), start=1):
                fill = a_fill(order, quantity=3, price=price, at=AT)
                work.projection.apply([numbered(execution_fill(fill), event_id)])
            # Commission 0.015 % of 1,284,000 and of 1,285,500 won: 192 won each, fractions dropped.
            cash = -(3 * 428_000 + 3 * 428_500) - 2 * 192
            assert work.projection.holdings() == (ToldHolding("trend", LG_CHEM, 6, cash),)

    def test_other_events_change_nothing_and_clearing_forgets_all(self, memory: Stores) -> None:
        order = an_accepted_order()
        with memory.begin() as work:
            work.projection.apply([numbered(signal_out(a_signal()), 1)])
            assert (work.projection.orders(), work.projection.holdings()) == ((), ())
            fill = a_fill(order, quantity=3, price=428_000, at=AT)
            events = order_state(order), execution_fill(fill)
            work.projection.apply(numbered(event, n) for n, event in enumerate(events, start=2))
            work.projection.clear()
        with memory.begin() as work:
            assert (work.projection.orders(), work.projection.holdings()) == ((), ())
