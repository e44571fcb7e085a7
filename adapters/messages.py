"""This is what the owner is told about orders, fills, failures and days, one message per event."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.notifier import Message, Severity
from adapters.wording import Wording
from trading.decisions import Breach
from trading.errors import PluginFault
from trading.executions import Execution
from trading.orders import Order, OrderStatus
from trading.reconciliation import Difference
from trading.reports import EodReport


def order_accepted(order: Order, wording: Wording, *, name: str = "") -> Message:
    """Tell that the broker took an order, and why it was made."""
    fields = {wording.text("field.broker_order_id"): order.broker_order_id}
    return _about(order, "accepted", wording.reason(order.intent.reason), wording, name, fields)


def order_denied(
    order: Order, breaches: Sequence[Breach], wording: Wording, *, name: str = ""
) -> Message:
    """Tell that our own gate refused, with every reason."""
    reasons = "\n".join(f"• {wording.breach(breach)}" for breach in breaches)
    return _about(order, "denied", reasons, wording, name, severity=Severity.WARNING)


def order_rejected(order: Order, wording: Wording, *, name: str = "") -> Message:
    """Tell that broker or exchange refused, in their words."""
    words = f"{order.error_code} {order.error_message}".strip()
    return _about(order, "rejected", words, wording, name, severity=Severity.WARNING)


def order_withheld(order: Order, cause: str, wording: Wording, *, name: str = "") -> Message:
    """Tell that we held an order back at the last moment, and why: `cause` is HALTED, LATE, READ_ONLY or UNKNOWN."""
    text = f"{wording.text(f'order.withheld.{cause.lower()}')}\n{order.error_message}"
    return _about(order, "withheld", text, wording, name, severity=Severity.WARNING)


def order_in_doubt(order: Order, words: str, wording: Wording, *, name: str = "") -> Message:
    """Tell that nobody knows yet whether an order is in, and that it will not be sent again."""
    text = f"{wording.text('order.in_doubt.text')}\n{words}".strip()
    fields = {wording.text("field.client_order_id"): order.client_order_id}
    return _about(order, "in_doubt", text, wording, name, fields, Severity.CRITICAL)


def plugin_failed(strategy_id: str, fault: PluginFault, wording: Wording) -> Message:
    """Tell that a foreign strategy could not decide, and that the others do."""
    title = wording.text("plugin.failed.title", strategy=strategy_id)
    return Message(
        Severity.WARNING, title, f"{wording.text('plugin.failed.text')}\n{wording.fault(fault)}"
    )


def cancel_failed(order: Order, words: str, wording: Wording, *, name: str = "") -> Message:
    """Tell that a cancel is not proven, so that somebody looks."""
    fields = {
        wording.text("field.client_order_id"): order.client_order_id,
        wording.text("field.broker_order_id"): order.broker_order_id,
    }
    text = f"{name or order.symbol}: {words or wording.text('cancel.failed.unproven')}"
    return Message(Severity.CRITICAL, wording.text("cancel.failed.title"), text, fields)


def execution_booked(
    execution: Execution, order: Order, wording: Wording, *, name: str = ""
) -> Message:
    """Tell one fill: of a part, of the whole, or of an exit by stop or target. `order` is as it stands after it."""
    title = wording.text(
        _execution_key(order, wording),
        symbol=name or execution.symbol,
        side=wording.term("side", execution.side),
        quantity=execution.quantity,
        price=execution.price,
        cumulative=order.filled_quantity,
        ordered=order.quantity,
        trigger=wording.trigger(order.intent.reason),
    )
    fields = {
        wording.text("field.cumulative"): f"{order.filled_quantity:,} / {order.quantity:,}",
        wording.text("field.commission"): wording.won(execution.commission),
        wording.text("field.tax"): wording.won(execution.tax),
    }
    return Message(Severity.INFO, title, wording.reason(order.intent.reason), fields)


def flow_failed(flow: str, state: str, words: str, wording: Wording, *, link: str = "") -> Message:
    """Tell that a run failed or crashed."""
    fields = {wording.text("field.state"): state}
    title = wording.text("flow.failed.title", flow=flow, state=state)
    return Message(Severity.CRITICAL, title, words, fields, link)


def differences_found(differences: Sequence[Difference], wording: Wording) -> Message:
    """Tell where our book and the broker's disagree, one line each."""
    lines = [
        wording.text(
            "reconciliation.line", kind=d.kind, subject=d.subject, ours=d.ours, theirs=d.theirs
        )
        for d in differences
    ]
    title = wording.text("reconciliation.differences.title", count=len(lines))
    return Message(Severity.WARNING, title, "\n".join(lines))


