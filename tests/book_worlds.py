"""This is one account, its broker as a plain book, and the acts of a machine that lets anything happen between them."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine
from contextvars import Context
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from hypothesis.stateful import RuleBasedStateMachine

from tasks.desk import Desk
from tasks.fills import apply_notice
from tasks.orders import trade
from tasks.reconciliation import reconcile
from tasks.writers import only_writer
from tests.broker_books import BookBroker, Entry, Killed, Line
from tests.builders import seoul
from tests.desks import PRICES, a_floor, on
from trading.errors import BadInput, BrokerError, NotReady
from trading.notices import Notice
from trading.orders import ABSENT, Order, OrderStatus
from trading.signals import Signal

CASH: Final = 1_000_000_000
LIMITS: Final = {
    "daily_loss": "0.5",
    "maximum_weight": "1",
    "maximum_holdings": 500,
    "maximum_quantity_per_symbol": 1_000_000,
}
TALLY: Final = Counter[str]()
"""What all runs of this process did, so that a machine that does nothing cannot pass."""

type Orders = tuple[Order, ...]


class HastyLoop(asyncio.SelectorEventLoop):
    """An event loop on which nobody waits: what is to come later comes next."""

    def call_later[*Words](
        self,
        delay: float,
        callback: Callable[[*Words], object],
        *args: *Words,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call at once."""
        del delay
        return super().call_later(0, callback, *args, context=context)


