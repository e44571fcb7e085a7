"""This is the picture of the account: its worth at each close, and how far it stood under its peak."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from adapters.reports.drawings import Drawing
from adapters.reports.panels import BOTTOM, LEFT, Panel, Size, across, tone
from adapters.reports.scales import Scale, padded
from adapters.wording import Wording
from trading.equity import EquityPoint, curve_returns
from trading.performance import drawdowns

MAXIMUM_DAYS = 260
"""About a year; the drawdown still hangs from the highest peak of all days."""

MOST_TIPS = 520
"""A curve of more days tells its figures at every second one, or third, ..."""

_CAPTION, _GAP, _SHARE = 18.0, 30.0, 0.70
_MARGIN = 14.0
_SHALLOWEST = -0.002
"""The drawdown's axis goes at least this deep, so that a scratch does not look like a fall."""


def equity_chart(
    curve: Sequence[EquityPoint],
    wording: Wording,
    size: Size,
    *,
    most: int = MAXIMUM_DAYS,
    benchmark: Sequence[float] = (),
) -> Drawing:
    """Draw equity above and drawdown below, the newest `most` days from the first one's opening on.

    `benchmark` is what the same money in something else was worth, at that opening and at each close.
    """
    drawing = Drawing(size.width, size.height, wording.text("report.equity_chart"))
    depths = [0.0, *(float(depth) for depth in drawdowns(curve_returns(curve)))]
    curve, depths, other = curve[-most:], depths[-most - 1 :], benchmark[-most - 1 :]
    positions = across(len(depths), size, margin=_MARGIN)
    split = size.height * _SHARE
    values = [curve[0].opening or curve[0].paid_in, *(point.closing for point in curve)]
    range_shown = padded([*values, *other], share=0.15)
    upper = Panel(drawing, positions, Scale(*range_shown, split - _GAP, _CAPTION + 8))
    _draw_equity(upper, values, curve, wording)
    if other:
        drawing.path("benchmark-line", upper.places(other))
    deepest = min(*depths, _SHALLOWEST)
    lower = Panel(drawing, positions, Scale(deepest, 0, size.height - BOTTOM - 6, split))
    _draw_drawdown(lower, depths, wording)
    lower.days([point.trading_day for point in curve], offset=1)
    return drawing


def _draw_equity(
    panel: Panel, values: Sequence[int], curve: Sequence[EquityPoint], wording: Wording
) -> None:
    panel.drawing.write("caption", (LEFT, _CAPTION - 6), wording.text("report.equity"))
    panel.levels_in_won(wording)
    line = panel.places(values)
    panel.area("equity", line, base=panel.down.low)
    stride = ceil(len(curve) / MOST_TIPS)
    for point, (x, y) in zip(curve[::stride], line[1::stride], strict=True):
        figures = {"day": point.trading_day, "equity": point.closing, "profit": point.profit}
        tip = wording.text("report.equity_tip", **figures)
        panel.drawing.put("circle", "hover", tip=tip, cx=x, cy=y, r=8)
    _draw_flows(panel, curve[1:], wording)
    x, y = line[-1]
    panel.drawing.put("circle", f"dot {tone(curve[-1].profit)}", cx=x, cy=y, r=4.5)


def _draw_flows(panel: Panel, later: Sequence[EquityPoint], wording: Wording) -> None:
    """Say where money came in or went out, so that the step is not taken for a result."""
    for position, point in enumerate(later, start=2):
        if point.paid_in:
            x = panel.across.at(position)
            panel.drawing.line("flow", (x, panel.down.end), (x, panel.down.start))
            (amount,) = wording.short_amounts([point.paid_in])
            label = wording.text("report.flow_mark", amount=amount)
            panel.drawing.write("tick", (x - 6, panel.down.start - 8), label, anchor="end")


def _draw_drawdown(panel: Panel, depths: Sequence[float], wording: Wording) -> None:
    caption = (LEFT, panel.down.at(0) - 8)
    panel.drawing.write("caption", caption, wording.text("report.drawdown_curve"))
    for level in (0.0, panel.down.low):
        panel.level(level, wording.figure(f"{level:.5f}", "percent"))
    panel.area("drawdown", panel.places(depths), base=0)
