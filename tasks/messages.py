"""This is what the owner is told while trading: short messages from orders, fills and verdicts."""

from __future__ import annotations

from adapters.notifier import Message, Severity
from tasks.desk import Desk
from trading.executions import Execution
from trading.orders import Order, Side


def tell_accepted(desk: Desk, order: Order) -> None:
    """Tell that the broker took an order."""
    title = desk.wording.text("order.accepted.title", **_order_figures(desk, order))
    desk.notifier.send(Message(Severity.INFO, title, desk.wording.reason(order.intent.reason)))


def tell_execution(desk: Desk, execution: Execution) -> None:
    """Tell about one fill."""
    title = desk.wording.text(
        "execution.title",
        symbol=execution.symbol,
        side=_side(desk, execution.side),
        quantity=execution.quantity,
        price=execution.price,
    )
    fields = {
        desk.wording.text("field.cumulative"): str(execution.cumulative_quantity),
        desk.wording.text("field.commission"): desk.wording.won(execution.commission),
        desk.wording.text("field.tax"): desk.wording.won(execution.tax),
    }
    desk.notifier.send(Message(Severity.INFO, title, execution.strategy_id, fields))


def tell_denial(desk: Desk, order: Order, reasons: tuple[str, ...]) -> None:
    """Tell that our own gate refused, with every reason."""
    title = desk.wording.text("order.denied.title", **_order_figures(desk, order))
    desk.notifier.send(Message(Severity.WARNING, title, "\n".join(reasons)))


def tell_rejection(desk: Desk, order: Order, words: str) -> None:
    """Tell that broker or exchange refused, in their words."""
    title = desk.wording.text("order.rejected.title", **_order_figures(desk, order))
    desk.notifier.send(Message(Severity.WARNING, title, words))


def tell_doubt(desk: Desk, order: Order, words: str) -> None:
    """Tell that nobody knows yet whether an order is in."""
    title = desk.wording.text("order.in_doubt.title", **_order_figures(desk, order))
    fields = {"client_order_id": order.client_order_id}
    desk.notifier.send(Message(Severity.CRITICAL, title, words, fields))


def _order_figures(desk: Desk, order: Order) -> dict[str, object]:
    price = order.intent.limit_price
    return {
        "symbol": order.symbol,
        "side": _side(desk, order.side),
        "quantity": order.quantity,
        "price": desk.wording.text("price.market") if price is None else desk.wording.won(price),
    }


def _side(desk: Desk, side: Side) -> str:
    return desk.wording.text(f"side.{side.value}")
