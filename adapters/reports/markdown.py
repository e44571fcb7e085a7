"""This is the report as markdown, for the Prefect UI and for reading without a browser."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence

from adapters.redaction import mask_account
from adapters.reports.equity_charts import equity_chart
from adapters.reports.html import sheet
from adapters.reports.panels import Size
from adapters.reports.reasons import order_reason
from adapters.wording import Wording
from trading.orders import Order
from trading.reports import Denial, EodReport

PICTURE = Size(720, 300)


def render_markdown(report: EodReport, wording: Wording) -> str:
    """Give the report's figures, tables and equity curve as one self-contained text."""
    day, text = report.day, wording.text
    figures = {"profit": report.result.profit, "day_return": report.day_return}
    parts = [
        f"# {text('report.headline', day=day.trading_day, **figures)}",
        f"{wording.term('channel', day.channel)} · {text('field.account')} {mask_account(day.account)}",
        picture(report, wording),
        _table((text("field.figure"), text("field.value")), wording.report_figures(report).items()),
        *_section(text("report.holdings"), _holdings(report, wording)),
        *_section(text("report.sales"), _sales(report, wording)),
        *_section(text("report.orders"), _orders(report, wording)),
        *_section(text("report.denials"), _denials(report, wording)),
        *_section(text("report.funnel"), _funnel(report, wording)),
    ]
    return "\n\n".join(parts) + "\n"


def picture(report: EodReport, wording: Wording) -> str:
    """Give the equity curve as an image that carries its own data."""
    drawing = equity_chart(report.day.curve, wording, PICTURE)
    style = f"svg {{ {sheet('light.css')} background: var(--card); }}\n{sheet('chart.css')}"
    data = b64encode(drawing.render(style=style).encode()).decode()
    return f"![{drawing.title}](data:image/svg+xml;base64,{data})"


def _section(title: str, content: str) -> tuple[str, ...]:
    return (f"## {title}", content) if content else ()


def _holdings(report: EodReport, wording: Wording) -> str:
    rows = (
        (
            f"{report.day.name(h.symbol)} {h.symbol}",
            wording.number(h.quantity),
            wording.number(h.average_cost),
            wording.number(h.price),
            wording.number(h.unrealized, is_signed=True),
            wording.figure(h.change, "signed_percent"),
            wording.percent(h.weight),
        )
        for h in report.holdings
    )
    names = ("symbol", "quantity", "average_cost")
    more = ("price", "unrealized", "change", "weight")
    heads = [wording.text(f"field.{n}") for n in names] + [
        wording.text(f"report.{n}") for n in more
    ]
    return _table(heads, rows)


def _sales(report: EodReport, wording: Wording) -> str:
    rows = (
        (
            f"{report.day.name(s.symbol)} {s.symbol}",
            wording.number(s.quantity),
            wording.number(s.proceeds),
            wording.number(s.realized, is_signed=True),
            wording.figure(s.change, "signed_percent"),
            wording.number(s.charges),
        )
        for s in report.sales
    )
    names = ("proceeds", "realized", "change", "charges")
    heads = [wording.text("field.symbol"), wording.text("field.quantity")]
    return _table([*heads, *(wording.text(f"report.{n}") for n in names)], rows)


def _orders(report: EodReport, wording: Wording) -> str:
    names = ("symbol", "side", "status", "filled", "price")
    heads = [wording.text(f"field.{name}") for name in names]
    rows = (_order(order, report, wording) for order in report.day.orders)
    reasons = "\n".join(f"- {_reason(order, report, wording)}" for order in report.day.orders)
    return "\n\n".join(part for part in (_table(heads, rows, words=3), reasons) if part)


def _order(order: Order, report: EodReport, wording: Wording) -> Sequence[str]:
    return (
        f"{report.day.name(order.symbol)} {order.symbol}",
        wording.term("side", order.side),
        wording.term("status", order.status),
        f"{wording.number(order.filled_quantity)} / {wording.number(order.quantity)}",
        wording.figure(order.average_price),
    )


def _reason(order: Order, report: EodReport, wording: Wording) -> str:
    side = wording.term("side", order.side)
    reason = order_reason(order, report, wording)
    return _escaped(f"{report.day.name(order.symbol)} {side}: {reason}")


def _denials(report: EodReport, wording: Wording) -> str:
    return "\n\n".join(_denial(denial, report, wording) for denial in report.denials)


def _denial(denial: Denial, report: EodReport, wording: Wording) -> str:
    lines = [f"- {_escaped(wording.breach(breach))}" for breach in denial.breaches]
    return "\n".join([f"**{report.day.name(denial.symbol)}** {denial.symbol}\n", *lines])


def _funnel(report: EodReport, wording: Wording) -> str:
    steps = ("signals", "orders", "sent", "accepted", "filled")
    counted = " → ".join(
        f"{wording.text(f'report.funnel_{step}')} {getattr(report.funnel, step)}" for step in steps
    )
    note = wording.text(
        "report.funnel_note",
        denied=report.funnel.denied,
        without=report.funnel.signals_without_order,
    )
    return f"{counted}\n\n{note}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, words: int = 1) -> str:
    """Lay out a table, its first `words` columns to the left, figures to the right; "" without rows."""
    listed = [" | ".join(_escaped(cell) for cell in row) for row in rows]
    if not listed:
        return ""
    rule = " | ".join([":--"] * words + ["--:"] * (len(heads) - words))
    return "\n".join(f"| {line} |" for line in (" | ".join(heads), rule, *listed))


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
