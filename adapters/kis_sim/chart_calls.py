"""This is what answers the calls for bars: days, weeks, months, years and minutes, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import groupby, islice
from typing import Final

from adapters.kis_sim.calls import Row, Values
from adapters.kis_sim.figures import day_text, percent, sign, time_text
from adapters.kis_sim.histories import DayBar, MinuteBar
from adapters.kis_sim.hours import kst
from adapters.kis_sim.market import Snapshot
from adapters.kis_sim.price_calls import change_figures, ohlc_figures, previous_bar, seen
from adapters.kis_sim.replies import Query, Reply, wrong_field

_CHART_ROWS: Final = 100
_DAILY_ROWS: Final = 30
_MINUTE_ROWS: Final = 30
_PAST_MINUTE_ROWS: Final = 120
_YEAR: Final = timedelta(days=366)
_MINUTE: Final = timedelta(minutes=1)
_WEEKDAYS: Final = 7


def daily_price(query: Query) -> Reply:
    """List the last thirty days, weeks or months."""
    symbol = query.text("FID_INPUT_ISCD")
    snapshot = seen(query, symbol)
    if snapshot is None:
        return Reply({"output": []})
    is_adjusted = query.text("FID_ORG_ADJ_PRC") == "1"
    bars = _periods(query, _shown(query, snapshot, is_adjusted=is_adjusted))
    rows = [
        query.row("output", {**_day_figures(bar, before), **_against(bar, before)})
        for bar, before in _with_previous(bars)
    ]
    return Reply({"output": rows[:_DAILY_ROWS]})


def daily_itemchartprice(query: Query) -> Reply:
    """List at most a hundred bars from one date back to another; an unknown symbol has a price of 0."""
    symbol, today = query.text("FID_INPUT_ISCD"), query.simulation.today()
    snapshot = seen(query, symbol)
    if snapshot is None:
        return Reply({"output1": query.row("output1", {}), "output2": [{}]})
    first, last = query.day("FID_INPUT_DATE_1", today), query.day("FID_INPUT_DATE_2", today)
    is_adjusted = query.text("FID_ORG_ADJ_PRC") != "1"  # the opposite of inquire-daily-price
    bars = _periods(query, _shown(query, snapshot, is_adjusted=is_adjusted))
    rows = (
        query.row(
            "output2",
            {
                **_day_figures(bar, before),
                "acml_tr_pbmn": _value(bar, snapshot),
                "flng_cls_code": "00",
                "prtt_rate": "0.00",
            },
        )
        for bar, before in _with_previous(bars)
        if first <= bar.day <= last
    )
    head = query.row("output1", _chart_head(query, snapshot))
    return Reply({"output1": head, "output2": list(islice(rows, _CHART_ROWS))})


def time_itemchartprice(query: Query) -> Reply:
    """List thirty minutes of today back from a time of day; later than now they are flat, as KIS draws them."""
    symbol = query.text("FID_INPUT_ISCD")
    snapshot = seen(query, symbol)
    if snapshot is None:
        return Reply({"output1": query.row("output1", {}), "output2": [{}]})
    until = _moment(query, query.simulation.today())
    bars = [*_future(query, snapshot, until), *_today(query, snapshot, until)]
    if len(bars) < _MINUTE_ROWS and query.text("FID_PW_DATA_INCU_YN", "N") == "Y":
        bars += _earlier(query, snapshot, kst(query.at).date(), _MINUTE_ROWS - len(bars))
    return _minute_reply(query, snapshot, bars[:_MINUTE_ROWS])


def time_dailychartprice(query: Query) -> Reply:
    """List up to 120 minutes of a past day back from a time of day, about a year back."""
    symbol, today = query.text("FID_INPUT_ISCD"), query.simulation.today()
    snapshot = seen(query, symbol)
    day = query.day("FID_INPUT_DATE_1", today)
    if snapshot is None or not today - _YEAR <= day <= today:
        return Reply({"output1": query.row("output1", {}), "output2": []})
    until = _moment(query, day)
    minutes = query.simulation.market.minute_bars(symbol, day, snapshot.at)
    bars = [bar for bar in reversed(minutes) if bar.at <= until]
    if len(bars) < _PAST_MINUTE_ROWS and query.text("FID_PW_DATA_INCU_YN", "N") == "Y":
        bars += _earlier(query, snapshot, day, _PAST_MINUTE_ROWS - len(bars))
    return _minute_reply(query, snapshot, bars[:_PAST_MINUTE_ROWS])


def _shown(query: Query, snapshot: Snapshot, *, is_adjusted: bool) -> Sequence[DayBar]:
    market, symbol = query.simulation.market, snapshot.instrument.symbol
    bars = market.daily_bars(symbol, snapshot.at)
    return market.history.adjusted(symbol, bars, kst(snapshot.at).date()) if is_adjusted else bars


def _periods(query: Query, bars: Sequence[DayBar]) -> list[DayBar]:
    """Put days together into the wanted periods, each dated with its last day; oldest first."""
    period = query.text("FID_PERIOD_DIV_CODE", "D").upper()
    if period == "D":
        return list(bars)
    keys = {
        "W": lambda bar: bar.day - timedelta(days=bar.day.isoweekday() % _WEEKDAYS),
        "M": lambda bar: bar.day.replace(day=1),
        "Y": lambda bar: bar.day.replace(month=1, day=1),
    }
    if period not in keys:
        raise wrong_field("FID_PERIOD_DIV_CODE")
    return [_joined(list(group)) for _, group in groupby(bars, keys[period])]


def _joined(bars: Sequence[DayBar]) -> DayBar:
    return DayBar(
        bars[-1].day,
        bars[0].open,
        max(bar.high for bar in bars),
        min(bar.low for bar in bars),
        bars[-1].close,
        sum(bar.volume for bar in bars),
    )


def _with_previous(bars: Sequence[DayBar]) -> Iterable[tuple[DayBar, DayBar | None]]:
    """Go through the bars newest first, each with the one before it."""
    for place in range(len(bars) - 1, -1, -1):
        yield bars[place], bars[place - 1] if place else None


def _day_figures(bar: DayBar, before: DayBar | None) -> Values:
    change = bar.close - before.close if before else 0
    return {
        "stck_bsop_date": day_text(bar.day),
        "stck_oprc": bar.open,
        "stck_hgpr": bar.high,
        "stck_lwpr": bar.low,
        "stck_clpr": bar.close,
        "acml_vol": bar.volume,
        "prdy_vrss": change,
        "prdy_vrss_sign": sign(change),
    }


def _against(bar: DayBar, before: DayBar | None) -> Values:
    return {
        "prdy_ctrt": percent(bar.close - before.close, before.close) if before else "0.00",
        "prdy_vrss_vol_rate": percent(bar.volume, before.volume) if before else "0.00",
        "flng_cls_code": "00",
    }


def _value(bar: DayBar, snapshot: Snapshot) -> int:
    """Return the won traded: summed for the current day, else volume at the middle of the bar's prices."""
    if snapshot.today is not None and bar.day == kst(snapshot.at).date():
        return snapshot.value
    return (bar.open + bar.high + bar.low + bar.close) * bar.volume // 4


