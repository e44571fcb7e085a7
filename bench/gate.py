"""This is how long the risk gate takes: every rule about one order, on an account of 50 holdings."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from time import thread_time
from typing import Final

from bench.figures import Aim, Samples, Section
from bench.places import DAY, Place
from risk.gate import check, passed
from risk.limits import RiskLimits
from risk.rules import rules_for
from risk.views import Past, RiskView
from trading.costs import CostSchedule
from trading.instruments import Instrument, Symbol
from trading.ledger import CashFlow, Ledger
from trading.orders import Order, OrderIntent, OrderType, Side
from trading.positions import Position
from trading.sessions import KST, Phase
from trading.ticks import Quote

HOLDINGS: Final = 50
OPEN_ORDERS: Final = 20
LONGEST: Final = 0.001
"""Seconds that the whole gate may take."""
NOTES: Final = (
    f"{HOLDINGS} holdings, {OPEN_ORDERS} open buys, 250 settled days; a fresh view each time, nothing worked out yet; CPU time.",
)
PRICE: Final = 100_000
SYMBOLS: Final = tuple(Symbol(f"{n:06d}") for n in range(1, HOLDINGS + 1))


async def measure_gate(place: Place, samples: int) -> Section:
    """Ask every rule about a buy, so many times; the gate is pure and needs no place."""
    del place
    view = a_crowded_view(datetime.combine(DAY, time(10), KST))
    intent = _intent(view, SYMBOLS[-1], "asked")
    rules = rules_for(RiskLimits(maximum_holdings=HOLDINGS))
    decision = check(intent, view, rules)
    if not decision.is_approved:
        raise RuntimeError(decision.reason)
    asking, telling = [], []
    for _ in range(samples):
        fresh = replace(view)
        began = thread_time()
        check(intent, fresh, rules)
        asked = thread_time()
        passed(intent, fresh, rules, decision)
        asking.append(asked - began)
        telling.append(thread_time() - asked)
    asked_samples = Samples("the whole gate", asking)
    return Section(
        title=f"Gate: {len(rules)} rules, {HOLDINGS} holdings",
        samples=(asked_samples, Samples("figures of every verdict", telling)),
        aims=(Aim("the whole gate, p99", asked_samples.percentile(99), LONGEST),),
        notes=NOTES,
    )


def a_crowded_view(at: datetime) -> RiskView:
    """Give an account with much to look at."""
    day = at.date()
    view = RiskView(
        at=at,
        trading_day=day,
        channel="dev",
        account="bench",
        phase=Phase.CONTINUOUS,
        halts=(),
        ledger=Ledger(
            "bench",
            tuple(CashFlow(day - timedelta(days=n), 8_000_000) for n in range(250)),
            {symbol: Position(symbol, quantity=10, cost=10 * PRICE) for symbol in SYMBOLS},
        ),
        open_orders=(),
        day_orders=(),
        quotes={symbol: _quote(symbol, at) for symbol in SYMBOLS},
        instruments={symbol: Instrument(symbol, symbol) for symbol in SYMBOLS},
        equity_opening=2_050_000_000,
        paid_in_today=0,
        buyable_cash=None,
        costs=CostSchedule(),
        past=Past(previous_close=PRICE),
    )
    orders = tuple(
        Order.initialize(_intent(view, symbol, symbol)).submit(at=at - timedelta(hours=1))
        for symbol in SYMBOLS[:OPEN_ORDERS]
    )
    return replace(view, open_orders=orders, day_orders=orders)


def _intent(view: RiskView, symbol: Symbol, identity: str) -> OrderIntent:
    return OrderIntent(
        client_order_id=identity,
        channel=view.channel,
        account=view.account,
        strategy_id="bench",
        symbol=symbol,
        side=Side.BUY,
        quantity=10,
        order_type=OrderType.LIMIT,
        limit_price=PRICE,
        trading_day=view.trading_day,
        signal_id=identity,
        reason="bench",
        created_at=view.at,
        reference_price=PRICE,
    )


def _quote(symbol: Symbol, at: datetime) -> Quote:
    return Quote(
        symbol=symbol,
        last=PRICE,
        open=PRICE,
        high=PRICE,
        low=PRICE,
        volume=10_000,
        base_price=PRICE,
        upper_limit=PRICE * 13 // 10,
        lower_limit=PRICE * 7 // 10,
        at=at,
    )