class BookWorld(RuleBasedStateMachine):
    """What a machine can do to the account, and what must hold whatever it does; the rules are the test's."""

    def __init__(self) -> None:
        super().__init__()
        TALLY["runs"] += 1
        self.runner = asyncio.Runner(loop_factory=HastyLoop)
        self.folder = tempfile.TemporaryDirectory(prefix="maemae-books-")
        floor = a_floor(Path(self.folder.name), risk=LIMITS)
        self.clock, self.stores, self.market = floor.clock, floor.stores, floor.market
        self.book = BookBroker(
            floor.market, cash=CASH, clock=floor.clock, calendar=floor.desk.calendar
        )
        self.desk: Desk = replace(floor.desk, broker=self.book)
        self.wire: list[Notice] = []
        self.doubted: set[str] = set()
        self.clock.move_to(seoul(self.desk.today(), "09:00"))

    def carry_out[T](self, act: Coroutine[Any, Any, T]) -> T:
        """Run one of the product's acts to its end."""
        return self.runner.run(act)

    def trade(self, signal: Signal, line: Line, delay: timedelta) -> None:
        """Act on a signal of today; a process that dies is followed by another one."""
        signal = on(self.desk.today(), signal)
        with self.stores.begin() as work:
            work.signals.add(signal)
        self.book.delay = delay
        before = len(self.book.sent)
        self.carry_out_over(line, trade.fn(self.desk, [signal]))
        TALLY[f"sent, {line}"] += len(self.book.sent) - before
        self.doubted |= {order.client_order_id for order in self.orders if order.is_in_doubt}

    def carry_out_over(self, line: Line, act: Coroutine[Any, Any, Any]) -> None:
        """Run one of the product's acts over such a line; it may end in the death of the process."""
        self.book.line = line
        try:
            self.carry_out(act)
        except Killed:
            TALLY["killed"] += 1
        except (BrokerError, NotReady, BadInput) as problem:
            TALLY[f"raised {type(problem).__name__}"] += 1
        finally:
            self.book.line = Line.ANSWERED

    def one_of_ours(self, place: int) -> Order | None:
        """Give one of our open orders that has a number."""
        numbered = [order for order in self.orders if order.is_open and order.broker_order_id]
        return numbered[place % len(numbered)] if numbered else None

    def send(self, line: Line, act: Callable[..., Any], *words: Any, **names: Any) -> None:
        """Do what the console does for the owner, as the account's only writer."""

        async def act_alone() -> None:
            async with only_writer(self.desk) as lease:
                await act(self.desk, lease, *words, **names)

        self.carry_out_over(line, act_alone())

    def fill_part(self, entry: Entry, part: int) -> None:
        """Fill so many per cent of what is open, at least a share."""
        row = entry.row
        quantity = max(1, row.open_quantity * part // 100)
        price = row.limit_price or PRICES[row.symbol]
        self.wire.append(self.book.fill(entry, quantity, price))
        TALLY["filled"] += 1

    def hear(self, notice: Notice) -> None:
        """Apply a notice."""
        outcome = apply_notice(self.desk, notice, trading_day=self.desk.today())
        TALLY[f"notice {outcome}"] += 1

    def end_day(self, *, is_shown: bool) -> None:
        """Close the market, whether or not the rows show what died, and look at the broker's book after it."""
        self.clock.move_to(seoul(self.desk.today(), "15:50"))
        if is_shown:
            self.book.end_day()
        self.wire.clear()
        self.carry_out(reconcile.fn(self.desk))

    def begin_day(self) -> None:
        """Come to the desk on the next trading day, when every row of the old one shows."""
        tomorrow = self.desk.calendar.next_trading_day(self.desk.today())
        self.clock.move_to(seoul(tomorrow, "09:00"))
        self.carry_out(reconcile.fn(self.desk))

    @property
    def orders(self) -> Orders:
        """Every order that concerns a day with rows, and today's."""
        days = {self.desk.today(), *(day for day, _ in self.book.entries)}
        with self.stores.begin() as work:
            return tuple(order for day in sorted(days) for order in work.orders.of_day(day))

    def nothing_is_sent_twice(self, orders: Orders) -> None:
        """One send, and one row, for each order of ours; every row of ours has its order."""
        sent = Counter(intent.client_order_id for intent in self.book.sent)
        assert all(times == 1 for times in sent.values())
        rows = [e.owner for e in self.book.entries.values() if e.owner and not e.row.original_id]
        assert len(rows) == len(set(rows))
        assert set(rows) <= {order.client_order_id for order in orders}

    def nothing_is_counted_that_did_not_happen(self, orders: Orders) -> None:
        """Every number is bound to the order it came from, and no fill is counted before the broker made it."""
        for order in orders:
            if order.broker_order_id:
                entry = self.book.entries[order.intent.trading_day, order.broker_order_id]
                is_manual = order.intent.strategy_id == "manual"
                assert entry.owner == ("" if is_manual else order.client_order_id)
                assert order.filled_quantity <= entry.row.filled_quantity
                assert order.filled_value <= entry.row.filled_value
            else:
                assert not order.filled_quantity

    def no_order_is_declared_absent_that_is_there(self, orders: Orders) -> None:
        """What we call refused is not in the broker's book, unless the exchange refused it."""
        rows = {e.owner: e.row for e in self.book.entries.values() if not e.row.original_id}
        for order in orders:
            if order.status is OrderStatus.REJECTED and order.client_order_id in rows:
                assert rows[order.client_order_id].rejected_quantity

    def doubt_and_equal_orders_stand_alone(self, orders: Orders) -> None:
        """At most one order in doubt per symbol and side; never two open equal ones."""
        ours = [order for order in orders if order.intent.strategy_id != "manual"]
        doubts = Counter((order.symbol, order.side) for order in ours if order.is_in_doubt)
        assert all(number == 1 for number in doubts.values()), doubts
        equal = Counter(
            (o.symbol, o.side, o.quantity, o.intent.limit_price) for o in ours if o.is_open
        )
        assert all(number == 1 for number in equal.values()), equal

    def check_books_are_one(self) -> None:
        """Compare to the share and to the won; nothing of the past is open or in doubt."""
        with self.stores.begin() as work:
            ledger, still_open = work.ledger.load(), work.orders.open()
        assert still_open == ()
        for order in self.orders:
            TALLY[f"ended {ABSENT if order.error_code == ABSENT else order.status}"] += 1
            if order.broker_order_id:
                TALLY["bound after doubt"] += order.client_order_id in self.doubted
                row = self.book.entries[order.intent.trading_day, order.broker_order_id].row
                assert (order.filled_quantity, order.filled_value) == (
                    row.filled_quantity,
                    row.filled_value,
                )
        held = {symbol: ledger.position(symbol).quantity for symbol in ledger.held_symbols}
        assert held == {symbol: n for symbol, n in sorted(self.book.shares.items()) if n}
        assert ledger.cash == self.book.cash
