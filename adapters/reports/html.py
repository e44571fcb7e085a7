"""This is the report as one web page: nothing loaded from outside, readable on a phone, light and dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from adapters.redaction import mask_account
from adapters.reports.equity_charts import equity_chart
from adapters.reports.panels import NARROW, WIDE, tone
from adapters.reports.price_charts import day_trades, price_chart
from adapters.reports.reasons import order_reason
from adapters.wording import Wording
from trading.bars import Bar
from trading.executions import Execution
from trading.instruments import Symbol
from trading.reports import EodReport

SHEETS: Final = ("light", "dark", "page", "chart", "research")

FORMULAS: Final = (
    "profit",
    "day_return",
    "total_return",
    "realized",
    "realized_net",
    "unrealized_change",
    "drawdown",
    "slippage",
    "failure_rate",
    "latency",
    "broker_latency",
)


def render_html(
    report: EodReport,
    bars: Mapping[Symbol, Sequence[Bar]],
    executions: Sequence[Execution],
    wording: Wording,
) -> str:
    """Give the page. `bars` (oldest first) and `executions` (all that should be marked) make the price charts."""
    day = report.day
    trades = {symbol: day_trades(executions, symbol) for symbol in bars}
    pictures = {
        symbol: price_chart(
            history,
            trades[symbol],
            day.closing.position(symbol),
            wording,
            name=day.name(symbol),
        )
        for symbol, history in bars.items()
        if any(not bar.is_halted for bar in history)
    }
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            day=day,
            result=report.result,
            w=wording,
            why=lambda order: order_reason(order, report, wording),
            account=mask_account(day.account),
            most=max(report.funnel.signals, report.funnel.orders, 1),
            equity_wide=markup(equity_chart(day.curve, wording, WIDE).render()),
            equity_narrow=markup(equity_chart(day.curve, wording, NARROW).render()),
            prices={symbol: markup(picture.render()) for symbol, picture in pictures.items()},
            trades=trades,
            formulas=FORMULAS,
            **style_sheets(),
        )
    )


@cache
def sheet(name: str) -> str:
    """Read one of the style sheets that lie beside the template."""
    return files("adapters.reports").joinpath("templates", name).read_text(encoding="utf-8")


def markup(text: str) -> Markup:
    """Mark what we drew ourselves as safe; every text in it is escaped already."""
    return Markup(text)  # noqa: S704 - drawings escape their texts, sheets are our own files


def style_sheets() -> dict[str, Markup]:
    """Give every style sheet by the name that templates know it by."""
    return {name: markup(sheet(f"{name}.css")) for name in SHEETS}


@cache
def environment() -> Environment:
    """Give what fills templates in, every text escaped."""
    made = Environment(
        loader=PackageLoader("adapters.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["tone"] = tone
    made.filters["strength"] = strength
    made.filters["round_ratio"] = lambda value: None if value is None else round(value, 2)
    return made


def strength(part: Decimal) -> int:
    """Say how strongly a return is coloured: percent of the full colour, all of it from a tenth on."""
    return min(round(abs(part) * 1000), 100) * 55 // 100 + 10
