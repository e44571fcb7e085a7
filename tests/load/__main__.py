"""This is `make load`: real minute bars and the real whole market through socket, session and PostgreSQL."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date
from itertools import islice
from pathlib import Path
from random import Random

import structlog

from adapters.postgres import PostgresStores, embedded
from adapters.postgres.databases import make_database
from adapters.postgres.migrations import migrate
from tests.builders import ACCOUNT
from tests.load.runs import Loaded, play
from tests.load.sources import market_days, minute_days
from tests.load.tapes import Spoiling, spoil, tape
from trading.bars import Bar
from trading.ticks import TradePrint

SPOILING = Spoiling(lost=5, repeated=20, late=20)


def main() -> None:
    """Play every day that the folder has; the first bar or share that is not as it should be ends it."""
    words = argparse.ArgumentParser(prog="make load FOLDER=...", description=__doc__)
    words.add_argument("folder", type=Path, help="with real prices, see tests/load/sources.py")
    words.add_argument("--seed", type=int, default=Random().randrange(2**32))  # noqa: S311 - printed
    words.add_argument("--days", type=int, help="at most so many of each kind")
    asked = words.parse_args()
    logging.disable(logging.WARNING)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    _say(f"seed {asked.seed}")
    random = Random(asked.seed)  # noqa: S311 - no secret
    with _a_home() as (home, server):
        for day, bars in islice(minute_days(asked.folder).items(), asked.days):
            _say(str(_play_minutes(day, bars, home, server, random)))
        for day, prints in islice(market_days(asked.folder).items(), asked.days):
            _say(str(_play_market(day, prints, home, server, random)))


def _play_minutes(
    day: date, bars: Sequence[Bar], home: Path, server: str, random: Random
) -> Loaded:
    """Make prints of real bars, spoil them, and want the same bars back."""
    prints = spoil(list(tape(bars, random)), SPOILING, random)
    with _stores(server, f"minutes_{day:%Y%m%d}") as stores:
        loaded = asyncio.run(
            play(prints, day=day, folder=home, stores=stores, history=bars, random=random)
        )
    made = [_figures(bar) for bar in loaded.bars[bars[0].symbol]]
    _require(made == [_figures(bar) for bar in bars], loaded, "bars are not those of the history")
    _require(not loaded.differences and not loaded.unreadable, loaded, "something was misread")
    return loaded


def _play_market(
    day: date, prints: Sequence[TradePrint], home: Path, server: str, random: Random
) -> Loaded:
    """Let the whole market trade what it did between its snapshots, and want every share in a bar."""
    with _stores(server, f"market_{day:%Y%m%d}") as stores:
        loaded = asyncio.run(play(prints, day=day, folder=home, stores=stores, random=random))
    traded = {each.symbol: each.cumulative_volume for each in prints}
    made = {symbol: sum(bar.volume for bar in bars) for symbol, bars in loaded.bars.items()}
    _require(made == traded, loaded, "shares are missing")
    _require(not loaded.unreadable and not loaded.holes, loaded, "something was misread")
    return loaded


def _figures(bar: Bar) -> tuple[object, ...]:
    return (bar.at, bar.open, bar.high, bar.low, bar.close, bar.volume)


def _require(is_so: bool, loaded: Loaded, words: str) -> None:  # noqa: FBT001 - the point of it
    if not is_so:
        sys.exit(f"{loaded}: {words}")


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


@contextmanager
def _a_home() -> Iterator[tuple[Path, str]]:
    """Give a folder and a database server with its ordinary settings."""
    with tempfile.TemporaryDirectory(prefix="maemae-load-") as folder:
        home = Path(folder)
        home.chmod(0o711)
        server = embedded.start(home / "server")
        watcher = embedded.stop_when_we_die(home / "server")
        try:
            yield home, server.url_of("postgres")
        finally:
            embedded.stop(home / "server")
            watcher.terminate()
            watcher.communicate()


@contextmanager
def _stores(server: str, name: str) -> Iterator[PostgresStores]:
    url = make_database(server, name)
    migrate(url)
    with closing(PostgresStores(url, channel="dev", account=ACCOUNT)) as stores:
        yield stores


if __name__ == "__main__":
    main()
