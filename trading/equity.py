"""This is the equity curve: what the account was worth on each trading day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from trading.performance import daily_returns, total_return


@dataclass(frozen=True, slots=True)
class EquityPoint:
    """The account's worth at the opening and the last reading of a trading day, in won.

    `opening` values the holdings at the closing prices of the day before. `paid_in` is the sum of deposits
    minus withdrawals booked that day and of the cost of positions taken over, so that they are never profit.
    """

    trading_day: date
    opening: int
    closing: int
    paid_in: int = 0

    @property
    def profit(self) -> int:
        """Won gained or lost on the day: closing - opening - paid in."""
        return self.closing - self.opening - self.paid_in


def curve_returns(curve: Sequence[EquityPoint]) -> tuple[Decimal, ...]:
    """Return one fraction per day of `curve`, oldest first: (closing - paid in) / closing of the day before - 1.

    The first day is measured against its own opening, or against what was paid in when it began with nothing.
    """
    if not curve:
        return ()
    first, *later = curve
    began_empty = first.opening == 0
    start = first.paid_in if began_empty else first.opening
    flows = (0, 0 if began_empty else first.paid_in, *(point.paid_in for point in later))
    return daily_returns((start, *(point.closing for point in curve)), flows)


def monthly_returns(curve: Sequence[EquityPoint]) -> Mapping[tuple[int, int], Decimal]:
    """Return the compounded return of each year and month that has a day, oldest first; month 0 is the whole year.

    The first and the last month may be parts of one.
    """
    months: defaultdict[tuple[int, int], list[Decimal]] = defaultdict(list)
    for point, part in zip(curve, curve_returns(curve), strict=True):
        day = point.trading_day
        months[day.year, 0].append(part)
        months[day.year, day.month].append(part)
    return {month: total_return(parts) or Decimal(0) for month, parts in sorted(months.items())}
