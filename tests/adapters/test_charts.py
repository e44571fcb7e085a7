"""This is the report's pictures: every value where it belongs, nothing outside, colours as in Korea."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.reports.drawings import Drawing
from adapters.reports.equity_charts import MAXIMUM_DAYS, equity_chart
from adapters.reports.panels import NARROW, WIDE, Size
from adapters.reports.price_charts import MAXIMUM_BARS, day_trades, price_chart
from adapters.reports.scales import Scale, day_ticks, padded, round_ticks
from adapters.wording import Wording
from adapters.wording.figures import MINUS
from tests.builders import LG_CHEM, SAMSUNG
from tests.price_bars import some_bars, weekdays
from tests.report_days import BOUGHT_BEFORE, CURVE, THE_DAY, stop_order
from trading.equity import EquityPoint
from trading.orders import Side
from trading.positions import Position

KO = Wording("ko")
SVG = "{http://www.w3.org/2000/svg}"


def elements(drawing: Drawing, kind: str) -> list[ET.Element]:
    root = ET.fromstring(drawing.render())  # noqa: S314 - our own drawing
    return [e for e in root.iter() if kind in e.attrib.get("class", "").split()]


def coordinates(drawing: Drawing) -> tuple[list[float], list[float]]:
    """Give every x and every y that anything is drawn at."""
    across, down = [], []
    for element in ET.fromstring(drawing.render()).iter():  # noqa: S314 - our own drawing
        across += [float(element.attrib[n]) for n in ("x", "x1", "x2", "cx") if n in element.attrib]
        down += [float(element.attrib[n]) for n in ("y", "y1", "y2", "cy") if n in element.attrib]
        pairs = re.findall(r"(-?[\d.]+) (-?[\d.]+)", element.attrib.get("d", ""))
        across += [float(x) for x, _ in pairs]
        down += [float(y) for _, y in pairs]
    return across, down


def is_inside(drawing: Drawing) -> bool:
    across, down = coordinates(drawing)
    width_fits = min(across) >= 0 and max(across) <= drawing.width
    return width_fits and min(down) >= 0 and max(down) <= drawing.height


def texts(drawing: Drawing) -> list[str]:
    root = ET.fromstring(drawing.render())  # noqa: S314 - our own drawing
    return [element.text or "" for element in root.iter(f"{SVG}text")]


# Scales


@given(
    low=st.integers(-(10**12), 10**12),
    span=st.integers(1, 10**12),
    count=st.integers(2, 8),
)
def test_ticks_are_round_even_and_inside(low: int, span: int, count: int) -> None:
    ticks = round_ticks(low, low + span, count=count)
    steps = [b - a for a, b in pairwise(ticks)]
    assert 1 <= len(ticks) <= count + 1
    assert steps == pytest.approx(
        steps[:1] * len(steps), abs=1e-15 * (abs(low) + span) + 1e-9
    )  # of floats
    margin = span * 1e-6 + 1e-15 * abs(low)
    assert all(low - margin <= tick <= low + span + margin for tick in ticks)


def test_a_scale_maps_ends_to_ends_and_one_value_to_the_middle() -> None:
    scale = Scale(10, 20, 300, 100)
    assert (scale.at(10), scale.at(20), scale.at(15)) == (300, 100, 200)
    assert Scale(5, 5, 0, 100).at(5) == 50


def test_a_range_of_one_value_is_not_empty() -> None:
    assert padded([100, 200], share=0.1) == (90, 210)
    low, high = padded([0], share=0.1)
    assert low < 0 < high


def test_days_are_labelled_by_month_or_evenly() -> None:
    days = [date(2018, 1, 2) + timedelta(days=n) for n in range(90)]
    assert [days[i] for i in day_ticks(days, count=6)] == [
        date(2018, 2, 1),
        date(2018, 3, 1),
        date(2018, 4, 1),
    ]
    assert day_ticks(days[:5], count=6) == (0, 1, 2, 3, 4)
    assert len(day_ticks(days[:25], count=6)) <= 6
    assert day_ticks([], count=6) == ()


# Equity


@pytest.mark.parametrize("size", [WIDE, NARROW, Size(720, 300)])
def test_the_equity_chart_stays_inside_its_frame(size: Size) -> None:
    assert is_inside(equity_chart(CURVE, KO, size))


def test_the_equity_line_rises_where_equity_rises() -> None:
    (line,) = elements(equity_chart(CURVE, KO, WIDE), "equity-line")
    heights = [float(y) for _, y in re.findall(r"([\d.]+) ([\d.]+)", line.attrib["d"])]
    assert len(heights) == len(CURVE) + 1
    start, first, second, third, last = heights
    assert start == first < second < third
    assert last < start


def test_the_drawdown_hangs_from_its_peak() -> None:
    drawing = equity_chart(CURVE, KO, WIDE)
    (line,) = elements(drawing, "drawdown-line")
    heights = [float(y) for _, y in re.findall(r"([\d.]+) ([\d.]+)", line.attrib["d"])]
    assert heights == sorted(heights)
    assert f"{MINUS}0.63%" in texts(drawing)


def test_a_deposit_is_named_so_that_its_step_is_no_gain() -> None:
    assert "입출금 100만" in texts(equity_chart(CURVE, KO, WIDE))
    assert not elements(equity_chart(CURVE[:-1], KO, WIDE), "flow")


def test_a_loss_is_blue_and_a_gain_is_red() -> None:
    (dot,) = elements(equity_chart(CURVE, KO, WIDE), "dot")
    assert dot.attrib["class"] == "dot down"
    gained = (EquityPoint(date(2018, 1, 15), 100, 120),)
    (dot,) = elements(equity_chart(gained, KO, WIDE), "dot")
    assert dot.attrib["class"] == "dot up"


def test_one_flat_day_is_a_picture_too() -> None:
    flat = (EquityPoint(date(2018, 1, 15), 0, 50_000_000, 50_000_000),)
    drawing = equity_chart(flat, KO, NARROW)
    assert is_inside(drawing)
    assert "01-15" in texts(drawing)


def a_long_curve(days: int) -> tuple[EquityPoint, ...]:
    """Rise for half of the days and stand a tenth lower ever after."""
    rising = [100_000 + 100 * n for n in range(days // 2)]
    values = [*rising, *[rising[-1] * 9 // 10] * (days - len(rising))]
    first = date(2010, 1, 1)
    return tuple(
        EquityPoint(first + timedelta(days=n), values[max(n - 1, 0)], value)
        for n, value in enumerate(values)
    )


def test_many_years_stay_a_small_picture_and_keep_their_peak() -> None:
    drawing = equity_chart(a_long_curve(2_000), KO, WIDE)
    assert is_inside(drawing)
    assert len(drawing.render()) < 80_000
    assert len(elements(drawing, "hover")) == MAXIMUM_DAYS
    assert f"{MINUS}10.00%" in texts(drawing)


# Prices


def a_price_chart(
    count: int = 40, size: Size = NARROW, position: Position | None = None
) -> Drawing:
    stop, fills = stop_order()
    assert stop.symbol == LG_CHEM
    trades = day_trades([*BOUGHT_BEFORE, *fills], LG_CHEM)
    held = position or Position(LG_CHEM, quantity=10, cost=1_480_000)
    return price_chart(some_bars(LG_CHEM, count), trades, held, KO, name="LG화학", size=size)


def test_fills_of_one_day_and_side_are_one_trade() -> None:
    _, fills = stop_order()
    bought, sold = day_trades([*BOUGHT_BEFORE, *fills], LG_CHEM)
    assert (bought.side, bought.quantity, bought.price) == (
        Side.BUY,
        23,
        Decimal(428_500),
    )
    assert (sold.side, sold.quantity, sold.value) == (Side.SELL, 23, 9_354_500)
    assert sold.trading_day == THE_DAY
    assert len(day_trades(BOUGHT_BEFORE, SAMSUNG)) == 1


@pytest.mark.parametrize("count", [1, 2, 40, 300])
def test_the_price_chart_stays_inside_its_frame(count: int) -> None:
    drawing = a_price_chart(count)
    assert is_inside(drawing)
    assert len(elements(drawing, "body")) == min(count, MAXIMUM_BARS)


def test_entries_and_exits_stand_on_their_days() -> None:
    drawing = a_price_chart()
    (buy,), (sell,) = elements(drawing, "buy"), elements(drawing, "sell")
    titles = [element.findtext(f"{SVG}title") for element in (buy, sell)]
    assert titles == ["01-16 매수 23 @ 428,500", "01-18 매도 23 @ 406,717"]
    bodies = elements(drawing, "body")
    place = weekdays(40).index(THE_DAY)
    middle = float(bodies[place].attrib["x"]) + float(bodies[place].attrib["width"]) / 2
    found = re.match(r"M([\d.]+) ", sell.attrib["d"])
    assert found
    assert float(found[1]) == pytest.approx(middle, abs=0.2)


def test_a_rising_day_is_red_and_a_falling_one_blue() -> None:
    kinds = [body.attrib["class"] for body in elements(a_price_chart(), "body")]
    bars = some_bars(LG_CHEM, 40)
    assert kinds == ["body up" if bar.close > bar.open else "body down" for bar in bars]


def test_the_average_cost_is_drawn_while_shares_are_held() -> None:
    assert "148,000" in texts(a_price_chart())
    assert len(elements(a_price_chart(), "cost")) == 1
    assert elements(a_price_chart(position=Position(LG_CHEM)), "cost") == []


def test_no_label_stands_on_the_label_of_the_cost() -> None:
    drawing = a_price_chart(position=Position(LG_CHEM, quantity=1, cost=150_100))
    labels = [e for e in elements(drawing, "tick") if e.attrib["text-anchor"] == "start" and e.text]
    heights = sorted(float(label.attrib["y"]) for label in labels)
    assert min(b - a for a, b in pairwise(heights)) > 12


def test_halted_days_leave_no_candle() -> None:
    first, *rest = some_bars(LG_CHEM, 10)
    halted = replace(first, open=0, high=0, low=0, volume=0)
    drawing = price_chart([halted, *rest], (), Position(LG_CHEM), KO, name="x")
    assert len(elements(drawing, "body")) == 9
    assert is_inside(drawing)


def test_text_in_a_drawing_is_escaped() -> None:
    drawing = Drawing(10, 10, 'a "title" <b>')
    drawing.write("caption", (1, 1), "<script> & co")
    root = ET.fromstring(drawing.render())  # noqa: S314 - our own drawing
    assert root.attrib["aria-label"] == 'a "title" <b>'
    assert root[0].text == "<script> & co"
