"""This is what maemae asks of its memory: one unit of work, everything in it or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Final, Protocol

from adapters.control_stores import AuditLog, ConfigStore, EvidenceStore
from adapters.event_stores import Consumptions, Outbox, OutboxEvent, Projection
from adapters.market_stores import (
    AdjustmentStore,
    BarStore,
    CalendarStore,
    IndexStore,
    InstrumentStore,
)
from adapters.order_stores import (
    ExecutionStore,
    NoticeStore,
    OrderEvent,
    OrderStore,
    SubmissionStore,
    check_owner,
    has_submission,
    number_is_taken,
)
from trading.audits import AuditEntry
from trading.decisions import RiskEvent
from trading.equity import EquityPoint
from trading.executions import Execution
from trading.halts import Halt
from trading.instruments import Symbol
from trading.ledger import CashFlow, Ledger, Opening
from trading.signals import Signal

__all__ = [
    "LEASE_SECONDS",
    "AdjustmentStore",
    "AuditEntry",
    "AuditLog",
    "BarStore",
    "CalendarStore",
    "ConfigStore",
    "Consumptions",
    "EquityStore",
    "EvidenceStore",
    "ExecutionStore",
    "HaltStore",
    "IndexStore",
    "InstrumentStore",
    "Lease",
    "LedgerStore",
    "NoticeStore",
    "OrderEvent",
    "OrderStore",
    "Outbox",
    "OutboxEvent",
    "Projection",
    "RiskEventStore",
    "SignalStore",
    "Stores",
    "SubmissionStore",
    "UnitOfWork",
    "check_owner",
    "has_submission",
    "number_is_taken",
]


LEASE_SECONDS: Final = 60
"""A holder that shows no life for so long is taken for stopped: longer than any wait of an order in between."""


class SignalStore(Protocol):
    """What strategies said."""

    def add(self, signal: Signal) -> bool:
        """Write; the same signal again changes nothing and gives False."""
        ...

    def get(self, signal_id: str) -> Signal | None:
        """Give one."""
        ...

    def of_day(self, trading_day: date) -> tuple[Signal, ...]:
        """Give the day's signals in order of creation."""
        ...


class LedgerStore(Protocol):
    """Cash and positions of the account."""

    def load(self) -> Ledger:
        """Give the ledger with the holds of the open orders; locked until the end of the unit of work."""
        ...

    def held(self) -> tuple[Symbol, ...]:
        """Give the symbols with shares, in order; nothing is locked."""
        ...

    def before(self, trading_day: date) -> Ledger:
        """Give the ledger without holds as it was before that day's deposits, adoptions and fills."""
        ...

    def opening(self, trading_day: date) -> Opening:
        """Give the cash and shares of `before`, without reading the years before."""
        ...

    def paid_in(self, trading_day: date) -> int:
        """Give the won that deposits and the cost of adopted positions brought in on that day (Seoul)."""
        ...

    def deposit(self, flow: CashFlow, *, reason: str, at: datetime) -> None:
        """Book money in or out that is no trade; `at` decides the day it counts for."""
        ...

    def deposits(self) -> tuple[CashFlow, ...]:
        """Give all deposits."""
        ...

    def post(self, execution: Execution) -> Ledger:
        """Book one fill: ledger entries and position row; give the ledger after it."""
        ...

    def adopt(self, symbol: Symbol, *, quantity: int, cost: int, at: datetime) -> None:
        """Take over a position that the broker holds and no fill of ours explains."""
        ...


class RiskEventStore(Protocol):
    """Verdicts of the risk gate."""

    def add(self, events: Iterable[RiskEvent]) -> None:
        """Write, and tell of the refusals."""
        ...

    def of_day(self, trading_day: date) -> tuple[RiskEvent, ...]:
        """Give the day's refusals, oldest first."""
        ...

    def of_order(self, client_order_id: str, trading_day: date) -> tuple[RiskEvent, ...]:
        """Give every rule's verdict about an order of that day, in the order in which they were asked."""
        ...


class HaltStore(Protocol):
    """The kill switch's row."""

    def put(self, halt: Halt) -> bool:
        """Put a halt in force; False when the same source, strategy and symbol already has that state."""
        ...

    def lift(
        self, source: str, *, strategy_id: str = "", symbol: str = "", reason: str, at: datetime
    ) -> bool:
        """Lift one; False when there was none."""
        ...

    def in_force(self) -> tuple[Halt, ...]:
        """Give every halt in force, oldest first."""
        ...


