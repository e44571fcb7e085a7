"""This is prints that make given minute bars, and the ways in which a socket spoils them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Final

from tests.adapters.test_kis_frames import TRADE_2026
from trading.bars import Bar
from trading.minute_bars import LATENESS
from trading.sessions import KST, session_of
from trading.ticks import TradePrint

MOST_IN_A_MINUTE: Final = 30
MOST_IN_A_FRAME: Final = 8
_MINUTE: Final = timedelta(minutes=1)
_LATEST: Final = int(LATENESS.total_seconds())


@dataclass(frozen=True, slots=True)
class Spoiling:
    """How many prints in a thousand are lost, sent twice, or come up to `LATENESS` late."""

    lost: int = 0
    repeated: int = 0
    late: int = 0


def tape(bars: Sequence[Bar], random: Random) -> Iterator[TradePrint]:
    """Give prints that come to exactly these bars of one symbol and day: each begins, peaks and ends as it says."""
    volume = 0
    for bar in bars:
        starts_at = _starts_at(bar)
        path = _path(bar, random)
        seconds = sorted(random.randrange(60) for _ in path)
        for price, quantity, second in zip(
            path, _shares(bar.volume, len(path), random), seconds, strict=True
        ):
            volume += quantity
            yield TradePrint(
                bar.symbol, price, quantity, starts_at + timedelta(seconds=second), volume
            )


def spoil(prints: Sequence[TradePrint], spoiling: Spoiling, random: Random) -> list[TradePrint]:
    """Give the prints as they arrive, the last one never lost."""
    arriving = []
    for each in prints:
        chance = random.randrange(1_000)
        if chance < spoiling.lost and each is not prints[-1]:
            continue
        delay = random.randint(1, _LATEST) if chance >= 1_000 - spoiling.late else 0
        arriving.append((each.at + timedelta(seconds=delay), each))
        if spoiling.lost <= chance < spoiling.lost + spoiling.repeated:
            arriving.append((each.at + timedelta(seconds=random.randint(0, _LATEST)), each))
    return [each for _, each in sorted(arriving, key=lambda pair: pair[0])]


def frames(prints: Sequence[TradePrint], random: Random) -> Iterator[str]:
    """Write prints as the socket sends them, one or more in a frame, in either width."""
    rest = list(prints)
    while rest:
        count, width = random.randint(1, MOST_IN_A_FRAME), random.choice((46, 47))
        taken, rest = rest[:count], rest[count:]
        records = "^".join(_record(each, width) for each in taken)
        yield f"0|H0STCNT0|{len(taken):03d}|{records}"


def _starts_at(bar: Bar) -> datetime:
    """Give when a bar begins; the closing auction trades in the minute after its name."""
    is_auction = bar.at == session_of(bar.trading_day).closes_at
    return bar.at if is_auction else bar.at - _MINUTE


def _path(bar: Bar, random: Random) -> list[int]:
    """Give prices that open, peak, bottom and close as the bar does, as many as there are shares for."""
    between = [bar.high, bar.low]
    random.shuffle(between)
    wild = random.randrange(MOST_IN_A_MINUTE)
    between += [random.choice((bar.open, bar.high, bar.low, bar.close)) for _ in range(wild)]
    least = [bar.open, *between[:2], bar.close]
    if bar.volume < len(least):
        return _shortest(bar)
    return [bar.open, *between[: bar.volume - 2], bar.close]


def _shortest(bar: Bar) -> list[int]:
    """Give the fewest prices that make the bar."""
    inner = [price for price in (bar.high, bar.low) if price not in {bar.open, bar.close}]
    path = [bar.open, *inner, bar.close]
    return path[:1] if len(set(path)) == 1 else path


def _shares(volume: int, parts: int, random: Random) -> list[int]:
    """Split shares into so many parts, none of them empty."""
    cuts = sorted(random.sample(range(1, volume), parts - 1)) if parts > 1 else []
    edges = [0, *cuts, volume]
    return [after - before for before, after in pairwise(edges)]


def _record(each: TradePrint, width: int) -> str:
    at = each.at.astimezone(KST)
    row = [*TRADE_2026]
    row[0], row[1], row[2] = each.symbol, f"{at:%H%M%S}", str(each.price)
    row[12], row[13], row[33] = str(each.quantity), str(each.cumulative_volume), f"{at:%Y%m%d}"
    return "^".join(row[:width])
