"""This is sending twice as a rule: each order id once, and never two open orders that could be taken for one another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from risk.views import RiskView
from trading.decisions import Breach
from trading.orders import Order, OrderIntent, OrderStatus


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Refuse an id that was used before, what the strategy's own open order already does, and the equal of any.

    An order in doubt blocks its symbol and side for every strategy until it is settled, and nothing else: other
    symbols and the other side go on. Two orders equal in symbol, side, quantity and price could never be told apart
    in the broker's book, whoever made them; one that was declared absent counts, as it may turn up. An order of the
    same id that was stored and never sent is
    this one itself, after a crash.
    """

    rule_id: str = "DUPLICATE"

    def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
        """Look through today's and all open orders."""
        order = _twin(intent, view)
        if order is None:
            return None
        message = f"{order.client_order_id} is {order.status} with {order.open_quantity} open"
        return Breach(self.rule_id, message, self.figures(intent, view))

    def figures(self, intent: OrderIntent, view: RiskView) -> Mapping[str, str]:
        """Give the order that is in the way, else how many were looked through."""
        order = _twin(intent, view)
        if order is None:
            return {"orders_today": str(len(view.day_orders))}
        return {
            "client_order_id": order.client_order_id,
            "strategy_id": order.intent.strategy_id,
            "status": order.status.value,
            "open_quantity": str(order.open_quantity),
        }


def _twin(intent: OrderIntent, view: RiskView) -> Order | None:
    orders = (*view.open_orders, *view.day_orders)
    return next((o for o in orders if _is_same_id(o, intent) or _is_same_trade(o, intent)), None)


def _is_same_id(order: Order, intent: OrderIntent) -> bool:
    is_same = order.client_order_id == intent.client_order_id
    return is_same and order.status is not OrderStatus.INITIALIZED


def _is_same_trade(order: Order, intent: OrderIntent) -> bool:
    other = order.intent
    if other.symbol != intent.symbol or other.side is not intent.side:
        return False
    is_own = other.strategy_id == intent.strategy_id
    is_equal = (other.quantity, other.limit_price) == (intent.quantity, intent.limit_price)
    return (order.is_open and (order.is_in_doubt or is_own)) or (order.may_turn_up and is_equal)
