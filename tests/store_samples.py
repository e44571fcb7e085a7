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
from trading.sessions import KST

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


def in_one[T](memory: Stores, act: Callable[[UnitOfWork], T]) -> T:
    """Do something in a unit of work of its own."""
    with memory.begin() as work:
        return act(work)


def topics(memory: Stores) -> list[str]:
    """Give the topics of everything that waits in the outbox."""
    return [event.topic for event in in_one(memory, lambda work: work.outbox.pending())]
