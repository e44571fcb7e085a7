"""This is a day told anew from what was recorded of it, and the one fingerprint by which two tellings are the same."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from operator import attrgetter
from typing import Any, Final

from trading.costs import CostSchedule
from trading.day_records import DayRecord
from trading.decisions import RiskDecision, RiskEvent, Verdict
from trading.equity import EquityPoint
from trading.executions import Execution
from trading.instruments import Instrument, Symbol
from trading.ledger import Ledger
from trading.orders import TRANSITIONS, Order, OrderStatus
from trading.reports import build_report

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_IN_ORDER: Final[Mapping[str, attrgetter[Any]]] = {
    "signals": attrgetter("created_at", "signal_id"),
    "orders": attrgetter("intent.created_at", "client_order_id"),
    "executions": attrgetter("executed_at", "client_order_id", "cumulative_quantity"),
    "risk_events": attrgetter("at", "client_order_id", "breach.rule_id", "verdict"),
}
"""What of a record comes as events, and the order in which they are told, however they arrived."""


@dataclass(frozen=True, slots=True)
class OrderState:
    """That an order came to a state at a moment."""

    client_order_id: str
    status: OrderStatus
    at: datetime


@dataclass(frozen=True, slots=True)
class DayStory:
    """What is recorded of one day, in any order of arrival.

    `paid_in` is won booked that day beside its trades. `costs` and `instruments` are those that the day's fills were
    charged by.
    """

    record: DayRecord
    states: Sequence[OrderState]
    costs: CostSchedule
    instruments: Mapping[Symbol, Instrument]
    paid_in: int = 0


def retell(story: DayStory) -> DayRecord:
    """Work the day out anew: charges of every fill, every order's way, each refusal's words, book and curve.

    What only the broker knew, its numbers, words and prices, is taken as it was recorded.
    """
    told = in_order(story.record)
    executions = _charged(story, told.executions)
    orders = _orders(told, executions, story.states)
    closing = told.opening
    if story.paid_in:
        closing = closing.deposit(story.paid_in, on=told.trading_day)
    for execution in executions:
        closing = closing.post(execution)
    point = EquityPoint(
        told.trading_day,
        told.opening.equity(told.opening_prices),
        closing.equity(told.closing_prices),
        told.point.paid_in,
    )
    curve = (*told.curve[:-1], point)
    return replace(told, executions=executions, orders=orders, closing=closing, curve=curve)


def in_order(record: DayRecord) -> DayRecord:
    """Put the record's events into the order in which they are told."""
    parts = {name: tuple(sorted(getattr(record, name), key=key)) for name, key in _IN_ORDER.items()}
    return replace(record, **parts)  # type: ignore[arg-type]  # four names of tuples


def executions_in_order(executions: Iterable[Execution]) -> tuple[Execution, ...]:
    """Put fills into the order in which they are told."""
    return tuple(sorted(executions, key=_IN_ORDER["executions"]))


def digest_of(record: DayRecord) -> str:
    """Fingerprint the day's whole report, record included: SHA-256 over its canonical JSON."""
    report = canonical(build_report(in_order(record)))
    text = json.dumps(report, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def differing_parts(one: DayRecord, other: DayRecord) -> tuple[str, ...]:
    """Name what of two tellings is not the same."""
    left, right = in_order(one), in_order(other)
    names = (field.name for field in fields(DayRecord))
    return tuple(
        name for name in names if canonical(getattr(left, name)) != canonical(getattr(right, name))
    )


def canonical(value: Any) -> Any:
    """Write a value as JSON knows it, alike on every machine; of a ledger what it amounts to."""
    if isinstance(value, Ledger):
        held = {str(s): canonical(p) for s, p in sorted(value.positions.items())}
        return {"account": value.account, "cash": value.cash, "positions": held}
    if isinstance(value, Mapping):
        return {str(key): canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    if is_dataclass(value):
        return {f.name: canonical(getattr(value, f.name)) for f in fields(value)}
    return _plain(value)


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case datetime():
            return (value - _EPOCH) // _MICROSECOND
        case date():
            return value.isoformat()
        case timedelta():
            return value // _MICROSECOND
        case Decimal():
            return str(value)
    return value


def _charged(story: DayStory, executions: Iterable[Execution]) -> tuple[Execution, ...]:
    """Work commission and tax of every fill out anew, those of one order in their order."""
    before: defaultdict[str, int] = defaultdict(int)
    charged = []
    for fill in executions:
        instrument = story.instruments.get(fill.symbol, Instrument(fill.symbol, fill.symbol))
        charges = story.costs.charges_on(
            fill.value,
            fill.side,
            market=instrument.market,
            kind=instrument.kind,
            settles_on=fill.settles_on,
            before=before[fill.client_order_id],
        )
        before[fill.client_order_id] += fill.value
        charged.append(replace(fill, commission=charges.commission, tax=charges.tax))
    return tuple(charged)


def _orders(
    told: DayRecord, executions: Iterable[Execution], states: Iterable[OrderState]
) -> tuple[Order, ...]:
    fills: defaultdict[str, list[Execution]] = defaultdict(list)
    for fill in executions:
        fills[fill.client_order_id].append(fill)
    ways: defaultdict[str, list[OrderState]] = defaultdict(list)
    for state in states:
        ways[state.client_order_id].append(state)
    refusals: defaultdict[str, list[RiskEvent]] = defaultdict(list)
    for event in told.risk_events:
        if event.verdict is Verdict.DENIED:
            refusals[event.client_order_id].append(event)
    return tuple(
        _order(order, fills[key], ways[key], refusals[key])
        for order in told.orders
        for key in (order.client_order_id,)
    )


def _order(
    order: Order,
    fills: Sequence[Execution],
    way: Sequence[OrderState],
    refusals: Sequence[RiskEvent],
) -> Order:
    """Give an order as its own events make it."""
    status = _end_of(way)
    made = replace(
        order,
        status=status or OrderStatus.INITIALIZED,
        filled_quantity=sum(fill.quantity for fill in fills),
        filled_value=sum(fill.value for fill in fills),
    )
    if status is not OrderStatus.DENIED:
        return made
    reasons = RiskDecision(tuple(event.breach for event in refusals)).reason
    known = sorted(reasons.split("; ")) == sorted(order.error_message.split("; "))
    return made if known else replace(made, error_message=reasons)


def _end_of(way: Iterable[OrderState]) -> OrderStatus | None:
    """Follow the states in time through the table of transitions; None where they are no way through it.

    States of one moment are taken in the order that the table allows.
    """
    left = sorted(way, key=lambda state: (state.at, _RANK[state.status]))
    now = None
    while left:
        moment = [state for state in left if state.at == left[0].at]
        fitting = (s for s in moment if now in {None, s.status} or s.status in TRANSITIONS[now])
        chosen = next(fitting, None)
        if chosen is None:
            return None
        left.remove(chosen)
        now = chosen.status
    return now


_RANK: Final = {status: rank for rank, status in enumerate(OrderStatus)}
