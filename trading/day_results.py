"""This is what a trading day earned: result, holdings, sales, to the won and proven to add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from trading.day_records import DayRecord
from trading.errors import BadInput, ReportImbalance
from trading.executions import Execution
from trading.instruments import Symbol
from trading.ledger import Ledger
from trading.orders import Side


@dataclass(frozen=True, slots=True)
class DayResult:
    """The day's way from the opening to the closing equity, in won.

    `realized` is gross: proceeds minus average cost of the shares sold, before charges. `realized_net` takes
    off every charge of the day, those of its buys too. `unrealized_change` is what open positions gained,
    including what they hand over to `realized` when sold.
    """

    opening: int
    paid_in: int
    realized: int
    unrealized_change: int
    commission: int
    tax: int
    closing: int

    @property
    def charges(self) -> int:
        """Commission and tax together."""
        return self.commission + self.tax

    @property
    def realized_net(self) -> int:
        """Realised result after every charge of the day."""
        return self.realized - self.charges

    @property
    def profit(self) -> int:
        """Profit of the day by its parts: realised + change of unrealised - charges."""
        return self.realized + self.unrealized_change - self.charges


@dataclass(frozen=True, slots=True)
class Holding:
    """One position at the close; `weight` is its share of the account's equity."""

    symbol: Symbol
    quantity: int
    cost: int
    price: int
    weight: Decimal

    @property
    def average_cost(self) -> Decimal:
        """Won per share without charges."""
        return Decimal(self.cost) / self.quantity

    @property
    def value(self) -> int:
        """Won at the closing price."""
        return self.quantity * self.price

    @property
    def unrealized(self) -> int:
        """Won gained or lost against cost, before charges."""
        return self.value - self.cost

    @property
    def change(self) -> Decimal | None:
        """Unrealised result / cost; None for shares that cost nothing."""
        return Decimal(self.unrealized) / self.cost if self.cost else None


@dataclass(frozen=True, slots=True)
class Sale:
    """What the day's sells of one symbol brought, in won; `realized` = proceeds - cost of the shares sold.

    `charges` are those of the sells alone; the buys paid theirs on their own day.
    """

    symbol: Symbol
    quantity: int
    proceeds: int
    realized: int
    charges: int

    @property
    def cost(self) -> int:
        """What the sold shares had cost, without charges."""
        return self.proceeds - self.realized

    @property
    def change(self) -> Decimal | None:
        """Realised result before charges / cost; None for shares that cost nothing."""
        return Decimal(self.realized) / self.cost if self.cost else None


def day_result(day: DayRecord) -> DayResult:
    """Work out the day's result and prove it.

    Raises:
        BadInput: when a holding has no price; it is never taken for zero.
        ReportImbalance: when stored equity, ledger and trades disagree by a single won.
    """
    opening = _valued(day.opening, day.opening_prices, "opening_prices")
    closing = _valued(day.closing, day.closing_prices, "closing_prices")
    _agree("opening equity", stored=day.point.opening, reckoned=opening.equity)
    _agree("closing equity", stored=day.point.closing, reckoned=closing.equity)
    result = DayResult(
        opening=opening.equity,
        paid_in=day.point.paid_in,
        realized=sum(_realized(day, symbol) for symbol in day.closing.positions),
        unrealized_change=closing.unrealized - opening.unrealized,
        commission=sum(e.commission for e in day.executions),
        tax=sum(e.tax for e in day.executions),
        closing=closing.equity,
    )
    _agree("profit of the day", stored=day.point.profit, reckoned=result.profit)
    return result


def holdings(day: DayRecord) -> tuple[Holding, ...]:
    """Value what is held at the close, by symbol."""
    return tuple(_holding(day, symbol) for symbol in day.closing.held_symbols)


def sales(day: DayRecord) -> tuple[Sale, ...]:
    """Sum the day's sells by symbol."""
    sells = [e for e in day.executions if e.side is Side.SELL]
    return tuple(
        _sale(symbol, [e for e in sells if e.symbol == symbol], realized=_realized(day, symbol))
        for symbol in sorted({e.symbol for e in sells})
    )


def _holding(day: DayRecord, symbol: Symbol) -> Holding:
    position, price = day.closing.position(symbol), day.closing_prices[symbol]
    weight = Decimal(position.quantity * price) / day.point.closing
    return Holding(symbol, position.quantity, position.cost, price, weight)


@dataclass(frozen=True, slots=True)
class _Valuation:
    equity: int
    unrealized: int


def _valued(ledger: Ledger, prices: Mapping[Symbol, int], source: str) -> _Valuation:
    for symbol in ledger.held_symbols:
        if prices.get(symbol, 0) <= 0:
            raise BadInput(
                source, prices.get(symbol), f"a price above 0 won for the holding {symbol}"
            )
    gains = (ledger.position(symbol).unrealized(prices[symbol]) for symbol in ledger.held_symbols)
    return _Valuation(ledger.equity(prices), sum(gains))


def _agree(what: str, *, stored: int, reckoned: int) -> None:
    if stored != reckoned:
        raise ReportImbalance(
            f"{what}: the equity curve says {stored} won, the books say {reckoned} ({reckoned - stored:+d})"
        )


def _realized(day: DayRecord, symbol: Symbol) -> int:
    return day.closing.position(symbol).realized - day.opening.position(symbol).realized


def _sale(symbol: Symbol, sells: Sequence[Execution], *, realized: int) -> Sale:
    return Sale(
        symbol=symbol,
        quantity=sum(e.quantity for e in sells),
        proceeds=sum(e.value for e in sells),
        realized=realized,
        charges=sum(e.commission + e.tax for e in sells),
    )
