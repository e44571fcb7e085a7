"""This is run-backtest through the real Prefect engine: bars of a file or of the database in, a table and a page out."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

from adapters.bar_files import read_bars
from adapters.kis_sim.histories import BUNDLED
from flows.run_backtest import run_backtest
from tests.flow_worlds import World, artifacts_of, carry_out, told
from trading.indices import Index, IndexBar

WISH: dict[str, Any] = {
    "strategy_id": "trend-20-60",
    "first": date(2018, 1, 2),
    "last": date(2018, 3, 30),
    "parameters": {"fast": 10},
}


def kospi(day: date) -> IndexBar:
    """Give an index that rises by a point a day."""
    level = Decimal(2_000 + (day - date(2016, 1, 1)).days)
    return IndexBar(Index.KOSPI, day, level, level, level, level)


async def test_a_backtest_is_a_table_and_a_page_whatever_its_bars_come_from(world: World) -> None:
    state = await carry_out(run_backtest, **WISH, data=str(BUNDLED))
    folder = world.home / "reports" / "backtests"
    (page,) = folder.iterdir()
    assert told(state)[0] == "Completed"
    assert str(page) in told(state)[1]
    text = page.read_text("utf-8")
    assert "fast=10" in text
    assert text.rstrip().endswith("</html>")
    rows = json.loads((await artifacts_of(state))["run-backtest"])
    assert {"Return", "Sharpe ratio"} <= {row["Figure"] for row in rows}
    with world.stores.begin() as work:
        for bars in read_bars(BUNDLED).values():
            work.bars.upsert([bar for bar in bars if bar.trading_day <= WISH["last"]])
        work.indices.upsert([kospi(bar.trading_day) for bar in bars])
    again = await carry_out(run_backtest, **WISH)
    (other,) = set(folder.iterdir()) - {page}
    assert told(again)[1].replace(str(other), "") == told(state)[1].replace(str(page), "")
    assert page.read_text("utf-8") == text
    assert "KOSPI: +" not in text
    assert "KOSPI: +" in other.read_text("utf-8")
    assert other.read_text("utf-8").count("<svg") == text.count("<svg")
