"""This is keeping access to the broker alive and its calendar known."""

from __future__ import annotations

from datetime import datetime, timedelta

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.desk import Desk


@task(cache_policy=NO_CACHE)
async def refresh_token_of(desk: Desk) -> datetime:
    """Make sure that there is a token for the whole day; give its expiry."""
    return await desk.access.ensure()


@task(cache_policy=NO_CACHE)
async def refresh_calendar(desk: Desk) -> int:
    """Ask the broker which days are open (at most once a day) and keep its answers; give how many."""
    today = desk.today()
    with desk.stores.begin() as work:
        is_known = max(work.calendar.all(), default=today) > today + timedelta(days=7)
    if is_known:
        return 0
    days = await desk.market_data.open_days(first=today)
    with desk.stores.begin() as work:
        work.calendar.put(days, at=desk.now())
    return len(days)
