"""This is the account's book in PostgreSQL: entries of cash and shares, positions, holds of open orders."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Select, bindparam, func
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.executions import SIGNED, execution_of
from adapters.postgres.orders import PostgresOrders
from adapters.postgres.scope import Question, Scope, asked, columns_of, own, pick
from adapters.postgres.tables import executions, ledger_entries, positions
from trading.executions import Execution
from trading.instruments import Symbol
from trading.ledger import CashFlow, Ledger, Opening, hold_of
from trading.positions import Position
from trading.sessions import seoul_date

_entry = ledger_entries.c
_CASH: Final = own(ledger_entries).with_only_columns(func.sum(_entry.amount))
_BY_DAY: Final = (
    own(ledger_entries)
    .with_only_columns(_entry.settles_on, func.sum(_entry.amount).label("total"))
    .where(_entry.kind != "ADOPTION")
    .group_by(_entry.settles_on)
    .order_by(_entry.settles_on)
)
_FLOWS: Final = asked(_BY_DAY)
_EARLIER_FLOWS: Final = asked(_BY_DAY.where(_entry.trading_day < bindparam("trading_day")))
_BROUGHT: Final = (
    own(ledger_entries)
    .with_only_columns(func.sum(_entry.amount + _entry.cost))
    .where(_entry.kind != "EXECUTION", _entry.trading_day == bindparam("trading_day"))
)
_POSITIONS: Final = asked(own(positions).order_by(positions.c.symbol))


class PostgresLedger:
    """Cash and positions of one account."""

    def __init__(self, scope: Scope, orders: PostgresOrders) -> None:
        self._scope, self._orders = scope, orders

    def load(self) -> Ledger:
        """Give the ledger with the holds of the open orders; the account stays locked."""
        open_orders = self._orders.open()
        holds = {order.client_order_id: hold_of(order) for order in open_orders}
        return Ledger(self._scope.account, self._flows(_FLOWS), self._positions(), holds)

    def held(self) -> tuple[Symbol, ...]:
        """Give the symbols with shares."""
        return tuple(symbol for symbol, position in self._positions().items() if position.quantity)

    def before(self, trading_day: date) -> Ledger:
        """Give the ledger without holds as it was before that day.

        Only positions that were touched since are replayed from their entries; the others stand as they stood.
        """
        touched = {Symbol(row.symbol) for row in self._since(trading_day) if row.symbol}
        positions = self._positions()
        kept = {symbol: positions[symbol] for symbol in positions.keys() - touched}
        past = self._replay(touched, trading_day).positions if touched else {}
        earlier = self._flows(_EARLIER_FLOWS, trading_day=trading_day)
        return Ledger(self._scope.account, earlier, {**kept, **past})

    def opening(self, trading_day: date) -> Opening:
        """Give the cash and shares of `before`: what there is now less what came since."""
        cash = self._scope.number(_CASH)
        now = {symbol: position.quantity for symbol, position in self._positions().items()}
        since = self._since(trading_day)
        gained = {Symbol(row.symbol): int(row.shares) for row in since if row.symbol}
        then = {symbol: quantity - gained.get(symbol, 0) for symbol, quantity in now.items()}
        spent = sum(int(row.won) for row in since)
        return Opening(cash - spent, {s: quantity for s, quantity in then.items() if quantity})

    def paid_in(self, trading_day: date) -> int:
        """Give the won that deposits and the cost of adopted positions brought in on that day."""
        return self._scope.number(_BROUGHT, trading_day=trading_day)

    def deposit(self, flow: CashFlow, *, reason: str, at: datetime) -> None:
        """Book money in or out that is no trade."""
        self._scope.lock_account()
        self._book("DEPOSIT", flow, reason=reason, trading_day=seoul_date(at), booked_at=at)

    def deposits(self) -> tuple[CashFlow, ...]:
        """Give all deposits in order of booking."""
        query = own(ledger_entries).where(_entry.kind == "DEPOSIT")
        rows = self._scope.rows(query.order_by(_entry.entry_id))
        return tuple(CashFlow(row.settles_on, row.amount) for row in rows)

    def post(self, execution: Execution) -> Ledger:
        """Book one fill: its entry and the position; give the ledger after it.

        Raises:
            LedgerViolation: when more would be sold than is held.
        """
        ledger = self.load().post(execution)
        self._book(
            "EXECUTION",
            CashFlow(execution.settles_on, execution.cash_change),
            reason=f"{execution.side} {execution.quantity} {execution.symbol}",
            trading_day=execution.trading_day,
            booked_at=execution.executed_at,
            symbol=execution.symbol,
            execution_id=execution.execution_id,
        )
        self._put(ledger.position(execution.symbol))
        return ledger

    def adopt(self, symbol: Symbol, *, quantity: int, cost: int, at: datetime) -> None:
        """Take over shares that the broker holds and no fill of ours explains, on top of what we hold."""
        ledger = self.load().adopt(symbol, quantity=quantity, cost=cost)
        self._book(
            "ADOPTION",
            CashFlow(seoul_date(at), 0),
            reason=f"adopted {quantity} {symbol}",
            trading_day=seoul_date(at),
            booked_at=at,
            symbol=symbol,
            quantity=quantity,
            cost=cost,
        )
        self._put(ledger.position(symbol))

    def _flows(self, query: Question, **values: Any) -> tuple[CashFlow, ...]:
        rows = self._scope.rows(query, **values)
        return tuple(CashFlow(row.settles_on, int(row.total)) for row in rows)

    def _since(self, trading_day: date) -> Sequence[Any]:
        """Add up what each symbol (None: deposits) brought in won and shares from that day on."""
        return self._scope.rows(_SINCE, trading_day=trading_day)

    def _replay(self, symbols: Collection[Symbol], trading_day: date) -> Ledger:
        """Post the entries of some symbols before a day again, in order of booking."""
        fills = {fill.execution_id: fill for fill in self._fills(symbols, trading_day)}
        query = own(ledger_entries).order_by(_entry.entry_id)
        earlier = query.where(_entry.symbol.in_(symbols), _entry.trading_day < trading_day)
        ledger = Ledger(self._scope.account)
        for row in self._scope.rows(earlier):
            if row.kind == "ADOPTION":
                ledger = ledger.adopt(Symbol(row.symbol), quantity=row.quantity, cost=row.cost)
            else:
                ledger = ledger.post(fills[row.execution_id])
        return ledger

    def _positions(self) -> Mapping[Symbol, Position]:
        rows = self._scope.rows(_POSITIONS)
        known = (Position(**pick(row, Position) | {"symbol": Symbol(row.symbol)}) for row in rows)
        return {position.symbol: position for position in known}

    def _fills(self, symbols: Collection[Symbol], before: date) -> Iterator[Execution]:
        known = own(executions).where(executions.c.symbol.in_(symbols))
        rows = self._scope.rows(known.where(executions.c.trading_day < before))
        return (execution_of(row) for row in rows)

    def _book(self, kind: str, flow: CashFlow, **columns: Any) -> None:
        entry = {"kind": kind, "quantity": 0, "cost": 0, **columns_of(flow), **columns}
        self._scope.changes(insert(ledger_entries), entry | self._scope.owner)

    def _put(self, position: Position) -> None:
        columns, added = columns_of(position), insert(positions)
        newest = {name: added.excluded[name] for name in columns}
        key = [positions.c.channel, positions.c.account, positions.c.symbol]
        upsert = added.on_conflict_do_update(index_elements=key, set_=newest)
        self._scope.changes(upsert, self._scope.owner | columns)


def _since() -> Select[Any]:
    """Make the query of what each symbol brought since a day."""
    same = (_entry.channel == executions.c.channel) & (_entry.account == executions.c.account)
    same &= _entry.execution_id == executions.c.execution_id
    shares = func.sum(_entry.quantity + func.coalesce(SIGNED, 0)).label("shares")
    query = own(ledger_entries).outerjoin(executions, same)
    brought: Select[Any] = query.with_only_columns(
        _entry.symbol, func.sum(_entry.amount).label("won"), shares, maintain_column_froms=True
    )
    return brought.where(_entry.trading_day >= bindparam("trading_day")).group_by(_entry.symbol)


_SINCE: Final = _since()
