"""This is what the outside is told: one outbox event for each bar, signal, order, fill and refusal, as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from adapters.stores import OutboxEvent
from trading.bars import Bar
from trading.decisions import RiskEvent
from trading.executions import Execution
from trading.orders import Order
from trading.signals import Signal

MARKET_BAR = "market.bar"
SIGNAL_OUT = "signal.out"
ORDER_NEW = "order.new"
ORDER_STATE = "order.state"
EXECUTION_FILL = "execution.fill"
RISK_EVENT = "risk.event"
TOPICS: Final = (MARKET_BAR, SIGNAL_OUT, ORDER_NEW, ORDER_STATE, EXECUTION_FILL, RISK_EVENT)


def market_bar(bar: Bar, *, at: datetime) -> OutboxEvent:
    """Tell of a bar that was written or corrected at `at`."""
    return OutboxEvent(MARKET_BAR, bar.symbol, _fields_of(bar), at)


def signal_out(signal: Signal) -> OutboxEvent:
    """Tell of a new signal."""
    payload = {"signal_id": signal.signal_id, **_fields_of(signal)}
    return OutboxEvent(SIGNAL_OUT, signal.symbol, payload, signal.created_at)


def order_new(order: Order) -> OutboxEvent:
    """Tell of an order that was stored."""
    return OutboxEvent(ORDER_NEW, order.symbol, _order(order), order.updated_at)


def order_state(order: Order, *, detail: str = "") -> OutboxEvent:
    """Tell of an order's new state; `detail` says what led to it."""
    payload = {**_order(order), "detail": detail}
    return OutboxEvent(ORDER_STATE, order.symbol, payload, order.updated_at)


def execution_fill(execution: Execution) -> OutboxEvent:
    """Tell of a booked fill."""
    return OutboxEvent(
        EXECUTION_FILL, execution.symbol, _fields_of(execution), execution.executed_at
    )


def risk_event(event: RiskEvent) -> OutboxEvent:
    """Tell of a refusal."""
    payload = _fields_of(event)
    del payload["verdict"]  # only refusals are told
    return OutboxEvent(RISK_EVENT, event.symbol, payload | payload.pop("breach"), event.at)


def _order(order: Order) -> dict[str, Any]:
    payload = _fields_of(order)
    intent: dict[str, Any] = payload.pop("intent")
    return intent | payload


def _fields_of(value: Any) -> dict[str, Any]:
    return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}


def _plain(value: Any) -> Any:
    """Return what JSON knows: Decimals and times become text, nothing becomes a float."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    return _fields_of(value) if is_dataclass(value) else value
