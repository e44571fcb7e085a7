"""This is the way of one strategy on one symbol from nothing held to nothing held, in shares and won."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from backtest.recordings import Happened
from strategies.holdings import holdings_of
from trading.executions import Execution
from trading.instruments import Symbol
from trading.orders import Order, Side

type Key = tuple[str, Symbol, str]
"""Strategy, symbol, and the signal that began it ("" when it was held before)."""


@dataclass(frozen=True, slots=True)
class Leg:
    """All buys or all sells of an episode. `signals` made them, the first first."""

    quantity: int = 0
    value: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    signals: tuple[str, ...] = ()

    def add(self, execution: Execution, signal_id: str) -> Leg:
        """Give the leg with one more fill."""
        known = signal_id in self.signals
        return Leg(
            self.quantity + execution.quantity,
            self.value + execution.value,
            self.first_at or execution.executed_at,
            execution.executed_at,
            self.signals if known else (*self.signals, signal_id),
        )

    def part(self, quantity: int) -> int:
        """Give the won of `quantity` of its shares."""
        return self.value * quantity // self.quantity if self.quantity else 0


@dataclass(slots=True)
class Episode:
    """One holding: `carried` shares from before, then its buys and sells."""

    carried: int = 0
    buys: Leg = field(default_factory=Leg)
    sells: Leg = field(default_factory=Leg)

    @property
    def held(self) -> int:
        """Shares that are left."""
        return self.carried + self.buys.quantity - self.sells.quantity


def episodes_of(
    happened: Happened, past: Iterable[Execution], strategies: Iterable[str]
) -> Mapping[Key, Episode]:
    """Follow every strategy's fills from what it held before."""
    past = tuple(past)
    orders = {order.client_order_id: order for order in happened.orders}
    episodes: dict[Key, Episode] = {}
    running: dict[tuple[str, Symbol], Key] = {}
    for strategy in strategies:
        for symbol, position in holdings_of(strategy, past).items():
            if position.quantity:
                running[strategy, symbol] = (strategy, symbol, "")
                episodes[strategy, symbol, ""] = Episode(carried=position.quantity)
        for execution in happened.executions:
            if execution.strategy_id == strategy:
                _follow(execution, orders, episodes, running)
    return episodes


def _follow(
    execution: Execution,
    orders: Mapping[str, Order],
    episodes: dict[Key, Episode],
    running: dict[tuple[str, Symbol], Key],
) -> None:
    order = orders.get(execution.client_order_id)
    signal_id = order.intent.signal_id if order else execution.client_order_id
    owner = (execution.strategy_id, execution.symbol)
    key = running.setdefault(owner, (*owner, signal_id))
    episode = episodes.setdefault(key, Episode())
    if execution.side is Side.BUY:
        episode.buys = episode.buys.add(execution, signal_id)
    else:
        episode.sells = episode.sells.add(execution, signal_id)
    if episode.held <= 0:
        del running[owner]
