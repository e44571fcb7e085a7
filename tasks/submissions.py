"""This is sending: the only code that does. Gate and commit, look a last time, send once, commit.

Nothing here is ever repeated. Between the commit of SUBMITTED and the commit of the answer an order is in
doubt, whatever happens to this process, and only the search for it settles it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
from time import monotonic

from adapters.messages import (
    order_accepted,
    order_denied,
    order_in_doubt,
    order_rejected,
    order_withheld,
)
from adapters.stores import Lease, UnitOfWork
from risk.judgements import Judgement
from risk.rules.halted import stopped
from risk.views import RiskView
from tasks.desk import Desk
from trading.decisions import RiskDecision
from trading.doubts import SEND_WITHIN
from trading.errors import BrokerError, OutcomeUnknown, Rejected, Withheld
from trading.halts import Halt
from trading.orders import Order, OrderIntent, OrderStatus, Side
from trading.submissions import Submission


async def submit(
    desk: Desk, lease: Lease, intent: OrderIntent, view: RiskView, *, owned: int | None = None
) -> Order | None:
    """Bring one order through the gate to the broker; None when it is there already.

    `owned` is what sizing was told, None for an order that it did not make. Gives the order as it stands then:
    DENIED, ACCEPTED, REJECTED, or SUBMITTED when nobody knows.

    Raises:
        LeaseLost, StoreUnavailable: nothing was sent, or what was sent is in doubt.
    """
    started = monotonic()  # before the commit, so that a process stopped behind it is too late
    intent = replace(intent, config_version=desk.version)
    order = _commit(desk, lease, intent, view, owned)
    if order is None or order.status is OrderStatus.DENIED:
        return order
    return await _send(desk, lease, order, deadline=started + SEND_WITHIN.total_seconds())


def attempts_of(signal_id: str, orders: Iterable[Order]) -> list[Order]:
    """Give the orders that were made for a signal, oldest first."""
    return [order for order in orders if order.intent.signal_id == signal_id]


def _commit(
    desk: Desk, lease: Lease, intent: OrderIntent, view: RiskView, owned: int | None = None
) -> Order | None:
    """Store the order as DENIED, or as SUBMITTED with its evidence before anything is sent.

    The halts are read again in this very transaction: nothing may slip past a halt put a moment ago.
    """
    judgement = Judgement.of(intent, view, desk.rules(intent.strategy_id), owned=owned)
    with lease.begin() as work:
        judgement, inputs = judgement.at_commit(desk.halts(work))
        decision = judgement.decision
        if _repeats_denial(work, intent, view, decision):
            return None
        made = Order.initialize(intent)
        order = _judged(made, decision, at=desk.now())
        if not work.orders.add(made, order):
            return None
        if decision.is_approved:
            work.submissions.add(_evidence(desk, lease, work, order, view))
        work.risk_events.add(judgement.events(at=order.updated_at, beside=(inputs.breach(),)))
    if not decision.is_approved:
        name = desk.name(order.symbol)
        desk.tell(order_denied(order, decision.breaches, desk.wording, name=name))
    return order


def _evidence(
    desk: Desk, lease: Lease, work: UnitOfWork, order: Order, view: RiskView
) -> Submission:
    """Write down what is known right before an order leaves, so that it can be told from others afterwards.

    The view is a moment old, and as true as then: nobody else places, and what is bound meanwhile is no match.
    """
    waiting = work.notices.waiting(order.intent.trading_day)
    numbers = [(o.symbol, o.side, o.broker_order_id) for o in view.day_orders]
    numbers += [(n.symbol, n.side, n.broker_order_id) for n in waiting]
    beside = {number for *trade, number in numbers if trade == [order.symbol, order.side]}
    digits = [number for *_, number in numbers if number.isdigit()]
    return Submission(
        client_order_id=order.client_order_id,
        fence=lease.token,
        body=desk.broker.wire_fields(order.intent),
        sent_at=order.updated_at,
        known_numbers=tuple(sorted(beside - {""})),
        highest_number=max(digits, key=int, default=""),
        held=view.ledger.position(order.symbol).quantity,
        sellable=view.ledger.sellable_quantity(order.symbol),
        buyable_cash=view.buyable_cash if order.side is Side.BUY else None,
    )


def _repeats_denial(
    work: UnitOfWork, intent: OrderIntent, view: RiskView, decision: RiskDecision
) -> bool:
    """Tell whether the same rules refused the attempt before this one: that is stored and told once."""
    attempts = attempts_of(intent.signal_id, view.day_orders)
    if decision.is_approved or not attempts:
        return False
    events = work.risk_events.of_day(view.trading_day)
    last = attempts[-1].client_order_id
    known = {event.breach.rule_id for event in events if event.client_order_id == last}
    return known == {breach.rule_id for breach in decision.breaches}


def _judged(order: Order, decision: RiskDecision, *, at: datetime) -> Order:
    return order.submit(at=at) if decision.is_approved else order.deny(decision.reason, at=at)


async def _send(desk: Desk, lease: Lease, order: Order, *, deadline: float) -> Order:
    """Send once and store the answer; no answer leaves the order in doubt."""
    look = partial(last_look, desk, lease, order, deadline=deadline)
    try:
        receipt = await desk.broker.place(order.intent, last_look=look)
    except OutcomeUnknown as error:
        name = desk.name(order.symbol)
        desk.tell(order_in_doubt(order, str(error), desk.wording, name=name))
        return order
    except BrokerError as error:
        return _refused(desk, lease, order, error)
    with lease.begin() as work:
        current = work.orders.get(order.client_order_id) or order
        accepted = current.accept(receipt.broker_order_id, branch=receipt.branch, at=desk.now())
        work.orders.save(accepted)
    desk.tell(order_accepted(accepted, desk.wording, name=desk.name(order.symbol)))
    return accepted


def last_look(desk: Desk, lease: Lease, order: Order, *, deadline: float) -> None:
    """Look a last time, right before the first byte: halts, lease, time. `deadline` is monotonic, in seconds.

    Raises:
        Withheld: when something forbids it or cannot be read, whatever it is; the order must not leave.
    """
    try:
        _require_no_halt(order, desk.halt_file.read(at=order.updated_at))
        _require_no_halt(order, lease.look())
    except Withheld:
        raise
    except Exception as error:  # whatever cannot be known keeps the order here
        raise Withheld(f"{type(error).__name__}: {error}", code="UNKNOWN") from error
    if monotonic() > deadline:
        raise Withheld("it waited too long after its commit", code="LATE")


def _require_no_halt(order: Order, halts: Iterable[Halt]) -> None:
    breach = stopped(order.intent, halts)
    if breach is not None:
        raise Withheld(breach.message, code=breach.rule_id)


def _refused(desk: Desk, lease: Lease, order: Order, error: BrokerError) -> Order:
    """Store a certain refusal, ours or the broker's, unless an inquiry found the order meanwhile."""
    with lease.begin() as work:
        current = work.orders.get(order.client_order_id) or order
        if not current.is_in_doubt:
            return current
        code, words = _reason(error)
        refused = current.reject(code, words, at=desk.now())
        work.orders.save(refused)
    name = desk.name(order.symbol)
    if isinstance(error, Withheld):
        desk.tell(order_withheld(refused, error.code, desk.wording, name=name))
    else:
        desk.tell(order_rejected(refused, desk.wording, name=name))
    return refused


def _reason(error: BrokerError) -> tuple[str, str]:
    """Give code and words: the broker's own for a business refusal, else the class and then the broker's."""
    kind = type(error).__name__.upper()
    if isinstance(error, Rejected):
        return error.code or kind, error.message
    return kind, error.message if isinstance(error, Withheld) else str(error)