class EquityStore(Protocol):
    """One point of the equity curve per trading day."""

    def put(self, point: EquityPoint) -> None:
        """Write or replace the day's point; an opening once written is kept."""
        ...

    def get(self, trading_day: date) -> EquityPoint | None:
        """Give one day."""
        ...

    def all(self) -> tuple[EquityPoint, ...]:
        """Give the curve, oldest first."""
        ...


class UnitOfWork(Protocol):
    """One transaction over everything; commits when the block ends well, else leaves no trace."""

    @property
    def bars(self) -> BarStore: ...

    @property
    def adjustments(self) -> AdjustmentStore: ...

    @property
    def indices(self) -> IndexStore: ...

    @property
    def instruments(self) -> InstrumentStore: ...

    @property
    def signals(self) -> SignalStore: ...

    @property
    def orders(self) -> OrderStore: ...

    @property
    def submissions(self) -> SubmissionStore: ...

    @property
    def notices(self) -> NoticeStore: ...

    @property
    def executions(self) -> ExecutionStore: ...

    @property
    def ledger(self) -> LedgerStore: ...

    @property
    def risk_events(self) -> RiskEventStore: ...

    @property
    def halts(self) -> HaltStore: ...

    @property
    def equity(self) -> EquityStore: ...

    @property
    def calendar(self) -> CalendarStore: ...

    @property
    def configs(self) -> ConfigStore: ...

    @property
    def evidence(self) -> EvidenceStore: ...

    @property
    def outbox(self) -> Outbox: ...

    @property
    def consumptions(self) -> Consumptions: ...

    @property
    def projection(self) -> Projection: ...

    @property
    def audit(self) -> AuditLog: ...


class Lease(Protocol):
    """The right to order for one account, held by one process at a time, with a fencing token."""

    @property
    def token(self) -> int:
        """The fencing token: every taking of the lease has a greater one."""
        ...

    @property
    def needs_recovery(self) -> bool:
        """Whether a holder before this one may have ended in mid-order, and nobody has recovered since.

        So it is after a death, a take-over, a block that an exception ended, and a block that ended well
        without the recovery that it was asked for.
        """
        ...

    def recovered(self) -> None:
        """Note that doubt, orders, positions and cash have been gone through: the next holder need not."""
        ...

    def begin(self) -> AbstractContextManager[UnitOfWork]:
        """Open a transaction that can only commit while the token is still the newest.

        Raises:
            LeaseLost: when the lease is lost, taken by somebody or not; nothing is written.
            StoreUnavailable: when the database cannot be reached or went away; nothing is written either.
        """
        ...

    def check(self) -> None:
        """Make sure that the lease is still held; quick enough for the moment before a send.

        Raises:
            LeaseLost: when it is lost, taken by somebody or not: a lost lease does not come back.
            StoreUnavailable: when nobody can tell.
        """
        ...

    def look(self) -> tuple[Halt, ...]:
        """Give the halts that are in force, committed by whomever, and `check` after that.

        Raises:
            LeaseLost, StoreUnavailable: as `check` does.
        """
        ...


class NameLock(Protocol):
    """A lock between processes that was asked for."""

    def __bool__(self) -> bool:
        """Tell whether it was ours when it was last asked for."""
        ...

    def keep(self) -> bool:
        """Take it if nobody has it, else see whether it is ours still; any thread may ask.

        Raises:
            StoreUnavailable: when nobody can tell.
        """
        ...


class Stores(Protocol):
    """Opens units of work on one account's memory, and locks across processes."""

    def begin(self) -> AbstractContextManager[UnitOfWork]:
        """Open a transaction."""
        ...

    def keep_act(self, entry: AuditEntry, *, at: datetime) -> None:
        """Keep an act that no unit of work could take; the next one that writes an act writes it before."""
        ...

    def lock(self, name: str) -> AbstractContextManager[NameLock]:
        """Try to be the only holder of `name` in any process; false at once when another holds it.

        Released by the end of the block, by the death of the process or of its connection: who holds it for
        long has to `keep` it.
        """
        ...

    def lease(self, name: str) -> AbstractContextManager[Lease | None]:
        """Try to take the lease `name` of this account; gives None at once while a living holder has it.

        It ends with the block, with the death of the process or of its connection, and by being taken over
        when its holder has shown no life (no `begin`, no `check`) for `LEASE_SECONDS`, as a stopped process
        does not. A unit of work of this account that is open delays the taking.
        """
        ...
