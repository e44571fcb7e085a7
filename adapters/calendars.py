"""This is the KRX calendar: the `holidays` package, our corrections, and above both the broker's answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from holidays import financial_holidays

from trading.errors import BadInput

SETTLEMENT_LAG: Final = 2
"""Trading days from a trade to its settlement (T+2)."""

CORRECTIONS: Final[dict[date, bool]] = {
    # Local elections, and Constitution Day made a day off again: popular calendars had both as open.
    date(2026, 6, 3): False,
    date(2026, 7, 17): False,
    # The Monday after Chuseok, whose three days fell on Thursday to Saturday without a substitute.
    date(2026, 9, 28): True,
}
"""Days that calendars in use have had wrong (True: trading); they hold whatever version of `holidays` is there.

Elections and temporary holidays are announced days to weeks ahead: the broker's answers bring those.
"""

_SATURDAY: Final = 5
_DAY: Final = timedelta(days=1)


class XkrxCalendar:
    """Trading days of the Korea Exchange from 2000 to 2100. Implements `trading.sessions.TradingCalendar`.

    `overrides` are the broker's answers by day, True for a trading day; they win over everything else.
    """

    def __init__(self, overrides: Mapping[date, bool] | None = None) -> None:
        self._known = CORRECTIONS | dict(overrides or {})
        self._holidays = financial_holidays("XKRX")  # computes a year when first asked about it

    def is_trading_day(self, day: date) -> bool:
        """Tell whether the regular session takes place on `day`.

        Raises:
            BadInput: for a year that the calendar does not reach, which would otherwise have no holidays.
        """
        known = self._known.get(day)
        if known is not None:
            return known
        first, last = self._holidays.start_year, self._holidays.end_year
        if not first <= day.year <= last:
            raise BadInput("day", day.isoformat(), f"a year from {first} to {last}")
        return day.weekday() < _SATURDAY and day not in self._holidays

    def next_trading_day(self, day: date) -> date:
        """Return the first trading day after `day`."""
        return self._seek(day, _DAY)

    def previous_trading_day(self, day: date) -> date:
        """Return the last trading day before `day`."""
        return self._seek(day, -_DAY)

    def trading_days(self, first: date, last: date) -> tuple[date, ...]:
        """Return the trading days from `first` to `last`, both included."""
        span = range((last - first).days + 1)
        days = (first + timedelta(days=offset) for offset in span)
        return tuple(day for day in days if self.is_trading_day(day))

    def settlement_day(self, day: date) -> date:
        """Return when a trade of `day` settles: the second trading day after it (T+2)."""
        for _ in range(SETTLEMENT_LAG):
            day = self.next_trading_day(day)
        return day

    def _seek(self, day: date, step: timedelta) -> date:
        day += step
        while not self.is_trading_day(day):
            day += step
        return day
