"""This is all that a rule may look at: the account, its open orders and the market at one moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from itertools import takewhile
from typing import Self

from trading.bars import Bar
from trading.costs import CostSchedule
from trading.equity import EquityPoint, curve_returns
from trading.halts import Halt
from trading.instruments import Instrument, Symbol
from trading.ledger import Ledger
from trading.orders import Order, OrderIntent, Side
from trading.performance import drawdowns
from trading.sessions import Phase
from trading.ticks import Quote


@dataclass(frozen=True, slots=True)
class Past:
    """What the days before say about the account, and about the symbol that is to be ordered.

    `depth` is how far below its peak the account last closed, 0 or a negative fraction, money paid in or out
    left aside; `losing_days` how many of the last days in a row lost; `losing_trades` how many of the last closed
    trades, 0 when none was closed today. `previous_close` is that of the trading
    day before in our bars, won, None when they do not reach that far. `sessions_since_stop` counts trading days
    from the symbol's last stop, 0 on its own day, None without one of late. What the broker refused up to
    `rejects_forgiven_at` the owner has forgiven.
    """

    depth: Decimal = Decimal(0)
    losing_days: int = 0
    losing_trades: int = 0
    previous_close: int | None = None
    sessions_since_stop: int | None = None
    rejects_forgiven_at: datetime | None = None

    @classmethod
    def of(cls, curve: Sequence[EquityPoint]) -> Self:
        """Read depth and losing days from the equity curve up to yesterday, oldest first."""
        depths = drawdowns(curve_returns(curve))
        losing = takewhile(lambda point: point.profit < 0, reversed(curve))
        return cls(depth=depths[-1] if depths else Decimal(0), losing_days=sum(1 for _ in losing))


@dataclass(frozen=True)
class RiskView:
    """What is known at `at`, aware UTC. Take a new one for each order: the one before has changed it.

    `open_orders` are ALL that may still fill, orders in doubt and orders of other strategies included: each
    rule counts them at their worst case, an open buy as filled whole at its limit, an open sell as not filled.
    They count from here, whatever holds the ledger has. `day_orders` are today's in any status. `quotes` must
    cover the order's symbol, every holding and every open buy; a missing one refuses. `equity_opening` is won
    at today's opening, None when unknown, which refuses buys; `paid_in_today` is booked today and no profit.
    `buyable_cash` is the broker's answer, None where there is no broker to ask. `phase` is None when the day
    has no session. `minute_bars` are the closed ones of the order's symbol of the last minutes, as far as there
    are any. `owned` are the shares of the order's symbol that its own strategy bought and still has, None when all
    are its own.
    """

    at: datetime
    trading_day: date
    channel: str
    account: str
    phase: Phase | None
    halts: tuple[Halt, ...]
    ledger: Ledger
    open_orders: tuple[Order, ...]
    day_orders: tuple[Order, ...]
    quotes: Mapping[Symbol, Quote]
    instruments: Mapping[Symbol, Instrument]
    equity_opening: int | None
    paid_in_today: int
    buyable_cash: int | None
    costs: CostSchedule
    past: Past = Past()
    minute_bars: tuple[Bar, ...] = ()
    owned: int | None = None

    @cached_property
    def equity(self) -> int:
        """Net asset value in won: D+2 cash plus holdings at the last price.

        Raises:
            KeyError: when a holding has no quote.
        """
        held = [symbol for symbol, held in self.ledger.positions.items() if held.quantity]
        return self.ledger.equity({symbol: self.quotes[symbol].last for symbol in held})

    @cached_property
    def open_buys(self) -> tuple[Order, ...]:
        """Open buy orders."""
        return tuple(o for o in self.open_orders if o.is_open and o.side is Side.BUY)

    @cached_property
    def worst_costs(self) -> tuple[int, ...]:
        """What each of `open_buys` may cost at most in won, commission included."""
        return tuple(self.worst_cost(o.intent, o.open_quantity) for o in self.open_buys)

    @cached_property
    def exposed_symbols(self) -> frozenset[Symbol]:
        """Symbols held or in an open buy."""
        return frozenset(self.ledger.held_symbols) | {order.symbol for order in self.open_buys}

    @cached_property
    def worst_equity(self) -> int:
        """Equity if every open buy filled at its worst price: never above `equity`."""
        return self.equity - sum(
            max(0, cost - order.open_quantity * self.quotes[order.symbol].last)
            for order, cost in zip(self.open_buys, self.worst_costs, strict=True)
        )

    @cached_property
    def available_cash(self) -> int:
        """Won that a new buy may use, all open buys paid at their worst price.

        The broker's smaller figure counts, less the buys in doubt that it may not know of.
        """
        own = self.ledger.cash - sum(self.worst_costs)
        if self.buyable_cash is None:
            return own
        costs = zip(self.open_buys, self.worst_costs, strict=True)
        return min(own, self.buyable_cash - sum(cost for order, cost in costs if order.is_in_doubt))

    def worst_price(self, intent: OrderIntent) -> int:
        """Give the most a buy may pay per share: its limit, or the day's upper limit for a market order."""
        if intent.limit_price is not None:
            return intent.limit_price
        return self.quotes[intent.symbol].upper_limit

    def cost(self, symbol: Symbol, quantity: int, price: int) -> int:
        """Give the won that buying `quantity` shares at `price` costs, commission included."""
        instrument = self.instruments[symbol]
        charges = self.costs.charges_on(
            quantity * price,
            Side.BUY,
            market=instrument.market,
            kind=instrument.kind,
            settles_on=self.trading_day,  # a buy is not taxed, so its settlement day changes nothing
        )
        return quantity * price + charges.total

    def worst_cost(self, intent: OrderIntent, quantity: int) -> int:
        """Give the most that `quantity` shares of a buy may cost in won, commission included."""
        return self.cost(intent.symbol, quantity, self.worst_price(intent))

    def worst_loss(self, intent: OrderIntent, quantity: int) -> int:
        """Give the won of equity that `quantity` shares of a buy may cost beyond their last price."""
        last_value = quantity * self.quotes[intent.symbol].last
        return max(0, self.worst_cost(intent, quantity) - last_value)

    def worst_quantity(self, symbol: Symbol) -> int:
        """Give the shares of `symbol` if every open buy filled and no open sell did."""
        incoming = sum(o.open_quantity for o in self.open_buys if o.symbol == symbol)
        return self.ledger.position(symbol).quantity + incoming

    def worst_mark(self, intent: OrderIntent) -> int:
        """Give the highest price that shares of a buy may be valued at: its worst or the last one."""
        return max(self.worst_price(intent), self.quotes[intent.symbol].last)

    def worst_value(self, symbol: Symbol) -> int:
        """Give the value of `symbol` in won: holdings at the last price, open buys at their worst mark."""
        held = self.ledger.position(symbol).quantity
        incoming = sum(
            o.open_quantity * self.worst_mark(o.intent)
            for o in self.open_buys
            if o.symbol == symbol
        )
        return (held * self.quotes[symbol].last if held else 0) + incoming

    def sellable_quantity(self, symbol: Symbol) -> int:
        """Give the shares held and not promised to an open sell."""
        promised = sum(
            o.open_quantity for o in self.open_orders if o.symbol == symbol and o.side is Side.SELL
        )
        return self.ledger.position(symbol).quantity - promised
