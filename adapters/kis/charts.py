"""This is how a chart of KIS is read: pages of days, newest first, back from a last one; and the rows of an index."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, timedelta
from typing import Final, Protocol

from adapters.kis.wire import Row
from trading.errors import Unavailable
from trading.indices import Index, IndexBar

INDEX_CODES: Final = {Index.KOSPI: "0001"}
_DAY: Final = timedelta(days=1)


class Dated(Protocol):
    """What a chart has for a day."""

    @property
    def trading_day(self) -> date:
        """The day."""
        ...


async def read_back[D: Dated](
    page: Callable[[date], Awaitable[Sequence[D]]], *, first: date, last: date, of: str
) -> tuple[D, ...]:
    """Read pages that end with a day, until `first` is reached or one is empty; give the days asked for, oldest first.

    Raises:
        Unavailable: when a page begins after the day that it should end with, for that would go on for ever.
    """
    found: dict[date, D] = {}
    until = last
    while first <= until:
        rows = await page(until)
        if not rows:
            break
        found.update((row.trading_day, row) for row in rows)
        oldest = min(row.trading_day for row in rows)
        if oldest > until:
            raise Unavailable(f"{of}: asked for bars until {until}, got {oldest}")
        until = oldest - _DAY
    return tuple(found[day] for day in sorted(found) if first <= day <= last)


def read_index_bar(index: Index, row: Row) -> IndexBar:
    """Read one day of inquire-daily-indexchartprice; its levels are points with two decimals."""
    return IndexBar(
        index=index,
        trading_day=row.day("stck_bsop_date"),
        open=row.points("bstp_nmix_oprc"),
        high=row.points("bstp_nmix_hgpr"),
        low=row.points("bstp_nmix_lwpr"),
        close=row.points("bstp_nmix_prpr"),
    )
