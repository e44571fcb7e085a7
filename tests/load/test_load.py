"""This is a small part of `make load` in every test run, on made-up prices of one seed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from tests.builders import A_DAY, LG_CHEM, SAMSUNG, seoul
from tests.load.runs import play
from tests.load.sources import Snapshot, prints
from tests.load.tapes import Spoiling, spoil, tape
from trading.bars import Bar, Interval
from trading.instruments import Symbol
from trading.sessions import session_of
from trading.ticks import TradePrint

SEED = 20_261_122
SESSION = session_of(A_DAY)
type Figures = tuple[object, ...]


def minutes(symbol: Symbol, random: Random) -> Iterator[Bar]:
    """Give the bars of a session; some minutes have no trade, some a single share."""
    ends = [SESSION.opens_at + timedelta(minutes=n) for n in range(1, 381)]
    price = 40_000
    for at in [*ends, SESSION.closes_at]:
        if random.random() < 0.05 and at != SESSION.closes_at:
            continue
        prices = [price + 25 * random.randint(-6, 6) for _ in range(4)]  # half ticks too
        volume = random.choice((random.randint(4, 9), random.randint(4, 5_000)))
        price = prices[-1]
        figures = (prices[0], max(prices), min(prices), price, volume)
        yield Bar(symbol, Interval.MINUTE, A_DAY, at, *figures, is_adjusted=False)


def merged(tapes: Iterable[Iterable[TradePrint]]) -> list[TradePrint]:
    """Give the prints of several symbols as they were made."""
    return sorted((each for one in tapes for each in one), key=lambda each: each.at)


def figures(bars: Sequence[Bar]) -> list[Figures]:
    """Leave out who says so."""
    return [(bar.at, bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in bars]


@pytest.fixture
def random() -> Random:
    """A chance that is the same in every run."""
    return Random(SEED)  # noqa: S311 - no secret


@pytest.fixture
def history(random: Random) -> list[Bar]:
    """The broker's bars of two symbols."""
    return [bar for symbol in (LG_CHEM, SAMSUNG) for bar in minutes(symbol, random)]


def of(symbol: Symbol, history: Sequence[Bar]) -> list[Bar]:
    return [bar for bar in history if bar.symbol == symbol]


async def test_a_day_of_prints_makes_the_bars_of_the_history_without_asking_for_it(
    tmp_path: Path, random: Random, history: list[Bar]
) -> None:
    """Late and repeated ones among them."""
    made = merged(tape(of(symbol, history), random) for symbol in (LG_CHEM, SAMSUNG))
    sent = spoil(made, Spoiling(repeated=30, late=30), random)
    loaded = await play(sent, day=A_DAY, folder=tmp_path, random=random)
    assert (loaded.unreadable, loaded.holes) == (0, 0)
    for symbol, bars in loaded.bars.items():
        assert figures(bars) == figures(of(symbol, history))
        assert not any(bar.is_provisional for bar in bars)


async def test_what_the_socket_loses_is_mended_to_the_bar(
    tmp_path: Path, random: Random, history: list[Bar]
) -> None:
    made = merged(tape(of(symbol, history), random) for symbol in (LG_CHEM, SAMSUNG))
    sent = spoil(made, Spoiling(lost=10, repeated=30, late=30), random)
    loaded = await play(sent, day=A_DAY, folder=tmp_path, history=history, random=random)
    assert loaded.mended > 10, "nothing was lost"
    assert loaded.differences == []
    for symbol, bars in loaded.bars.items():
        assert figures(bars) == figures(of(symbol, history))


async def test_a_volume_that_the_broker_counts_otherwise_is_named_bar_by_bar(
    tmp_path: Path, random: Random, history: list[Bar]
) -> None:
    """Trades off the session: the broker's day has up to a sixth more than its minutes' prints."""
    odd = set(random.sample(range(len(history)), 20))
    theirs = [
        replace(bar, volume=bar.volume + 7) if index in odd else bar
        for index, bar in enumerate(history)
    ]
    made = merged(tape(of(symbol, history), random) for symbol in (LG_CHEM, SAMSUNG))
    loaded = await play(made, day=A_DAY, folder=tmp_path, history=theirs, random=random)
    named = {
        (each.symbol, each.at, each.field, each.ours, each.theirs) for each in loaded.differences
    }
    assert named == {
        (bar.symbol, bar.at, "volume", bar.volume, bar.volume + 7)
        for index, bar in enumerate(history)
        if index in odd
    }


async def test_a_whole_market_at_once_loses_no_share(tmp_path: Path, random: Random) -> None:
    symbols = [Symbol(f"{number:05d}{'0' if number % 9 else 'K'}") for number in range(600)]
    volumes = dict.fromkeys(symbols, 0)
    snapshots = []
    for time in ("09:17", "10:03", "12:40", "15:35"):
        volumes = {symbol: volume + random.randrange(1_000) for symbol, volume in volumes.items()}
        shown = {s: (random.randint(500, 900_000), v) for s, v in volumes.items() if v}
        snapshots.append(Snapshot(seoul(A_DAY, time), shown))
    loaded = await play(list(prints(SESSION, snapshots)), day=A_DAY, folder=tmp_path, random=random)
    assert (loaded.unreadable, loaded.holes) == (0, 0)
    assert {s: sum(bar.volume for bar in bars) for s, bars in loaded.bars.items()} == volumes
