"""This is signals, orders, fills and the ledger in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import reduce

from adapters.events import execution_fill, order_new, order_state, risk_event, signal_out
from adapters.memory.events import MemoryOutbox
from adapters.memory.tables import Log, Table
from adapters.stores import OrderEvent, check_owner, number_is_taken
from trading.decisions import RiskEvent, Verdict
from trading.executions import Execution, standing
from trading.instruments import Symbol
from trading.ledger import CashFlow, Ledger, Opening, hold_of
from trading.orders import Order
from trading.sessions import seoul_date
from trading.signals import Signal


class MemorySignals:
    """What strategies said."""

    def __init__(self, outbox: MemoryOutbox) -> None:
        self.rows: Table[str, Signal] = Table()
        self._outbox = outbox

    def add(self, signal: Signal) -> bool:
        """Write and tell; the same signal again changes nothing and gives False."""
        is_new = self.rows.add(signal.signal_id, signal)
        if is_new:
            self._outbox.add(signal_out(signal))
        return is_new

    def get(self, signal_id: str) -> Signal | None:
        """Give one."""
        return self.rows.get(signal_id)

    def of_day(self, trading_day: date) -> tuple[Signal, ...]:
        """Give the day's signals in order of creation."""
        return tuple(signal for signal in self.rows if signal.trading_day == trading_day)


class MemoryOrders:
    """Orders and their timelines."""

    def __init__(self, channel: str, account: str, outbox: MemoryOutbox) -> None:
        self.rows: Table[str, Order] = Table()
        self.events: Log[OrderEvent] = Log()
        self._channel, self._account, self._outbox = channel, account, outbox

    def add(self, order: Order, *later: Order, detail: str = "") -> bool:
        """Write a new order with the states it went through since, their timeline, and tell; False when the id exists.

        Raises:
            BadInput: when it is an order of another channel or account, or the broker's number is taken.
        """
        check_owner(order.intent, self._channel, self._account)
        if order.client_order_id not in self.rows:
            self._check_number(later[-1] if later else order)
        is_new = self.rows.add(order.client_order_id, order)
        if is_new:
            self._note(order, order.intent.reason)
            self._outbox.add(order_new(order))
            for state in later:
                self.save(state, detail=detail)
        return is_new

    def save(self, order: Order, *, detail: str = "") -> None:
        """Write the new state, one line of timeline, and tell.

        Raises:
            LookupError: when the order was never added.
            BadInput: when another order of the day has the broker's number.
        """
        known = self.rows.get(order.client_order_id)
        if known is None:
            raise LookupError(f"order {order.client_order_id} was never added")
        self._check_number(order)
        self.rows.put(order.client_order_id, replace(order, intent=known.intent))
        self._note(order, detail)
        self._outbox.add(order_state(order, detail=detail))

    def get(self, client_order_id: str) -> Order | None:
        """Give one."""
        return self.rows.get(client_order_id)

    def by_broker_id(self, trading_day: date, broker_order_id: str) -> Order | None:
        """Give the order that the broker's number of that day belongs to; "" belongs to none."""
        named = (order for order in self.of_day(trading_day) if order.broker_order_id)
        return next((order for order in named if order.broker_order_id == broker_order_id), None)

    def open(self) -> tuple[Order, ...]:
        """Give every open order, oldest first."""
        return tuple(order for order in self.rows if order.is_open)

    def of_day(self, trading_day: date) -> tuple[Order, ...]:
        """Give the day's orders, oldest first."""
        return tuple(order for order in self.rows if order.intent.trading_day == trading_day)

    def timeline(self, client_order_id: str) -> tuple[OrderEvent, ...]:
        """Give the order's history."""
        return tuple(event for event in self.events if event.client_order_id == client_order_id)

    def _check_number(self, order: Order) -> None:
        namesake = self.by_broker_id(order.intent.trading_day, order.broker_order_id)
        if namesake and namesake.client_order_id != order.client_order_id:
            raise number_is_taken(order.broker_order_id)

    def _note(self, order: Order, detail: str) -> None:
        event = OrderEvent(order.client_order_id, order.status, order.updated_at, detail)
        self.events.append(event)


class MemoryExecutions:
    """Booked fills, each once."""

    def __init__(self, orders: MemoryOrders, outbox: MemoryOutbox) -> None:
        self.rows: Table[str, Execution] = Table()
        self._orders, self._outbox = orders, outbox

    def add(self, execution: Execution) -> bool:
        """Write and tell; False when the execution_id exists.

        Raises:
            LookupError: when its order was never added.
        """
        if self._orders.get(execution.client_order_id) is None:
            raise LookupError(f"order {execution.client_order_id} was never added")
        is_new = self.rows.add(execution.execution_id, execution)
        if is_new:
            self._outbox.add(execution_fill(execution))
        return is_new

    def of_order(self, client_order_id: str) -> tuple[Execution, ...]:
        """Give an order's fills in order of booking."""
        return tuple(fill for fill in self.rows if fill.client_order_id == client_order_id)

    def of_day(self, trading_day: date) -> tuple[Execution, ...]:
        """Give the day's fills in order of booking."""
        return tuple(fill for fill in self.rows if fill.trading_day == trading_day)

    def all(self) -> tuple[Execution, ...]:
        """Give every fill in order of booking."""
        return tuple(self.rows)

    def standing(self, symbol: Symbol | None = None) -> tuple[Execution, ...]:
        """Give the fills since each strategy's holding of each symbol was last flat, in order of booking."""
        return tuple(fill for fill in standing(self.rows) if symbol in {None, fill.symbol})


