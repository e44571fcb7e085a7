"""This is where tests get the risk gate's view of an account from."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from risk.gate import RiskRule
from risk.views import RiskView
from tests.builders import (
    A_DAY,
    ACCOUNT,
    HYUNDAI,
    LG_CHEM,
    NAVER,
    SAMSUNG,
    an_accepted_order,
    an_intent,
    seoul,
)
from trading.bars import Bar, Interval
from trading.costs import CostSchedule
from trading.instruments import Instrument, Symbol
from trading.ledger import CashFlow, Ledger
from trading.orders import Order, OrderIntent, OrderType, Side
from trading.positions import Position
from trading.sessions import Phase
from trading.ticks import Quote

CASH = 100_000_000
NOW = seoul(A_DAY, "10:00")
PRICES = {LG_CHEM: 400_000, SAMSUNG: 50_000, HYUNDAI: 150_000, NAVER: 180_000}


def a_quote(symbol: Symbol = LG_CHEM, last: int | None = None, **changes: Any) -> Quote:
    """Give a quote read right now, with limits 30 % around the last price."""
    price = PRICES[symbol] if last is None else last
    quote = Quote(
        symbol=symbol,
        last=price,
        open=price,
        high=price,
        low=price,
        volume=10_000,
        base_price=price,
        upper_limit=price * 13 // 10,
        lower_limit=max(1, price * 7 // 10),
        at=NOW,
    )
    return replace(quote, **changes)


def a_minute(price: int, *, minutes_ago: float) -> Bar:
    """Give a minute bar of LG Chem at one price, which closed so long ago."""
    at = NOW - timedelta(minutes=minutes_ago)
    return Bar(
        LG_CHEM, Interval.MINUTE, A_DAY, at, price, price, price, price, 100, is_adjusted=False
    )


def a_ledger(cash: int = CASH, **shares: int) -> Ledger:
    """Give an account with `cash` and, by symbol (_051910=10), shares that cost their last price."""
    symbols = {Symbol(name.removeprefix("_")): quantity for name, quantity in shares.items()}
    positions = {s: Position(s, quantity=q, cost=q * PRICES[s]) for s, q in symbols.items()}
    return Ledger(ACCOUNT, (CashFlow(A_DAY, cash),), positions)


def a_view(**changes: Any) -> RiskView:
    """Give the view of an account with 100,000,000 won, nothing held, in the middle of a session."""
    view = RiskView(
        at=NOW,
        trading_day=A_DAY,
        channel="dev",
        account=ACCOUNT,
        phase=Phase.CONTINUOUS,
        halts=(),
        ledger=a_ledger(),
        open_orders=(),
        day_orders=(),
        quotes={symbol: a_quote(symbol) for symbol in PRICES},
        instruments={symbol: Instrument(symbol, symbol) for symbol in PRICES},
        equity_opening=CASH,
        paid_in_today=0,
        buyable_cash=None,
        costs=CostSchedule(),
    )
    return replace(view, **changes)


def buy(quantity: int = 1, **changes: Any) -> OrderIntent:
    """Give a buy of LG Chem at its last price, 400,000 won."""
    return an_intent(**{"quantity": quantity, "limit_price": 400_000} | changes)


def sell(quantity: int = 1, **changes: Any) -> OrderIntent:
    """Give a sell of LG Chem at its last price."""
    return buy(quantity, side=Side.SELL, **changes)


def an_open_buy(quantity: int = 1, **changes: Any) -> Order:
    """Give an accepted buy of LG Chem by another strategy."""
    fields: dict[str, Any] = {"client_order_id": "other", "strategy_id": "other"}
    return an_accepted_order(**fields | {"quantity": quantity, "limit_price": 400_000} | changes)


def an_open_market_sell(quantity: int = 1) -> Order:
    """Give an accepted sell of LG Chem at market by another strategy."""
    return an_open_buy(quantity, side=Side.SELL, order_type=OrderType.MARKET, limit_price=None)


def in_doubt(order: Order) -> Order:
    """Give the same order before the broker's answer."""
    return Order.initialize(order.intent).submit(at=NOW)


def refuses(rule: RiskRule, intent: OrderIntent, view: RiskView) -> bool:
    """Tell whether the rule refuses, and check that a breach names its rule."""
    breach = rule.check(intent, view)
    assert breach is None or (breach.rule_id == rule.rule_id and breach.message)
    return breach is not None
