"""This is the flow run-backtest: a strategy of the channel over past days, as a table and a page."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from prefect import flow
from prefect.client.schemas.objects import State

from adapters.calendars import XkrxCalendar
from adapters.index_files import read_index
from adapters.listing_files import read_listings
from adapters.reports.tear_sheets import METRICS, TearSheet, keep_tear_sheet
from adapters.wording import Wording
from backtest.cells import with_parameters
from backtest.channel_bars import ChannelBars
from backtest.listings import Listings, delistings
from backtest.options import CHANNEL
from backtest.plans import ReplayPlan
from flows.hooks import tell_failure
from flows.settings import Settings, load_settings
from flows.sources import channel_in_force, open_stores
from flows.stories import Story, publish
from plugins.rules import foreign_rules
from plugins.strategies import running
from strategies.settings import StrategySettings
from tasks.research_bars import EVER, bars_of_file, bars_of_stores
from tasks.tear_sheets import tear_sheet
from trading.errors import BadInput
from trading.indices import Benchmark, Index
from trading.instruments import Instrument, Symbol

CASH: Final = 100_000_000

type Parameters = Mapping[str, int | str | None]


@flow(name="run-backtest", on_failure=[tell_failure], on_crashed=[tell_failure])
async def run_backtest(  # noqa: PLR0913 - each is a field of the form in the UI
    strategy_id: str = "",
    *,
    first: date | None = None,
    last: date | None = None,
    cash: int = CASH,
    symbols: list[str] | None = None,
    parameters: dict[str, int | str | None] | None = None,
    data: str = "",
    benchmark: str = "",
    listings: str = "",
) -> State[None]:
    """지난 일봉으로 전략을 재생해 결과를 표와 한 장의 페이지로 만듭니다. 주문은 내지 않습니다.

    Args:
        strategy_id: 한 전략만 하려면 그 이름, 비우면 채널의 모든 전략.
        first: 첫날, 비우면 자료의 처음.
        last: 마지막 날, 비우면 자료의 끝.
        cash: 시작하는 돈(원).
        symbols: 다른 종목으로 하려면 그 코드.
        parameters: 한 전략의 매개변수를 바꾸려면 이름과 값, 소수는 글자로.
        data: 데이터베이스 대신 읽을 일봉 파일(CSV, parquet). 분봉 전략이면 분봉 파일(CSV).
        benchmark: 비교할 지수의 CSV 파일(date, close). 비우면 데이터베이스의 코스피.
        listings: 상장일과 상장 폐지일의 CSV 파일(symbol, listed_on, delisted_on).
    """
    settings = load_settings()
    codes = tuple(map(Symbol, symbols or ()))
    known = read_listings(Path(listings)) if listings else None
    wish = _Wish(first, last, cash, codes, parameters or {}, known)
    index = await asyncio.to_thread(_index, settings, benchmark, data)
    sheet = await asyncio.to_thread(_sheet, settings, strategy_id, wish, data, index)
    wording = Wording(settings.language)
    folder = settings.home / "reports" / "backtests"
    path = keep_tear_sheet(sheet, folder, strategy_id or settings.channel, wording)
    return await publish("run-backtest", _story(sheet, path, wording))


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is not to be as the channel has it."""

    first: date | None
    last: date | None
    cash: int
    symbols: tuple[Symbol, ...]
    parameters: Parameters
    listings: Listings | None

    def change(self, strategies: Sequence[StrategySettings]) -> tuple[StrategySettings, ...]:
        if self.parameters and len(strategies) != 1:
            ids = ", ".join(each.id for each in strategies)
            raise BadInput("strategy_id", ids, "one strategy, whose parameters change")
        return tuple(
            with_parameters(
                each.model_copy(update={"symbols": self.symbols or each.symbols}),
                self.parameters,
                {},
            )
            for each in strategies
        )


def _sheet(
    settings: Settings, strategy_id: str, wish: _Wish, data: str, index: Benchmark | None
) -> TearSheet:
    """Trade the channel's strategies with what is wished otherwise."""
    channel = channel_in_force(settings)
    strategies = wish.change(channel.only(strategy_id).strategies)
    bars, instruments = _bars(settings, strategies, data)
    days = bars.span(strategies)
    calendar = XkrxCalendar()
    with running(strategies, channel.plugins) as started:
        plan = ReplayPlan(
            strategies=started,
            limits=channel.risk,
            sizing=channel.sizing,
            costs=channel.costs.schedule,
            cash=wish.cash,
            first=wish.first or min(days, default=EVER[0]),
            last=wish.last or max(days, default=EVER[1]),
            instruments=instruments,
            foreign_rules=foreign_rules(channel.plugins),
            listings=delistings(instruments) if wish.listings is None else wish.listings,
        )
        return tear_sheet(
            plan,
            lambda other: bars.run(other, calendar),
            bars.columns(plan.symbols),
            Wording(settings.language),
            convention=CHANNEL,
            benchmark=index,
        )


def _bars(
    settings: Settings, strategies: Sequence[StrategySettings], data: str
) -> tuple[ChannelBars, dict[Symbol, Instrument]]:
    if data:
        return bars_of_file(Path(data), strategies), {}
    with closing(open_stores(settings)) as stores, stores.begin() as work:
        instruments = {instrument.symbol: instrument for instrument in work.instruments.all()}
        return bars_of_stores(work, strategies), instruments


def _index(settings: Settings, benchmark: str, data: str) -> Benchmark | None:
    """Give the index of the file, else of the database unless the bars are from a file."""
    if benchmark:
        return read_index(Path(benchmark))
    if data:
        return None
    with closing(open_stores(settings)) as stores, stores.begin() as work:
        return Benchmark.of(work.indices.between(Index.KOSPI, first=EVER[0], last=EVER[1]))


def _story(sheet: TearSheet, path: Path, wording: Wording) -> Story:
    """Tell the result in a sentence, its figures and what makes it suspicious beside it."""
    figures = {"strategies": sheet.title, "path": path, "final": sheet.metrics["final_equity"]}
    sentence = wording.text(
        "story.backtest", **figures, total_return=sheet.metrics["total_return"] or Decimal(0)
    )
    name, value = wording.text("field.figure"), wording.text("field.value")
    rows = [
        {
            name: wording.text(f"console.column.{metric}"),
            value: _written(sheet.metrics[metric], form, wording),
        }
        for metric, form in METRICS
    ]
    warnings = [{name: wording.text("backtest.suspicions"), value: s} for s in sheet.suspicions]
    return Story(sentence, [*rows, *warnings])


def _written(value: Any, form: str, wording: Wording) -> str:
    if form == "ratio":
        return wording.figure(None if value is None else round(value, 2))
    return wording.figure(value, form)
