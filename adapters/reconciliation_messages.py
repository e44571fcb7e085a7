"""This is what the owner is told when both books are compared: doubts, late finds, stopped symbols."""

from __future__ import annotations

from collections.abc import Iterable

from adapters.notifier import Message, Severity
from adapters.wording import Wording
from trading.broker_books import BrokerOrder
from trading.doubts import ARRIVE_WITHIN, SEND_MARGIN, SEND_WITHIN, Verdict
from trading.orders import Order
from trading.sessions import KST
from trading.submissions import Submission


def doubt_unresolved(
    order: Order, submission: Submission, verdict: Verdict, wording: Wording, *, name: str
) -> Message:
    """Tell what to look for in HTS or MTS, and the two commands that end the doubt."""
    title = wording.text("doubt.unresolved.title", **_order_figures(order, wording, name))
    look, *commands = how_to_end(order, submission, wording)
    text = "\n".join(
        [
            wording.text(f"doubt.ground.{verdict.ground}"),
            look,
            *_rows(verdict.rows, wording),
            *commands,
        ]
    )
    return Message(Severity.CRITICAL, title, text)


def how_to_end(order: Order, submission: Submission, wording: Wording) -> tuple[str, ...]:
    """Say what to look for in HTS or MTS, and the two commands that end the doubt."""
    return (
        wording.text("doubt.unresolved.look", **search_figures(order, submission, wording)),
        wording.text("doubt.unresolved.bind", id=order.client_order_id),
        wording.text("doubt.unresolved.absent", id=order.client_order_id),
    )


def late_match(order: Order, wording: Wording, *, name: str, is_canceled: bool) -> Message:
    """Tell that an order which had been declared absent lives after all."""
    figures = _order_figures(order, wording, name)
    title = wording.text("doubt.late.title", **figures)
    key = "doubt.late.cancel" if is_canceled else "doubt.late.keep"
    return Message(Severity.CRITICAL, title, wording.text(key, number=order.broker_order_id))


def symbol_stopped(
    symbol: str, reason: str, wording: Wording, *, name: str, is_by_hand: bool
) -> Message:
    """Tell that one symbol is in quarantine, and how it gets out."""
    title = wording.text("quarantine.put.title", symbol=name or symbol)
    key = "quarantine.put.by_hand" if is_by_hand else "quarantine.put.text"
    text = wording.text(key, symbol=symbol, reason=reason)
    return Message(Severity.CRITICAL, title, text)


def symbol_released(symbol: str, wording: Wording, *, name: str) -> Message:
    """Tell that the books of a symbol agree again."""
    title = wording.text("quarantine.lifted.title", symbol=name or symbol)
    return Message(Severity.WARNING, title, wording.text("quarantine.lifted.text"))


def search_figures(order: Order, submission: Submission, wording: Wording) -> dict[str, object]:
    """Give what identifies an order in doubt on the broker's own screen."""
    first, last = (
        submission.sent_at - SEND_MARGIN,
        submission.sent_at + SEND_WITHIN + ARRIVE_WITHIN,
    )
    return {
        **_order_figures(order, wording, ""),
        "code": order.symbol,
        "first": f"{first.astimezone(KST):%H:%M:%S}",
        "last": f"{last.astimezone(KST):%H:%M:%S}",
    }


def _order_figures(order: Order, wording: Wording, name: str) -> dict[str, object]:
    price = order.intent.limit_price
    return {
        "symbol": name or order.symbol,
        "side": wording.term("side", order.side),
        "quantity": order.quantity,
        "price": wording.text("price.market") if price is None else wording.won(price),
    }


def _rows(rows: Iterable[BrokerOrder], wording: Wording) -> list[str]:
    return [
        wording.text(
            "doubt.unresolved.row",
            number=row.broker_order_id,
            at=f"{row.ordered_at.astimezone(KST):%H:%M:%S}",
            filled=row.filled_quantity,
        )
        for row in rows
    ]
