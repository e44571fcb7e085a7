"""This is what `doctor` asks of others: database, clock, broker, Prefect."""

from __future__ import annotations

import asyncio
from contextlib import closing
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from adapters.clock import Clock, SystemClock
from adapters.kafka.clusters import prepare
from adapters.kis.access import open_kis
from adapters.postgres.inspections import inspect
from deployments.console.accounts import market_time
from deployments.console.faults import NoAnswer
from deployments.console.findings import Finding, Health, found
from deployments.console.services import check_prefect as ask_prefect
from flows.settings import Settings, load_channel
from flows.sources import channel_in_force, database_url, open_stores, ticking_clock
from tasks.channels import read_version
from tasks.versions import is_other_code
from trading.halts import REHEARSED

LARGE_SKEW: Final = timedelta(seconds=2)
"""The broker tells its time in whole seconds."""
REHEARSED_WITHIN: Final = timedelta(days=90)
TOO_LARGE_SKEW: Final = timedelta(seconds=10)


def check_database(settings: Settings) -> Finding:
    """See that the database answers and has the newest schema."""
    state = inspect(database_url(settings))
    if state.schema != state.newest_schema:
        return found("database", "old_schema", Health.FAIL, schema=state.schema or "-")
    return found("database", "fine", version=state.server_version, schema=state.schema)


def check_rehearsal(settings: Settings) -> Finding:
    """See that the kill switch was tried not long ago, and worked."""
    with closing(open_stores(settings)) as stores, stores.begin() as work:
        last = work.audit.latest(REHEARSED)
    if last is None:
        return found("rehearsal", "never", Health.WARN)
    at, act = last
    if not act.detail.get("is_passed"):
        return found("rehearsal", "failed", Health.FAIL, at=at)
    # A simulated market may be years away from the computer's time: then its date says nothing.
    is_old = SystemClock().now() - at > REHEARSED_WITHIN and settings.channel != "dev"
    return found(
        "rehearsal", "old" if is_old else "fine", Health.WARN if is_old else Health.OK, at=at
    )


def check_config(settings: Settings) -> Finding:
    """See which version of the settings is in force, and that the file says the same."""
    with closing(open_stores(settings)) as stores, stores.begin() as work:
        current, newest = work.configs.in_force(), work.configs.newest()
    if newest is None:
        return found("config", "none", Health.WARN)
    if not newest.is_approved:
        return found("config", "waiting", Health.WARN, version=newest.version)
    if current is None or read_version(current).digest != load_channel(settings).digest:
        return found("config", "ahead", Health.WARN, version=newest.version)
    if is_other_code(settings.commit, current.commit):
        codes = {"running_commit": settings.commit[:12], "config_commit": current.commit[:12]}
        return found("config", "other_code", Health.WARN, version=current.version, **codes)
    return found("config", "fine", version=current.version)


def check_trigrams(settings: Settings) -> Finding:
    """See that the server offers pg_trgm, without which Prefect cannot make its tables."""
    state = inspect(database_url(settings))
    if not state.offers_trigrams:
        return found("trigrams", "missing", Health.FAIL, version=state.server_version)
    return found("trigrams", "fine")


def check_database_clock(settings: Settings) -> Finding:
    """Hold the database's clock against ours."""
    url = database_url(settings)
    before = SystemClock().now()
    theirs = inspect(url).now
    return _skew("database_clock", _distance(theirs - before, SystemClock().now() - before))


def check_market_clock(settings: Settings) -> Finding:
    """See that the clock of the market that we trade on answers."""
    return found("market_clock", "fine", at=market_time(settings))


def check_broker(settings: Settings) -> Finding:
    """See that the broker gives a token and shows the account."""
    with ticking_clock(settings, channel_in_force(settings)) as clock:
        return asyncio.run(_visit(settings, clock))


def check_broker_clock(settings: Settings) -> Finding:
    """Hold the broker's clock, which it tells with every answer, against ours."""
    before = SystemClock().now()
    try:
        told = httpx.get(settings.broker.base_url, timeout=5).headers.get("Date", "")
    except httpx.HTTPError as error:
        raise NoAnswer(f"{settings.broker.base_url}: {error}") from None
    if not told:
        return found("broker_clock", "untold", Health.WARN)
    took = SystemClock().now() - before
    return _skew("broker_clock", _distance(parsedate_to_datetime(told) - before, took))


def check_kafka(settings: Settings) -> Finding:
    """See that Kafka answers and has the topics, if events go there at all."""
    if not settings.has_kafka:
        return found("kafka", "none")
    asyncio.run(prepare(settings))
    return found("kafka", "fine", address=settings.kafka_bootstrap)


def check_prefect(settings: Settings) -> Finding:
    """See that Prefect's API answers."""
    return found("prefect", "fine", url=ask_prefect(settings))


async def _visit(settings: Settings, clock: Clock) -> Finding:
    async with open_kis(settings.broker, home=settings.home, clock=clock) as kis:
        await kis.broker.get_balance()
        expires_at = (
            await kis.auth.ensure()
        )  # there is a token by now; asked first it would wait for one
    return found("broker", "fine", host=settings.broker.base_url, expires_at=expires_at)


def _distance(ahead: timedelta, took: timedelta) -> timedelta:
    """Give how far a clock is off; the time that asking took is in its favour."""
    nothing = timedelta()
    return max(nothing, -ahead) if ahead < nothing else max(nothing, ahead - took)


def _skew(check: str, distance: timedelta) -> Finding:
    if distance <= LARGE_SKEW:
        return found(check, "fine")
    health = Health.FAIL if distance > TOO_LARGE_SKEW else Health.WARN
    return found(check, "skewed", health, distance=distance)
