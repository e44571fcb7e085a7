"""This is where tests get valid values from: every builder has sound defaults, a test names what matters."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from trading.costs import CostSchedule
from trading.executions import Execution, ExecutionSource, notice_id
from trading.instruments import InstrumentKind, Market, Symbol
from trading.orders import Order, OrderIntent, OrderType, Side
from trading.sessions import KST
from trading.signals import Direction, Signal

LG_CHEM = Symbol("051910")
SAMSUNG = Symbol("005930")
HYUNDAI = Symbol("005380")
NAVER = Symbol("035420")

ACCOUNT = "50012345-01"
A_DAY = date(2018, 1, 16)
SETTLED = date(2018, 1, 18)
REFERENCES = {LG_CHEM: 428_500, SAMSUNG: 50_000, HYUNDAI: 150_000, NAVER: 180_000}
"""The prices that signals looked at, unless a test names another."""


def seoul(day: date, clock: str) -> datetime:
    """Give the moment `clock` (HH:MM[:SS]) of a day in Seoul, as aware UTC."""
    return datetime.combine(day, time.fromisoformat(clock), KST).astimezone(UTC)


def a_signal(**changes: Any) -> Signal:
    """Give an entry of LG Chem after its averages crossed."""
    signal = Signal(
        strategy_id="trend",
        symbol=LG_CHEM,
        direction=Direction.ENTRY,
        strength=Decimal(1),
        trigger="cross",
        reason="SMA20 crossed above SMA60",
        parameter_hash="0123456789ab",
        reference_price=REFERENCES.get(changes.get("symbol", LG_CHEM), 428_500),
        trading_day=A_DAY,
        created_at=seoul(A_DAY, "08:40"),
        expires_at=seoul(A_DAY, "15:30"),
    )
    return replace(signal, **changes)


def an_intent(**changes: Any) -> OrderIntent:
    """Give a buy of 23 LG Chem at a limit."""
    intent = OrderIntent(
        client_order_id="20180116-051910-B-0000000000000001",
        channel="dev",
        account=ACCOUNT,
        strategy_id="trend",
        symbol=LG_CHEM,
        side=Side.BUY,
        quantity=23,
        order_type=OrderType.LIMIT,
        limit_price=428_500,
        trading_day=A_DAY,
        signal_id=a_signal().signal_id,
        reason="SMA20 crossed above SMA60",
        created_at=seoul(A_DAY, "08:50"),
        reference_price=428_500,
    )
    return replace(intent, **changes)


def an_order(**changes: Any) -> Order:
    """Give the stored, unsent order of `an_intent`."""
    return Order.initialize(an_intent(**changes))


def an_accepted_order(broker_order_id: str = "0000000101", **changes: Any) -> Order:
    """Give an order that the broker took 200 ms after it was sent, one second after its making."""
    order = an_order(**changes)
    sent_at = order.intent.created_at + timedelta(seconds=1)
    taken_at = sent_at + timedelta(milliseconds=200)
    return order.submit(at=sent_at).accept(broker_order_id, branch="00950", at=taken_at)


def a_fill(order: Order, *, quantity: int, price: int, at: datetime, ordinal: int = 0) -> Execution:
    """Give one fill of `order` at `price` won, with the charges of a KOSPI stock."""
    day = order.intent.trading_day
    settles_on = day + timedelta(days=2)
    charges = CostSchedule().charges(
        order.side,
        market=Market.KOSPI,
        kind=InstrumentKind.STOCK,
        price=price,
        quantity=quantity,
        settles_on=settles_on,
    )
    identity = notice_id(
        trading_day=day,
        broker_order_id=order.broker_order_id,
        time_text=at.astimezone(KST).strftime("%H%M%S"),
        quantity=quantity,
        price=price,
        ordinal=ordinal,
    )
    return Execution(
        execution_id=identity,
        client_order_id=order.client_order_id,
        broker_order_id=order.broker_order_id,
        account=order.intent.account,
        strategy_id=order.intent.strategy_id,
        symbol=order.symbol,
        side=order.side,
        quantity=quantity,
        value=quantity * price,
        commission=charges.commission,
        tax=charges.tax,
        cumulative_quantity=order.filled_quantity + quantity,
        trading_day=day,
        settles_on=settles_on,
        executed_at=at,
        source=ExecutionSource.NOTICE,
    )


def an_execution(
    day: date, side: Side, price: int, *, quantity: int = 10, symbol: Symbol = LG_CHEM
) -> Execution:
    """Give a fill of the strategy `trend` as a replay books it, without charges."""
    at = seoul(day, "09:00")
    order = f"{symbol}-{day}-{side}-{price}"
    return Execution(
        execution_id=order,
        client_order_id=order,
        broker_order_id=order,
        account="replay",
        strategy_id="trend",
        symbol=symbol,
        side=side,
        quantity=quantity,
        value=quantity * price,
        commission=0,
        tax=0,
        cumulative_quantity=quantity,
        trading_day=day,
        settles_on=day + timedelta(days=2),
        executed_at=at,
        source=ExecutionSource.INQUIRY,
    )


def looks_good() -> None:
    """Look a last time and find nothing against the order."""
