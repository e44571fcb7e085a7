"""This is the picture of one symbol: daily candles, where we bought and sold, and what the shares cost us."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from adapters.reports.drawings import Drawing
from adapters.reports.panels import BOTTOM, LEFT, NARROW, RIGHT, Panel, Size, across, tone
from adapters.reports.scales import Scale, padded
from adapters.wording import Wording
from trading.bars import Bar
from trading.executions import Execution
from trading.instruments import Symbol
from trading.orders import Side
from trading.positions import Position

MAXIMUM_BARS = 80
"""More candles than that are too thin to read."""

_TOP = 12.0
_MARK = 6.0
_BODY, _THINNEST, _WIDEST = 0.64, 1.2, 11.0


@dataclass(frozen=True, slots=True)
class DayTrade:
    """All fills of one symbol, day and side together."""

    trading_day: date
    side: Side
    quantity: int
    value: int

    @property
    def price(self) -> Decimal:
        """Average won per share."""
        return Decimal(self.value) / self.quantity


def day_trades(executions: Iterable[Execution], symbol: Symbol) -> tuple[DayTrade, ...]:
    """Sum the fills of `symbol` by day and side, oldest first."""
    groups: dict[tuple[date, Side], list[Execution]] = {}
    for execution in executions:
        if execution.symbol == symbol:
            groups.setdefault((execution.trading_day, execution.side), []).append(execution)
    return tuple(
        DayTrade(day, side, sum(e.quantity for e in fills), sum(e.value for e in fills))
        for (day, side), fills in sorted(groups.items())
    )


def price_chart(
    bars: Sequence[Bar],
    trades: Iterable[DayTrade],
    position: Position,
    wording: Wording,
    *,
    name: str,
    size: Size = NARROW,
) -> Drawing:
    """Draw the newest bars (oldest first, of one symbol) with our trades on their days and the average cost."""
    shown = [bar for bar in bars if not bar.is_halted][-MAXIMUM_BARS:]
    drawing = Drawing(size.width, size.height, wording.text("report.price_chart", name=name))
    step = (size.width - LEFT - RIGHT) / max(len(shown), 1)
    panel = Panel(
        drawing,
        across(len(shown), size, margin=step / 2),
        Scale(*padded(_prices(shown, position), share=0.1), size.height - BOTTOM - 6, _TOP),
    )
    cost = float(position.average_cost) if position.quantity else None
    panel.levels_in_won(wording, avoid=cost)
    for place, bar in enumerate(shown):
        _draw_candle(
            panel, place, bar, width=min(max(step * _BODY, _THINNEST), _WIDEST), wording=wording
        )
    if cost is not None:
        panel.level(cost, wording.number(position.average_cost), kind="cost")
    places = {bar.trading_day: place for place, bar in enumerate(shown)}
    for trade in trades:
        if trade.trading_day in places:
            place = places[trade.trading_day]
            _draw_mark(panel, place, shown[place], trade, wording)
    panel.days([bar.trading_day for bar in shown])
    return drawing


def _prices(bars: Sequence[Bar], position: Position) -> list[float]:
    cost = [float(position.average_cost)] if position.quantity else []
    return [*(bar.low for bar in bars), *(bar.high for bar in bars), *cost]


def _draw_candle(panel: Panel, place: int, bar: Bar, *, width: float, wording: Wording) -> None:
    kind = tone(bar.close - bar.open)
    x, top = panel.place(place, max(bar.open, bar.close))
    _, bottom = panel.place(place, min(bar.open, bar.close))
    panel.drawing.line(f"wick {kind}", panel.place(place, bar.high), panel.place(place, bar.low))
    figures = {"day": bar.trading_day, "open": bar.open, "high": bar.high, "low": bar.low}
    panel.drawing.put(
        "rect",
        f"body {kind}",
        tip=wording.text("report.bar_tip", close=bar.close, volume=bar.volume, **figures),
        x=x - width / 2,
        y=top,
        width=width,
        height=max(bottom - top, 1),
    )


def _draw_mark(panel: Panel, place: int, bar: Bar, trade: DayTrade, wording: Wording) -> None:
    """Point up from below at a buy, down from above at a sell."""
    is_buy = trade.side is Side.BUY
    x, edge = panel.place(place, bar.low if is_buy else bar.high)
    out = 1 if is_buy else -1
    near, far = edge + out * 4, edge + out * (4 + _MARK * 1.7)
    figures = {"side": trade.side, "quantity": trade.quantity, "price": trade.price}
    panel.drawing.path(
        f"mark {trade.side.value.lower()}",
        [(x, near), (x - _MARK, far), (x + _MARK, far)],
        is_closed=True,
        tip=wording.text("report.trade", day=trade.trading_day, **figures),
    )