def _chart_head(query: Query, snapshot: Snapshot) -> Values:
    before = previous_bar(query, snapshot)
    book = query.simulation.market.book(snapshot.instrument.symbol, snapshot.at)
    return {
        **change_figures(snapshot),
        **ohlc_figures(snapshot),
        "stck_prdy_clpr": snapshot.base,
        "acml_vol": snapshot.volume,
        "acml_tr_pbmn": snapshot.value,
        "hts_kor_isnm": snapshot.instrument.name,
        "stck_prpr": snapshot.last,
        "stck_shrn_iscd": snapshot.instrument.symbol,
        "prdy_vol": before.volume if before else 0,
        "stck_mxpr": snapshot.limits.upper,
        "stck_llam": snapshot.limits.lower,
        "stck_prdy_oprc": before.open if before else 0,
        "stck_prdy_hgpr": before.high if before else 0,
        "stck_prdy_lwpr": before.low if before else 0,
        "askp": book.asks[0].price if book.asks else 0,
        "bidp": book.bids[0].price if book.bids else 0,
        "prdy_vrss_vol": snapshot.volume - (before.volume if before else 0),
    }


def _moment(query: Query, day: date) -> datetime:
    """Read FID_INPUT_HOUR_1 on `day`, in Seoul."""
    written = query.text("FID_INPUT_HOUR_1")
    try:
        at = datetime.strptime(f"{day_text(day)}{written}", "%Y%m%d%H%M%S")  # noqa: DTZ007 - Seoul
    except ValueError as problem:
        raise wrong_field("FID_INPUT_HOUR_1") from problem
    return at.replace(tzinfo=kst(query.at).tzinfo)


