"""This is the composition root: the one place that opens real adapters."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from datetime import date, datetime

from adapters.calendars import XkrxCalendar
from adapters.halt_files import HaltFile
from adapters.logs import configure_logs
from adapters.messages import database_crowded
from adapters.notifier import Notifier
from adapters.slack import open_notifier
from adapters.spools import Spool
from adapters.stores import Stores
from adapters.wording import Wording
from flows.brokers import open_house
from flows.settings import Settings, load_channel, load_settings
from flows.sources import channel_in_force, open_stores, pace_of, ticking_clock
from tasks.channels import ChannelSettings
from tasks.desk import Desk
from tasks.polling import poll_seconds
from tasks.versions import Standing, open_version
from trading.errors import InvalidSetting


@asynccontextmanager
async def open_desk(
    settings: Settings | None = None, *, needs_database: bool = True
) -> AsyncIterator[Desk]:
    """Open everything that a run works with, and close it again.

    It works with the settings in force, whatever the channel's file says meanwhile. Without `needs_database` the
    desk opens while the database is down (version 0: the file itself, what is in force where that has a slip, no
    answers of the broker's about trading days); the kill switch works so.

    Raises:
        InvalidSetting: when settings, channel file or keys are missing or wrong.
        NotApproved: when no version of the channel's settings is approved.
        StoreUnavailable: when the database is needed and cannot be reached.
    """
    settings = settings or load_settings()
    _open_logs(settings)
    channel = load_channel(settings) if needs_database else _channel_at_hand(settings)
    timed_by = channel_in_force(settings) if needs_database else channel
    notifier, wording = open_owner_channel(settings)
    stores = open_stores(settings, on_crowd=tell_crowd(notifier, wording))
    with ticking_clock(settings, timed_by) as clock, closing(stores):
        standing = Standing(channel, 0, is_file_ahead=False)
        overrides: dict[date, bool] = {}
        if needs_database:
            standing, overrides = _look_up(stores, channel, settings.commit, at=clock.now())
        async with open_house(settings, standing.channel, clock) as house:
            yield Desk(
                account=settings.account,
                channel=standing.channel,
                version=standing.version,
                is_file_ahead=standing.is_file_ahead,
                clock=clock,
                calendar=XkrxCalendar(overrides=overrides),
                stores=stores,
                access=house.access,
                broker=house.broker,
                market_data=house.market_data,
                stream=house.stream,
                notifier=notifier,
                wording=wording,
                halt_file=HaltFile(settings.halt_file),
                spool=Spool(settings.spool_file),
                poll_seconds=poll_seconds(pace_of(settings, standing.channel)),
                broker_clock=house.clock,
                commit=settings.commit,
                is_relayed=settings.has_kafka,
            )


def _channel_at_hand(settings: Settings) -> ChannelSettings:
    """Give what the file says, without the database if that can be; what is in force where the file cannot be read."""
    try:
        return load_channel(settings)
    except InvalidSetting:
        return channel_in_force(settings)


def _open_logs(settings: Settings) -> None:
    accounts = [settings.kis.account] if settings.kis else []
    configure_logs(
        settings.home,
        name="flows",
        secrets=settings.secrets,
        accounts=accounts,
        on_console=False,
        others=_prefects_handlers(),
    )


def _prefects_handlers() -> Iterator[logging.Handler]:
    """Give the handlers that write to the worker's log and to the log of the run in the UI."""
    made = logging.root.manager.loggerDict.values()
    loggers = [logging.root, *(one for one in made if isinstance(one, logging.Logger))]
    for handler in {handler for logger in loggers for handler in logger.handlers}:
        if type(handler).__module__.startswith("prefect."):
            yield handler


def _look_up(
    stores: Stores, file: ChannelSettings, commit: str, *, at: datetime
) -> tuple[Standing, dict[date, bool]]:
    """Give the settings in force, and the broker's answers about trading days."""
    standing = open_version(stores, file, at=at, commit=commit)
    with stores.begin() as work:
        return standing, work.calendar.all()


def tell_crowd(notifier: Notifier, wording: Wording) -> Callable[[str], None]:
    """Give what tells the owner that the database's connections have run out."""
    return lambda words: notifier.send(database_crowded(words, wording))


def open_owner_channel(settings: Settings) -> tuple[Notifier, Wording]:
    """Give the way to speak to the owner, and the language."""
    wording = Wording(settings.language)
    return open_notifier(settings.slack, home=settings.home, wording=wording), wording
