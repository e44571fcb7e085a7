"""This is what answers the call for an index: a level made of the simulator's own shares, for KRX's is no free data.

It begins at 2,000 points and moves as the mean of what every share that is played made of its last close.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import islice, pairwise
from typing import Final

from adapters.kis_sim.calls import Values
from adapters.kis_sim.figures import day_text, sign
from adapters.kis_sim.histories import DayBar
from adapters.kis_sim.hours import kst
from adapters.kis_sim.market import Market
from adapters.kis_sim.replies import Query, Reply

KOSPI: Final = "0001"
_START: Final = Decimal(2_000)
_CENT: Final = Decimal("0.01")
_ROWS: Final = 50
_MOST_SHARES: Final = 50
"""Of the data that somebody plays: the level of thousands would keep the market waiting."""


@dataclass(frozen=True, slots=True)
class Level:
    """One day of the index."""

    day: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int


def daily_indexchartprice(query: Query) -> Reply:
    """List at most fifty days from one date back to another; of an unknown index nothing is told."""
    if query.text("FID_INPUT_ISCD") != KOSPI:
        return Reply({"output1": query.row("output1", {}), "output2": []})
    today = query.simulation.today()
    first, last = query.day("FID_INPUT_DATE_1", today), query.day("FID_INPUT_DATE_2", today)
    levels = list(levels_of(query.simulation.market, query.at))
    rows = (
        query.row("output2", _day_figures(level))
        for level in reversed(levels)
        if first <= level.day <= last
    )
    head = query.row("output1", _head(levels))
    return Reply({"output1": head, "output2": list(islice(rows, _ROWS))})


def levels_of(market: Market, at: datetime) -> Iterator[Level]:
    """Give the index of every day up to a moment, oldest first; the last one as far as it has come."""
    moves: defaultdict[date, list[tuple[DayBar, int]]] = defaultdict(list)
    for symbol in market.securities.symbols()[:_MOST_SHARES]:
        bars = market.history.adjusted(symbol, market.daily_bars(symbol, at), kst(at).date())
        traded = [bar for bar in bars if bar.is_traded]
        for before, bar in pairwise(traded):
            moves[bar.day].append((bar, before.close))
    close = _START
    for day in sorted(moves):
        level = _level(day, close, moves[day])
        close = level.close
        yield level


def _level(day: date, before: Decimal, moves: Sequence[tuple[DayBar, int]]) -> Level:
    def points(name: str) -> Decimal:
        made = sum((Decimal(getattr(bar, name)) / base for bar, base in moves), Decimal(0))
        return (before * made / len(moves)).quantize(_CENT)

    volume = sum(bar.volume for bar, _ in moves)
    return Level(day, points("open"), points("high"), points("low"), points("close"), volume)


def _day_figures(level: Level) -> Values:
    return {
        "stck_bsop_date": day_text(level.day),
        "bstp_nmix_prpr": level.close,
        "bstp_nmix_oprc": level.open,
        "bstp_nmix_hgpr": level.high,
        "bstp_nmix_lwpr": level.low,
        "acml_vol": level.volume,
    }


def _head(levels: Sequence[Level]) -> Values:
    if not levels:
        return {}
    last, before = levels[-1], levels[-2] if len(levels) > 1 else levels[-1]
    change = last.close - before.close
    figures = {
        name: value for name, value in _day_figures(last).items() if name != "stck_bsop_date"
    }
    return {
        **figures,
        "bstp_nmix_prdy_vrss": change,
        "prdy_vrss_sign": sign(1 if change > 0 else -1 if change else 0),
        "prdy_nmix": before.close,
        "prdy_vol": before.volume,
        "hts_kor_isnm": "종합",
        "bstp_cls_code": KOSPI,
    }
