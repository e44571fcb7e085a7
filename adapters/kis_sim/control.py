"""This is the simulator's own door beside KIS's: time, faults, the books as they truly are, orders placed by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from adapters.kis_sim.accounts import Account
from adapters.kis_sim.divisions import DIVISIONS
from adapters.kis_sim.hours import kst
from adapters.kis_sim.orders import BookedFill, BookedOrder, OrderRequest
from adapters.kis_sim.simulation import Simulation
from trading.errors import BadInput
from trading.orders import Side

HTS: Final = "HTS"
"""The channel of an order that did not come through the API."""

_ORDER_FIELDS: Final = ("account", "symbol", "side", "quantity", "price", "division")


def clock_state(simulation: Simulation) -> dict[str, Any]:
    """Describe the time, and how many KIS calls were answered: while they grow, somebody is at work."""
    now = simulation.catch_up()
    is_running = simulation.clock.is_running()
    mode = "run" if is_running else "step"
    return {
        "now": kst(now).isoformat(),
        "mode": "open" if simulation.timetable.is_always_open else mode,
        "factor": simulation.clock.factor if is_running else 0,
        "calls": simulation.calls,
        "trading_day": simulation.today().isoformat(),
    }


async def set_clock(simulation: Simulation, document: dict[str, Any]) -> dict[str, Any]:
    """Step to a time, or run at a factor until one; answers with the time reached.

    Raises:
        BadInput: for unknown fields, a time without zone or in the past, a negative factor.
    """
    strange = set(document) - {"advance_to", "factor", "until"}
    if strange or not document:
        raise BadInput("clock", sorted(strange), "advance_to, or factor and until")
    if "advance_to" in document:
        await simulation.advance_to(_coming(simulation, "advance_to", document["advance_to"]))
    if "factor" in document:
        factor = document["factor"]
        if isinstance(factor, bool) or not isinstance(factor, int | float) or factor < 0:
            raise BadInput("factor", factor, "times real time, 0 to stand")
        until = document.get("until")
        end = _coming(simulation, "until", until) if until is not None else None
        simulation.clock.run(factor, end)
    return clock_state(simulation)


def place_by_hand(simulation: Simulation, document: dict[str, Any]) -> dict[str, Any]:
    """Place an order in the account as its owner would in HTS: `price` 0 or none is a market order.

    Raises:
        BadInput: naming the field that is wrong.
        Refused: when the broker does not take the order.
    """
    strange = set(document) - set(_ORDER_FIELDS)
    if strange:
        raise BadInput("order", sorted(strange), f"fields {', '.join(_ORDER_FIELDS)}")
    price = _count(document, "price", 0)
    code = str(document.get("division") or ("00" if price else "01"))
    if code not in DIVISIONS:
        raise BadInput("division", code, f"one of {', '.join(DIVISIONS)}")
    side = str(document.get("side", "")).upper()
    if side not in set(Side):
        raise BadInput("side", side, "BUY or SELL")
    request = OrderRequest(
        side=Side(side),
        symbol=str(document.get("symbol", "")),
        division=DIVISIONS[code],
        quantity=_count(document, "quantity", 0),
        price=price,
        channel=HTS,
    )
    at = simulation.catch_up()
    order = simulation.exchange.place(_account(simulation, document), request, at)
    simulation.deliver()
    return _order(order)


def book(simulation: Simulation) -> dict[str, Any]:
    """Show everything that is true: accounts with orders, fills, positions, cash and what is to settle."""
    now = simulation.catch_up()
    return {
        "now": kst(now).isoformat(),
        "trading_day": simulation.today().isoformat(),
        "accounts": [_account_state(simulation, account, now) for account in simulation.accounts],
    }


def _coming(simulation: Simulation, name: str, text: Any) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except (TypeError, ValueError) as problem:
        raise BadInput(name, text, "a time like 2018-01-16T09:00:00+09:00") from problem
    if at.tzinfo is None:
        raise BadInput(name, text, "a time with its zone, e.g. +09:00")
    now = simulation.catch_up()
    if at < now:
        raise BadInput(name, text, f"not before {kst(now).isoformat()}")
    return at


def _count(document: dict[str, Any], name: str, default: int) -> int:
    number = document.get(name, default)
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise BadInput(name, number, "a whole number, 0 or more")
    return number


def _account(simulation: Simulation, document: dict[str, Any]) -> Account:
    number = document.get("account", simulation.accounts[0].number)
    for account in simulation.accounts:
        if account.number == number:
            return account
    known = ", ".join(account.number for account in simulation.accounts)
    raise BadInput("account", number, f"one of {known}")


def _account_state(simulation: Simulation, account: Account, at: datetime) -> dict[str, Any]:
    available = simulation.exchange.admission.available(account, at)
    return {
        "account": account.number,
        "cash": {
            "deposit": account.settled_cash,
            "after_settlement": account.cash,
            "held": account.cash - available,
            "available": available,
        },
        "settlements": [
            {"settles_on": on.isoformat(), "amount": amount} for on, amount in account.unsettled
        ],
        "positions": [
            {"symbol": each.symbol, "quantity": each.quantity, "cost": each.cost}
            for each in account.holdings.values()
            if each.quantity
        ],
        "orders": [_order(order) for order in account.orders],
        "fills": [_fill(fill) for fill in account.fills],
    }


def _order(order: BookedOrder) -> dict[str, Any]:
    request = order.request
    return {
        "number": order.number,
        "trading_day": order.trading_day.isoformat(),
        "at": kst(order.at).isoformat(),
        "account": order.account,
        "act": order.act.name,
        "original": order.original,
        "symbol": order.symbol,
        "side": order.side.value,
        "division": request.division.code,
        "price": request.price,
        "quantity": order.quantity,
        "filled_quantity": order.filled_quantity,
        "filled_value": order.filled_value,
        "open_quantity": order.open_quantity,
        "canceled_quantity": order.canceled_quantity,
        "rejected_quantity": order.rejected_quantity,
        "is_canceled": order.is_canceled,
        "reason": order.reason,
        "channel": request.channel,
        "environment": request.environment.value,
    }


def _fill(fill: BookedFill) -> dict[str, Any]:
    return {
        "sequence": fill.sequence,
        "number": fill.number,
        "trading_day": fill.trading_day.isoformat(),
        "at": kst(fill.at).isoformat(),
        "symbol": fill.symbol,
        "side": fill.side.value,
        "quantity": fill.quantity,
        "price": fill.price,
        "commission": fill.commission,
        "tax": fill.tax,
        "settles_on": fill.settles_on.isoformat(),
    }
