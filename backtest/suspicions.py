"""This is what makes a result suspicious: signs that a backtest flatters, each with the figures that show it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from backtest.round_trips import RoundTrip, round_trips
from strategies.settings import StrategySettings
from trading.bars import Bar
from trading.equity import EquityPoint
from trading.executions import Execution
from trading.instruments import Symbol
from trading.krx import tick_size
from trading.orders import Side

FLAT_PART: Final = Decimal("0.9")
"""A curve that stands still on so many of its days says little about the strategy."""
GREATEST_SHARE: Final = Decimal("0.5")
"""A trade with so much of the profit is what the profit is made of."""
TRADES_PER_PARAMETER: Final = 10
"""Fewer closed trades for each free parameter, and the parameters may have been fitted to the trades."""
LARGEST_PART: Final = Decimal("0.05")
"""Of a day's volume; a larger order moves the price that it was filled at."""
CERTAINTY: Final = Decimal("0.95")
"""The usual level at which luck is taken to be ruled out."""

type Figure = str | int | date | Decimal


class SuspicionKind(StrEnum):
    """What may be wrong with a result; the sentences are `suspicion.<kind>` of the wording."""

    NO_TRADES = "no_trades"
    FLAT_CURVE = "flat_curve"
    ONE_TRADE = "one_trade"
    OUTSIDE_THE_BAR = "outside_the_bar"
    NO_BAR = "no_bar"
    MORE_THAN_VOLUME = "more_than_volume"
    MANY_PARAMETERS = "many_parameters"
    CAPACITY = "capacity"
    COSTS = "costs"
    LUCK = "luck"


@dataclass(frozen=True, slots=True)
class Suspicion:
    """One sign, with what its sentence says."""

    kind: SuspicionKind
    figures: Mapping[str, Figure] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is looked at. `parameters` are the free ones (see `free_parameters`).

    `slippage` is the part of the price that fills were made worse by, so that they may lie beyond the bar on the
    side that costs. `profit_by_costs` is won gained by the factor on all costs, empty when it was not tried;
    `probability` is the probabilistic or deflated Sharpe ratio, None when it has no meaning.
    """

    equity: Sequence[EquityPoint]
    executions: Sequence[Execution]
    bars: Mapping[Symbol, Sequence[Bar]]
    parameters: int
    slippage: Decimal = Decimal(0)
    profit_by_costs: Mapping[Decimal, int] = field(default_factory=dict)
    probability: Decimal | None = None


def free_parameters(strategies: Sequence[StrategySettings]) -> int:
    """Count what could have been chosen otherwise: parameters and exits that are not switched off.

    Of a plug-in those count that are named; only itself knows its defaults.
    """
    return sum(
        value is not None
        for settings in strategies
        for part in (_parameters(settings), settings.exits.model_dump())
        for value in part.values()
    )


def _parameters(settings: StrategySettings) -> Mapping[str, object]:
    return settings.parameters if settings.plugin else settings.strategy.model_dump()


def suspicions(evidence: Evidence) -> tuple[Suspicion, ...]:
    """Give every sign there is, those about impossible fills first; none is no proof of a good result."""
    return (
        *_impossible_fills(evidence),
        *_thin_market(evidence),
        *_few_trades(evidence),
        *_idle_curve(evidence),
        *_costs(evidence),
        *_luck(evidence),
    )


def largest_part(evidence: Evidence) -> Decimal:
    """Return the largest part of a day's volume that the account traded on one side of one symbol; 0 without fills."""
    return max((day.part for day in _traded_days(evidence)), default=Decimal(0))


@dataclass(frozen=True, slots=True)
class _TradedDay:
    symbol: Symbol
    day: date
    quantity: int
    volume: int

    @property
    def part(self) -> Decimal:
        return Decimal(self.quantity) / self.volume

    @property
    def figures(self) -> dict[str, Figure]:
        return {
            "symbol": self.symbol,
            "day": self.day,
            "quantity": self.quantity,
            "volume": self.volume,
        }


def _impossible_fills(evidence: Evidence) -> Iterator[Suspicion]:
    known = _by_day(evidence.bars)
    without: list[tuple[Execution, dict[str, Figure]]] = []
    outside: list[tuple[Execution, dict[str, Figure]]] = []
    for fill in evidence.executions:
        bar = known.get((fill.symbol, fill.trading_day))
        if bar is None or bar.volume < 1:
            without.append((fill, {}))
        elif figures := _beyond(fill, bar, evidence.slippage):
            outside.append((fill, figures))
    for kind, found in (
        (SuspicionKind.NO_BAR, without),
        (SuspicionKind.OUTSIDE_THE_BAR, outside),
    ):
        if found:
            fill, figures = found[0]
            where: dict[str, Figure] = {"symbol": fill.symbol, "day": fill.trading_day}
            yield Suspicion(kind, {"count": len(found), **where, "price": fill.price, **figures})


