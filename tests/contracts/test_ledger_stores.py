"""This is what every memory promises about the account's book; it runs on each of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.memory.stores import MemoryStores
from adapters.postgres import PostgresStores
from adapters.stores import Stores, UnitOfWork
from tests.builders import (
    A_DAY,
    ACCOUNT,
    HYUNDAI,
    LG_CHEM,
    SAMSUNG,
    a_fill,
    an_accepted_order,
    seoul,
)
from tests.store_samples import AT, NEXT_DAY, SETTLED, in_one
from trading.errors import LedgerViolation
from trading.executions import Execution
from trading.instruments import Symbol
from trading.ledger import CashFlow, Hold, Ledger, Opening, rebuild
from trading.orders import Order, Side
from trading.positions import Position


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

    def test_what_is_held_is_told_without_the_rest_of_the_book(self, memory: Stores) -> None:
        with memory.begin() as work:
            assert work.ledger.held() == ()
            for symbol in (SAMSUNG, LG_CHEM, HYUNDAI):
                work.ledger.adopt(symbol, quantity=6, cost=300_000, at=AT)
            work.ledger.adopt(HYUNDAI, quantity=-6, cost=-300_000, at=AT)
        with memory.begin() as work:
            assert work.ledger.held() == work.ledger.load().held_symbols == (SAMSUNG, LG_CHEM)

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


def post_all(
    memory: Stores, bookings: list[tuple[Symbol, Side, int, int, int]], *, checks: bool = True
) -> None:
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
        if checks:
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


@given(bookings=steps, adopted=st.integers(0, 6))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_memories_know_the_same_past(
    postgres_url: str, bookings: list[Any], adopted: int
) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("TRUNCATE orders, positions, ledger_entries CASCADE")
    memories = (
        PostgresStores(postgres_url, channel="dev", account=ACCOUNT),
        MemoryStores(channel="dev", account=ACCOUNT),
    )
    pasts = []
    for memory in memories:
        with memory.begin() as work:
            at = AT + timedelta(days=adopted)
            work.ledger.adopt(SAMSUNG, quantity=30, cost=1_000_001, at=at)
        post_all(memory, bookings, checks=False)
        days = [A_DAY + timedelta(days=day) for day in range(9)]
        pasts.append([(past(memory, day), opening(memory, day)) for day in days])
        memory.close()
    assert pasts[0] == pasts[1]


def past(memory: Stores, day: date) -> Ledger | str:
    """Give the ledger before a day, or why there is none (sold on paper before it was bought)."""
    try:
        return in_one(memory, lambda work: work.ledger.before(day))
    except LedgerViolation as problem:
        return str(problem)


def opening(memory: Stores, day: date) -> Opening:
    """Give what there was when a day began; the whole ledger of the time before agrees."""
    found = in_one(memory, lambda work: work.ledger.opening(day))
    before = past(memory, day)
    if isinstance(before, Ledger):
        held = {symbol: before.position(symbol).quantity for symbol in before.held_symbols}
        assert found == Opening(before.cash, held)
    return found
