"""This is what every memory promises about signals, orders and fills; it runs on each of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest

from adapters.stores import Stores
from tests.builders import A_DAY, LG_CHEM, SAMSUNG, a_fill, a_signal, an_accepted_order, an_order
from tests.store_samples import AT, NEXT_DAY, in_one, topics
from trading.errors import BadInput
from trading.executions import Execution
from trading.orders import Order, OrderStatus, OrderType, Side
from trading.signals import Direction


class TestSignals:
    def test_a_target_weight_comes_back_with_its_four_places(self, memory: Stores) -> None:
        wanted = a_signal(target_weight=Decimal("0.0950"))
        left = a_signal(direction=Direction.EXIT, target_weight=Decimal("0.0000"))
        with memory.begin() as work:
            work.signals.add(wanted)
            work.signals.add(left)
            assert work.signals.of_day(A_DAY) == (wanted, left)
            found = work.signals.get(wanted.signal_id)
        assert found is not None
        assert str(found.target_weight) == "0.0950"

    def test_the_same_signal_again_is_not_written(self, memory: Stores) -> None:
        signal = a_signal(indicators={"sma20": "428500.5"})
        later = a_signal(trigger="stop", trading_day=NEXT_DAY)
        with memory.begin() as work:
            assert work.signals.add(signal)
            assert not work.signals.add(replace(signal, reason="said differently"))
            assert work.signals.add(later)
        with memory.begin() as work:
            assert work.signals.get(signal.signal_id) == signal
            assert work.signals.get("unknown") is None
            assert work.signals.of_day(A_DAY) == (signal,)
            (event, _) = work.outbox.after(0)
        assert (event.topic, event.key, event.at) == ("signal.out", LG_CHEM, signal.created_at)
        assert event.payload["signal_id"] == signal.signal_id
        assert event.payload["strength"] == "1"


class TestOrders:
    def test_an_order_is_claimed_once(self, memory: Stores) -> None:
        other = replace(an_order(), status=OrderStatus.DENIED)
        with memory.begin() as work:
            assert work.orders.add(an_order())
            assert not work.orders.add(other)
        assert in_one(memory, lambda work: work.orders.of_day(A_DAY)) == (an_order(),)
        assert topics(memory) == ["order.new"]

    def test_an_order_comes_with_the_states_it_went_through(self, memory: Stores) -> None:
        sent = an_order().submit(at=AT)
        accepted = sent.accept("7", branch="06010", at=AT)
        with memory.begin() as work:
            assert work.orders.add(an_order(), sent, accepted, detail="found")
            assert work.orders.get(sent.client_order_id) == accepted
            told = [(e.status, e.detail) for e in work.orders.timeline(sent.client_order_id)]
            assert not work.orders.add(an_order(), sent)
        assert told == [
            ("INITIALIZED", an_order().intent.reason),
            ("SUBMITTED", "found"),
            ("ACCEPTED", "found"),
        ]
        assert topics(memory) == ["order.new", "order.state", "order.state"]

    @pytest.mark.parametrize("owner", [{"channel": "live"}, {"account": "99999999-01"}])
    def test_an_order_of_another_account_is_refused(
        self, memory: Stores, owner: dict[str, str]
    ) -> None:
        with pytest.raises(BadInput, match="order"), memory.begin() as work:
            work.orders.add(an_order(**owner))

    def test_of_two_threads_that_claim_an_order_one_gets_it(self, memory: Stores) -> None:
        for attempt in range(5):
            barrier = Barrier(2)
            order = an_order(client_order_id=f"attempt-{attempt}")

            def claim(barrier: Barrier = barrier, order: Order = order) -> bool:
                barrier.wait()
                return in_one(memory, lambda work: work.orders.add(order))

            with ThreadPoolExecutor(2) as pool:
                claims = [pool.submit(claim) for _ in range(2)]
                assert sorted(each.result() for each in claims) == [False, True]

    def test_every_field_of_an_order_comes_back(self, memory: Stores) -> None:
        refused = an_accepted_order("7", client_order_id="refused").reject("40", "한도", at=AT)
        market = an_order(
            client_order_id="market",
            order_type=OrderType.MARKET,
            limit_price=None,
            side=Side.SELL,
            parameter_hash="abc",
        ).submit(at=AT)
        for order in (refused, market):
            with memory.begin() as work:
                work.orders.add(order)
            with memory.begin() as work:
                assert work.orders.get(order.client_order_id) == order

    def test_each_state_leaves_a_line_and_an_event(self, memory: Stores) -> None:
        order = an_order()
        sent = order.submit(at=AT)
        accepted = sent.accept("0000000101", at=AT + timedelta(seconds=1))
        for act in (
            lambda work: work.orders.add(order),
            lambda work: work.orders.save(sent),
            lambda work: work.orders.save(accepted, detail="reply"),
        ):
            in_one(memory, act)
        with memory.begin() as work:
            timeline = work.orders.timeline(order.client_order_id)
            events = work.outbox.after(0)
        assert [(event.status, event.detail) for event in timeline] == [
            ("INITIALIZED", order.intent.reason),
            ("SUBMITTED", ""),
            ("ACCEPTED", "reply"),
        ]
        assert [event.at for event in timeline] == [order.updated_at, AT, accepted.updated_at]
        assert [event.topic for event in events] == ["order.new", "order.state", "order.state"]
        assert events[2].payload["status"] == "ACCEPTED"
        assert events[2].payload["detail"] == "reply"
        assert events[2].payload["limit_price"] == 428_500
        assert [event.event_id for event in events] == sorted({e.event_id for e in events})

    def test_an_order_that_was_never_added_cannot_be_saved(self, memory: Stores) -> None:
        with pytest.raises(LookupError, match="never added"), memory.begin() as work:
            work.orders.save(an_order())

    def test_an_order_is_found_by_the_brokers_number_of_its_day(self, memory: Stores) -> None:
        order = an_accepted_order("0000000101")
        with memory.begin() as work:
            work.orders.add(order)
            work.orders.add(an_order(client_order_id="without a number"))
        with memory.begin() as work:
            assert work.orders.by_broker_id(A_DAY, "0000000101") == order
            assert work.orders.by_broker_id(NEXT_DAY, "0000000101") is None
            assert work.orders.by_broker_id(A_DAY, "") is None

    def test_a_number_of_the_broker_belongs_to_one_order_a_day(self, memory: Stores) -> None:
        again = an_accepted_order("0000000101", client_order_id="next day", trading_day=NEXT_DAY)
        second = an_order(client_order_id="second").submit(at=AT)
        with memory.begin() as work:
            for order in (an_accepted_order("0000000101"), again, second):
                work.orders.add(order)
        with pytest.raises(BadInput, match="0000000101"), memory.begin() as work:
            work.orders.save(second.accept("0000000101", at=AT))
        with pytest.raises(BadInput, match="0000000101"), memory.begin() as work:
            work.orders.add(an_accepted_order("0000000101", client_order_id="third"))
        assert in_one(memory, lambda work: work.orders.get("second")) == second

    def test_open_orders_come_oldest_first_over_all_days(self, memory: Stores) -> None:
        sent = an_order(client_order_id="b", trading_day=NEXT_DAY).submit(at=AT)
        accepted = an_accepted_order(client_order_id="a")
        denied = an_order(client_order_id="c").deny("weight", at=AT)
        with memory.begin() as work:
            for order in (sent, accepted, denied, an_order(client_order_id="d")):
                work.orders.add(order)
        with memory.begin() as work:
            assert work.orders.open() == (sent, accepted)
            assert [o.client_order_id for o in work.orders.of_day(A_DAY)] == ["a", "c", "d"]
            assert work.orders.open() == (sent, accepted), (
                "of other days too, whatever was read before"
            )
            work.orders.save(accepted.cancel(at=AT))
            assert work.orders.open() == (sent,)

    def test_a_reader_waits_for_the_unit_of_work_before_it(self, memory: Stores) -> None:
        """Two fills of one order at the same time: neither is lost."""
        order = an_accepted_order(quantity=20)
        in_one(memory, lambda work: work.orders.add(order))

        def fill_one() -> None:
            with memory.begin() as work:
                known = work.orders.get(order.client_order_id)
                assert known is not None
                work.orders.save(known.fill(1, 428_500, at=AT))

        with ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(fill_one) for _ in range(20)]:
                done.result()
        filled = in_one(memory, lambda work: work.orders.get(order.client_order_id))
        assert filled is not None
        assert (filled.status, filled.filled_quantity) == (OrderStatus.FILLED, 20)


class TestExecutions:
    def test_a_fill_is_booked_once(self, memory: Stores) -> None:
        order = an_accepted_order()
        fill = a_fill(order, quantity=3, price=428_000, at=AT)
        with memory.begin() as work:
            work.orders.add(order)
            assert work.executions.add(fill)
            assert not work.executions.add(replace(fill, quantity=2))
        with memory.begin() as work:
            assert work.executions.all() == (fill,)
            event = work.outbox.after(0)[-1]
        assert (event.topic, event.payload["value"]) == ("execution.fill", 3 * 428_000)

    def test_fills_come_in_order_of_booking(self, memory: Stores) -> None:
        first, second = an_accepted_order(), an_accepted_order("0000000102", client_order_id="2")
        late = replace(a_fill(first, quantity=1, price=2, at=AT), execution_id="z")
        early = replace(late, execution_id="a", trading_day=NEXT_DAY)
        other = replace(late, execution_id="m", client_order_id="2")
        with memory.begin() as work:
            for order in (first, second):
                work.orders.add(order)
            for fill in (late, early, other):
                work.executions.add(fill)
        with memory.begin() as work:
            assert work.executions.all() == (late, early, other)
            assert work.executions.of_day(A_DAY) == (late, other)
            assert work.executions.of_order(first.client_order_id) == (late, early)

    def test_what_a_strategy_holds_is_known_from_its_fills_since_it_was_flat(
        self, memory: Stores
    ) -> None:
        story = [
            ("trend", LG_CHEM, Side.BUY, 3),
            ("other", LG_CHEM, Side.BUY, 9),
            ("trend", LG_CHEM, Side.SELL, 3),
            ("trend", SAMSUNG, Side.BUY, 2),
            ("trend", LG_CHEM, Side.BUY, 5),
            ("trend", LG_CHEM, Side.SELL, 1),
            ("trend", SAMSUNG, Side.SELL, 2),
            ("other", SAMSUNG, Side.BUY, 4),
        ]
        fills = [
            self._book(memory, number, quantity, strategy_id=strategy, symbol=symbol, side=side)
            for number, (strategy, symbol, side, quantity) in enumerate(story, start=1)
        ]
        with memory.begin() as work:
            assert work.executions.standing() == (fills[1], *fills[4:6], fills[7])
            assert work.executions.standing(LG_CHEM) == (fills[1], *fills[4:6])
            assert work.executions.standing(SAMSUNG) == (fills[7],)

    @staticmethod
    def _book(memory: Stores, number: int, quantity: int, **names: Any) -> Execution:
        order = an_accepted_order(str(number), client_order_id=f"order {number}", **names)
        fill = a_fill(order, quantity=quantity, price=428_000, at=AT)
        with memory.begin() as work:
            work.orders.add(order)
            work.executions.add(fill)
        return fill

    def test_a_fill_of_an_order_that_nobody_knows_is_refused(self, memory: Stores) -> None:
        fill = a_fill(an_accepted_order(), quantity=3, price=428_000, at=AT)
        with pytest.raises(LookupError, match="never added"), memory.begin() as work:
            work.executions.add(fill)
