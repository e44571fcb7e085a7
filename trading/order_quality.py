"""This is how well the day's orders were carried out: funnel, failures, latency, slippage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from statistics import median
from typing import Final

from trading.executions import Execution
from trading.orders import Order, OrderStatus, Side
from trading.signals import Signal

BASIS_POINTS: Final = Decimal(10_000)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Funnel:
    """How many decisions became fills; each step counts those that got at least that far.

    A wide step that nobody notices is how thousands of signals end in a handful of fills for weeks.
    """

    signals: int
    signals_without_order: int
    orders: int
    denied: int
    sent: int
    accepted: int
    filled: int


def funnel(signals: Sequence[Signal], orders: Sequence[Order]) -> Funnel:
    """Count the way from signals to fills; `filled` includes partial fills."""
    ordered = {order.intent.signal_id for order in orders}
    return Funnel(
        signals=len(signals),
        signals_without_order=sum(signal.signal_id not in ordered for signal in signals),
        orders=len(orders),
        denied=sum(order.status is OrderStatus.DENIED for order in orders),
        sent=sum(order.submitted_at is not None for order in orders),
        accepted=sum(order.accepted_at is not None for order in orders),
        filled=sum(order.filled_quantity > 0 for order in orders),
    )


def failure_rate(orders: Sequence[Order]) -> Decimal | None:
    """Return (rejected by the broker + still in doubt) / sent; None when nothing was sent.

    What our own gate denied was never sent and is no failure.
    """
    sent = [order for order in orders if order.submitted_at is not None]
    failed = sum(order.status is OrderStatus.REJECTED or order.is_in_doubt for order in sent)
    return Decimal(failed) / len(sent) if sent else None


@dataclass(frozen=True, slots=True)
class Latency:
    """Time between two events over `count` orders."""

    median: timedelta
    maximum: timedelta
    count: int


def signal_to_accept(signals: Sequence[Signal], orders: Sequence[Order]) -> Latency | None:
    """Measure from the making of the signal to the broker's acceptance; None when no order has both."""
    made_at = {signal.signal_id: signal.created_at for signal in signals}
    return _latency(
        [
            order.accepted_at - made_at[order.intent.signal_id]
            for order in orders
            if order.accepted_at is not None and order.intent.signal_id in made_at
        ]
    )


def submit_to_accept(orders: Sequence[Order]) -> Latency | None:
    """Measure from handing the order to the broker to its acceptance: the broker's and the network's part."""
    return _latency(
        [
            order.accepted_at - order.submitted_at
            for order in orders
            if order.accepted_at is not None and order.submitted_at is not None
        ]
    )


def _latency(spans: Sequence[timedelta]) -> Latency | None:
    if not spans:
        return None
    middle = median(span // _MICROSECOND for span in spans)
    return Latency(timedelta(microseconds=middle), max(spans), len(spans))


@dataclass(frozen=True, slots=True)
class Slippage:
    """What fills cost beyond the price that the signal looked at: won, positive when worse for us.

    `reference_value` is what the same shares are worth at the reference price. `unmeasured` counts fills of
    orders without one (placed by hand, taken over).
    """

    cost: int
    reference_value: int
    unmeasured: int

    @property
    def basis_points(self) -> Decimal | None:
        """Cost / reference value * 10,000; None when nothing was measured."""
        return self.cost * BASIS_POINTS / self.reference_value if self.reference_value else None


def slippage(orders: Sequence[Order], executions: Sequence[Execution]) -> Slippage:
    """Sum over fills: value - quantity * reference price for buys, the reverse for sells; charges apart."""
    references = {order.client_order_id: order.intent.reference_price for order in orders}
    measured = [e for e in executions if references.get(e.client_order_id)]
    return Slippage(
        cost=sum(_slipped(e, references) for e in measured),
        reference_value=sum(e.quantity * references[e.client_order_id] for e in measured),
        unmeasured=len(executions) - len(measured),
    )


def _slipped(execution: Execution, references: Mapping[str, int]) -> int:
    difference = execution.value - execution.quantity * references[execution.client_order_id]
    return difference if execution.side is Side.BUY else -difference
