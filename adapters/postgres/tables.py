"""This is the tables as SQLAlchemy sees them; sql/migrations makes them, a test holds the two together."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    Uuid,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()


def _text(*names: str) -> list[Column[Any]]:
    return [Column(name, Text, nullable=False) for name in names]


def _won(*names: str) -> list[Column[Any]]:
    """Make columns of whole won, whole shares, or other large counts."""
    return [Column(name, BigInteger, nullable=False) for name in names]


def _when(*names: str, nullable: bool = False) -> list[Column[Any]]:
    return [Column(name, DateTime(timezone=True), nullable=nullable) for name in names]


def _day(*names: str, nullable: bool = False) -> list[Column[Any]]:
    return [Column(name, Date, nullable=nullable) for name in names]


def _flag(*names: str) -> list[Column[Any]]:
    return [Column(name, Boolean, nullable=False) for name in names]


def _json(name: str) -> Column[Any]:
    return Column(name, JSONB, nullable=False)


def _number(name: str) -> Column[Any]:
    """Make the column that PostgreSQL counts up."""
    return Column(name, BigInteger, Identity(always=True), nullable=False)


symbols = Table(
    "symbols",
    metadata,
    *_text("channel", "symbol", "name", "market", "kind"),
    *_flag("is_halted", "is_administrative", "is_liquidation"),
    *_day("listed_on", "delisted_on", nullable=True),
)
market_bars = Table(
    "market_bars",
    metadata,
    *_text("channel", "symbol", "interval"),
    *_when("at"),
    *_text("source"),
    *_day("trading_day"),
    *_won("open", "high", "low", "close", "volume"),
    Column("value", BigInteger),
    *_flag("is_provisional", "is_adjusted"),
)
bar_series = Table(
    "bar_series",
    metadata,
    *_text("channel", "symbol", "interval"),
    Column("version", Uuid, nullable=False),
)
bar_partitions = Table("bar_partitions", metadata, *_won("partition"))
bar_gaps = Table(
    "bar_gaps",
    metadata,
    *_text("channel", "symbol"),
    *_day("trading_day"),
    *_text("reason"),
)
raw_bars = Table(
    "raw_bars",
    metadata,
    *_text("channel", "symbol"),
    *_day("trading_day"),
    *_won("open", "high", "low", "close", "volume"),
    Column("value", BigInteger),
    *_text("source"),
    *_flag("is_provisional"),
)
bar_factors = Table(
    "bar_factors",
    metadata,
    *_text("channel", "symbol"),
    Column("version", Integer, nullable=False),
    *_day("since"),
    *_won("numerator", "denominator"),
    *_when("noted_at"),
)
index_bars = Table(
    "index_bars",
    metadata,
    *_text("channel", "index"),
    *_day("trading_day"),
    *(Column(name, Numeric, nullable=False) for name in ("open", "high", "low", "close")),
)
trading_calendar = Table(
    "trading_calendar",
    metadata,
    *_text("channel"),
    *_day("day"),
    *_flag("is_open"),
    *_when("answered_at"),
)
signals = Table(
    "signals",
    metadata,
    *_text("channel", "account", "signal_id"),
    _number("sequence"),
    *_text("strategy_id", "symbol", "direction"),
    Column("strength", Numeric, nullable=False),
    *_text("trigger", "reason", "parameter_hash"),
    *_won("reference_price"),
    *_day("trading_day"),
    *_when("created_at", "expires_at"),
    _json("indicators"),
    Column("config_version", Integer, nullable=False),
    Column("target_weight", Numeric),
)
orders = Table(
    "orders",
    metadata,
    *_text("channel", "account", "client_order_id"),
    _number("sequence"),
    *_text("strategy_id", "symbol", "side"),
    *_won("quantity"),
    *_text("order_type"),
    Column("limit_price", BigInteger),
    *_day("trading_day"),
    *_text("signal_id", "reason"),
    *_won("reference_price"),
    *_text("parameter_hash"),
    Column("config_version", Integer, nullable=False),
    *_when("created_at"),
    *_text("status", "broker_order_id", "broker_branch"),
    *_won("filled_quantity", "filled_value"),
    *_when("submitted_at", "accepted_at", nullable=True),
    *_when("updated_at"),
    *_text("error_code", "error_message"),
)
order_events = Table(
    "order_events",
    metadata,
    _number("event_id"),
    *_text("channel", "account", "client_order_id", "status"),
    *_when("at"),
    *_text("detail"),
)
submissions = Table(
    "submissions",
    metadata,
    *_text("channel", "account", "client_order_id"),
    *_won("fence"),
    _json("body"),
    *_when("sent_at"),
    Column("known_numbers", ARRAY(Text), nullable=False),
    *_text("highest_number"),
    *_won("held", "sellable"),
    Column("buyable_cash", BigInteger),
    Column("scans", Integer, nullable=False),
    *_when("first_at", "last_at", nullable=True),
    *_flag("is_control_seen", "is_noticed"),
)
notices = Table(
    "notices",
    metadata,
    _number("notice_id"),
    *_text("channel", "account"),
    *_day("trading_day"),
    *_text("kind", "broker_order_id", "original_id", "symbol", "side", "order_type"),
    *_won("quantity", "price", "order_quantity"),
    *_text("time_text"),
    *_when("received_at"),
)
executions = Table(
    "executions",
    metadata,
    *_text("channel", "account", "execution_id"),
    _number("sequence"),
    *_text("client_order_id", "broker_order_id", "strategy_id", "symbol", "side"),
    *_won("quantity", "value", "commission", "tax", "cumulative_quantity"),
    *_day("trading_day", "settles_on"),
    *_when("executed_at"),
    *_text("source"),
)
risk_events = Table(
    "risk_events",
    metadata,
    _number("event_id"),
    *_text("channel", "account", "client_order_id", "strategy_id", "symbol", "rule_id"),
    *_text("verdict", "message"),
    _json("figures"),
    *_when("at"),
    *_day("trading_day"),
)
positions = Table(
    "positions",
    metadata,
    *_text("channel", "account", "symbol"),
    *_won("quantity", "cost", "realized", "charges"),
)
ledger_entries = Table(
    "ledger_entries",
    metadata,
    _number("entry_id"),
    *_text("channel", "account", "kind"),
    *_day("trading_day", "settles_on"),
    *_won("amount"),
    Column("symbol", Text),
    *_won("quantity", "cost"),
    Column("execution_id", Text),
    *_text("reason"),
    *_when("booked_at"),
)
equity_points = Table(
    "equity_points",
    metadata,
    *_text("channel", "account"),
    *_day("trading_day"),
    *_won("opening", "closing", "paid_in"),
)
halts = Table(
    "halts",
    metadata,
    _number("halt_id"),
    *_text("channel", "account", "source", "strategy_id", "symbol", "state", "reason"),
    *_when("at"),
    *_when("lifted_at", nullable=True),
    Column("lift_reason", Text),
)
leases = Table(
    "leases",
    metadata,
    *_text("channel", "account", "name"),
    *_won("token"),
    Column("backend_pid", Integer, nullable=False),
    *_flag("is_returned"),
    *_when("alive_at"),
)
configs = Table(
    "configs",
    metadata,
    *_text("channel", "account"),
    Column("version", Integer, nullable=False),
    *_text("digest"),
    _json("document"),
    *_text("reason"),
    *_when("at"),
    *_when("approved_at", nullable=True),
    *_text("commit"),
)
evidence = Table(
    "evidence",
    metadata,
    _number("evidence_id"),
    *_text("channel", "kind", "commit"),
    *_when("made_at"),
    *_flag("is_passed"),
    _json("figures"),
)
outbox = Table(
    "outbox",
    metadata,
    _number("event_id"),
    *_text("channel", "account", "topic", "key"),
    _json("payload"),
    *_when("at"),
    *_when("sent_at", nullable=True),
    Column("body", LargeBinary),
    Column(
        "written_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()
    ),
)
consumer_offsets = Table(
    "consumer_offsets",
    metadata,
    *_text("channel", "account", "consumer", "topic"),
    Column("partition", Integer, nullable=False),
    *_won("next_offset"),
)
consumed_events = Table(
    "consumed_events",
    metadata,
    *_text("channel", "account", "consumer"),
    *_won("event_id"),
)
told_orders = Table(
    "told_orders",
    metadata,
    *_text("channel", "account", "client_order_id", "symbol", "side", "status"),
    *_won("quantity", "filled_quantity", "filled_value", "event_id"),
)
told_holdings = Table(
    "told_holdings",
    metadata,
    *_text("channel", "account", "strategy_id", "symbol"),
    *_won("quantity", "cash"),
)
audit = Table(
    "audit",
    metadata,
    *_text("channel", "account"),
    *_won("number"),
    *_text("actor", "action"),
    _json("detail"),
    *_when("at"),
    *_text("before", "digest"),
)
