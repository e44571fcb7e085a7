"""This is the proof that exposure never passes a limit, whatever happens to the orders in flight.

`STEPS` (environment, 4,000 unless given) says how many steps to make; `make properties` makes 100,000.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Final

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)

from risk.gate import check
from risk.limits import RiskLimits
from risk.rules import rules_for
from risk.views import RiskView
from tests.builders import HYUNDAI, LG_CHEM, SAMSUNG, a_fill, an_intent
from tests.machines import make_runs
from tests.risk_views import NOW, a_ledger, a_quote, a_view
from trading.instruments import Symbol
from trading.ledger import Ledger
from trading.orders import Order, OrderIntent, OrderStatus, OrderType, Side

SYMBOLS = st.sampled_from([LG_CHEM, SAMSUNG, HYUNDAI])
LIMIT_PERCENT = st.none() | st.integers(-10, 10)
CASH = 20_000_000
PRICES = {LG_CHEM: 4_000, HYUNDAI: 3_000, SAMSUNG: 2_000}
STEPS: Final = int(os.environ.get("STEPS", "4000"))
MANY: Final = 20_000
"""After so many steps every limit has been the one that bound."""
TALLY: Final[Counter[str]] = Counter()
"""How many steps were made, and which rule refused how often."""
# Each limit can be the one that binds: 70 % of the account are 3,500 LG Chem, two such holdings overdraw the
# cash, and 4,000 Samsung are far below their weight.
LIMITS = RiskLimits(
    daily_loss=Decimal("0.5"),
    maximum_quantity_per_symbol=4_000,
    maximum_weight=Decimal("0.7"),
    maximum_holdings=2,
    maximum_order_value=13_000_000,
    maximum_daily_value=25_000_000,
    orders_per_minute=4,
    price_collar=Decimal("0.3"),  # a market buy is priced at the upper limit
    reject_streak=100,
    symbol_failures=100,
)


class Account(RuleBasedStateMachine):
    """An account whose orders pass the gate and then meet with anything that a broker can do to them."""

    orders: Bundle[str] = Bundle("orders")

    def __init__(self) -> None:
        super().__init__()
        self.ledger = a_ledger(CASH)
        self.known: dict[str, Order] = {}
        self.prices = dict(PRICES)
        self.numbers = count(1)
        self.now = NOW

    @property
    def view(self) -> RiskView:
        """What the gate sees now."""
        return a_view(
            at=self.now,
            ledger=self.ledger,
            open_orders=tuple(o for o in self.known.values() if o.is_open),
            day_orders=tuple(self.known.values()),
            quotes={s: a_quote(s, last=price, at=self.now) for s, price in self.prices.items()},
            equity_opening=CASH,
        )

    @rule(target=orders, symbol=SYMBOLS, limit=LIMIT_PERCENT, is_answered=st.booleans())
    def buy_as_much_as_the_gate_lets_through(
        self, symbol: Symbol, limit: int | None, *, is_answered: bool
    ) -> str:
        """Send the largest buy that is approved, of a strategy that has no order yet."""
        view, rules = self.view, rules_for(LIMITS)
        intent = self.an_intent(symbol, Side.BUY, limit)

        def is_refused(quantity: int) -> bool:
            return not check(replace(intent, quantity=quantity), view, rules).is_approved

        largest = bisect_left(range(1, 5_000), True, key=is_refused)  # noqa: FBT003 - the sought answer
        self.send(replace(intent, quantity=largest) if largest else intent)
        if is_answered:
            self.accept(intent.client_order_id)
        return intent.client_order_id

    @rule(
        target=orders,
        symbol=SYMBOLS,
        side=st.sampled_from(Side),
        quantity=st.integers(1, 4_000),
        limit=LIMIT_PERCENT,
    )
    def propose(self, symbol: Symbol, side: Side, quantity: int, limit: int | None) -> str:
        """Ask the gate about any order; send it if approved."""
        intent = replace(self.an_intent(symbol, side, limit), quantity=quantity)
        self.send(intent)
        return intent.client_order_id

    def an_intent(self, symbol: Symbol, side: Side, limit: int | None) -> OrderIntent:
        """Give an order of one share, `limit` per cent from the last price."""
        identity = f"order-{next(self.numbers)}"
        price = None if limit is None else self.prices[symbol] * (100 + limit) // 100
        return an_intent(
            client_order_id=identity,
            strategy_id=f"strategy of {identity}",
            symbol=symbol,
            side=side,
            quantity=1,
            order_type=OrderType.LIMIT if price else OrderType.MARKET,
            reference_price=self.prices[symbol],
            limit_price=price,
        )

    def send(self, intent: OrderIntent) -> None:
        """Ask the gate and act on its word."""
        order = Order.initialize(intent)
        decision = check(intent, self.view, rules_for(LIMITS))
        TALLY.update(breach.rule_id for breach in decision.breaches)
        is_approved = decision.is_approved
        sent = order.submit(at=self.now) if is_approved else order.deny("", at=self.now)
        self.known[intent.client_order_id] = sent
        if sent.is_open and sent.side is Side.BUY:
            TALLY["bought"] += 1
            self.check_weight(sent.symbol)
            self.check_pace_and_value(sent)

    def check_weight(self, symbol: Symbol) -> None:
        """After a buy was sent: at today's prices its symbol stays within its weight, come what may."""
        worst = self.if_every_buy_filled()
        value = worst.position(symbol).quantity * self.prices[symbol]
        assert value <= LIMITS.maximum_weight * worst.equity(self.prices)

    def check_pace_and_value(self, order: Order) -> None:
        """After a buy was sent: at its worst it costs no more than one order may, and few left before it."""
        assert self.worst_cost(order) <= LIMITS.maximum_order_value
        since = self.now - timedelta(minutes=1)
        sent = [o for o in self.known.values() if o.submitted_at and o.submitted_at > since]
        assert len(sent) <= LIMITS.orders_per_minute

    def worst_cost(self, order: Order) -> int:
        """Give what is open of a buy at the worst price that it allows, without commission."""
        price = order.intent.limit_price or self.prices[order.symbol] * 13 // 10
        return order.open_quantity * price

    def if_every_buy_filled(self) -> Ledger:
        """Book every open buy whole, at the worst price that it allows."""
        worst = self.ledger
        for order in self.known.values():
            if order.is_open and order.side is Side.BUY:
                price = order.intent.limit_price or self.prices[order.symbol] * 13 // 10
                worst = worst.post(a_fill(order, quantity=order.open_quantity, price=price, at=NOW))
        return worst

    @rule(identity=orders)
    def accept(self, identity: str) -> None:
        """Let the broker take an order, or let it go on being in doubt."""
        order = self.known[identity]
        if order.status is OrderStatus.SUBMITTED:
            self.known[identity] = order.accept(identity, at=NOW)

    @rule(identity=orders)
    def refuse(self, identity: str) -> None:
        """Let the broker refuse an order that is not in the market yet."""
        order = self.known[identity]
        if order.status is OrderStatus.SUBMITTED:
            self.known[identity] = order.reject("APBK0000", "refused", at=NOW)

    @rule(identity=orders, part=st.integers(1, 100), better=st.integers(0, 5))
    def fill(self, identity: str, part: int, better: int) -> None:
        """Fill part of an order at its worst price or a few per cent better."""
        order = self.known[identity]
        quantity = -(-order.open_quantity * part // 100)
        if not quantity:
            return
        worst, sign = (13, -1) if order.side is Side.BUY else (7, 1)
        price = order.intent.limit_price or self.prices[order.symbol] * worst // 10
        price = price * (100 + sign * better) // 100
        self.ledger = self.ledger.post(a_fill(order, quantity=quantity, price=price, at=NOW))
        self.known[identity] = order.fill(quantity, quantity * price, at=NOW)

    @rule(identity=orders)
    def ask_to_cancel(self, identity: str) -> None:
        """Send a cancel; until it is confirmed the order may still fill."""
        order = self.known[identity]
        if order.status in {OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED}:
            self.known[identity] = order.request_cancel(at=NOW)

    @rule(identity=orders)
    def cancel(self, identity: str) -> None:
        """Confirm a cancel."""
        order = self.known[identity]
        if order.status is OrderStatus.PENDING_CANCEL:
            self.known[identity] = order.cancel(at=NOW)

    @rule(seconds=st.sampled_from([5, 30, 60]))
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: not any(o.is_open for o in self.known.values()))
    @rule(symbol=SYMBOLS, percent=st.integers(90, 110))
    def move(self, symbol: Symbol, percent: int) -> None:
        """Move a price while nothing is in flight: what is held may then weigh more, bought it may not be."""
        self.prices[symbol] = max(1_000, self.prices[symbol] * percent // 100)

    @invariant()
    def the_day_never_buys_more_than_it_may(self) -> None:
        """Every open buy may fill at its worst."""
        bought = [o for o in self.known.values() if o.side is Side.BUY]
        spent = sum(o.filled_value + self.worst_cost(o) for o in bought)
        assert spent <= LIMITS.maximum_daily_value

    @invariant()
    def cash_is_never_overdrawn(self) -> None:
        """Every open buy can be paid at its worst."""
        TALLY["steps"] += 1
        assert self.if_every_buy_filled().cash >= 0

    @invariant()
    def quantities_and_holdings_stay_within_their_limits(self) -> None:
        """Every open buy may fill."""
        worst = self.if_every_buy_filled()
        assert len(worst.held_symbols) <= LIMITS.maximum_holdings
        for symbol in worst.held_symbols:
            assert worst.position(symbol).quantity <= LIMITS.maximum_quantity_per_symbol

    @invariant()
    def nothing_is_promised_twice(self) -> None:
        """Every open sell can be delivered."""
        for symbol in self.prices:
            promised = sum(
                o.open_quantity
                for o in self.known.values()
                if o.symbol == symbol and o.side is Side.SELL
            )
            assert promised <= self.ledger.position(symbol).quantity


EXPECTED: Final = {
    "bought",
    "CASH",
    "MAXIMUM_DAILY_VALUE",
    "MAXIMUM_HOLDINGS",
    "MAXIMUM_ORDER_VALUE",
    "MAXIMUM_QUANTITY",
    "MAXIMUM_WEIGHT",
    "ORDER_RATE",
    "SELLABLE",
}


@pytest.mark.timeout(3600)
def test_exposure_never_passes_a_limit(capsys: pytest.CaptureFixture[str]) -> None:
    TALLY.clear()
    while TALLY["steps"] < STEPS:
        make_runs(Account, STEPS - TALLY["steps"])
    with capsys.disabled():
        told = dict(sorted(TALLY.items()))
        print(f"\n{TALLY['steps']:,} steps: {told}")  # noqa: T201 - the proof's figure
    assert TALLY["steps"] >= STEPS
    assert set(TALLY) >= (EXPECTED if STEPS >= MANY else {"bought", "ORDER_RATE"})
