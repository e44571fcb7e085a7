"""This is how many ticks a core can read and make minute bars of, beside splitting the text and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from time import process_time
from typing import Final

from adapters.kis.frames import Frame, read_message, read_trade, records
from bench.figures import Aim, Samples, Section
from bench.places import Place
from trading.minute_bars import MinuteBars
from trading.sessions import session_of
from trading.ticks import TradePrint

DAY: Final = date(2026, 9, 14)
BATCH: Final = 1_000
"""Ticks in one sample."""
IN_A_FRAME: Final = 4
LIMIT: Final = 0.020
"""Seconds for a batch: 50,000 ticks a second."""
_RECORD: Final = (
    "{symbol}^{time}^{price}^5^-10250^-3.95^250742.47^249500^254500^248500^249500^249000^10^{volume}"
    "^3728926343750^206240^176545^-29695^81.34^7912656^6435830^5^0.44^106.69^090011^5^-250^113225^5"
    "^-5250^145726^2^750^{day:%Y%m%d}^20^N^85729^141952^343655^1371668^0.25^12052370^123.39^0^^249500^2"
)
SYMBOLS: Final = tuple(f"{number:06d}" for number in range(40))


async def measure_ticks(place: Place, samples: int) -> Section:
    """Read `samples` batches of ticks of forty symbols, the newest wire format, over a whole session.

    It is the core's time that counts, not what passes while others have it.
    """
    del place
    bars = MinuteBars(session_of(DAY))
    steps: dict[str, Callable[[str], object]] = {
        "plain split of the text": _split,
        "read and checked": lambda text: list(_ticks(text)),
        "read, checked, in minute bars": lambda text: [bars.add(tick) for tick in _ticks(text)],
    }
    times: dict[str, list[float]] = {name: [] for name in steps}
    for batch in batches(samples):
        for name, step in steps.items():
            times[name].append(_seconds(step, batch))
    measured = [Samples(f"1,000 ticks: {name}", seconds) for name, seconds in times.items()]
    rates = ", ".join(f"{BATCH / each.median:,.0f}" for each in measured)
    return Section(
        "Ticks from the socket's text to minute bars, one core",
        measured,
        [Aim("50,000 ticks a second in bars: 1,000 of them", measured[-1].median, LIMIT)],
        [
            f"Ticks a second: {rates}.",
            f"{len(SYMBOLS)} symbols, {IN_A_FRAME} records a frame, records of 47 fields.",
        ],
    )


def batches(count: int) -> Iterator[list[str]]:
    """Give the frames of a session, a batch at a time; each symbol trades in turn, the time runs on."""
    frames = BATCH // IN_A_FRAME
    for batch in range(count):
        second = 9 * 3600 + batch * (6 * 3600) // count
        time = f"{second // 3600:02d}{second // 60 % 60:02d}{second % 60:02d}"
        ticks = range(batch * BATCH, (batch + 1) * BATCH)
        texts = [
            record(
                SYMBOLS[tick % len(SYMBOLS)], DAY, time, 249_250, (tick // len(SYMBOLS) + 1) * 10
            )
            for tick in ticks
        ]
        yield [
            f"0|H0STCNT0|{IN_A_FRAME:03d}|{'^'.join(texts[n * IN_A_FRAME : (n + 1) * IN_A_FRAME])}"
            for n in range(frames)
        ]


def record(symbol: str, day: date, time: str, price: int, volume: int) -> str:
    """Write a trade of ten shares, the day's volume with it, as KIS does since 2026-09-14."""
    return _RECORD.format(symbol=symbol, day=day, time=time, price=price, volume=volume)


def _seconds(step: Callable[[str], object], batch: list[str]) -> float:
    began = process_time()
    for text in batch:
        step(text)
    return process_time() - began


def _split(text: str) -> list[str]:
    return text.split("|", 3)[3].split("^")


def _ticks(text: str) -> Iterator[TradePrint]:
    frame = read_message(text)
    if isinstance(frame, Frame):
        yield from map(read_trade, records(frame, None))
