"""This is the day of the strategies of minute bars: each decides on each closed minute, and its orders go the one way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from adapters.stores import UnitOfWork
from strategies.evaluation import Validity, bars_to_read, latest_of_all, short_lived
from strategies.holdings import holdings_of
from strategies.settings import StrategySettings
from tasks.desk import Desk
from tasks.scales import comparable_fills
from trading.bars import Bar, Interval
from trading.instruments import Symbol
from trading.minute_bars import minute_closed
from trading.positions import Position
from trading.sessions import session_of
from trading.signals import Direction, Signal


@dataclass(frozen=True)
class Decided:
    """What is to be traded now, how often a strategy looked at a symbol, and which could not at which."""

    signals: tuple[Signal, ...] = ()
    looked: int = 0
    blind: tuple[str, ...] = ()


def intraday_strategies(desk: Desk) -> tuple[StrategySettings, ...]:
    """Give the strategies that look at minute bars."""
    return tuple(each for each in desk.channel.strategies if each.interval is Interval.MINUTE)


def decide(desk: Desk, closed: Sequence[Bar]) -> Decided:
    """Let them decide on the minute that has just ended, and store what they say.

    `closed` are the minute bars that were just stored. Nothing is decided on an earlier minute, for its price is
    gone, nor after continuous trading, nor about a symbol of whose bars one may still lack something. An exit that
    was not carried out is given again while its shares are held.
    """
    now, session = desk.now(), session_of(desk.today())
    minute = minute_closed(now)
    symbols = {bar.symbol for bar in closed if bar.at == minute}
    if not symbols or minute > session.closing_auction_at:
        return Decided()
    validity = Validity(session.trading_day, now, session.closes_at)
    with desk.stores.begin() as work:
        executions = comparable_fills(work)
        found = [
            _decide(work, settings, symbols & set(settings.symbols), held, validity)
            for settings in intraday_strategies(desk)
            for held in (holdings_of(settings.id, executions),)
        ]
        signals = {
            signal.signal_id: replace(short_lived(signal, minute), config_version=desk.version)
            for each in found
            for signal in each.signals
        }
        for signal in signals.values():
            work.signals.add(signal)
    blind = tuple(name for each in found for name in each.blind)
    return Decided(tuple(signals.values()), sum(each.looked for each in found), blind)


def _decide(
    work: UnitOfWork,
    settings: StrategySettings,
    symbols: set[Symbol],
    held: Mapping[Symbol, Position],
    validity: Validity,
) -> Decided:
    """Ask one strategy about those symbols."""
    day, count = validity.trading_day, bars_to_read(settings.strategy.warm_up)
    pasts = {s: work.bars.last(s, Interval.MINUTE, count=count, until=day) for s in sorted(symbols)}
    whole = {s: bars for s, bars in pasts.items() if not any(b.is_provisional for b in bars)}
    evaluations = latest_of_all(settings, whole, held=held, closed_day=day, validity=validity)
    signals = [signal for evaluation in evaluations for signal in evaluation.signals]
    blind = tuple(f"{settings.id} {symbol}" for symbol in pasts.keys() - whole.keys())
    return Decided((*signals, *_open_exits(work, settings, held, day)), len(whole), blind)


def _open_exits(
    work: UnitOfWork, settings: StrategySettings, held: Mapping[Symbol, Position], day: date
) -> Iterator[Signal]:
    """Give the day's exits of shares that are still held."""
    for signal in work.signals.of_day(day):
        position = held.get(signal.symbol)
        is_exit = signal.direction is Direction.EXIT and signal.strategy_id == settings.id
        if is_exit and position is not None and position.quantity:
            yield signal
