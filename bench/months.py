"""This is whether a process that streams for a month grows: sessions of ticks, one after the other, memory after each."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Final

from adapters.calendars import XkrxCalendar
from adapters.postgres import PostgresStores
from bench.figures import Aim, Samples, Section
from bench.places import ACCOUNT, DAY, Place, open_logs
from tests.load.runs import play
from trading.instruments import Symbol
from trading.sessions import session_of
from trading.ticks import TradePrint

SYMBOLS: Final = tuple(Symbol(f"{number:06d}") for number in range(900_000, 900_040))
TICKS_A_MINUTE: Final = 2
"""Of each symbol."""
LIMIT: Final = 10
"""Megabytes by which the process may be larger after the last day than after the second."""
_SEED: Final = 20_261_122


async def measure_months(place: Place, days: int) -> Section:
    """Let a session of each of `days` trading days live through its ticks, in one process and one database."""
    random, sizes, seconds = Random(_SEED), [], []  # noqa: S311 - no secret
    calendar, day = XkrxCalendar(), DAY
    open_logs(place)
    with closing(PostgresStores(place.database_url, channel="dev", account=ACCOUNT)) as stores:
        for _ in range(days):
            began = perf_counter()
            prints = list(ticks(day, random))
            loaded = await play(prints, day=day, folder=place.home, stores=stores, random=random)
            if loaded.holes or loaded.prints != len(prints):
                raise RuntimeError(f"something was lost: {loaded}")
            seconds.append(perf_counter() - began)
            del prints, loaded
            gc.collect()
            sizes.append(_megabytes())
            day = calendar.next_trading_day(day)
    return _section(sizes, seconds)


def ticks(day: date, random: Random) -> Iterator[TradePrint]:
    """Give the prints of a session, each symbol a few times a minute."""
    session, volumes = session_of(day), dict.fromkeys(SYMBOLS, 0)
    at, price = session.opens_at, 100_000
    while at < session.closing_auction_at:
        for number in range(TICKS_A_MINUTE * len(SYMBOLS)):
            symbol = SYMBOLS[number % len(SYMBOLS)]
            volumes[symbol] += (quantity := random.randint(1, 500))
            moment = at + timedelta(seconds=number * 60 // (TICKS_A_MINUTE * len(SYMBOLS)))
            price += 100 * random.randint(-1, 1)
            yield TradePrint(symbol, max(price, 50_000), quantity, moment, volumes[symbol])
        at += timedelta(minutes=1)


def _section(sizes: list[float], seconds: list[float]) -> Section:
    grown = sizes[-1] - sizes[min(1, len(sizes) - 1)]
    count = 380 * TICKS_A_MINUTE * len(SYMBOLS)
    return Section(
        f"Memory over a month of sessions ({len(sizes)} days, {count * len(sizes):,} ticks)",
        [Samples(f"a session of {count:,} ticks, bars in PostgreSQL", seconds)],
        [Aim("grown from the second day's end to the last's", grown, LIMIT, unit="MB")],
        [
            f"Megabytes after each day: {', '.join(f'{size:.0f}' for size in sizes)}.",
            "Socket, KisStream, StreamSession and stores are the real ones; a session begins anew each day, as the flow's does.",
        ],
    )


def _megabytes() -> float:
    """Give what this process has in memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
