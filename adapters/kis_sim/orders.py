"""This is an order as the simulated broker keeps it: one row per order number, with cumulative figures."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from adapters.kis_sim.divisions import Division
from trading.instruments import Instrument
from trading.matching import RestingOrder
from trading.orders import OrderType, Side


class Environment(StrEnum):
    """Which of KIS's two worlds a call speaks to."""

    REAL = "real"
    PAPER = "paper"


class Act(StrEnum):
    """What a row records: an order, a modification or a cancellation (정정취소구분)."""

    NEW = "0"
    MODIFY = "1"
    CANCEL = "2"


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What a client asked for; `price` is 0 for market types, `trigger` only counts for stop limits."""

    side: Side
    symbol: str
    division: Division
    quantity: int
    price: int
    trigger: int = 0
    exchange: str = "KRX"
    channel: str = "OpnAPI"
    address: str = "127.0.0.1"
    environment: Environment = Environment.REAL


@dataclass(slots=True)
class BookedOrder:
    """One row of the order book of a day; quantities always add up to `quantity`."""

    number: str
    trading_day: date
    at: datetime
    account: str
    request: OrderRequest
    instrument: Instrument
    quantity: int
    limit_price: int | None
    act: Act = Act.NEW
    original: str = ""
    is_triggered: bool = True
    filled_quantity: int = 0
    filled_value: int = 0
    canceled_quantity: int = 0
    rejected_quantity: int = 0
    is_canceled: bool = False
    reason: str = ""
    entered_real: float = field(default=0.0, repr=False)
    """Seconds of real time, for faults that hide a row for a while even when the market's clock stands."""

    @property
    def open_quantity(self) -> int:
        """Shares that may still fill."""
        closed = self.filled_quantity + self.canceled_quantity + self.rejected_quantity
        return self.quantity - closed

    @property
    def is_open(self) -> bool:
        """Whether anything may still fill."""
        return self.open_quantity > 0

    @property
    def side(self) -> Side:
        """Buy or sell."""
        return self.request.side

    @property
    def symbol(self) -> str:
        """What is ordered."""
        return self.request.symbol

    @property
    def sequence(self) -> tuple[date, str]:
        """Where the row stands among all rows: numbers start again every day."""
        return self.trading_day, self.number

    def resting(self) -> RestingOrder:
        """Return what matching needs to know."""
        order_type = OrderType.MARKET if self.limit_price is None else OrderType.LIMIT
        return RestingOrder(self.side, order_type, self.limit_price, self.open_quantity)


@dataclass(frozen=True, slots=True)
class BookedFill:
    """One fill, as the exchange made it. `realized` is the result of a sale after all charges, in won."""

    sequence: int
    trading_day: date
    at: datetime
    account: str
    number: str
    symbol: str
    side: Side
    quantity: int
    price: int
    commission: int
    tax: int
    settles_on: date
    cost: int = 0

    @property
    def value(self) -> int:
        """Won before charges."""
        return self.price * self.quantity

    @property
    def realized(self) -> int:
        """What a sale brought above the average cost of its shares, after this fill's charges; 0 for a buy."""
        return self.value - self.cost - self.commission - self.tax if self.side is Side.SELL else 0


@dataclass(frozen=True, slots=True)
class Notice:
    """What the account's holder is told of an order (체결통보); `acceptance` 1 taken, 2 done, 3 IOC/FOK rest gone."""

    order: BookedOrder
    quantity: int
    price: int
    at: datetime
    acceptance: str
    is_fill: bool = False
    is_refused: bool = False
