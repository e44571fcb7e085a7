"""This is research in lines: a symbol's closes with every trade on them, and how much of the account was in shares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from adapters.reports.drawings import Drawing
from adapters.reports.panels import BOTTOM, LEFT, NARROW, Panel, Size, across
from adapters.reports.price_charts import DayTrade
from adapters.reports.scales import Scale, padded
from adapters.wording import Wording
from trading.bars import Bar
from trading.orders import Side

EXPOSURE = Size(880, 150)

_TOP, _MARGIN, _MARK = 14.0, 8.0, 4.5


def trade_chart(
    bars: Sequence[Bar],
    trades: Iterable[DayTrade],
    wording: Wording,
    *,
    name: str,
    size: Size = NARROW,
) -> Drawing:
    """Draw the closes of one symbol (at least one bar that traded) and a mark at the price of each trade."""
    shown = [bar for bar in bars if not bar.is_halted]
    drawing = Drawing(size.width, size.height, wording.text("report.price_chart", name=name))
    closes = [bar.close for bar in shown]
    scale = Scale(*padded(closes, share=0.1), size.height - BOTTOM - 6, _TOP)
    panel = Panel(drawing, across(len(shown), size, margin=_MARGIN), scale)
    panel.levels_in_won(wording)
    drawing.path("close-line", panel.places(closes))
    places = {bar.trading_day: place for place, bar in enumerate(shown)}
    for trade in trades:
        if trade.trading_day in places:
            _mark(panel, places[trade.trading_day], trade, wording)
    panel.days([bar.trading_day for bar in shown])
    return drawing


def exposure_chart(
    days: Sequence[date], parts: Sequence[float], wording: Wording, size: Size = EXPOSURE
) -> Drawing:
    """Draw which part of the equity was in shares at each close."""
    drawing = Drawing(size.width, size.height, wording.text("backtest.exposure"))
    scale = Scale(0, max(*parts, 1.0), size.height - BOTTOM - 6, _TOP)
    panel = Panel(drawing, across(len(parts), size, margin=_MARGIN), scale)
    for level in (0.0, 0.5, 1.0):
        panel.level(level, wording.figure(f"{level:.2f}", "percent"))
    panel.area("exposure", panel.places(parts), base=0)
    drawing.write("caption", (LEFT, _TOP - 3), wording.text("backtest.exposure"))
    panel.days(days)
    return drawing


def _mark(panel: Panel, place: int, trade: DayTrade, wording: Wording) -> None:
    """Point at the price: up from below at a buy, down from above at a sell."""
    x, y = panel.place(place, float(trade.price))
    far = y + (1 if trade.side is Side.BUY else -1) * _MARK * 1.8
    figures = {"side": trade.side, "quantity": trade.quantity, "price": trade.price}
    panel.drawing.path(
        f"mark {trade.side.value.lower()}",
        [(x, y), (x - _MARK, far), (x + _MARK, far)],
        is_closed=True,
        tip=wording.text("report.trade", day=trade.trading_day, **figures),
    )
