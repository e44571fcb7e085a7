"""This is a backtest as one web page: nothing loaded from outside, in the dress of the daily report."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from adapters.reports.equity_charts import equity_chart
from adapters.reports.files import put_file
from adapters.reports.html import environment, markup, style_sheets
from adapters.reports.line_charts import exposure_chart, trade_chart
from adapters.reports.panels import NARROW, WIDE
from adapters.reports.price_charts import day_trades
from adapters.wording import Wording
from trading.bars import Bar
from trading.equity import EquityPoint, monthly_returns
from trading.executions import Execution
from trading.indices import Benchmark
from trading.instruments import Symbol
from trading.performance import max_drawdown

METRICS: Final = (
    ("total_return", "signed_percent"),
    ("cagr", "signed_percent"),
    ("volatility", "percent"),
    ("max_drawdown", "percent"),
    ("sharpe", "ratio"),
    ("probabilistic_sharpe", "percent"),
    ("sortino", "ratio"),
    ("calmar", "ratio"),
    ("trades", "count"),
    ("win_rate", "percent"),
    ("profit_factor", "ratio"),
    ("exposure", "percent"),
    ("turnover", "ratio"),
    ("commission", "won"),
    ("tax", "won"),
    ("denied", "count"),
)
"""What the page says about a result, and in which form."""

MOST_SYMBOLS: Final = 12
"""So many price charts at most, of those that were traded most often."""


@dataclass(frozen=True, slots=True)
class CostRow:
    """What became of the account with all costs times `factor`."""

    factor: Decimal
    final_equity: int
    total_return: Decimal | None
    sharpe: Decimal | None
    charges: int


@dataclass(frozen=True, slots=True)
class TearSheet:
    """Everything on the page. `facts` say what was asked (name, words), `suspicions` are sentences already.

    `invested` is the holdings' value at the closes of `equity`; `names` are those of the symbols.
    """

    title: str
    first: date
    last: date
    facts: Sequence[tuple[str, str]]
    metrics: Mapping[str, Any]
    equity: Sequence[EquityPoint]
    invested: Sequence[int]
    executions: Sequence[Execution]
    bars: Mapping[Symbol, Sequence[Bar]]
    names: Mapping[Symbol, str]
    suspicions: Sequence[str]
    costs: Sequence[CostRow]
    benchmark: Benchmark | None = None


def write_tear_sheet(sheet: TearSheet, path: Path, wording: Wording) -> None:
    """Write the page to `path`, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    put_file(path, render_tear_sheet(sheet, wording))


def keep_tear_sheet(sheet: TearSheet, directory: Path, name: str, wording: Wording) -> Path:
    """Write `<directory>/<name>-<first>-<last>-<what it tells>.html`: another page never takes the place of one."""
    page = render_tear_sheet(sheet, wording)
    told = hashlib.sha256(page.encode()).hexdigest()[:8]
    path = directory / f"{name}-{sheet.first}-{sheet.last}-{told}.html"
    directory.mkdir(parents=True, exist_ok=True)
    put_file(path, page)
    return path


def render_tear_sheet(sheet: TearSheet, wording: Wording) -> str:
    """Give the page."""
    other = _worth(sheet)
    template = environment().get_template("tear_sheet.html.j2")
    return template.render(
        s=sheet,
        w=wording,
        metrics=METRICS,
        months=_calendar(sheet.equity),
        other=_against(sheet, other),
        pictures=_pictures(sheet, wording, other) if sheet.equity else {},
        prices=_prices(sheet, wording),
        most=MOST_SYMBOLS,
        **style_sheets(),
    )


def _pictures(sheet: TearSheet, wording: Wording, other: Sequence[float]) -> dict[str, Any]:
    days = [point.trading_day for point in sheet.equity]
    wide, narrow = (
        equity_chart(sheet.equity, wording, size, most=len(days), benchmark=other)
        for size in (WIDE, NARROW)
    )
    parts = [
        value / point.closing if point.closing else 0.0
        for value, point in zip(sheet.invested, sheet.equity, strict=True)
    ]
    return {
        "wide": markup(wide.render()),
        "narrow": markup(narrow.render()),
        "exposure": markup(exposure_chart(days, parts, wording).render()),
    }


def _prices(sheet: TearSheet, wording: Wording) -> dict[Symbol, Any]:
    """Draw the symbols that were traded, the one with the most fills first."""
    fills: dict[Symbol, int] = {}
    for execution in sheet.executions:
        fills[execution.symbol] = fills.get(execution.symbol, 0) + 1
    chosen = sorted(fills, key=lambda symbol: (-fills[symbol], symbol))[:MOST_SYMBOLS]
    days = [point.trading_day for point in sheet.equity]
    drawn = {}
    for symbol in chosen:
        shown = [b for b in sheet.bars.get(symbol, ()) if days[0] <= b.trading_day <= days[-1]]
        if any(not bar.is_halted for bar in shown):
            trades = day_trades(sheet.executions, symbol)
            name = sheet.names.get(symbol, symbol)
            drawn[symbol] = markup(trade_chart(shown, trades, wording, name=name).render())
    return drawn


def _calendar(curve: Sequence[EquityPoint]) -> dict[int, list[Decimal | None]]:
    """Give thirteen columns by year: January to December, and the year."""
    returns = monthly_returns(curve)
    years = sorted({year for year, _ in returns})
    return {year: [returns.get((year, month)) for month in (*range(1, 13), 0)] for year in years}


def _worth(sheet: TearSheet) -> list[float]:
    """Give what the benchmark made of the first opening's equity; nothing where it does not span the window."""
    if sheet.benchmark is None or not sheet.equity:
        return []
    levels = [sheet.benchmark.level_on(point.trading_day) for point in sheet.equity]
    first = sheet.equity[0]
    known = [level for level in levels if level is not None]
    if len(known) < len(levels):
        return []
    base = sheet.benchmark.level_on(first.trading_day - timedelta(days=1)) or known[0]
    start = first.opening or first.paid_in
    return [float(start), *(float(start * level / base) for level in known)]


def _against(sheet: TearSheet, worth: Sequence[float]) -> dict[str, Decimal | None]:
    """Give the benchmark's return and drawdown over the same days, and how much more the account made."""
    if not worth:
        return {}
    moves = [Decimal(repr(now / before)) - 1 for before, now in pairwise(worth)]
    made = Decimal(repr(worth[-1] / worth[0])) - 1
    own = sheet.metrics["total_return"]
    return {"return": made, "drawdown": max_drawdown(moves), "excess": own - made}
