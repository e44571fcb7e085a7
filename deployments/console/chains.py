"""This is how an order came to be and what became of it, from bars to costs, as one document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, Final

from adapters.order_stores import OrderEvent
from adapters.reconciliation_messages import how_to_end
from adapters.stores import UnitOfWork
from deployments.console.accounts import names
from deployments.console.rows import Names, fill_row, order_row, signal_row
from deployments.console.speech import wording
from risk.inputs import INPUTS
from risk.judgements import LARGEST_QUANTITY
from trading.bars import Bar, Interval
from trading.decisions import RiskEvent
from trading.errors import BadInput
from trading.orders import Order
from trading.signals import Signal

NO_RULES: Final = frozenset({LARGEST_QUANTITY, INPUTS})
"""What is kept among the verdicts and is none."""
BARS: Final = 60
"""How many daily bars up to the decision are told."""


def read_chain(work: UnitOfWork, identity: str, *, today: date) -> dict[str, Any]:
    """Read everything about an order (our id, or the broker's number of today) or a signal (its id).

    Raises:
        BadInput: when there is neither.
    """
    order = work.orders.get(identity) or work.orders.by_broker_id(today, identity.zfill(10))
    signal = work.signals.get(order.intent.signal_id if order else identity)
    if signal is None and order is None:
        expected = "the id of an order or of a signal, as `maemae orders --json` and `signals --json` tell it"
        raise BadInput("id", identity, expected)
    known = names(work)
    return {
        "bars": [_bar_row(bar) for bar in _bars(work, signal)],
        "signal": signal_row(signal, known) if signal else None,
        "refusals": _verdict_rows(_refusals(work, signal)),
        "orders": [_order_part(work, each, known) for each in _orders(work, signal, order)],
    }


def _orders(work: UnitOfWork, signal: Signal | None, order: Order | None) -> tuple[Order, ...]:
    """Give the one order that was asked for, else every order of the signal."""
    if order is not None:
        return (order,)
    assert signal is not None  # noqa: S101 - one of both was found
    day = work.orders.of_day(signal.trading_day)
    return tuple(o for o in day if o.intent.signal_id == signal.signal_id)


def _bars(work: UnitOfWork, signal: Signal | None) -> tuple[Bar, ...]:
    """Give the bars that were closed when the signal could first be traded."""
    if signal is None:
        return ()
    until = signal.trading_day - timedelta(days=1)
    return work.bars.last(signal.symbol, Interval.DAY, count=BARS, until=until)


def _refusals(work: UnitOfWork, signal: Signal | None) -> tuple[RiskEvent, ...]:
    """Give why the signal became no order at all."""
    return work.risk_events.of_order(signal.signal_id, signal.trading_day) if signal else ()


def _order_part(work: UnitOfWork, order: Order, known: Names) -> dict[str, Any]:
    identity, day = order.client_order_id, order.intent.trading_day
    events = work.risk_events.of_order(identity, day)
    fills = work.executions.of_order(identity)
    return {
        "order": order_row(order, known),
        "verdicts": _verdict_rows(events),
        "largest_quantity": _largest(events),
        "timeline": [_timeline_row(event) for event in work.orders.timeline(identity)],
        "fills": [fill_row(execution, known) for execution in fills],
        "doubt": _doubt(work, order),
        "costs": {
            "value": sum(execution.value for execution in fills),
            "commission": sum(execution.commission for execution in fills),
            "tax": sum(execution.tax for execution in fills),
        },
    }


def _doubt(work: UnitOfWork, order: Order) -> dict[str, Any] | None:
    """Tell how far the search for an order in doubt has come and how to end it, None for any other."""
    sent = work.submissions.get(order.client_order_id) if order.is_in_doubt else None
    if sent is None:
        return None
    search = sent.search
    return {
        "scans": search.scans,
        "first_scan_at": search.first_at,
        "last_scan_at": search.last_at,
        "sentences": how_to_end(order, sent, wording()),
    }


def _largest(events: Iterable[RiskEvent]) -> int | None:
    """Give how many shares every rule would have let pass; None for an order that was not refused."""
    found = (e.breach.figures for e in events if e.breach.rule_id == LARGEST_QUANTITY)
    return next((int(figures["largest"]) for figures in found), None)


def _verdict_rows(events: Iterable[RiskEvent]) -> list[Mapping[str, Any]]:
    return [_verdict_row(event) for event in events if event.breach.rule_id not in NO_RULES]


def _verdict_row(event: RiskEvent) -> Mapping[str, Any]:
    breach = event.breach
    return {
        "rule_id": breach.rule_id,
        "verdict": event.verdict,
        "message": breach.message,
        "figures": breach.figures,
        "at": event.at,
    }


def _timeline_row(event: OrderEvent) -> Mapping[str, Any]:
    return {"at": event.at, "status": event.status, "detail": event.detail}


def _bar_row(bar: Bar) -> Mapping[str, Any]:
    return {
        "trading_day": bar.trading_day,
        "open": bar.open,
        "high": bar.high,
        "low": bar.low,
        "close": bar.close,
        "volume": bar.volume,
    }
