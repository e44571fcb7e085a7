"""This is what the console tells about orders, fills, signals and refusals: field names that never change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from deployments.console.tables import Column
from trading.decisions import RiskEvent
from trading.executions import Execution
from trading.halts import Halt
from trading.instruments import Symbol
from trading.orders import Order
from trading.plans import Step
from trading.reconciliation import Difference
from trading.signals import Signal

type Names = Mapping[Symbol, str]

ORDERS: Final = (
    Column("created_at", "time"),
    Column("strategy_id"),
    Column("symbol"),
    Column("name"),
    Column("side", "@side"),
    Column("quantity", "shares"),
    Column("limit_price", "won"),
    Column("filled_quantity", "shares"),
    Column("average_price", "price"),
    Column("status", "@status"),
    Column("broker_order_id"),
    Column("sentence"),
)
FILLS: Final = (
    Column("executed_at", "time"),
    Column("strategy_id"),
    Column("symbol"),
    Column("name"),
    Column("side", "@side"),
    Column("quantity", "shares"),
    Column("price", "price"),
    Column("value", "won"),
    Column("commission", "won"),
    Column("tax", "won"),
    Column("settles_on", "short_day"),
)
SIGNALS: Final = (
    Column("created_at", "time"),
    Column("strategy_id"),
    Column("symbol"),
    Column("name"),
    Column("direction", "@direction"),
    Column("trigger", "@trigger"),
    Column("target_weight", "percent"),
    Column("reference_price", "won"),
    Column("sentence"),
)
DENIALS: Final = (
    Column("at", "time"),
    Column("strategy_id"),
    Column("symbol"),
    Column("name"),
    Column("sentence"),
)
HALTS: Final = (
    Column("at"),
    Column("state", "@state"),
    Column("source"),
    Column("strategy_id"),
    Column("symbol"),
    Column("reason"),
    Column("place", "@console.place"),
)


def rounded(price: Decimal | None) -> Decimal | None:
    """Give an average in won to four places."""
    return None if price is None else round(price, 4)


def order_row(order: Order, names: Names) -> dict[str, Any]:
    """Tell an order; prices in won."""
    intent = order.intent
    return {
        "client_order_id": order.client_order_id,
        "broker_order_id": order.broker_order_id,
        "strategy_id": intent.strategy_id,
        "signal_id": intent.signal_id,
        "symbol": order.symbol,
        "name": names.get(order.symbol, ""),
        "side": order.side,
        "order_type": intent.order_type,
        "quantity": order.quantity,
        "limit_price": intent.limit_price,
        "filled_quantity": order.filled_quantity,
        "open_quantity": order.open_quantity,
        "average_price": rounded(order.average_price),
        "status": order.status,
        "reason": intent.reason,
        "parameter_hash": intent.parameter_hash,
        "config_version": intent.config_version,
        "error_code": order.error_code,
        "error_message": order.error_message,
        "created_at": intent.created_at,
        "submitted_at": order.submitted_at,
        "accepted_at": order.accepted_at,
        "updated_at": order.updated_at,
    }


def fill_row(execution: Execution, names: Names) -> dict[str, Any]:
    """Tell a fill; amounts in won."""
    return {
        "execution_id": execution.execution_id,
        "client_order_id": execution.client_order_id,
        "broker_order_id": execution.broker_order_id,
        "strategy_id": execution.strategy_id,
        "symbol": execution.symbol,
        "name": names.get(execution.symbol, ""),
        "side": execution.side,
        "quantity": execution.quantity,
        "price": rounded(execution.price),
        "value": execution.value,
        "commission": execution.commission,
        "tax": execution.tax,
        "cumulative_quantity": execution.cumulative_quantity,
        "settles_on": execution.settles_on,
        "executed_at": execution.executed_at,
        "source": execution.source,
    }


def signal_row(signal: Signal, names: Names) -> dict[str, Any]:
    """Tell a signal; `reference_price` in won."""
    return {
        "signal_id": signal.signal_id,
        "strategy_id": signal.strategy_id,
        "symbol": signal.symbol,
        "name": names.get(signal.symbol, ""),
        "direction": signal.direction,
        "trigger": signal.trigger,
        "strength": signal.strength,
        "target_weight": signal.target_weight,
        "reference_price": signal.reference_price,
        "reason": signal.reason,
        "indicators": signal.indicators,
        "parameter_hash": signal.parameter_hash,
        "config_version": signal.config_version,
        "created_at": signal.created_at,
        "expires_at": signal.expires_at,
    }


def denial_rows(events: Iterable[RiskEvent], names: Names) -> list[dict[str, Any]]:
    """Tell the orders that the risk gate refused, each with all its breaches, in order of refusal."""
    groups = groupby(events, key=lambda event: (event.client_order_id, event.at))
    return [_denial_row(tuple(group), names) for _, group in groups]


def halt_row(halt: Halt, place: str | None = None) -> dict[str, Any]:
    """Tell a reason to stop, and where it stands: "disk", "database", "both"."""
    return {
        "source": halt.source,
        "state": halt.state,
        "strategy_id": halt.strategy_id,
        "symbol": halt.symbol,
        "reason": halt.reason,
        "at": halt.at,
        "place": place,
    }


def step_row(step: Step) -> dict[str, Any]:
    """Tell one step of a reconciliation."""
    return {"act": step.act, "subject": step.subject, "detail": step.detail}


def difference_row(difference: Difference) -> dict[str, Any]:
    """Tell where our book and the broker's disagree."""
    return {
        "kind": difference.kind,
        "subject": difference.subject,
        "symbol": difference.symbol,
        "ours": difference.ours,
        "theirs": difference.theirs,
    }


def _denial_row(events: tuple[RiskEvent, ...], names: Names) -> dict[str, Any]:
    first = events[0]
    return {
        "client_order_id": first.client_order_id,
        "strategy_id": first.strategy_id,
        "symbol": first.symbol,
        "name": names.get(first.symbol, ""),
        "at": first.at,
        "breaches": [
            {
                "rule_id": event.breach.rule_id,
                "message": event.breach.message,
                "figures": event.breach.figures,
            }
            for event in events
        ],
    }
