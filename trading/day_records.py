"""This is a trading day as it lies in the stores: what a report is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from trading.decisions import RiskEvent
from trading.equity import EquityPoint
from trading.errors import BadInput
from trading.executions import Execution
from trading.instruments import Symbol
from trading.ledger import Ledger
from trading.orders import Order
from trading.signals import Signal


@dataclass(frozen=True, slots=True)
class DayRecord:
    """One trading day as it lies in the stores, everything that the report is made from.

    `opening` is the ledger before the day's deposits and fills, `closing` the one after the last of them.
    `opening_prices` are the closing prices of the day before for what was held then, `closing_prices` those of
    the day for what is held now, in won. `curve` ends with the day's own point. `names` are for people only.
    `config_version`, `config_digest` and `commit` name the settings and the code that were in force when the day was
    closed.
    """

    trading_day: date
    channel: str
    account: str
    curve: tuple[EquityPoint, ...]
    opening: Ledger
    closing: Ledger
    opening_prices: Mapping[Symbol, int]
    closing_prices: Mapping[Symbol, int]
    signals: tuple[Signal, ...] = ()
    orders: tuple[Order, ...] = ()
    executions: tuple[Execution, ...] = ()
    risk_events: tuple[RiskEvent, ...] = ()
    names: Mapping[Symbol, str] = field(default_factory=dict)
    config_version: int = 0
    config_digest: str = ""
    commit: str = ""

    def __post_init__(self) -> None:
        """Refuse a curve that does not end with the day."""
        if not self.curve or self.curve[-1].trading_day != self.trading_day:
            last = self.curve[-1].trading_day.isoformat() if self.curve else None
            raise BadInput("curve", last, f"equity points up to {self.trading_day.isoformat()}")

    @property
    def point(self) -> EquityPoint:
        """The day's own point of the curve."""
        return self.curve[-1]

    @property
    def versions(self) -> tuple[int, ...]:
        """The versions of the settings that the day's signals and orders were made with, and the last one."""
        used = {signal.config_version for signal in self.signals}
        used |= {order.intent.config_version for order in self.orders}
        return tuple(sorted((used | {self.config_version}) - {0}))

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """Each strategy that gave signals or orders, with the hash of the parameters that it did so with."""
        used = {(signal.strategy_id, signal.parameter_hash) for signal in self.signals}
        used |= {(order.intent.strategy_id, order.intent.parameter_hash) for order in self.orders}
        return tuple(sorted(pair for pair in used if pair[1]))

    def name(self, symbol: Symbol) -> str:
        """Give the name of `symbol`, its code when it is not known."""
        return self.names.get(symbol) or str(symbol)
