"""This is what the gate was asked with, kept word for word beside its verdict, so that it can be asked again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from itertools import groupby
from typing import Any, Final, Self

from risk.views import RiskView
from trading.decisions import Breach
from trading.documents import document_of, value_of
from trading.errors import MaemaeError
from trading.halts import Halt
from trading.ledger import CashFlow, Ledger
from trading.orders import Order, OrderIntent

INPUTS: Final = "INPUTS"
"""The rule id under which they are kept among the verdicts."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What was looked at: the view, and how many shares the strategy itself had bought.

    `owned` is None for an order that was not sized from its signal, as one that the owner changed. `halts` are those
    in force at the commit, a moment after the view.
    """

    view: RiskView
    owned: int | None = None
    halts: tuple[Halt, ...] = ()

    def breach(self) -> Breach:
        """Give them as they are kept. Of an order its state is; what was wanted with it lies with the order itself."""
        view = self.view
        orders = {o.client_order_id: o for o in (*view.day_orders, *view.open_orders)}
        document = {
            "view": document_of(
                replace(view, open_orders=(), day_orders=(), ledger=_shortened(view))
            ),
            "orders": {key: _state_of(order) for key, order in orders.items()},
            "open": [order.client_order_id for order in view.open_orders],
            "day": [order.client_order_id for order in view.day_orders],
            "owned": self.owned,
            "halts": document_of(self.halts),
        }
        return Breach(INPUTS, "", {"asked": json.dumps(document, ensure_ascii=False)})

    @classmethod
    def of(cls, breach: Breach, intents: Mapping[str, OrderIntent]) -> Self | None:
        """Read them, None where that cannot be: somebody changed them, or `intents` lacks an order that there was."""
        try:
            return cls._read(_document(breach), intents)
        except (LookupError, TypeError, ValueError, ArithmeticError, MaemaeError):
            return None

    @classmethod
    def _read(cls, document: Mapping[str, Any], intents: Mapping[str, OrderIntent]) -> Self:
        orders = {
            key: value_of(Order, {**state, "intent": document_of(intents[key])})
            for key, state in document["orders"].items()
        }
        view = replace(
            value_of(RiskView, document["view"]),
            open_orders=tuple(orders[key] for key in document["open"]),
            day_orders=tuple(orders[key] for key in document["day"]),
        )
        halts = tuple(value_of(Halt, halt) for halt in document["halts"])
        return cls(view, document["owned"], halts)


def _document(breach: Breach) -> Mapping[str, Any]:
    found = json.loads(breach.figures.get("asked", "{}"))
    return found if isinstance(found, dict) else {}


def orders_seen(breach: Breach) -> tuple[str, ...]:
    """Name the orders that were looked at, by our ids; none where nobody can tell."""
    try:
        return tuple(_document(breach).get("orders", ()))
    except ValueError:
        return ()


def _state_of(order: Order) -> Mapping[str, object]:
    names = (field.name for field in fields(order) if field.name != "intent")
    return {name: document_of(getattr(order, name)) for name in names}


def _shortened(view: RiskView) -> Ledger:
    """Give the book with all that has settled by the day as one sum."""
    day = view.trading_day
    by_day = groupby(view.ledger.flows, key=lambda flow: max(flow.settles_on, day))
    flows = (CashFlow(settles_on, sum(f.amount for f in of_day)) for settles_on, of_day in by_day)
    return replace(view.ledger, flows=tuple(flows))
