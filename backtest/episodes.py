"""This is the way of one strategy on one symbol from nothing held to nothing held, in shares and won."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from backtest.owners import owned, under_holders
from backtest.recordings import Happened, Recording
from backtest.scales import recounted
from strategies.holdings import holdings_of
from trading.executions import Execution
from trading.instruments import Symbol
from trading.orders import Order, Side

type Owner = tuple[str, Symbol]
type Key = tuple[str, Symbol, str]
"""Strategy, symbol, and the signal that began it ("" when it was held before)."""


@dataclass(frozen=True, slots=True)
class Leg:
    """All buys or all sells of an episode. `signals` made them, the first first, each so many shares."""

    quantity: int = 0
    value: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    signals: Mapping[str, int] = field(default_factory=dict)

    def add(self, execution: Execution, signal_id: str) -> Leg:
        """Give the leg with one more fill."""
        of_signal = self.signals.get(signal_id, 0) + execution.quantity
        return Leg(
            self.quantity + execution.quantity,
            self.value + execution.value,
            self.first_at or execution.executed_at,
            execution.executed_at,
            {**self.signals, signal_id: of_signal},
        )

    def part(self, quantity: int) -> int:
        """Give the won of `quantity` of its shares."""
        return self.value * quantity // self.quantity if self.quantity else 0


@dataclass(slots=True)
class Episode:
    """One holding: `carried` shares from before, its buys and sells, and what others sold of it by hand.

    `born` are the shares that a split made of what was traded, and that the account's book does not know of.
    """

    carried: int = 0
    born: int = 0
    buys: Leg = field(default_factory=Leg)
    sells: Leg = field(default_factory=Leg)
    lost: Leg = field(default_factory=Leg)

    @property
    def held(self) -> int:
        """Shares that are left."""
        left = self.carried + self.buys.quantity - self.sells.quantity - self.lost.quantity
        return left - self.born


def episodes_of(
    happened: Happened, recording: Recording, strategies: Collection[str]
) -> Mapping[Key, Episode]:
    """Follow every strategy's fills from what it held before; what was traded counts in shares of the last day."""
    past = owned(recording.past, recording.adopted)
    is_recorded = happened is recording.actual
    count = partial(recounted, recording) if is_recorded else _as_it_is
    walk = _Walk({order.client_order_id: order for order in happened.orders}, count)
    for strategy in strategies:
        for symbol, position in holdings_of(strategy, past).items():
            if position.quantity:
                walk.carry((strategy, symbol), position.quantity)
    taken = defaultdict(list)
    for piece in under_holders((*past, *happened.executions), recording.adopted):
        taken[piece.execution_id].append(piece)
    for execution in happened.executions:
        if execution.strategy_id in strategies:
            walk.trade(execution)
        for piece in taken[execution.execution_id]:
            if piece.strategy_id != execution.strategy_id and piece.strategy_id in strategies:
                walk.lose(piece)
    return walk.episodes


def _as_it_is(execution: Execution) -> Execution:
    return execution


@dataclass
class _Walk:
    """All holdings up to a fill, and those that are running."""

    orders: Mapping[str, Order]
    count: Callable[[Execution], Execution]
    episodes: dict[Key, Episode] = field(default_factory=dict)
    _running: dict[Owner, Key] = field(default_factory=dict)

    def carry(self, owner: Owner, quantity: int) -> None:
        self._running[owner] = (*owner, "")
        self.episodes[*owner, ""] = Episode(carried=quantity)

    def trade(self, execution: Execution) -> None:
        order = self.orders.get(execution.client_order_id)
        signal_id = order.intent.signal_id if order else execution.client_order_id
        owner = (execution.strategy_id, execution.symbol)
        key = self._running.setdefault(owner, (*owner, signal_id))
        episode = self.episodes.setdefault(key, Episode())
        counted = self._count(execution, episode)
        if execution.side is Side.BUY:
            episode.buys = episode.buys.add(counted, signal_id)
        else:
            episode.sells = episode.sells.add(counted, signal_id)
        self._end(owner, episode)

    def lose(self, piece: Execution) -> None:
        owner = (piece.strategy_id, piece.symbol)
        if key := self._running.get(owner):
            episode = self.episodes[key]
            episode.lost = episode.lost.add(self._count(piece, episode), "")
            self._end(owner, episode)

    def _count(self, execution: Execution, episode: Episode) -> Execution:
        counted = self.count(execution)
        episode.born += counted.share_change - execution.share_change
        return counted

    def _end(self, owner: Owner, episode: Episode) -> None:
        if episode.held <= 0:
            del self._running[owner]
