"""This is a backtest by convention: a strategy of the command's own words or of the channel, on columns of bars."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Self

from adapters.bar_files import read_table
from backtest.conventions import plan_of, run_convention, span_of
from backtest.listings import Listings, listed_columns, require_no_delisting
from backtest.options import BacktestOptions, MarketRules
from backtest.plans import ReplayPlan
from backtest.tables import BarTable
from backtest.timetables import EveryDay
from deployments.console.backtest_documents import Asked, Found, total_cash
from deployments.console.origins import Origin
from strategies.base import BarColumns
from strategies.registry import build_strategy
from strategies.settings import StrategySettings
from trading.errors import BadInput
from trading.instruments import Instrument, Symbol
from trading.sessions import TradingCalendar

type Universe = Mapping[Symbol, BarColumns]


@dataclass(frozen=True, slots=True)
class Material:
    """What a question is answered from: bars of listed days, what is known of their symbols, and whence it comes."""

    universe: Universe
    instruments: Mapping[Symbol, Instrument]
    listings: Listings
    origin: Origin

    @classmethod
    def listed(
        cls,
        universe: Universe,
        instruments: Mapping[Symbol, Instrument],
        listings: Listings,
        origin: Origin,
    ) -> Self:
        """Leave out what lies outside the listings.

        Raises:
            BadInput: when nothing is left.
        """
        listed = listed_columns(universe, listings)
        if not listed:
            expected = "symbols with bars on days on which they were listed"
            raise BadInput(f"{origin.source}: symbols", ", ".join(universe), expected)
        return cls(listed, instruments, listings, origin)


def settings_of(
    kind: str, parameters: Sequence[str], symbols: Sequence[Symbol]
) -> StrategySettings:
    """Make a strategy of a kind and words like `fast=50`.

    Raises:
        InvalidSetting: naming the kind or the parameter that is wrong, and what there is.
    """
    values = dict(map(_parameter, parameters))
    build_strategy(kind, values)
    return StrategySettings(
        id=kind.replace("_", "-"), kind=kind, parameters=values, symbols=tuple(symbols)
    )


def _parameter(words: str) -> tuple[str, Any]:
    name, sign, text = words.partition("=")
    if not sign:
        raise BadInput("--set", words, "name=value, e.g. fast=50")
    return name.strip(), _value(text.strip())


def _value(text: str) -> Any:
    """Take what JSON knows as that, but for fractions, which stay exact as text; `none` is null."""
    if text == "none":
        return None
    try:
        return json.loads(text, parse_float=str)
    except json.JSONDecodeError:
        return text


def from_file(data: Path, symbols: Sequence[Symbol]) -> Universe:
    """Read the bars of some symbols of a file, of all that traded without any; raises what `read_table` raises."""
    found = read_table(data, symbols)
    return BarTable(found.symbols, found.starts, found.bars).only(found.symbols)


def answer(
    settings: StrategySettings,
    material: Material,
    options: BacktestOptions,
    *,
    engine: str,
    convention: str,
    span: tuple[date | None, date | None],
) -> tuple[Asked, Found]:
    """Run one engine over the bars.

    Raises:
        BadInput: when question and data do not fit.
    """
    plan = plan_asked(settings, material, options, span=span)
    first, last = plan.first, plan.last
    with material.origin.named():
        found = _found(plan, material.universe, options, engine)
    names = {s: instrument.name for s, instrument in material.instruments.items()}
    cash = total_cash(options, len(plan.symbols))
    asked = Asked(
        engine,
        convention,
        options,
        [settings.id],
        len(plan.symbols),
        first,
        last,
        cash,
        material.origin,
        names,
    )
    return asked, found


def plan_asked(
    settings: StrategySettings,
    material: Material,
    options: BacktestOptions,
    *,
    span: tuple[date | None, date | None],
) -> ReplayPlan:
    """Give the plan; a day of the span that is not given is the first or the last of the bars."""
    spans = [bars.days[[0, -1]].tolist() for bars in material.universe.values() if len(bars)]
    begin = min((first for first, _ in spans), default=1)
    end = max((last for _, last in spans), default=1)
    first = span[0] or date.fromordinal(begin)
    last = span[1] or max(first, date.fromordinal(end))
    return plan_of(
        options,
        settings,
        first=first,
        last=last,
        instruments=material.instruments,
        listings=material.listings,
    )


def _found(plan: ReplayPlan, universe: Universe, options: BacktestOptions, engine: str) -> Found:
    if engine == "exact":
        return Found.by_replay(run_convention(universe, plan, calendar_of(options)))
    from backtest.engine import run_engine  # noqa: PLC0415 - its compiler takes a third of a second

    require_no_delisting(plan)
    plan.require_data({symbol: span_of(bars) for symbol, bars in universe.items() if len(bars)})
    (settings,) = plan.strategies
    outcome = run_engine(
        universe,
        settings.strategy,
        options,
        first=plan.first,
        last=plan.last,
        instruments=plan.instruments,
    ).outcome()
    return Found.by_engine(outcome, settings.id, total_cash(options, len(plan.symbols)))


def calendar_of(options: BacktestOptions | None) -> TradingCalendar:
    """Give the exchange's calendar, or one that knows no holidays where no market rules hold."""
    if options is not None and options.market is MarketRules.NONE:
        return EveryDay()
    from adapters.calendars import XkrxCalendar  # noqa: PLC0415 - its holidays take a tenth of a second

    return XkrxCalendar()
