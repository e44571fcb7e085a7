"""This is how bars become signals: the newest decision of a strategy, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import isnan
from typing import Final

from strategies.base import BarColumns, Decisions, has_traded
from strategies.exits import Trigger, evaluate_exit
from strategies.settings import StrategySettings
from trading.bars import Bar
from trading.instruments import Symbol
from trading.positions import Position
from trading.signals import WEIGHT_PLACES, Direction, Signal

ENTRY_LIVES: Final = timedelta(minutes=1)
"""How long after its minute an entry of minute bars may be placed: the next one decides anew."""
HALTED_DAYS_ALLOWED: Final = 60
"""How many halted days may lie within a warm-up before there are too few bars."""


def bars_to_read(warm_up: int) -> int:
    """Give how many stored bars an evaluation reads, halted days included."""
    return warm_up + HALTED_DAYS_ALLOWED


@dataclass(frozen=True, slots=True)
class Validity:
    """On which day a signal may be traded, when it was made, and after when nothing may be placed from it."""

    trading_day: date
    at: datetime
    expires_at: datetime


def short_lived(signal: Signal, minute: datetime) -> Signal:
    """Let an entry that was decided at the end of a `minute` die with the next; an exit lives on."""
    if signal.direction is Direction.EXIT:
        return signal
    return replace(signal, expires_at=minute + ENTRY_LIVES)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one strategy made of one symbol. `notice` says why it could not look, "" when it could."""

    strategy_id: str
    symbol: Symbol
    signals: tuple[Signal, ...] = ()
    notice: str = ""


def latest_signals(
    settings: StrategySettings,
    bars: Sequence[Bar],
    *,
    position: Position,
    closed_day: date,
    validity: Validity,
) -> Evaluation:
    """Decide from the bars up to and including `closed_day`, the last closed session.

    `bars` are of `position.symbol`, oldest first, halted days in any encoding. `position` is what this strategy
    itself holds (`holdings_of`): an entry comes only when that is nothing or when a weight is wanted, an exit only
    when it is something.
    A missing or halted last day gives a notice, since an old cross must not be signalled again, and so do
    too few bars.
    """
    held = {position.symbol: position}
    past = {position.symbol: bars}
    (found,) = latest_of_all(settings, past, held=held, closed_day=closed_day, validity=validity)
    return found


