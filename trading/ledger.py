"""This is the account's book: cash with its settlement days, holds of open orders, positions."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

from trading.errors import LedgerViolation
from trading.executions import Execution
from trading.instruments import Symbol
from trading.orders import Order, Side
from trading.positions import Position

_WIDEST_LIMIT_PERCENT = 130
"""A market order may fill up to the upper price limit, 30 % above the reference."""


@dataclass(frozen=True, slots=True)
class CashFlow:
    """Won that arrive (positive) or leave (negative) on a settlement day."""

    settles_on: date
    amount: int


@dataclass(frozen=True, slots=True)
class Hold:
    """What an open order reserves: cash for a buy, shares for a sell."""

    symbol: Symbol
    cash: int = 0
    shares: int = 0


@dataclass(frozen=True)
class Ledger:
    """One account. `cash` is the D+2 figure (가수도정산금): what is there after all trades have settled.

    KRX settles on T+2, but sale proceeds can buy again at once, so buying power follows `cash` minus holds
    and never the settled deposit, which counts unsettled buys twice. `flows` holds one sum for each
    settlement day, in order, so that a ledger is the same however its bookings were ordered. Invariant: `buyable_cash` and every
    `sellable_quantity` never go negative by a hold; `post` accepts what the broker has already done.
    """

    account: str
    flows: tuple[CashFlow, ...] = ()
    positions: Mapping[Symbol, Position] = field(default_factory=dict)
    holds: Mapping[str, Hold] = field(default_factory=dict)

    @cached_property
    def cash(self) -> int:
        """Won after everything has settled (D+2)."""
        return sum([flow.amount for flow in self.flows])

    def settled_cash(self, day: date) -> int:
        """Won of the deposit on `day` (예수금): what has settled by then."""
        return sum(flow.amount for flow in self.flows if flow.settles_on <= day)

    @property
    def held_cash(self) -> int:
        """Won reserved by open buys."""
        return sum(hold.cash for hold in self.holds.values())

    @property
    def buyable_cash(self) -> int:
        """Won that a new buy may use, charges included."""
        return self.cash - self.held_cash

    def position(self, symbol: Symbol) -> Position:
        """Give the position of `symbol`, an empty one if nothing was ever held."""
        return self.positions.get(symbol) or Position(symbol)

    def sellable_quantity(self, symbol: Symbol) -> int:
        """Shares held and not reserved by an open sell."""
        reserved = sum(h.shares for h in self.holds.values() if h.symbol == symbol)
        return self.position(symbol).quantity - reserved

    @cached_property
    def held_symbols(self) -> tuple[Symbol, ...]:
        """Symbols with shares, in order."""
        return tuple(sorted(s for s, p in self.positions.items() if p.quantity))

    def deposit(self, amount: int, *, on: date) -> Ledger:
        """Book money paid in (or out, negative); never a profit or loss."""
        return replace(self, flows=_add(self.flows, CashFlow(on, amount)))

    def adopt(self, symbol: Symbol, *, quantity: int, cost: int) -> Ledger:
        """Take over shares that no fill of ours explains; they came with their own cost, not from our cash."""
        position = self.position(symbol).adopt(quantity, cost)
        return replace(self, positions={**self.positions, symbol: position})

    def hold(self, client_order_id: str, hold: Hold) -> Ledger:
        """Reserve for an open order, replacing its earlier hold.

        Raises:
            LedgerViolation: when cash or shares are not there.
        """
        freed = self.release(client_order_id)
        if hold.cash < 0 or hold.shares < 0:
            raise LedgerViolation(f"{client_order_id}: negative hold")
        if hold.cash > freed.buyable_cash:
            raise LedgerViolation(
                f"{client_order_id}: hold {hold.cash}, buyable {freed.buyable_cash}"
            )
        if hold.shares > freed.sellable_quantity(hold.symbol):
            sellable = freed.sellable_quantity(hold.symbol)
            raise LedgerViolation(
                f"{client_order_id}: hold {hold.shares} shares, sellable {sellable}"
            )
        return replace(freed, holds={**freed.holds, client_order_id: hold})

    def release(self, client_order_id: str) -> Ledger:
        """Drop the hold of an order, if any."""
        return replace(self, holds={k: h for k, h in self.holds.items() if k != client_order_id})

    def post(self, execution: Execution) -> Ledger:
        """Book one fill: cash on its settlement day, the position now.

        Raises:
            LedgerViolation: when more would be sold than is held.
        """
        position = self.position(execution.symbol).post(execution)
        flow = CashFlow(execution.settles_on, execution.cash_change)
        positions = {**self.positions, execution.symbol: position}
        return Ledger(self.account, _add(self.flows, flow), positions, self.holds)

    def equity(self, prices: Mapping[Symbol, int]) -> int:
        """Net asset value in won: D+2 cash plus positions at `prices`.

        Raises:
            KeyError: when a held symbol has no price; a missing price must never count as zero.
        """
        held = [(s, p.quantity) for s, p in self.positions.items() if p.quantity]
        return self.cash + sum([quantity * prices[symbol] for symbol, quantity in held])


@dataclass(frozen=True, slots=True)
class Opening:
    """What the account had when a day began: won of D+2 cash and shares (none at 0), not what they had cost."""

    cash: int
    quantities: Mapping[Symbol, int]

    def equity(self, prices: Mapping[Symbol, int]) -> int:
        """Net asset value in won at `prices`.

        Raises:
            KeyError: when a held symbol has no price; a missing price must never count as zero.
        """
        return self.cash + sum(
            quantity * prices[symbol] for symbol, quantity in self.quantities.items()
        )


def hold_of(order: Order) -> Hold:
    """Return what an open order reserves: the shares of a sell, the cash of a buy at its worst price.

    That is the limit, or for a market order the upper price limit reckoned from the reference price. Charges
    are left to sizing.
    """
    if order.side is Side.SELL:
        return Hold(order.symbol, shares=order.open_quantity)
    worst = order.intent.limit_price or order.intent.reference_price * _WIDEST_LIMIT_PERCENT // 100
    return Hold(order.symbol, cash=order.open_quantity * worst)


def rebuild(account: str, deposits: Iterable[CashFlow], executions: Iterable[Execution]) -> Ledger:
    """Build the ledger again from deposits and executions alone; must equal what is stored."""
    ledger = Ledger(account)
    for flow in deposits:
        ledger = ledger.deposit(flow.amount, on=flow.settles_on)
    for execution in executions:
        ledger = ledger.post(execution)
    return ledger


def _add(flows: tuple[CashFlow, ...], flow: CashFlow) -> tuple[CashFlow, ...]:
    place = bisect_left(flows, flow.settles_on, key=lambda known: known.settles_on)
    same = flows[place : place + 1]
    if not same or same[0].settles_on != flow.settles_on:
        return (*flows[:place], flow, *flows[place:])
    summed = CashFlow(flow.settles_on, same[0].amount + flow.amount)
    return (*flows[:place], summed, *flows[place + 1 :])