def _future(query: Query, snapshot: Snapshot, until: datetime) -> list[MinuteBar]:
    """Return flat bars at the current price for the minutes after now, newest first."""
    minute = until.replace(second=0)
    now = kst(query.at).replace(second=0, microsecond=0)
    bars: list[MinuteBar] = []
    last = snapshot.last
    while minute > now and len(bars) < _MINUTE_ROWS:
        bars.append(MinuteBar(minute, last, last, last, last, 0))
        minute -= _MINUTE
    return bars


def _today(query: Query, snapshot: Snapshot, until: datetime) -> list[MinuteBar]:
    """Return today's minutes, newest first; the forming one shows the last volume until it has a trade."""
    day, at = query.simulation.today(), snapshot.at
    past = query.simulation.market.minute_bars(snapshot.instrument.symbol, day, at)
    bars = [bar for bar in reversed(past) if bar.at <= until]
    now = kst(at).replace(second=0, microsecond=0)
    hours = query.simulation.timetable.hours(day)
    is_forming = bool(past) and past[-1].at < now <= until and at < hours.closing_auction_at
    if is_forming:
        last = past[-1]
        flat = replace(last, at=now, open=last.close, high=last.close, low=last.close, value=0)
        bars.insert(0, flat)
    return bars


def _earlier(query: Query, snapshot: Snapshot, day: date, wanted: int) -> list[MinuteBar]:
    """Return minutes of the days before `day`, newest first."""
    symbol, market = snapshot.instrument.symbol, query.simulation.market
    bars: list[MinuteBar] = []
    for past in reversed(market.history.before(symbol, day)):
        bars += reversed(market.minute_bars(symbol, past.day, snapshot.at))
        if len(bars) >= wanted:
            break
    return bars[:wanted]


def _minute_reply(query: Query, snapshot: Snapshot, bars: Sequence[MinuteBar]) -> Reply:
    before = previous_bar(query, snapshot)
    head = {
        **change_figures(snapshot),
        "stck_prdy_clpr": before.close if before else snapshot.base,
        "acml_vol": snapshot.volume,
        "acml_tr_pbmn": snapshot.value,
        "hts_kor_isnm": snapshot.instrument.name,
        "stck_prpr": snapshot.last,
    }
    rows = _minute_rows(query, snapshot, bars)
    return Reply({"output1": query.row("output1", head), "output2": rows})


def _minute_rows(query: Query, snapshot: Snapshot, bars: Sequence[MinuteBar]) -> list[Row]:
    symbol, market = snapshot.instrument.symbol, query.simulation.market
    rows = []
    for bar in bars:
        end = min(bar.at + _MINUTE - timedelta(microseconds=1), snapshot.at)
        then = market.snapshot(symbol, end)
        figures = {
            "stck_bsop_date": day_text(bar.at.date()),
            "stck_cntg_hour": time_text(bar.at),
            "stck_prpr": bar.close,
            "stck_oprc": bar.open,
            "stck_hgpr": bar.high,
            "stck_lwpr": bar.low,
            "cntg_vol": bar.volume,
            "acml_tr_pbmn": then.value if then else 0,
        }
        rows.append(query.row("output2", figures))
    return rows
