"""This is a trading day worked out by hand: the figures in the comments, not the code, are the authority.

Before 18 January 2018: 50,000,000 paid in on the 15th; on the 16th 23 LG Chem at 428,500 (9,855,500, commission
1,478) and 200 Samsung at 49,000 (9,800,000, commission 1,470) were bought.
  cash 50,000,000 - 9,855,500 - 1,478 - 9,800,000 - 1,470              = 30,341,552
  opening at 417,000 and 49,700: 30,341,552 + 9,591,000 + 9,940,000    = 49,872,552, unrealised -124,500

On the 18th 1,000,000 is paid in, and
  - LG Chem falls to its stop: 10 sold at 407,000 and 13 at 406,500, 9,354,500 in all, seen at 407,000.
    realised 9,354,500 - 9,855,500 = -501,000; slippage 23 * 407,000 - 9,354,500 = 6,500
    commission 610 + 792 = 1,402; tax 2 * 6,105 + 2 * 7,926 = 28,062
  - Hyundai crosses at 154,500: 60 ordered at 155,000, 40 fill, the rest expires.
    value 6,200,000, commission 930, slippage 40 * 500 = 20,000
  - Naver crosses and is denied by two rules; Samsung crosses again and the broker rejects it; LG Chem's
    own cross gives no order at all.
  cash 30,341,552 + 1,000,000 + 9,354,500 - 1,402 - 28,062 - 6,200,000 - 930 = 34,465,658
  closing at 49,900 and 156,000: 34,465,658 + 9,980,000 + 6,240,000    = 50,685,658, unrealised 220,000
  profit 50,685,658 - 49,872,552 - 1,000,000                           = -186,894
       = -501,000 + (220,000 - -124,500) - 2,332 - 28,062
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from tests.builders import (
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
from trading.day_records import DayRecord
from trading.decisions import Breach, RiskEvent
from trading.equity import EquityPoint
from trading.executions import Execution
from trading.instruments import Symbol
from trading.ledger import Ledger
from trading.orders import Order, OrderType, Side
from trading.signals import Direction, Signal

FIRST_DAY = date(2018, 1, 15)
BUYING_DAY = date(2018, 1, 16)
THE_DAY = date(2018, 1, 18)
NAMES = {LG_CHEM: "LG화학", SAMSUNG: "삼성전자", HYUNDAI: "현대차", NAVER: "NAVER"}

CURVE = (
    EquityPoint(FIRST_DAY, 0, 50_000_000, 50_000_000),
    EquityPoint(BUYING_DAY, 50_000_000, 49_993_552),
    EquityPoint(date(2018, 1, 17), 49_993_552, 49_872_552),
    EquityPoint(THE_DAY, 49_872_552, 50_685_658, 1_000_000),
)


def _bought(symbol: Symbol, quantity: int, price: int, number: str) -> Execution:
    order = an_accepted_order(
        number,
        client_order_id=f"20180116-{symbol}-B-{number}",
        symbol=symbol,
        quantity=quantity,
        limit_price=price,
    )
    return a_fill(order, quantity=quantity, price=price, at=seoul(BUYING_DAY, "09:00"))


BOUGHT_BEFORE = (
    _bought(LG_CHEM, 23, 428_500, "0000000001"),
    _bought(SAMSUNG, 200, 49_000, "0000000002"),
)


def _crossed(symbol: Symbol, price: int) -> Signal:
    return a_signal(
        symbol=symbol,
        reference_price=price,
        trading_day=THE_DAY,
        created_at=seoul(THE_DAY, "08:40"),
        expires_at=seoul(THE_DAY, "15:30"),
        indicators={
            "average_20": "402350.00",
            "average_60": "401120.50",
            "volume_average_20": "241803.10",
            "close": str(price),
            "volume": "398211",
        },
    )


STOPPED = a_signal(
    direction=Direction.EXIT,
    trigger="stop",
    reason="Exit by stop at 407,000 won: price 407000, average_cost 428500.00",
    reference_price=407_000,
    trading_day=THE_DAY,
    created_at=seoul(THE_DAY, "09:31"),
    expires_at=seoul(THE_DAY, "15:30"),
    indicators={"price": "407000", "average_cost": "428500.00"},
)
CROSSED = {
    HYUNDAI: _crossed(HYUNDAI, 154_500),
    NAVER: _crossed(NAVER, 915_000),
    SAMSUNG: _crossed(SAMSUNG, 49_700),
    LG_CHEM: _crossed(LG_CHEM, 417_000),
}


def _intent_of(signal: Signal, side: Side, quantity: int, **changes: Any) -> dict[str, Any]:
    made_at = signal.created_at + timedelta(minutes=10 if side is Side.BUY else 0)
    basics = {
        "client_order_id": f"20180118-{signal.symbol}-{side.value[0]}-0000000000000001",
        "symbol": signal.symbol,
        "side": side,
        "quantity": quantity,
        "signal_id": signal.signal_id,
        "reference_price": signal.reference_price,
        "trading_day": THE_DAY,
        "created_at": made_at,
        "reason": signal.reason,
    }
    return {**basics, **changes}


def stop_order() -> tuple[Order, tuple[Execution, ...]]:
    """Give the sale of LG Chem at its stop and its two fills."""
    intent = _intent_of(STOPPED, Side.SELL, 23, order_type=OrderType.MARKET, limit_price=None)
    order = an_accepted_order("0000000101", **intent)
    first = a_fill(order, quantity=10, price=407_000, at=seoul(THE_DAY, "09:31:02"))
    order = order.fill(first.quantity, first.value, at=first.executed_at)
    second = a_fill(order, quantity=13, price=406_500, at=seoul(THE_DAY, "09:31:03"))
    return order.fill(second.quantity, second.value, at=second.executed_at), (first, second)


def partly_filled_order() -> tuple[Order, tuple[Execution, ...]]:
    """Give the buy of Hyundai of which 40 of 60 shares fill before it expires."""
    intent = _intent_of(CROSSED[HYUNDAI], Side.BUY, 60, limit_price=155_000)
    order = an_accepted_order("0000000102", **intent)
    fill = a_fill(order, quantity=40, price=155_000, at=seoul(THE_DAY, "09:00"))
    filled = order.fill(fill.quantity, fill.value, at=fill.executed_at)
    return filled.expire(at=seoul(THE_DAY, "15:35")), (fill,)


def denied_order() -> Order:
    """Give the buy of Naver that the gate refused."""
    order = an_order(**_intent_of(CROSSED[NAVER], Side.BUY, 12, limit_price=915_000))
    return order.deny("MAXIMUM_WEIGHT, MAXIMUM_HOLDINGS", at=order.intent.created_at)


def rejected_order() -> Order:
    """Give the buy of Samsung that the broker refused."""
    order = an_order(**_intent_of(CROSSED[SAMSUNG], Side.BUY, 10, limit_price=49_700))
    sent_at = order.intent.created_at + timedelta(seconds=1)
    return order.submit(at=sent_at).reject("APBK0919", "주문가능금액을 초과했습니다", at=sent_at)


DENIAL_BREACHES = (
    Breach(
        "MAXIMUM_WEIGHT",
        "10,980,000 of 49,872,552 won is a weight of 0.2202, limit 0.20",
        {
            "value": "10980000",
            "order_value": "10980000",
            "equity": "49872552",
            "weight": "0.2202",
            "limit": "0.20",
        },
    ),
    Breach(
        "MAXIMUM_HOLDINGS",
        "035420 beside 2 held and open passes 2",
        {"held_and_open": "005930, 051910", "limit": "2"},
    ),
)


def _risk_events(order: Order) -> tuple[RiskEvent, ...]:
    return tuple(
        RiskEvent(
            order.client_order_id,
            order.intent.strategy_id,
            order.symbol,
            breach,
            order.intent.created_at,
            THE_DAY,
        )
        for breach in DENIAL_BREACHES
    )


def a_day_record(**changes: Any) -> DayRecord:
    """Give the day that the module's comment works out."""
    opening = Ledger(ACCOUNT).deposit(50_000_000, on=FIRST_DAY)
    for execution in BOUGHT_BEFORE:
        opening = opening.post(execution)
    stop, stop_fills = stop_order()
    partial, partial_fills = partly_filled_order()
    denied = denied_order()
    executions = (*partial_fills, *stop_fills)
    closing = opening.deposit(1_000_000, on=THE_DAY)
    for execution in executions:
        closing = closing.post(execution)
    day = DayRecord(
        trading_day=THE_DAY,
        channel="dev",
        account=ACCOUNT,
        curve=CURVE,
        opening=opening,
        closing=closing,
        opening_prices={LG_CHEM: 417_000, SAMSUNG: 49_700},
        closing_prices={SAMSUNG: 49_900, HYUNDAI: 156_000},
        signals=(*CROSSED.values(), STOPPED),
        orders=(partial, denied, rejected_order(), stop),
        executions=executions,
        risk_events=_risk_events(denied),
        names=NAMES,
    )
    return replace(day, **changes)