def stream_stumbled(words: str, wording: Wording) -> Message:
    """Tell that something failed during the session, in its own words, and that trading goes on."""
    return Message(Severity.WARNING, wording.text("stream.stumbled.title"), words)


def stream_hung(seconds: float, wording: Wording) -> Message:
    """Tell that the stream's process was alive and did nothing, and was ended."""
    text = wording.text("stream.hung.text", seconds=int(seconds))
    return Message(Severity.WARNING, wording.text("stream.hung.title"), text)


def stream_unreadable(reason: str, wording: Wording) -> Message:
    """Tell that something came which nobody could read, and where it is kept."""
    text = wording.text("stream.unreadable.text", reason=reason)
    return Message(Severity.WARNING, wording.text("stream.unreadable.title"), text)


def spool_drained(notices: int, prints: int, wording: Wording) -> Message:
    """Tell that the database is back, and what was kept beside it meanwhile."""
    text = wording.text("stream.spooled.text", notices=notices, prints=prints)
    return Message(Severity.INFO, wording.text("stream.spooled.title"), text)


def spool_full(wording: Wording) -> Message:
    """Tell that the room for what waits is used up."""
    title = wording.text("stream.spool_full.title")
    return Message(Severity.WARNING, title, wording.text("stream.spool_full.text"))


def database_crowded(words: str, wording: Wording) -> Message:
    """Tell that somebody waits because the database's connections have run out."""
    text = wording.text("database.crowded.text", words=words)
    return Message(Severity.WARNING, wording.text("database.crowded.title"), text)


def stream_polls(count: int, polled: int, seconds: int, wording: Wording) -> Message:
    """Tell that the watch list is longer than what the broker's stream takes."""
    text = wording.text("stream.polls.text", count=count, polled=polled, seconds=seconds)
    return Message(Severity.INFO, wording.text("stream.polls.title"), text)


def stream_blind(names: str, wording: Wording) -> Message:
    """Tell which strategies decide nothing about which symbols while a minute bar is not whole."""
    text = wording.text("stream.blind.text", names=names)
    return Message(Severity.INFO, wording.text("stream.blind.title"), text)


def report_message(report: EodReport, wording: Wording, *, link: str = "") -> Message:
    """Tell the day: its figures, what was denied and why, and where the whole report is."""
    day, result = report.day, report.result
    figures = {"day": day.trading_day, "profit": result.profit, "day_return": report.day_return}
    denials = [
        f"• {day.name(denial.symbol)}: {wording.breach(breach)}"
        for denial in report.denials
        for breach in denial.breaches
    ]
    text = "\n".join([wording.text("report.denials"), *denials]) if denials else ""
    title = wording.text("report.headline", **figures)
    return Message(Severity.INFO, title, text, wording.report_figures(report), link)


def _about(  # noqa: PLR0917 - an order, what became of it, and how to say it
    order: Order,
    event: str,
    text: str,
    wording: Wording,
    name: str,
    fields: dict[str, str] | None = None,
    severity: Severity = Severity.INFO,
) -> Message:
    price = order.intent.limit_price
    title = wording.text(
        f"order.{event}.title",
        symbol=name or order.symbol,
        side=wording.term("side", order.side),
        quantity=order.quantity,
        price=wording.text("price.market") if price is None else wording.won(price),
    )
    strategy = {wording.text("field.strategy"): order.intent.strategy_id}
    return Message(severity, title, text, strategy | (fields or {}))


def _execution_key(order: Order, wording: Wording) -> str:
    if order.status is OrderStatus.PARTIALLY_FILLED:
        return "execution.partial_title"
    return "execution.exit_title" if wording.trigger(order.intent.reason) else "execution.title"
