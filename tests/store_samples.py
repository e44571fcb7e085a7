"""This is what tests put into stores, and the short way to do one thing in a unit of work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from adapters.stores import Stores, UnitOfWork
from tests.builders import A_DAY, LG_CHEM, an_order, seoul
from trading.bars import Bar, Interval
from trading.decisions import Breach, RiskEvent
from trading.notices import Notice, NoticeKind
from trading.orders import OrderType, Side
from trading.sessions import KST
from trading.submissions import Submission

AT = seoul(A_DAY, "09:00")
NEXT_DAY = A_DAY + timedelta(days=1)
SETTLED = A_DAY + timedelta(days=2)


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


def a_risk_event(**changes: Any) -> RiskEvent:
    """Give a refusal of the weight rule."""
    breach = Breach("WEIGHT", "21 % of 20 %", {"weight": "0.21"})
    order = an_order()
    event = RiskEvent(order.client_order_id, "trend", LG_CHEM, breach, AT, A_DAY)
    return replace(event, **changes)


def a_submission(client_order_id: str = an_order().client_order_id, **changes: Any) -> Submission:
    """Give the evidence of a buy that left at nine."""
    submission = Submission(
        client_order_id=client_order_id,
        fence=7,
        body={"PDNO": LG_CHEM, "ORD_QTY": "23", "ORD_UNPR": "428500"},
        sent_at=AT,
        known_numbers=("0000000101", "0000000099"),
        highest_number="0000000105",
        held=5,
        sellable=4,
        buyable_cash=10_000_000,
    )
    return replace(submission, **changes)


def a_notice(broker_order_id: str = "0000000101", **changes: Any) -> Notice:
    """Give the notice of a fill of three shares at nine."""
    notice = Notice(
        kind=NoticeKind.FILLED,
        broker_order_id=broker_order_id,
        original_id="",
        symbol=LG_CHEM,
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        quantity=3,
        price=428_000,
        order_quantity=23,
        time_text="090000",
        received_at=AT,
    )
    return replace(notice, **changes)


def in_one[T](memory: Stores, act: Callable[[UnitOfWork], T]) -> T:
    """Do something in a unit of work of its own."""
    with memory.begin() as work:
        return act(work)


def topics(memory: Stores) -> list[str]:
    """Give the topics of everything that waits in the outbox."""
    return [event.topic for event in in_one(memory, lambda work: work.outbox.pending())]
