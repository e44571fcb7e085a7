"""This is the account as reading commands see it: settings, memory and the market's day, no broker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from adapters.clock import Clock
from adapters.stores import Stores, UnitOfWork
from deployments.console.faults import NoAnswer
from flows.settings import Settings, load_settings
from flows.sources import channel_in_force, open_stores, ticking_clock
from trading.instruments import Symbol
from trading.sessions import seoul_date


@dataclass(frozen=True, slots=True)
class Account:
    """What a reading command works with."""

    settings: Settings
    stores: Stores

    def heading(self, trading_day: date) -> dict[str, Any]:
        """Give the fields that every document begins with."""
        return {
            "channel": self.settings.channel,
            "account": self.settings.account,
            "trading_day": trading_day,
        }

    def today(self) -> date:
        """Give the market's date in Seoul.

        Raises:
            NoAnswer: when the simulator that keeps the time does not answer.
        """
        return seoul_date(market_time(self.settings))


def market_time(settings: Settings) -> datetime:
    """Read the time of the market that the channel trades on.

    Raises:
        NoAnswer: when the simulator that keeps the time does not answer.
    """
    with ticking_clock(settings, channel_in_force(settings)) as clock:
        return time_of(clock)


def time_of(clock: Clock) -> datetime:
    """Read a clock.

    Raises:
        NoAnswer: when the simulator that keeps the time does not answer.
    """
    from httpx import HTTPError  # noqa: PLC0415 - a tenth of a second, and few ask for the time

    try:
        return clock.now()
    except HTTPError as error:
        raise NoAnswer(f"/sim/clock: {error}") from None


@contextmanager
def open_account() -> Iterator[Account]:
    """Open the account of the channel that the settings choose.

    Raises:
        InvalidSetting: when settings are missing or wrong.
    """
    settings = load_settings()
    stores = open_stores(settings)
    try:
        yield Account(settings, stores)
    finally:
        stores.close()


def names(work: UnitOfWork) -> dict[Symbol, str]:
    """Give the names of all known symbols."""
    return {instrument.symbol: instrument.name for instrument in work.instruments.all()}
