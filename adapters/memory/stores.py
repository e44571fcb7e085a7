"""This is the stores in memory: the same promises as the database's, for tests and dry runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import Lock, RLock

from adapters.memory.books import (
    MemoryExecutions,
    MemoryLedger,
    MemoryOrders,
    MemoryRiskEvents,
    MemorySignals,
)
from adapters.memory.controls import (
    MemoryAudit,
    MemoryConfigs,
    MemoryEquity,
    MemoryEvidence,
    MemoryHalts,
)
from adapters.memory.events import MemoryConsumptions, MemoryOutbox, MemoryProjection
from adapters.memory.evidence import MemoryNotices, MemorySubmissions
from adapters.memory.leases import LeaseRow, MemoryLease
from adapters.memory.markets import (
    MemoryAdjustments,
    MemoryBars,
    MemoryCalendar,
    MemoryIndices,
    MemoryInstruments,
)
from adapters.memory.tables import every_table
from adapters.stores import (
    AdjustmentStore,
    AuditEntry,
    AuditLog,
    BarStore,
    CalendarStore,
    ConfigStore,
    Consumptions,
    EquityStore,
    EvidenceStore,
    ExecutionStore,
    HaltStore,
    IndexStore,
    InstrumentStore,
    LedgerStore,
    NoticeStore,
    OrderStore,
    Outbox,
    Projection,
    RiskEventStore,
    SignalStore,
    SubmissionStore,
    UnitOfWork,
)


class MemoryUnitOfWork:
    """Everything that is remembered; one unit of work at a time uses it."""

    def __init__(self, channel: str, account: str) -> None:
        outbox = MemoryOutbox()
        orders = MemoryOrders(channel, account, outbox)
        self.bars: BarStore = MemoryBars()
        self.adjustments: AdjustmentStore = MemoryAdjustments()
        self.indices: IndexStore = MemoryIndices()
        self.instruments: InstrumentStore = MemoryInstruments()
        self.signals: SignalStore = MemorySignals(outbox)
        self.orders: OrderStore = orders
        self.submissions: SubmissionStore = MemorySubmissions(orders)
        self.notices: NoticeStore = MemoryNotices()
        self.executions: ExecutionStore = MemoryExecutions(orders, outbox)
        self.ledger: LedgerStore = MemoryLedger(account, orders)
        self.risk_events: RiskEventStore = MemoryRiskEvents(outbox)
        self.halts: HaltStore = MemoryHalts()
        self.equity: EquityStore = MemoryEquity()
        self.calendar: CalendarStore = MemoryCalendar()
        self.configs: ConfigStore = MemoryConfigs()
        self.evidence: EvidenceStore = MemoryEvidence()
        self.outbox: Outbox = outbox
        self.consumptions: Consumptions = MemoryConsumptions()
        self.projection: Projection = MemoryProjection()
        self.audit: AuditLog = MemoryAudit(channel, account)

    def commit(self) -> None:
        """Keep everything written."""
        for store in vars(self).values():
            for table in every_table(store):
                table.commit()

    def roll_back(self) -> None:
        """Undo everything since the last commit."""
        for store in vars(self).values():
            for table in every_table(store):
                table.roll_back()


class MemoryLock:
    """A lock of this process."""

    def __init__(self, lock: Lock) -> None:
        self._lock, self._is_ours = lock, False

    def __bool__(self) -> bool:
        """Tell whether it is ours."""
        return self._is_ours

    def keep(self) -> bool:
        """Take it if nobody has it."""
        self._is_ours = self._is_ours or self._lock.acquire(blocking=False)
        return self._is_ours


class MemoryStores:
    """The memory of one channel and account, gone with the process."""

    def __init__(self, *, channel: str, account: str) -> None:
        self._work = MemoryUnitOfWork(channel, account)
        self._turn = RLock()
        self._is_open = False
        self._names: dict[str, Lock] = defaultdict(Lock)
        self._leases: dict[str, LeaseRow] = defaultdict(LeaseRow)
        self._kept: list[tuple[AuditEntry, datetime]] = []

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        """Open a unit of work; other threads wait for their turn.

        Raises:
            RuntimeError: when this thread has one open: on a database the two would wait for each other.
        """
        with self._turn:
            if self._is_open:
                raise RuntimeError("a unit of work is open already in this thread")
            self._is_open = True
            try:
                for entry, at in self._kept:
                    self._work.audit.add(entry, at=at)
                yield self._work
                self._work.commit()
                self._kept.clear()
            finally:
                self._work.roll_back()
                self._is_open = False

    @contextmanager
    def lock(self, name: str) -> Iterator[MemoryLock]:
        """Try to be the only holder of `name` in this process."""
        lock = MemoryLock(self._names[name])
        lock.keep()
        try:
            yield lock
        finally:
            if lock:
                self._names[name].release()

    @contextmanager
    def lease(self, name: str) -> Iterator[MemoryLease | None]:
        """Try to take the lease `name` in this process."""
        with self._turn:  # the token never rises between a fenced unit of work and its commit
            row = self._leases[name]
            lease = None if row.is_held else MemoryLease(row, self.begin)
        if lease is None:
            yield None
            return
        try:
            yield lease
            lease.give_back()
        finally:
            lease.let_go()

    def abandon(self, name: str) -> None:
        """Take the lease `name` from its holder, as its death or a take-over does: he has lost it."""
        with self._turn:
            self._leases[name].is_held = False

    def keep_act(self, entry: AuditEntry, *, at: datetime) -> None:
        """Keep an act that no unit of work could take for the next one."""
        self._kept.append((entry, at))

    def close(self) -> None:
        """Do nothing; a database would close its connections."""
