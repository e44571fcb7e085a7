"""This is what every memory promises; it runs on the stores in memory and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from threading import Barrier
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.memory.stores import MemoryStores
from adapters.postgres import PostgresStores
from adapters.stores import AuditEntry, OutboxEvent, Stores, UnitOfWork
from tests.builders import (
    A_DAY,
    ACCOUNT,
    HYUNDAI,
    LG_CHEM,
    NAVER,
    SAMSUNG,
    a_fill,
    a_signal,
    an_accepted_order,
    an_order,
    seoul,
)
from trading.bars import Bar, BarGap, Interval
from trading.decisions import Breach, RiskEvent
from trading.equity import EquityPoint
from trading.errors import BadInput, LedgerViolation
from trading.executions import Execution
from trading.halts import Halt, TradingState
from trading.instruments import Instrument, InstrumentKind, Market, Symbol
from trading.ledger import CashFlow, Hold, Ledger, rebuild
from trading.orders import Order, OrderStatus, OrderType, Side
from trading.positions import Position
from trading.sessions import KST

AT = seoul(A_DAY, "09:00")
NEXT_DAY = A_DAY + timedelta(days=1)
SETTLED = A_DAY + timedelta(days=2)


@pytest.fixture(params=["memory", "postgres"])
def memory(request: pytest.FixtureRequest) -> Iterator[Stores]:
    """Each implementation in turn, empty."""
    if request.param == "memory":
        yield MemoryStores(channel="dev", account=ACCOUNT)
    else:
        yield request.getfixturevalue("stores")


def a_bar(day: date = A_DAY, **changes: Any) -> Bar:
    """Give a final daily bar of LG Chem."""
    bar = Bar(
        symbol=LG_CHEM,
        interval=Interval.DAY,
        trading_day=day,
        at=datetime.combine(day, time(), KST).astimezone(UTC),
        open=428_500,
        high=431_000,
        low=420_000,
        close=424_000,
        volume=250_000,
        value=106_000_000_000,
    )
    return replace(bar, **changes)


def in_one[T](memory: Stores, act: Callable[[UnitOfWork], T]) -> T:
    """Do something in a unit of work of its own."""
    with memory.begin() as work:
        return act(work)


def topics(memory: Stores) -> list[str]:
    """Give the topics of everything that waits in the outbox."""
    return [event.topic for event in in_one(memory, lambda work: work.outbox.pending())]


class TestUnitOfWork:
    def test_what_ends_well_is_there_afterwards(self, memory: Stores) -> None:
        with memory.begin() as work:
            assert work.orders.add(an_order())
        assert (
            in_one(memory, lambda work: work.orders.get(an_order().client_order_id)) == an_order()
        )

    def test_an_exception_leaves_no_trace_of_anything(self, memory: Stores) -> None:
        order = an_accepted_order()
        with memory.begin() as work:
            work.bars.upsert([a_bar()])
            work.orders.add(order)
            work.configs.propose({"a": 1}, digest="first", at=AT)
            work.ledger.deposit(CashFlow(A_DAY, 10_000_000), reason="start", at=AT)
        before = self._everything(memory)
        with pytest.raises(ZeroDivisionError):
            in_one(memory, lambda work: self._write_everything(work, order) / 0)
        assert self._everything(memory) == before
        with memory.begin() as work:
            self._write_everything(work, order)
        changed = [a != b for a, b in zip(self._everything(memory), before, strict=True)]
        assert all(changed), "the test must look at everything that was written"

    @staticmethod
    def _write_everything(work: UnitOfWork, order: Order) -> int:
        work.bars.upsert([a_bar(close=425_000), a_bar(date(2017, 5, 2), is_provisional=True)])
        work.bars.put_gaps([BarGap(LG_CHEM, NEXT_DAY, "no row")])
        work.instruments.upsert([Instrument(LG_CHEM, "LG화학")])
        work.signals.add(a_signal())
        fill = a_fill(order, quantity=3, price=428_000, at=AT)
        work.executions.add(fill)
        work.orders.save(order.fill(3, 3 * 428_000, at=AT))
        work.ledger.deposit(CashFlow(A_DAY, 5), reason="more", at=AT)
        work.ledger.post(fill)
        work.ledger.adopt(SAMSUNG, quantity=1, cost=50_000, at=AT)
        work.risk_events.add([a_risk_event()])
        work.halts.put(Halt("operator", TradingState.HALTED, "lunch", AT))
        work.equity.put(EquityPoint(A_DAY, 1, 2, 3))
        work.calendar.put({A_DAY: True}, at=AT)
        work.configs.propose({"a": 2}, digest="second", at=AT)
        work.audit.add(AuditEntry("owner", "halt"), at=AT)
        return 1

    @staticmethod
    def _everything(memory: Stores) -> tuple[object, ...]:
        with memory.begin() as work:
            return (
                work.bars.between(LG_CHEM, Interval.DAY, first=date(2017, 1, 1), last=A_DAY),
                work.bars.provisional_days(LG_CHEM, Interval.DAY),
                work.bars.gaps(),
                work.instruments.all(),
                work.signals.of_day(A_DAY),
                work.orders.of_day(A_DAY),
                work.orders.timeline(an_order().client_order_id),
                work.executions.all(),
                work.ledger.load(),
                work.ledger.deposits(),
                work.ledger.paid_in(A_DAY),
                work.risk_events.of_day(A_DAY),
                work.halts.in_force(),
                work.equity.all(),
                work.calendar.all(),
                work.configs.latest(),
                [event.topic for event in work.outbox.pending()],
                work.audit.last(),
            )


class TestBars:
    def test_a_bar_comes_back_as_it_was_written(self, memory: Stores) -> None:
        minute = a_bar(interval=Interval.MINUTE, at=seoul(A_DAY, "09:01"), value=None)
        assert in_one(memory, lambda work: work.bars.upsert([a_bar(), minute])) == 2
        with memory.begin() as work:
            assert work.bars.last(LG_CHEM, Interval.DAY, count=5, until=A_DAY) == (a_bar(),)
            assert work.bars.last(LG_CHEM, Interval.MINUTE, count=5, until=A_DAY) == (minute,)

    def test_equal_bars_again_change_nothing(self, memory: Stores) -> None:
        bars = [a_bar(), a_bar(NEXT_DAY)]
        assert in_one(memory, lambda work: work.bars.upsert(bars)) == 2
        assert in_one(memory, lambda work: work.bars.upsert(bars)) == 0
        assert in_one(memory, lambda work: work.bars.upsert([])) == 0

    def test_a_changed_bar_replaces_the_stored_one(self, memory: Stores) -> None:
        in_one(memory, lambda work: work.bars.upsert([a_bar()]))
        changed = a_bar(volume=260_000, value=None)
        assert in_one(memory, lambda work: work.bars.upsert([changed, a_bar(NEXT_DAY)])) == 2
        with memory.begin() as work:
            assert work.bars.last(LG_CHEM, Interval.DAY, count=1, until=A_DAY) == (changed,)

    def test_the_last_of_two_equal_keys_in_one_batch_counts(self, memory: Stores) -> None:
        assert in_one(memory, lambda work: work.bars.upsert([a_bar(), a_bar(close=1)])) == 1
        with memory.begin() as work:
            assert work.bars.last(LG_CHEM, Interval.DAY, count=9, until=A_DAY)[0].close == 1

    def test_a_final_bar_replaces_a_provisional_one_and_never_the_reverse(
        self, memory: Stores
    ) -> None:
        provisional = a_bar(volume=240_000, is_provisional=True)
        with memory.begin() as work:
            work.bars.upsert([provisional])
            assert work.bars.provisional_days(LG_CHEM, Interval.DAY) == (A_DAY,)
            assert work.bars.upsert([a_bar()]) == 1
            assert work.bars.provisional_days(LG_CHEM, Interval.DAY) == ()
            assert work.bars.upsert([provisional]) == 0
            assert work.bars.last(LG_CHEM, Interval.DAY, count=1, until=A_DAY) == (a_bar(),)

    def test_the_last_bars_come_oldest_first_and_not_beyond_the_day(self, memory: Stores) -> None:
        days = [A_DAY + timedelta(days=n) for n in range(-40, 40)]  # over five months' partitions
        in_one(memory, lambda work: work.bars.upsert([a_bar(day) for day in reversed(days)]))
        in_one(memory, lambda work: work.bars.upsert([a_bar(A_DAY, symbol=SAMSUNG)]))
        with memory.begin() as work:
            last = work.bars.last(LG_CHEM, Interval.DAY, count=50, until=A_DAY)
            between = work.bars.between(LG_CHEM, Interval.DAY, first=days[5], last=days[7])
        assert [bar.trading_day for bar in last] == days[:41]
        assert [bar.trading_day for bar in between] == days[5:8]

    def test_only_one_of_two_sources_is_given_for_a_bar(self, memory: Stores) -> None:
        other = a_bar(source="naver", close=424_500)
        rest = [a_bar(NEXT_DAY, is_provisional=True), a_bar(NEXT_DAY, source="naver")]
        in_one(memory, lambda work: work.bars.upsert([other, a_bar(), *rest]))
        with memory.begin() as work:
            last = work.bars.last(LG_CHEM, Interval.DAY, count=9, until=NEXT_DAY)
            between = work.bars.between(LG_CHEM, Interval.DAY, first=A_DAY, last=NEXT_DAY)
        assert last == between == (a_bar(), rest[1])

    def test_a_gap_stays_until_its_bar_comes(self, memory: Stores) -> None:
        gaps = [BarGap(LG_CHEM, NEXT_DAY, "no row"), BarGap(LG_CHEM, A_DAY, "time-out")]
        with memory.begin() as work:
            work.bars.put_gaps([*gaps, BarGap(SAMSUNG, A_DAY, "no row")])
            work.bars.put_gaps([replace(gaps[0], reason="no row again")])
        with memory.begin() as work:
            assert [gap.reason for gap in work.bars.gaps(LG_CHEM)] == ["time-out", "no row again"]
            work.bars.upsert([a_bar(interval=Interval.MINUTE)])
            assert len(work.bars.gaps()) == 3
            work.bars.upsert([a_bar()])
            assert [gap.trading_day for gap in work.bars.gaps()] == [A_DAY, NEXT_DAY]


class TestInstruments:
    def test_a_new_name_or_market_replaces_the_old_one(self, memory: Stores) -> None:
        kia = Instrument(Symbol("000270"), "기아차", listed_on=date(1973, 7, 21))
        fund = Instrument(
            Symbol("0009K0"), "ETF", Market.KOSDAQ, InstrumentKind.ETF, is_halted=True
        )
        renamed = replace(kia, name="기아", is_administrative=True, is_liquidation=True)
        with memory.begin() as work:
            work.instruments.upsert([fund, kia])
            work.instruments.upsert([renamed])
        with memory.begin() as work:
            assert work.instruments.get(kia.symbol) == renamed
            assert work.instruments.all() == (renamed, fund)
            assert work.instruments.get(NAVER) is None


class TestSignals:
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
            (event, _) = work.outbox.pending()
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
            events = work.outbox.pending()
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
            event = work.outbox.pending()[-1]
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

    def test_a_fill_of_an_order_that_nobody_knows_is_refused(self, memory: Stores) -> None:
        fill = a_fill(an_accepted_order(), quantity=3, price=428_000, at=AT)
        with pytest.raises(LookupError, match="never added"), memory.begin() as work:
            work.executions.add(fill)


class TestLedger:
    def test_deposits_are_cash_on_their_settlement_days(self, memory: Stores) -> None:
        flows = (CashFlow(SETTLED, 1_000), CashFlow(A_DAY, 500), CashFlow(SETTLED, -200))
        with memory.begin() as work:
            for flow in flows:
                work.ledger.deposit(flow, reason="opening balance", at=AT)
        with memory.begin() as work:
            assert work.ledger.deposits() == flows
            assert work.ledger.load() == Ledger(
                ACCOUNT, (CashFlow(A_DAY, 500), CashFlow(SETTLED, 800))
            )
            assert work.ledger.paid_in(A_DAY) == 1_300
            assert work.ledger.paid_in(NEXT_DAY) == 0

    def test_a_deposit_counts_for_the_day_in_seoul(self, memory: Stores) -> None:
        early = seoul(A_DAY, "00:10")  # still the day before in UTC
        in_one(memory, lambda w: w.ledger.deposit(CashFlow(A_DAY, 7), reason="", at=early))
        with memory.begin() as work:
            assert work.ledger.paid_in(A_DAY) == 7
            assert work.ledger.before(A_DAY) == Ledger(ACCOUNT)

    def test_open_orders_hold_cash_and_shares(self, memory: Stores) -> None:
        buy = an_accepted_order("1", client_order_id="buy").fill(3, 3 * 428_000, at=AT)
        sell = an_accepted_order("2", client_order_id="sell", symbol=SAMSUNG, side=Side.SELL)
        done = an_accepted_order("3", client_order_id="done").cancel(at=AT)
        with memory.begin() as work:
            for order in (buy, sell, done):
                work.orders.add(order)
        assert in_one(memory, lambda work: work.ledger.load().holds) == {
            "buy": Hold(LG_CHEM, cash=20 * 428_500),
            "sell": Hold(SAMSUNG, shares=23),
        }

    def test_a_fill_moves_cash_position_and_hold_together(self, memory: Stores) -> None:
        order = an_accepted_order()
        fill = a_fill(order, quantity=23, price=428_000, at=AT)
        with memory.begin() as work:
            work.ledger.deposit(CashFlow(A_DAY, 10_000_000), reason="start", at=AT)
            work.orders.add(order)
            work.executions.add(fill)
            work.orders.save(order.fill(23, fill.value, at=AT))
            after = work.ledger.post(fill)
        assert after.position(LG_CHEM) == Position(LG_CHEM, 23, fill.value, 0, fill.commission)
        assert after.cash == 10_000_000 - 23 * 428_000 - fill.commission
        assert after.settled_cash(NEXT_DAY) == 10_000_000
        assert after.holds == {}
        assert in_one(memory, lambda work: work.ledger.load()) == after

    def test_selling_more_than_is_held_is_refused(self, memory: Stores) -> None:
        order = an_accepted_order(side=Side.SELL)
        fill = a_fill(order, quantity=23, price=428_000, at=AT)
        in_one(memory, lambda work: work.orders.add(order))
        with pytest.raises(LedgerViolation):
            in_one(memory, lambda work: book(work, order, fill))
        assert in_one(memory, lambda work: work.executions.all()) == ()

    def test_an_adopted_position_comes_with_its_cost_and_is_no_profit(self, memory: Stores) -> None:
        with memory.begin() as work:
            work.ledger.adopt(SAMSUNG, quantity=10, cost=500_000, at=AT)
            work.ledger.adopt(SAMSUNG, quantity=-4, cost=-200_000, at=AT)
        with memory.begin() as work:
            assert work.ledger.load().positions == {SAMSUNG: Position(SAMSUNG, 6, 300_000)}
            assert work.ledger.load().flows == ()
            assert work.ledger.paid_in(A_DAY) == 300_000
        with pytest.raises(LedgerViolation), memory.begin() as work:
            work.ledger.adopt(SAMSUNG, quantity=-7, cost=0, at=AT)

    def test_the_ledger_before_a_day_knows_nothing_of_that_day(self, memory: Stores) -> None:
        order = an_accepted_order()
        first = a_fill(order, quantity=10, price=428_000, at=AT)
        second = replace(first, execution_id="second", trading_day=NEXT_DAY)
        with memory.begin() as work:
            work.ledger.deposit(CashFlow(A_DAY, 10_000_000), reason="start", at=AT)
            work.ledger.adopt(SAMSUNG, quantity=10, cost=500_000, at=AT)
            work.orders.add(order)
            work.executions.add(first)
            work.ledger.post(first)
            before = replace(work.ledger.load(), holds={})
            work.executions.add(second)
            work.ledger.post(second)
            later = AT + timedelta(days=1)
            work.ledger.deposit(CashFlow(NEXT_DAY, 5), reason="more", at=later)
        with memory.begin() as work:
            assert work.ledger.before(NEXT_DAY) == before
            assert work.ledger.before(A_DAY) == Ledger(ACCOUNT)
            assert work.ledger.load().position(LG_CHEM).quantity == 20


def a_risk_event(**changes: Any) -> RiskEvent:
    """Give a refusal of the weight rule."""
    breach = Breach("WEIGHT", "21 % of 20 %", {"weight": "0.21"})
    order = an_order()
    event = RiskEvent(order.client_order_id, "trend", LG_CHEM, breach, AT, A_DAY)
    return replace(event, **changes)


class TestRecords:
    def test_refusals_keep_their_figures(self, memory: Stores) -> None:
        second = a_risk_event(breach=Breach("CASH", "none left"))
        tomorrow = a_risk_event(trading_day=NEXT_DAY)
        in_one(memory, lambda work: work.risk_events.add([a_risk_event(), second, tomorrow]))
        with memory.begin() as work:
            assert work.risk_events.of_day(A_DAY) == (a_risk_event(), second)
            event = work.outbox.pending()[0]
        assert event.topic == "risk.event"
        assert (event.payload["rule_id"], event.payload["figures"]) == (
            "WEIGHT",
            {"weight": "0.21"},
        )

    def test_one_halt_per_source_and_strategy(self, memory: Stores) -> None:
        reduce = Halt("trip:DAILY_LOSS", TradingState.REDUCING, "-1.9 %", AT)
        stop = replace(reduce, state=TradingState.HALTED, at=AT + timedelta(minutes=1))
        other = Halt("operator", TradingState.HALTED, "lunch", AT, strategy_id="trend")
        with memory.begin() as work:
            assert work.halts.put(reduce)
            assert work.halts.put(other)
            assert not work.halts.put(replace(reduce, reason="again"))
            assert work.halts.in_force() == (other, reduce)
            assert work.halts.put(stop)
        assert in_one(memory, lambda work: work.halts.in_force()) == (other, stop)

    def test_a_lifted_halt_is_gone_and_may_come_again(self, memory: Stores) -> None:
        halt = Halt("operator", TradingState.HALTED, "lunch", AT)
        with memory.begin() as work:
            work.halts.put(halt)
            assert not work.halts.lift("operator", strategy_id="trend", reason="", at=AT)
            assert work.halts.lift("operator", reason="fed", at=AT)
            assert not work.halts.lift("operator", reason="fed", at=AT)
            assert work.halts.in_force() == ()
            assert work.halts.put(halt)
            assert work.halts.in_force() == (halt,)

    def test_active_is_no_halt(self, memory: Stores) -> None:
        with pytest.raises(BadInput, match="state"), memory.begin() as work:
            work.halts.put(Halt("operator", TradingState.ACTIVE, "", AT))

    def test_the_days_opening_equity_is_kept(self, memory: Stores) -> None:
        with memory.begin() as work:
            work.equity.put(EquityPoint(NEXT_DAY, 5, 6))
            work.equity.put(EquityPoint(A_DAY, 1, 2, 3))
            work.equity.put(EquityPoint(A_DAY, 10, 20, 30))
        with memory.begin() as work:
            assert work.equity.get(A_DAY) == EquityPoint(A_DAY, 1, 20, 30)
            assert work.equity.get(SETTLED) is None
            assert [point.trading_day for point in work.equity.all()] == [A_DAY, NEXT_DAY]

    def test_the_brokers_newest_answer_about_a_day_counts(self, memory: Stores) -> None:
        with memory.begin() as work:
            work.calendar.put({NEXT_DAY: True, A_DAY: True}, at=AT)
            work.calendar.put({NEXT_DAY: False}, at=AT)
        answers = in_one(memory, lambda work: work.calendar.all())
        assert list(answers.items()) == [(A_DAY, True), (NEXT_DAY, False)]

    def test_settings_get_a_number_only_when_they_change(self, memory: Stores) -> None:
        with memory.begin() as work:
            assert work.configs.latest() is None
            assert work.configs.propose({"weight": "0.2"}, digest="a", at=AT) == 1
            assert work.configs.propose({"weight": "0.2"}, digest="a", at=AT) == 1
            assert work.configs.propose({"weight": "0.1"}, digest="b", at=AT) == 2
            assert work.configs.propose({"weight": "0.2"}, digest="a", at=AT) == 3
        latest = in_one(memory, lambda work: work.configs.latest())
        assert latest == (3, {"weight": "0.2"})

    def test_two_runs_that_propose_the_same_settings_agree(self, memory: Stores) -> None:
        def propose(_: int) -> int:
            return in_one(memory, lambda w: w.configs.propose({"a": 1}, digest="a", at=AT))

        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(propose, range(8))) == {1}

    def test_the_oldest_events_leave_the_outbox_first(self, memory: Stores) -> None:
        events = [OutboxEvent("order.state", f"00000{n}", {"n": n}, AT) for n in range(5)]
        with memory.begin() as work:
            for event in events:
                work.outbox.add(event)
        pending = in_one(memory, lambda work: work.outbox.pending(limit=3))
        assert [replace(event, event_id=0) for event in pending] == events[:3]

    def test_the_audit_log_gives_the_newest_first(self, memory: Stores) -> None:
        acts = [AuditEntry("owner", f"act {n}", {"n": n}) for n in range(3)]
        with memory.begin() as work:
            for n, act in enumerate(acts):
                work.audit.add(act, at=AT + timedelta(minutes=n))
        newest = in_one(memory, lambda work: work.audit.last(count=2))
        assert newest == (
            (AT + timedelta(minutes=2), acts[2]),
            (AT + timedelta(minutes=1), acts[1]),
        )


class TestLocks:
    def test_a_name_has_one_holder_until_the_block_ends(self, memory: Stores) -> None:
        with memory.lock("place-orders") as is_ours, memory.lock("place-orders") as is_theirs:
            assert is_ours
            assert not is_theirs
            with memory.lock("eod-report") as is_another:
                assert is_another
            with memory.begin() as work:  # a lock does not stop the work that it guards
                work.orders.open()
        with memory.lock("place-orders") as is_ours:
            assert is_ours

    def test_an_exception_frees_the_lock(self, memory: Stores) -> None:
        with pytest.raises(ZeroDivisionError), memory.lock("place-orders"):
            1 / 0  # noqa: B018 - the failure
        with memory.lock("place-orders") as is_ours:
            assert is_ours


SYMBOLS = (LG_CHEM, SAMSUNG, HYUNDAI)
steps = st.lists(
    st.tuples(
        st.sampled_from(SYMBOLS),
        st.sampled_from(Side),
        st.integers(1, 40),
        st.integers(1, 3_000_000),
        st.integers(0, 6),
    ),
    max_size=12,
)


def post_all(memory: Stores, bookings: list[tuple[Symbol, Side, int, int, int]]) -> None:
    """Book deposits and fills one by one; after each the stored ledger is the one rebuilt from its parts."""
    for number, (symbol, side, quantity, price, day) in enumerate(bookings):
        at = AT + timedelta(days=day)
        identity = {"client_order_id": f"order {number}", "symbol": symbol, "side": side}
        order = an_accepted_order(
            f"{number:010}", quantity=40, trading_day=A_DAY + timedelta(days=day), **identity
        )
        fill = a_fill(order, quantity=quantity, price=price, at=at)
        if price % 3 == 0:
            with memory.begin() as work:
                flow = CashFlow(fill.settles_on, price - 1_000_000)
                work.ledger.deposit(flow, reason="", at=at)
        try:
            with memory.begin() as work:
                work.orders.add(order)
                book(work, order, fill)
        except LedgerViolation:
            assert side is Side.SELL
        check(memory)


def book(work: UnitOfWork, order: Order, fill: Execution) -> None:
    """Book one fill as the flows do."""
    assert work.executions.add(fill)
    work.orders.save(order.fill(fill.quantity, fill.value, at=fill.executed_at))
    work.ledger.post(fill)


def check(memory: Stores) -> None:
    """Hold the invariants of the book."""
    with memory.begin() as work:
        stored, fills = work.ledger.load(), work.executions.all()
        rebuilt = rebuild(ACCOUNT, work.ledger.deposits(), fills)
        assert replace(stored, holds={}) == rebuilt
        assert work.ledger.before(date(2999, 1, 1)) == rebuilt
        for symbol, position in stored.positions.items():
            sides = [(f.quantity, f.side) for f in fills if f.symbol == symbol]
            assert position.quantity == sum(q if s is Side.BUY else -q for q, s in sides)
        for order in work.orders.of_day(A_DAY):
            filled = sum(f.quantity for f in work.executions.of_order(order.client_order_id))
            assert order.filled_quantity == filled


@given(bookings=steps)
@settings(max_examples=100)
def test_the_ledger_in_memory_is_always_the_one_rebuilt(bookings: list[Any]) -> None:
    post_all(MemoryStores(channel="dev", account=ACCOUNT), bookings)


@given(bookings=steps)
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_ledger_in_postgres_is_always_the_one_rebuilt(
    postgres_url: str, bookings: list[Any]
) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("TRUNCATE orders, positions, ledger_entries CASCADE")
    stores = PostgresStores(postgres_url, channel="dev", account=ACCOUNT)
    post_all(stores, bookings)
    stores.close()
