"""This is taking over what others did: the account before maemae came, and orders by hand that have traded."""

from __future__ import annotations

from datetime import date, timedelta

from adapters.stores import UnitOfWork
from tasks.desk import Desk
from tasks.looks import Look
from trading.broker_books import Balance, BrokerOrder, BrokerPosition
from trading.ledger import CashFlow
from trading.manual_orders import (
    is_adoptable,
    life_before_opening,
    life_of,
    manual_order,
    unexplained,
)
from trading.orders import Order
from trading.plans import Act, BrokerDay, Step, follow_row


def plan_opening(work: UnitOfWork, look: Look) -> tuple[Step, ...]:
    """Plan to take over cash and holdings, if our book is still empty.

    Waits while an order is open that came in through this key: the opening would lie between two fills.
    """
    if any(row.is_ours and row.open_quantity for row in look.today.rows):
        return ()
    book = work.ledger.load()  # locks the account: of two at once only the first finds it empty
    if book.flows or book.positions:
        return ()
    holdings = (f"{p.symbol} {p.quantity}" for p in look.positions)
    detail = ", ".join([f"{look.balance.cash} KRW", *holdings])
    return (Step(Act.OPEN, book.account, detail),)


def open_book(desk: Desk, work: UnitOfWork, look: Look) -> None:
    """Book the broker's cash by settlement day and its holdings; what was traded today by then is in them."""
    day, at = look.today.day, look.at
    for flow in _opening_flows(desk, look.balance, day):
        work.ledger.deposit(flow, reason="opening balance", at=at)
    for position in look.positions:
        cost = _value(position)
        work.ledger.adopt(position.symbol, quantity=position.quantity, cost=cost, at=at)
    for row in unexplained(look.today.rows, work.orders.of_day(day)):
        if not row.filled_quantity:
            continue
        states = life_before_opening(_order_of(desk, row, day), row)
        work.orders.add(*states, detail="opening balance")


def plan_manual_order(
    desk: Desk, work: UnitOfWork, row: BrokerOrder, day: BrokerDay
) -> tuple[Step, ...]:
    """Plan to write down an order by hand and what it has traded, once it is sure that it is none of ours."""
    orders = work.orders.of_day(day.day)
    is_known = not unexplained([row], orders)
    if is_known or not is_adoptable(row, orders) or not _was_open(work, day.day):
        return ()
    states = life_of(_order_of(desk, row, day.day), row)
    order = states[-1]
    adoption = Step(Act.ADOPT, order.client_order_id, order.intent.reason, states)
    terms = desk.terms(work, row.symbol, day.day)
    return adoption, *follow_row(order, row, terms, is_day_over=day.is_over, at=day.at)


def _was_open(work: UnitOfWork, day: date) -> bool:
    """Tell whether our book was open on that day: what traded before is in the opening balance."""
    book = work.ledger.before(day + timedelta(days=1))
    return bool(book.flows or book.positions)


def _order_of(desk: Desk, row: BrokerOrder, day: date) -> Order:
    channel = desk.channel.channel
    return manual_order(row, trading_day=day, channel=channel, account=desk.account)


def _value(position: BrokerPosition) -> int:
    """Value what is taken over at today's price: what it gained or lost before is no result of ours.

    At its own cost an old loss would count as today's and close the gate by the daily loss limit.
    """
    return position.quantity * position.last if position.last > 0 else position.cost


def _opening_flows(desk: Desk, balance: Balance, day: date) -> tuple[CashFlow, ...]:
    tomorrow = desk.calendar.next_trading_day(day)
    flows = (
        CashFlow(day, balance.deposit),
        CashFlow(tomorrow, balance.next_day_cash - balance.deposit),
        CashFlow(desk.calendar.next_trading_day(tomorrow), balance.cash - balance.next_day_cash),
    )
    return tuple(flow for flow in flows if flow.amount)
