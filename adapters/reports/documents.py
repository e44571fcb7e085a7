"""This is the report for programs: JSON with stable names, won as numbers, fractions as text."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from adapters.redaction import mask_account
from trading.day_records import DayRecord
from trading.day_results import Holding, Sale
from trading.order_quality import Latency
from trading.orders import Order
from trading.reports import Denial, EodReport


def report_document(report: EodReport) -> dict[str, Any]:
    """Give the report as plain values. Times are seconds, rates fractions with all their places as text."""
    day, funnel = report.day, report.funnel
    return {
        **_whose(day),
        **_money(report),
        "carried_difference": report.carried_difference,
        "failure_rate": _text(report.failure_rate),
        "signal_to_accept": _latency(report.latency),
        "submit_to_accept": _latency(report.broker_latency),
        "funnel": {name: getattr(funnel, name) for name in funnel.__dataclass_fields__},
        "orders_by_status": {str(status): n for status, n in report.orders_by_status.items()},
        "orders": [_order(order) for order in day.orders],
        "denials": [_denial(denial) for denial in report.denials],
        "holdings": [_holding(holding, day) for holding in report.holdings],
        "sales": [_sale(sale, day) for sale in report.sales],
    }


def _whose(day: DayRecord) -> dict[str, Any]:
    """Say whose day it is, and what it was traded with."""
    return {
        "trading_day": day.trading_day.isoformat(),
        "channel": day.channel,
        "account": mask_account(day.account),
        "config_version": day.config_version,
        "config_versions": list(day.versions),
        "config_digest": day.config_digest,
        "commit": day.commit,
        "parameters": [
            {"strategy_id": strategy, "parameter_hash": digest}
            for strategy, digest in day.parameters
        ],
    }


def _money(report: EodReport) -> dict[str, Any]:
    """Say what the day brought, in won."""
    result = report.result
    return {
        "profit": result.profit,
        "day_return": str(report.day_return),
        "total_return": str(report.total_return),
        "opening_equity": result.opening,
        "paid_in": result.paid_in,
        "closing_equity": result.closing,
        "cash": report.day.closing.cash,
        "realized": result.realized,
        "realized_net": result.realized_net,
        "unrealized": report.unrealized,
        "unrealized_change": result.unrealized_change,
        "commission": result.commission,
        "tax": result.tax,
        "slippage": report.slippage.cost,
        "slippage_basis_points": _text(report.slippage.basis_points),
        "drawdown": str(report.drawdown),
        "max_drawdown": str(report.max_drawdown),
    }


def _denial(denial: Denial) -> dict[str, Any]:
    return {
        "client_order_id": denial.client_order_id,
        "strategy_id": denial.strategy_id,
        "symbol": denial.symbol,
        "reasons": [
            {"rule_id": b.rule_id, "message": b.message, "figures": dict(b.figures)}
            for b in denial.breaches
        ],
    }


def _holding(holding: Holding, day: DayRecord) -> dict[str, Any]:
    return {
        "symbol": holding.symbol,
        "name": day.name(holding.symbol),
        "quantity": holding.quantity,
        "cost": holding.cost,
        "price": holding.price,
        "value": holding.value,
        "unrealized": holding.unrealized,
        "weight": str(holding.weight),
    }


def _sale(sale: Sale, day: DayRecord) -> dict[str, Any]:
    return {
        "symbol": sale.symbol,
        "name": day.name(sale.symbol),
        "quantity": sale.quantity,
        "proceeds": sale.proceeds,
        "cost": sale.cost,
        "realized": sale.realized,
        "charges": sale.charges,
    }


def _order(order: Order) -> dict[str, Any]:
    return {
        "client_order_id": order.client_order_id,
        "broker_order_id": order.broker_order_id,
        "strategy_id": order.intent.strategy_id,
        "symbol": order.symbol,
        "side": order.side.value,
        "order_type": order.intent.order_type.value,
        "quantity": order.quantity,
        "limit_price": order.intent.limit_price,
        "reference_price": order.intent.reference_price or None,
        "filled_quantity": order.filled_quantity,
        "filled_value": order.filled_value,
        "status": order.status.value,
        "parameter_hash": order.intent.parameter_hash,
        "config_version": order.intent.config_version,
        "error_code": order.error_code,
        "error_message": order.error_message,
    }


def _latency(latency: Latency | None) -> dict[str, Any] | None:
    if latency is None:
        return None
    return {
        "median_seconds": latency.median.total_seconds(),
        "maximum_seconds": latency.maximum.total_seconds(),
        "orders": latency.count,
    }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