@dataclass(frozen=True, slots=True)
class Deposit:
    """Money in or out that is no trade."""

    flow: CashFlow
    trading_day: date


@dataclass(frozen=True, slots=True)
class Adoption:
    """Shares that no fill of ours explains."""

    symbol: Symbol
    quantity: int
    cost: int
    trading_day: date


type Entry = Deposit | Adoption | Execution


class MemoryLedger:
    """Cash and positions of the account."""

    def __init__(self, account: str, orders: MemoryOrders) -> None:
        self.entries: Log[Entry] = Log()
        self.book: Table[str, Ledger] = Table()
        self._account, self._orders = account, orders

    def load(self) -> Ledger:
        """Give the ledger with the holds of the open orders."""
        holds = {order.client_order_id: hold_of(order) for order in self._orders.open()}
        return replace(self._plain, holds=holds)

    def held(self) -> tuple[Symbol, ...]:
        """Give the symbols with shares."""
        return self._plain.held_symbols

    def before(self, trading_day: date) -> Ledger:
        """Give the ledger without holds as it was before that day, replayed from the entries."""
        earlier = (entry for entry in self.entries if entry.trading_day < trading_day)
        return reduce(_after, earlier, Ledger(self._account))

    def opening(self, trading_day: date) -> Opening:
        """Give the cash and shares of `before`."""
        cash, held = 0, Counter[Symbol]()
        for entry in self.entries:
            if entry.trading_day < trading_day:
                cash += _cash(entry)
                held.update(_shares(entry))
        return Opening(cash, {symbol: quantity for symbol, quantity in held.items() if quantity})

    def paid_in(self, trading_day: date) -> int:
        """Give the won that deposits and the cost of adopted positions brought in on that day."""
        return sum(_brought(entry) for entry in self.entries if entry.trading_day == trading_day)

    def deposit(self, flow: CashFlow, *, reason: str, at: datetime) -> None:  # noqa: ARG002 - kept in the database only
        """Book money in or out that is no trade."""
        self._book(Deposit(flow, seoul_date(at)))

    def deposits(self) -> tuple[CashFlow, ...]:
        """Give all deposits in order of booking."""
        return tuple(entry.flow for entry in self.entries if isinstance(entry, Deposit))

    def post(self, execution: Execution) -> Ledger:
        """Book one fill; give the ledger after it.

        Raises:
            LedgerViolation: when more would be sold than is held.
        """
        self._book(execution)
        return self.load()

    def adopt(self, symbol: Symbol, *, quantity: int, cost: int, at: datetime) -> None:
        """Take over shares that the broker holds and no fill of ours explains, on top of what we hold."""
        self._book(Adoption(symbol, quantity, cost, seoul_date(at)))

    @property
    def _plain(self) -> Ledger:
        return self.book.get(self._account) or Ledger(self._account)

    def _book(self, entry: Entry) -> None:
        self.book.put(self._account, _after(self._plain, entry))
        self.entries.append(entry)


def _after(ledger: Ledger, entry: Entry) -> Ledger:
    match entry:
        case Deposit(flow):
            return ledger.deposit(flow.amount, on=flow.settles_on)
        case Adoption(symbol, quantity, cost):
            return ledger.adopt(symbol, quantity=quantity, cost=cost)
        case _:
            return ledger.post(entry)


def _cash(entry: Entry) -> int:
    match entry:
        case Deposit(flow):
            return flow.amount
        case Adoption():
            return 0
        case _:
            return entry.cash_change


def _shares(entry: Entry) -> dict[Symbol, int]:
    match entry:
        case Deposit():
            return {}
        case Adoption():
            return {entry.symbol: entry.quantity}
        case _:
            return {entry.symbol: entry.share_change}


def _brought(entry: Entry) -> int:
    match entry:
        case Deposit(flow):
            return flow.amount
        case Adoption():
            return entry.cost
        case _:
            return 0


class MemoryRiskEvents:
    """Verdicts of the risk gate."""

    def __init__(self, outbox: MemoryOutbox) -> None:
        self.rows: Log[RiskEvent] = Log()
        self._outbox = outbox

    def add(self, events: Iterable[RiskEvent]) -> None:
        """Write, and tell of the refusals."""
        for event in events:
            self.rows.append(event)
            if event.verdict is Verdict.DENIED:
                self._outbox.add(risk_event(event))

    def of_day(self, trading_day: date) -> tuple[RiskEvent, ...]:
        """Give the day's refusals, oldest first."""
        return tuple(
            event
            for event in self.rows
            if (event.trading_day, event.verdict) == (trading_day, Verdict.DENIED)
        )

    def of_order(self, client_order_id: str, trading_day: date) -> tuple[RiskEvent, ...]:
        """Give every rule's verdict about an order of that day, in the order in which they were asked."""
        key = (client_order_id, trading_day)
        return tuple(e for e in self.rows if (e.client_order_id, e.trading_day) == key)