def latest_of_all(
    settings: StrategySettings,
    pasts: Mapping[Symbol, Sequence[Bar]],
    *,
    held: Mapping[Symbol, Position],
    closed_day: date,
    validity: Validity,
) -> tuple[Evaluation, ...]:
    """Decide about every symbol of `pasts` as `latest_signals` does, in one question to the strategy.

    Raises:
        PluginFault: when the strategy is not ours and cannot be asked, or answers what is no decision.
    """
    outlook = look(settings, pasts, closed_day=closed_day)
    return tuple(outlook.evaluate(held.get(symbol, Position(symbol)), validity) for symbol in pasts)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What one strategy decided about its symbols at a close, whatever it holds of them."""

    settings: StrategySettings
    universe: Mapping[Symbol, BarColumns]
    decided: Mapping[Symbol, Decisions]
    notices: Mapping[Symbol, str]

    def evaluate(self, position: Position, validity: Validity) -> Evaluation:
        """Say what follows for what it holds of one symbol."""
        symbol, settings = position.symbol, self.settings
        if notice := self.notices[symbol]:
            return Evaluation(settings.id, symbol, notice=notice)
        bars, decisions = self.universe[symbol], self.decided[symbol]
        found = signals_at(-1, bars, decisions, settings, position=position, validity=validity)
        return Evaluation(settings.id, symbol, found)


def look(
    settings: StrategySettings, pasts: Mapping[Symbol, Sequence[Bar]], *, closed_day: date
) -> Outlook:
    """Ask a strategy once about all symbols whose last bar is of `closed_day`; raises what `latest_of_all` does."""
    universe = {symbol: BarColumns.of(bars) for symbol, bars in pasts.items()}
    notices = {s: _obstacle(settings, pasts[s], universe[s], closed_day) for s in universe}
    asked = {symbol: columns for symbol, columns in universe.items() if not notices[symbol]}
    return Outlook(settings, universe, settings.strategy.evaluate_all(asked), notices)


def signals_at(
    index: int,
    columns: BarColumns,
    decisions: Decisions,
    settings: StrategySettings,
    *,
    position: Position,
    validity: Validity,
) -> tuple[Signal, ...]:
    """Give the signals decided at the close of bar `index`: none or one. A stop or target reached there goes first."""
    close = int(columns.close[index])
    if leaving := protective_signal(settings, position, close, validity=validity):
        return (leaving,)
    return flagged_signals(
        index, columns, decisions, settings, position=position, validity=validity
    )


def flagged_signals(
    index: int,
    columns: BarColumns,
    decisions: Decisions,
    settings: StrategySettings,
    *,
    position: Position,
    validity: Validity,
) -> tuple[Signal, ...]:
    """Give what the strategy itself decided at the close of bar `index`: none or one."""
    close, weight = int(columns.close[index]), target_at(decisions, index)
    direction = _direction(decisions, index, weight, is_held=position.quantity > 0)
    if direction is None:
        return ()
    figures = {name: f"{values[index]:.2f}" for name, values in decisions.indicators.items()}
    figures |= {} if weight is None else {"target_weight": str(weight)}
    figures |= {"close": str(close), "volume": str(columns.volume[index])}
    cause = Cause(direction, settings.strategy.trigger, close, figures, weight)
    return (_signal(settings, position.symbol, cause, validity),)


def target_at(decisions: Decisions, index: int) -> Decimal | None:
    """Give the part of equity that was decided at a bar, None when none was."""
    if decisions.weight is None or isnan(decisions.weight[index]):
        return None
    return Decimal(round(decisions.weight[index] * 10**WEIGHT_PLACES)).scaleb(-WEIGHT_PLACES)


def _direction(
    decisions: Decisions, index: int, weight: Decimal | None, *, is_held: bool
) -> Direction | None:
    """Give what is wanted, None when nothing is: a weight goes before the flags."""
    if weight is None:
        wants_in = not is_held and decisions.entry[index]
        wants_out = is_held and decisions.exit[index]
    else:
        wants_in, wants_out = weight > 0, is_held and not weight
    if wants_in:
        return Direction.ENTRY
    return Direction.EXIT if wants_out else None


def protective_signal(
    settings: StrategySettings,
    position: Position,
    price: int,
    *,
    validity: Validity,
    peak: int = 0,
) -> Signal | None:
    """Give the exit that a traded `price` makes necessary now, or None; `peak` is the highest since the entry.

    Raises:
        BadInput: for a price of 0 or less, which means that there is none.
    """
    trigger = evaluate_exit(position, price, settings.exits, peak=peak)
    if trigger is None:
        return None
    figures = {"price": str(price), "average_cost": f"{position.average_cost:.2f}"}
    if settings.exits.trailing_stop and peak:
        figures["highest"] = str(peak)
    cause = Cause(Direction.EXIT, trigger, price, figures)
    return _signal(settings, position.symbol, cause, validity)


def last_signal(
    settings: StrategySettings, position: Position, price: int, *, validity: Validity
) -> Signal:
    """Give the exit at the last `price` of a symbol that is delisted."""
    figures = {"price": str(price), "average_cost": f"{position.average_cost:.2f}"}
    cause = Cause(Direction.EXIT, Trigger.DELISTED, price, figures)
    return _signal(settings, position.symbol, cause, validity)


def _obstacle(
    settings: StrategySettings, bars: Sequence[Bar], columns: BarColumns, closed_day: date
) -> str:
    if not bars or bars[-1].trading_day != closed_day:
        last = bars[-1].trading_day.isoformat() if bars else "never"
        return f"no bar of {closed_day.isoformat()}, last {last}"
    if not has_traded(bars[-1]):
        return f"no trade on {closed_day.isoformat()}"
    if len(columns) < settings.strategy.warm_up:
        return f"not enough bars: {len(columns)} of {settings.strategy.warm_up}"
    return ""


@dataclass(frozen=True, slots=True)
class Cause:
    """What was decided, by what, at which price in won, from which figures, for which part of equity."""

    direction: Direction
    trigger: Trigger
    price: int
    figures: Mapping[str, str]
    weight: Decimal | None = None

    @property
    def sentence(self) -> str:
        """The reason in words."""
        listed = ", ".join(f"{name} {value}" for name, value in self.figures.items())
        return f"{self.direction.capitalize()} by {self.trigger} at {self.price:,} won: {listed}"


def _signal(settings: StrategySettings, symbol: Symbol, cause: Cause, validity: Validity) -> Signal:
    return Signal(
        strategy_id=settings.id,
        symbol=symbol,
        direction=cause.direction,
        strength=Decimal(1),
        trigger=cause.trigger,
        reason=cause.sentence,
        parameter_hash=settings.parameter_hash,
        reference_price=cause.price,
        trading_day=validity.trading_day,
        created_at=validity.at,
        expires_at=validity.expires_at,
        indicators=cause.figures,
        target_weight=cause.weight,
    )
