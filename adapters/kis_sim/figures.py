"""This is how figures are written on the wire: dates, times, percentages, signs, averages."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Final

from adapters.kis_sim.hours import kst
from adapters.kis_sim.market import Snapshot
from trading.orders import Side

SIDE_CODE: Final = {Side.SELL: "01", Side.BUY: "02"}
_UPPER, _UP, _FLAT, _LOWER, _DOWN = "1", "2", "3", "4", "5"


def day_text(day: date) -> str:
    """Write YYYYMMDD."""
    return f"{day:%Y%m%d}"


def time_text(at: datetime) -> str:
    """Write HHMMSS in Seoul."""
    return f"{kst(at):%H%M%S}"


def percent(part: int, whole: int, places: int = 2) -> str:
    """Write `part` in percent of `whole`; zero when there is no whole."""
    share = Decimal(part) * 100 / whole if whole else Decimal(0)
    return f"{share:.{places}f}"


def average(value: int, quantity: int, places: int = 4) -> str:
    """Write won per share."""
    return f"{Decimal(value) / quantity if quantity else Decimal(0):.{places}f}"


def plain_average(value: int, quantity: int) -> str:
    """Write won per share without needless decimals: 3145, but 3145.25."""
    text = average(value, quantity)
    return text.rstrip("0").rstrip(".")


def sign(change: int) -> str:
    """Say whether a price rose, fell or stayed (부호)."""
    return _UP if change > 0 else _DOWN if change < 0 else _FLAT


def day_sign(snapshot: Snapshot) -> str:
    """Say how the last price stands to the base, the limits included."""
    if snapshot.change and snapshot.last >= snapshot.limits.upper:
        return _UPPER
    if snapshot.change and snapshot.last <= snapshot.limits.lower:
        return _LOWER
    return sign(snapshot.change)
