"""This is keeping the index that accounts are compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from prefect import task
from prefect.cache_policies import NO_CACHE

from adapters.wording import Wording
from tasks.desk import Desk
from tasks.raw_bars import OVERLAP, forming_day, history_start
from trading.errors import BrokerError
from trading.indices import Index, IndexBar


@dataclass(frozen=True)
class IndexIngestion:
    """What became of an index: rows written, the newest day. `words` say why nothing was."""

    index: Index
    written: int = 0
    newest: IndexBar | None = None
    words: str = ""

    def row(self, wording: Wording) -> Mapping[str, str]:
        """Tell it as one row of the table of symbols."""
        return {
            wording.text("field.symbol"): self.index,
            wording.text("field.last_day"): str(self.newest.trading_day) if self.newest else "-",
            wording.text("field.price"): f"{self.newest.close:,.2f}" if self.newest else "-",
            wording.text("field.written"): str(self.written),
            wording.text("field.refused"): "0",
            wording.text("field.gaps"): "0",
            wording.text("field.reason"): self.words,
        }


@task(cache_policy=NO_CACHE)
async def ingest_index_bars(desk: Desk, index: Index = Index.KOSPI) -> IndexIngestion:
    """Read and store the days since the last one and two weeks before it; no trade waits for it, so it stops nothing."""
    try:
        bars = await desk.market_data.index_bars(
            index, first=_read_from(desk, index), last=desk.today()
        )
    except BrokerError as error:
        return IndexIngestion(index, words=str(error))
    forming = forming_day(desk)
    closed = [bar for bar in bars if bar.trading_day != forming]
    with desk.stores.begin() as work:
        written = work.indices.upsert(closed)
    return IndexIngestion(index, written, closed[-1] if closed else None)


def _read_from(desk: Desk, index: Index) -> date:
    start = history_start(desk)
    with desk.stores.begin() as work:
        stored = work.indices.between(index, first=start, last=desk.today())
    return max(start, stored[-1].trading_day - OVERLAP) if stored else start
