"""This is what the demo shows: which market, which days, and what must have happened by the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Final

from adapters.calendars import XkrxCalendar
from adapters.stores import UnitOfWork
from deployments.simulator import SimulatorOptions
from trading.orders import Order, OrderStatus, Side

FIRST_DAY: Final = date(2018, 1, 16)
DAYS: Final = 3
"""Enough for what must happen: bought on the first, denied and stopped on the third."""
FAULTS: Final = Path(__file__).with_name("demo_faults.json")
EXPECTED: Final = ("buy", "exit", "denial", "partial_fill")
_PROTECTING: Final = {"stop", "target"}


def simulated_market() -> SimulatorOptions:
    """Return the market of the demo: real prices from 2018-01-16 on, orders filled in parts."""
    return SimulatorOptions(day=FIRST_DAY, faults=FAULTS)


def trading_days(count: int) -> tuple[date, ...]:
    """Return the first `count` trading days of the demo."""
    calendar = XkrxCalendar()
    days = [FIRST_DAY]
    while len(days) < count:
        days.append(calendar.next_trading_day(days[-1]))
    return tuple(days)


def missing_events(work: UnitOfWork, days: Iterable[date]) -> tuple[str, ...]:
    """Return which of the expected events did not happen on these days."""
    seen = {event for day in days for event in _events(work, day)}
    return tuple(event for event in EXPECTED if event not in seen)


def _events(work: UnitOfWork, day: date) -> Iterator[str]:
    triggers = {signal.signal_id: signal.trigger for signal in work.signals.of_day(day)}
    for order in work.orders.of_day(day):
        if order.status is OrderStatus.DENIED:
            yield "denial"
        if order.filled_quantity and order.side is Side.BUY:
            yield "buy"
        if order.filled_quantity and triggers.get(order.intent.signal_id) in _PROTECTING:
            yield "exit"
        if _was_filled_in_parts(work, order):
            yield "partial_fill"


def _was_filled_in_parts(work: UnitOfWork, order: Order) -> bool:
    return len(work.executions.of_order(order.client_order_id)) > 1
