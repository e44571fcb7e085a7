"""This is one transaction: every store of one account on the same connection."""

from __future__ import annotations

from adapters.postgres.adjustments import PostgresAdjustments
from adapters.postgres.audit import PostgresAudit
from adapters.postgres.bars import PostgresBars
from adapters.postgres.calendar import PostgresCalendar
from adapters.postgres.configs import PostgresConfigs
from adapters.postgres.consumptions import PostgresConsumptions
from adapters.postgres.equity import PostgresEquity
from adapters.postgres.evidence import PostgresEvidence
from adapters.postgres.executions import PostgresExecutions
from adapters.postgres.halts import PostgresHalts
from adapters.postgres.indices import PostgresIndices
from adapters.postgres.instruments import PostgresInstruments
from adapters.postgres.ledger import PostgresLedger
from adapters.postgres.notices import PostgresNotices
from adapters.postgres.orders import PostgresOrders
from adapters.postgres.outbox import PostgresOutbox
from adapters.postgres.projections import PostgresProjection
from adapters.postgres.risk_events import PostgresRiskEvents
from adapters.postgres.scope import Scope
from adapters.postgres.signals import PostgresSignals
from adapters.postgres.submissions import PostgresSubmissions
from adapters.stores import (
    AdjustmentStore,
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
)


class PostgresUnitOfWork:
    """Everything in it is committed together when its block ends well, else nothing is."""

    def __init__(self, scope: Scope) -> None:
        outbox = PostgresOutbox(scope)
        orders = PostgresOrders(scope, outbox)
        self.bars: BarStore = PostgresBars(scope)
        self.adjustments: AdjustmentStore = PostgresAdjustments(scope)
        self.indices: IndexStore = PostgresIndices(scope)
        self.instruments: InstrumentStore = PostgresInstruments(scope)
        self.signals: SignalStore = PostgresSignals(scope, outbox)
        self.orders: OrderStore = orders
        self.submissions: SubmissionStore = PostgresSubmissions(scope)
        self.notices: NoticeStore = PostgresNotices(scope)
        self.executions: ExecutionStore = PostgresExecutions(scope, outbox)
        self.ledger: LedgerStore = PostgresLedger(scope, orders)
        self.risk_events: RiskEventStore = PostgresRiskEvents(scope, outbox)
        self.halts: HaltStore = PostgresHalts(scope)
        self.equity: EquityStore = PostgresEquity(scope)
        self.calendar: CalendarStore = PostgresCalendar(scope)
        self.configs: ConfigStore = PostgresConfigs(scope)
        self.evidence: EvidenceStore = PostgresEvidence(scope)
        self.outbox: Outbox = outbox
        self.consumptions: Consumptions = PostgresConsumptions(scope)
        self.projection: Projection = PostgresProjection(scope)
        self.audit: AuditLog = PostgresAudit(scope)
