"""This is keeping price history: what the broker shows, judged before it is stored, holes named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from prefect import task
from prefect.cache_policies import NO_CACHE

from adapters.events import market_bar
from adapters.stores import UnitOfWork
from adapters.wording import Wording
from tasks.desk import Desk
from tasks.raw_bars import OVERLAP, forming_day, history_start, keep_raw
from trading.bar_reviews import BarReview, review_bars
from trading.bars import Bar, Interval
from trading.errors import BrokerError, Unavailable
from trading.instruments import Instrument, Symbol


@dataclass(frozen=True)
class Ingestion:
    """What became of one symbol: rows written, and the review of what was read. `words` say why nothing was."""

    instrument: Instrument
    written: int = 0
    review: BarReview | None = None
    words: str = ""

    @property
    def refused(self) -> int:
        """Bars that cannot be."""
        return len(self.review.refused) if self.review else 0

    @property
    def gaps(self) -> int:
        """Days without a bar."""
        return len(self.review.gaps) if self.review else 0

    def row(self, wording: Wording) -> Mapping[str, str]:
        """Tell it as one row of a table."""
        bars = self.review.accepted if self.review else ()
        return {
            wording.text("field.symbol"): f"{self.instrument.name} {self.instrument.symbol}",
            wording.text("field.last_day"): str(bars[-1].trading_day) if bars else "-",
            wording.text("field.price"): wording.won(bars[-1].close) if bars else "-",
            wording.text("field.written"): str(self.written),
            wording.text("field.refused"): str(self.refused),
            wording.text("field.gaps"): str(self.gaps),
            wording.text("field.reason"): self.words or self._remark(wording),
        }

    def _remark(self, wording: Wording) -> str:
        if self.review is None or self.review.readjustment is None:
            return ""
        return wording.text("bars.readjusted", ratio=self.review.readjustment.price)


@dataclass(frozen=True)
class Stored:
    """What we hold of one symbol, and from which day on it has to be read (again)."""

    bars: Sequence[Bar] = field(default_factory=tuple)
    read_from: date = date.min


@task(cache_policy=NO_CACHE)
async def ingest_daily_bars(desk: Desk, symbols: Sequence[Symbol]) -> tuple[Ingestion, ...]:
    """Read, judge and store the daily bars of each symbol; one that fails does not stop the others.

    Read again are the last two weeks, whatever is provisional, and every gap, so that one failure never becomes
    a permanent hole. A re-scaled history is read again as a whole.
    """
    return tuple([await _ingest(desk, symbol) for symbol in symbols])


def symbols_to_keep(desk: Desk) -> tuple[Symbol, ...]:
    """Give the watch list and whatever else is held: equity cannot be told without its prices."""
    with desk.stores.begin() as work:
        held = work.ledger.held()
    return tuple(dict.fromkeys((*desk.channel.symbols, *held)))


def require_complete(ingestions: Sequence[Ingestion]) -> None:
    """Make a failure of what could not be read, after everything else was stored.

    Raises:
        Unavailable: naming every symbol that failed.
    """
    failed = [f"{one.instrument.symbol}: {one.words}" for one in ingestions if one.review is None]
    if failed:
        raise Unavailable("; ".join(failed))


async def _ingest(desk: Desk, symbol: Symbol) -> Ingestion:
    instrument = Instrument(symbol, symbol)
    try:
        (instrument,) = await desk.market_data.instruments([symbol])
        review = await _read(desk, instrument)
    except BrokerError as error:
        return Ingestion(instrument, words=str(error))
    with desk.stores.begin() as work:
        work.instruments.upsert([instrument])
        written = _store(desk, work, symbol, review)
    return Ingestion(instrument, written, review, await keep_raw(desk, symbol))


def _store(desk: Desk, work: UnitOfWork, symbol: Symbol, review: BarReview) -> int:
    """Write what was read; tell of the bars of the last two weeks that are new or differ from what was there."""

    def recent() -> tuple[Bar, ...]:
        today = desk.today()
        return work.bars.between(symbol, Interval.DAY, first=today - OVERLAP, last=today)

    before = recent()
    written = work.bars.upsert(review.accepted)
    work.bars.put_gaps(review.gaps)
    for bar in recent():
        if bar not in before:
            work.outbox.add(market_bar(bar, at=desk.now()))
    return written


async def _read(desk: Desk, instrument: Instrument) -> BarReview:
    stored = _stored(desk, instrument.symbol)
    review = await _review(desk, instrument, stored)
    if not review.is_readjusted:
        return review
    whole = await _review(desk, instrument, Stored((), history_start(desk)))
    return BarReview(whole.accepted, whole.refused, whole.gaps, whole.jumps, review.readjustment)


async def _review(desk: Desk, instrument: Instrument, stored: Stored) -> BarReview:
    """Read from the broker and judge. Days before the first bar ever are no gaps: there was no listing."""
    symbol, today, forming = instrument.symbol, desk.today(), forming_day(desk)
    bars = await desk.market_data.daily_bars(symbol, first=stored.read_from, last=today)
    is_first = not stored.bars and bars
    first = min(bar.trading_day for bar in bars) if is_first else stored.read_from
    return review_bars(
        symbol,
        [bar for bar in bars if bar.trading_day != forming],
        desk.calendar,
        first=first,
        last=today,
        at=desk.now(),
        stored=stored.bars,
        instrument=instrument,
    )


def _stored(desk: Desk, symbol: Symbol) -> Stored:
    start, today = history_start(desk), desk.today()
    with desk.stores.begin() as work:
        bars = work.bars.between(symbol, Interval.DAY, first=start, last=today)
        unsettled = [
            *work.bars.provisional_days(symbol, Interval.DAY),
            *(gap.trading_day for gap in work.bars.gaps(symbol)),
        ]
    if not bars:
        return Stored((), start)
    first = bars[0].trading_day  # nothing was listed before it
    return Stored(bars, max(first, min([bars[-1].trading_day - OVERLAP, *unsettled])))
