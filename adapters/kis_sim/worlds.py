"""This is how a world is put together from the options: which days are played, when it starts, who has what."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Final

from adapters.calendars import XkrxCalendar
from adapters.clock import Clock
from adapters.kis_sim.accounts import Account
from adapters.kis_sim.clock import MarketClock
from adapters.kis_sim.exchange import Exchange
from adapters.kis_sim.faults import Faults
from adapters.kis_sim.histories import History, read_history
from adapters.kis_sim.hours import Timetable, kst
from adapters.kis_sim.market import Market
from adapters.kis_sim.options import Options, Pacing
from adapters.kis_sim.securities import Securities
from adapters.kis_sim.simulation import Simulation, World
from trading.costs import CostSchedule
from trading.errors import BadInput
from trading.sessions import KST, TradingCalendar

_STEP_STARTS: Final = time(6, 0)
_RUN_STARTS: Final = time(8, 30)
_HISTORY_WANTED: Final = 120
"""Days of history that a start without --day leaves to look back on."""
_DAYS_AHEAD: Final = 20
"""Days that an always open market without --day keeps for the nights over which it runs."""


def build(options: Options, *, clock: Clock, real_time: Callable[[], float]) -> Simulation:
    """Make a simulation; `clock` is the computer's, for `--clock open`, `real_time` monotonic seconds.

    Raises:
        BadInput: for a data file or a day that cannot be played.
    """
    history, calendar = read_history(options.data), XkrxCalendar()
    is_always_open = options.pacing is Pacing.OPEN
    if is_always_open:
        history, start = _as_of_today(history, calendar, options.day, kst(clock.now()))
    else:
        start = _start(history, calendar, options)
    factor = 1 if is_always_open else options.factor
    timetable = Timetable(calendar, is_always_open=is_always_open)
    securities = Securities.of(history)
    market = Market(history, securities, timetable, options.seed, spacing=options.spacing)
    faults = Faults(real_time)
    faults.take(options.faults, at=start)
    accounts = tuple(Account(number, options.cash) for number in options.accounts)
    costs = CostSchedule(options.commission_rate)
    exchange = Exchange(market, faults, accounts, costs, real_time)
    market_clock = MarketClock(start, factor, real_time)
    return Simulation(World(market_clock, timetable, market, faults, accounts, exchange, real_time))


def _start(history: History, calendar: TradingCalendar, options: Options) -> datetime:
    days = history.trading_days()
    day = options.day or days[min(_HISTORY_WANTED, len(days) - 1)]
    if not days[0] <= day <= days[-1]:
        raise BadInput(
            "--day", day.isoformat(), f"a day from {days[0]} to {days[-1]}, as in the data"
        )
    if not calendar.is_trading_day(day):
        raise BadInput("--day", day.isoformat(), "a trading day")
    return datetime.combine(day, _STEP_STARTS if options.pacing else _RUN_STARTS, KST)


def _as_of_today(
    history: History, calendar: TradingCalendar, day: date | None, now: datetime
) -> tuple[History, datetime]:
    """Start at this hour of `day`, or of today with late days of the data relabelled around it.

    The days before keep the calendar's trading days; those to come follow one another without weekends.
    """
    days = history.trading_days()
    if day is None:
        today, pivot = now.date(), len(days) - 1 - min(_DAYS_AHEAD, len(days) // 4)
    else:
        today, pivot = day, max(0, bisect_right(days, day) - 1)
    labels = {days[pivot]: today}
    before = today
    for each in reversed(days[:pivot]):
        before = calendar.previous_trading_day(before)
        labels[each] = before
    for place, each in enumerate(days[pivot + 1 :], start=1):
        labels[each] = today + timedelta(days=place)
    return history.relabelled(labels), datetime.combine(today, now.time(), KST)
