"""This is why an order is what it is: the signal behind it, or who refused it."""

from __future__ import annotations

from adapters.wording import Wording
from trading.orders import Order, OrderStatus
from trading.reports import EodReport


def order_reason(order: Order, report: EodReport, wording: Wording) -> str:
    """Name the rules that denied an order, quote the broker that rejected it, else say why it was made."""
    if order.status is OrderStatus.DENIED:
        breaches = (
            breach
            for denial in report.denials
            if denial.client_order_id == order.client_order_id
            for breach in denial.breaches
        )
        return ", ".join(wording.rule(breach.rule_id) for breach in breaches)
    if order.status is OrderStatus.REJECTED:
        return f"{order.error_code} {order.error_message}".strip()
    signals = {signal.signal_id: signal for signal in report.day.signals}
    return wording.reason(signals.get(order.intent.signal_id) or order.intent.reason)
