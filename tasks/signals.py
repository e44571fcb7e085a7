"""This is generating signals: every strategy looks at every symbol of its own, and at what it holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from prefect import task
from prefect.cache_policies import NO_CACHE

from adapters.messages import plugin_failed
from adapters.stores import UnitOfWork
from strategies.evaluation import (
    Evaluation,
    Validity,
    bars_to_read,
    latest_of_all,
    protective_signal,
)
from strategies.exits import evaluate_exit
from strategies.holdings import Entry, entries_of, holdings_of
from strategies.settings import StrategySettings
from tasks.desk import Desk
from tasks.peaks import highest_since
from tasks.scales import comparable_fills
from trading.bars import Interval
from trading.errors import BrokerError, PluginFault
from trading.executions import Execution
from trading.instruments import Symbol
from trading.positions import Position
from trading.sessions import session_of
from trading.signals import Signal


@task(cache_policy=NO_CACHE)
def evaluate_bars(desk: Desk) -> tuple[Evaluation, ...]:
    """Let every strategy of daily bars decide on the last closed ones and store what it says."""
    closed_day, validity = _days(desk)
    with desk.stores.begin() as work:
        executions = comparable_fills(work)
    found = [
        evaluation
        for settings in desk.channel.strategies
        if settings.interval is Interval.DAY
        for held in (holdings_of(settings.id, executions),)
        for evaluation in _evaluate(desk, settings, held, closed_day, validity)
    ]
    with desk.stores.begin() as work:
        for evaluation in found:
            for signal in evaluation.signals:
                work.signals.add(replace(signal, config_version=desk.version))
    return tuple(found)


@dataclass(frozen=True)
class Guarded:
    """What one strategy holds of one symbol, and its stop and target.

    `peak` is the highest price that is known since the `entry`, 0 where no stop follows it.
    """

    settings: StrategySettings
    position: Position
    entry: Entry | None = None
    peak: int = 0

    def is_reached(self, price: int) -> bool:
        """Tell whether a traded `price` ends the position."""
        exits = self.settings.exits
        return evaluate_exit(self.position, price, exits, peak=self.peak) is not None

    def signal(self, price: int, validity: Validity) -> Signal | None:
        """Give the exit that a traded `price` makes necessary, None if it does not."""
        return protective_signal(
            self.settings, self.position, price, validity=validity, peak=self.peak
        )

    def after(self, price: int) -> Guarded:
        """Give what is to be guarded after a traded `price`."""
        return replace(self, peak=price) if 0 < self.peak < price else self

    def recalling(self, watched: Iterable[Guarded]) -> Guarded:
        """Take over the peak of the same holding where it was watched live."""
        peaks = [
            each.peak
            for each in watched
            if (each.settings.id, each.entry) == (self.settings.id, self.entry)
        ]
        return replace(self, peak=max(self.peak, *peaks)) if self.peak and peaks else self


def guarded_positions(desk: Desk) -> tuple[Guarded, ...]:
    """Read what the strategies hold: a question to the stores, so not for every price.

    What the owner has sold by hand is not there any more, whoever bought it.
    """
    with desk.stores.begin() as work:
        return _all_guarded(desk, work)


def _all_guarded(desk: Desk, work: UnitOfWork, symbol: Symbol | None = None) -> tuple[Guarded, ...]:
    executions = comparable_fills(work, symbol)
    held = set(work.ledger.held())
    return tuple(
        _guarded(work, settings, position, executions, today=desk.today())
        for settings in desk.channel.strategies
        for position in holdings_of(settings.id, executions).values()
        if position.quantity and position.symbol in held
    )


def _guarded(
    work: UnitOfWork,
    settings: StrategySettings,
    position: Position,
    executions: Sequence[Execution],
    *,
    today: date,
) -> Guarded:
    """Add what a trailing stop has to know."""
    if settings.exits.trailing_stop is None:
        return Guarded(settings, position)
    entry = entries_of(settings.id, executions)[position.symbol]
    return Guarded(settings, position, entry, highest_since(work, position.symbol, entry, today))


@task(cache_policy=NO_CACHE)
async def evaluate_exits(desk: Desk) -> tuple[Signal, ...]:
    """Hold every position against its stop and target at the current price, and store what must go.

    Raises:
        BrokerError: when a price could not be read; the exits of the others are stored.
    """
    prices: dict[Symbol, int] = {}
    unread: list[BrokerError] = []
    for symbol in sorted({guarded.position.symbol for guarded in guarded_positions(desk)}):
        try:
            prices[symbol] = (await desk.market_data.quote(symbol)).last
        except BrokerError as problem:
            unread.append(problem)
    signals = exits_at(desk, prices)
    if unread:
        raise unread[0]
    return signals


def exits_at(
    desk: Desk, prices: Mapping[Symbol, int], watched: Iterable[Guarded] = ()
) -> tuple[Signal, ...]:
    """Give and store the exits that these traded prices make necessary; a price of 0 is no price.

    `watched` is what was guarded live: its peaks count.
    """
    day = desk.today()
    validity = Validity(day, desk.now(), session_of(day).closes_at)
    with desk.stores.begin() as work:
        signals = [
            replace(signal, config_version=desk.version)
            for symbol, price in prices.items()
            if price > 0
            for each in _all_guarded(desk, work, symbol)
            if (signal := each.recalling(watched).signal(price, validity))
        ]
        for signal in signals:
            work.signals.add(signal)
    return tuple(signals)


def _days(desk: Desk) -> tuple[date, Validity]:
    """Tell which day's bar is the last closed one, and when what follows from it may be traded."""
    at, today = desk.now(), desk.today()
    is_before_close = desk.calendar.is_trading_day(today) and at < session_of(today).closes_at
    closed_day = _last_closed(desk, today, is_before_close=is_before_close)
    trading_day = today if is_before_close else desk.calendar.next_trading_day(today)
    return closed_day, Validity(trading_day, at, session_of(trading_day).closes_at)


def _last_closed(desk: Desk, today: date, *, is_before_close: bool) -> date:
    if is_before_close or not desk.calendar.is_trading_day(today):
        return desk.calendar.previous_trading_day(today)
    return today


def _evaluate(
    desk: Desk,
    settings: StrategySettings,
    held: Mapping[Symbol, Position],
    closed_day: date,
    validity: Validity,
) -> tuple[Evaluation, ...]:
    """Ask one strategy; what goes wrong in one that is not ours is told, and stops no other."""
    try:
        count = bars_to_read(settings.strategy.warm_up)
        with desk.stores.begin() as work:
            pasts = {
                symbol: work.bars.last(symbol, Interval.DAY, count=count, until=closed_day)
                for symbol in settings.symbols
            }
        return latest_of_all(settings, pasts, held=held, closed_day=closed_day, validity=validity)
    except PluginFault as fault:
        desk.tell(plugin_failed(settings.id, fault, desk.wording))
        notice = desk.wording.fault(fault)
        return tuple(Evaluation(settings.id, s, notice=notice) for s in settings.symbols)