def _beyond(fill: Execution, bar: Bar, slippage: Decimal) -> dict[str, Figure]:
    """Give the bar's range when the fill lies outside; adjusted bars may be a won off (`Bar`).

    What slippage makes of a price lands on the grid, at most one step further.
    """
    low, high = min(bar.low, bar.open, bar.close), max(bar.high, bar.open, bar.close)
    lowest, highest = Decimal(low), Decimal(high)
    if slippage:
        step = tick_size(int(fill.price), on=bar.trading_day)
        if fill.side is Side.SELL:
            lowest -= low * slippage + step
        else:
            highest += high * slippage + step
    return {} if lowest <= fill.price <= highest else {"low": low, "high": high}


def _thin_market(evidence: Evidence) -> Iterator[Suspicion]:
    days = sorted(_traded_days(evidence), key=lambda day: day.part, reverse=True)
    over = [day for day in days if day.part > 1]
    if over:
        figures = {"count": len(over), **over[0].figures}
        yield Suspicion(SuspicionKind.MORE_THAN_VOLUME, figures)
    elif days and days[0].part > LARGEST_PART:
        share = LARGEST_PART / days[0].part
        figures = {"part": days[0].part, "limit": LARGEST_PART, "share": share, **days[0].figures}
        yield Suspicion(SuspicionKind.CAPACITY, figures)


def _few_trades(evidence: Evidence) -> Iterator[Suspicion]:
    if not evidence.executions:
        yield Suspicion(SuspicionKind.NO_TRADES)
        return
    trades = round_trips(evidence.executions)
    closed = sum(trade.left_on is not None for trade in trades)
    needed = evidence.parameters * TRADES_PER_PARAMETER
    if closed < needed:
        counts = {"parameters": evidence.parameters, "trades": closed, "needed": needed}
        yield Suspicion(SuspicionKind.MANY_PARAMETERS, counts)
    results = [_result(evidence, trade) for trade in trades]
    best, total = max(results, default=0), sum(results)
    if total > 0 and best >= total * GREATEST_SHARE:
        won: dict[str, Figure] = {"result": best, "total": total, "trades": len(trades)}
        trade = trades[results.index(best)]
        where: dict[str, Figure] = {"symbol": trade.symbol, "day": trade.entered_on}
        yield Suspicion(SuspicionKind.ONE_TRADE, where | won)


def _result(evidence: Evidence, trade: RoundTrip) -> int:
    return trade.result_at(_last_close(evidence, trade.symbol) if trade.held else 0)


def _last_close(evidence: Evidence, symbol: Symbol) -> int:
    """Give what a share was worth at the end of the curve; 0 of what had no bar by then."""
    last = evidence.equity[-1].trading_day if evidence.equity else date.max
    closes = [bar.close for bar in evidence.bars.get(symbol, ()) if bar.trading_day <= last]
    return closes[-1] if closes else 0


def _idle_curve(evidence: Evidence) -> Iterator[Suspicion]:
    days = len(evidence.equity)
    idle = sum(point.profit == 0 for point in evidence.equity)
    if evidence.executions and days and Decimal(idle) / days >= FLAT_PART:
        yield Suspicion(SuspicionKind.FLAT_CURVE, {"idle": idle, "days": days})


def _costs(evidence: Evidence) -> Iterator[Suspicion]:
    profits = evidence.profit_by_costs
    if profits.get(Decimal(1), 0) <= 0:
        return
    eaten = [factor for factor, profit in sorted(profits.items()) if factor > 1 and profit <= 0]
    if eaten:
        yield Suspicion(SuspicionKind.COSTS, {"factor": eaten[0]})


def _luck(evidence: Evidence) -> Iterator[Suspicion]:
    if evidence.probability is not None and evidence.probability < CERTAINTY:
        figures = {"probability": evidence.probability, "certainty": CERTAINTY}
        yield Suspicion(SuspicionKind.LUCK, figures)


def _traded_days(evidence: Evidence) -> list[_TradedDay]:
    """Sum the fills by symbol, day and side; a day without a bar is another suspicion."""
    known = _by_day(evidence.bars)
    sums: defaultdict[tuple[Symbol, date, Side], int] = defaultdict(int)
    for fill in evidence.executions:
        sums[fill.symbol, fill.trading_day, fill.side] += fill.quantity
    return [
        _TradedDay(symbol, day, quantity, bar.volume)
        for (symbol, day, _), quantity in sums.items()
        if (bar := known.get((symbol, day))) and bar.volume
    ]


def _by_day(bars: Mapping[Symbol, Sequence[Bar]]) -> dict[tuple[Symbol, date], Bar]:
    return {(bar.symbol, bar.trading_day): bar for found in bars.values() for bar in found}
