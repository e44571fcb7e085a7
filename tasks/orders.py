"""This is placing orders: the only code that sends one. Gate, commit, send once, commit.

Nothing here is ever repeated. Between the commit of SUBMITTED and the commit of the answer an order is in
doubt, whatever happens to this process, and only reconciliation settles it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from adapters.messages import order_accepted, order_denied, order_in_doubt, order_rejected
from adapters.stores import UnitOfWork
from risk.gate import check
from risk.rules import rules_for
from risk.rules.halted import Halted
from risk.sizing import size
from risk.views import RiskView
from strategies.holdings import holdings_of
from tasks.desk import Desk
from tasks.views import read_view
from trading.decisions import Breach, RiskDecision, RiskEvent
from trading.errors import BrokerError, OutcomeUnknown, Unavailable
from trading.orders import Order, OrderIntent, OrderStatus
from trading.signals import Direction, Signal

WRITER_PATIENCE_SECONDS = 30
MAXIMUM_EXIT_ATTEMPTS = 5
"""So many orders of one exit may reach the broker, one after the other came to nothing; an entry has one."""


@task(cache_policy=NO_CACHE, retries=0)  # whatever Prefect's defaults are set to
async def trade(desk: Desk, signals: Sequence[Signal]) -> tuple[Order, ...]:
    """Turn live signals into orders, exits first; give every order made, denied ones included.

    The only writer of the account's orders while it runs. A signal that already has its order gives none.

    Raises:
        Unavailable: when another writer holds the account for too long; nothing was ordered.
        BrokerError: when a price or the cash of some signal could not be read; it gave no order, and every
            other signal was acted on.
    """
    exits_first = sorted(signals, key=lambda signal: signal.direction is Direction.ENTRY)
    acted: list[Order | None] = []
    unread: list[BrokerError] = []
    async with _only_writer(desk):
        for signal in exits_first:
            try:
                acted.append(await _act(desk, signal))
            except BrokerError as problem:
                unread.append(problem)
    if unread:
        raise unread[0]
    return tuple(order for order in acted if order is not None)


@asynccontextmanager
async def _only_writer(desk: Desk) -> AsyncIterator[None]:
    """Wait for the account's writer lock."""
    for _ in range(WRITER_PATIENCE_SECONDS * 10):
        with desk.stores.lock("orders") as is_mine:
            if is_mine:
                yield
                return
        await asyncio.sleep(0.1)
    raise Unavailable("another run is placing orders", code="WRITER_BUSY")


async def _act(desk: Desk, signal: Signal) -> Order | None:
    """Decide about one signal and carry it out."""
    if signal.is_expired(desk.now()):
        return None
    view = await read_view(desk, signal)
    owned = _owned(desk, signal)
    sequence = _sequence(signal, view.day_orders, owned)
    if sequence is None:
        return None
    sized = size(signal, view, desk.channel.sizing, owned=owned, sequence=sequence)
    if isinstance(sized, Breach):
        _record_refusal(desk, signal, view, sized)
        return None
    order = _commit(desk, sized, view)
    if order is None or order.status is OrderStatus.DENIED:
        return order
    return await _send(desk, order)


def _sequence(signal: Signal, day_orders: Iterable[Order], owned: int) -> int | None:
    """Number the next attempt for a signal, None when it must not be acted on (again).

    An exit goes on while shares are left: its entry may have filled further after a first exit.
    """
    attempts = _attempts(signal.signal_id, day_orders)
    if signal.direction is Direction.ENTRY:
        return None if attempts else 0
    is_done = not owned and any(order.status is OrderStatus.FILLED for order in attempts)
    sent = sum(order.status is not OrderStatus.DENIED for order in attempts)
    if is_done or any(order.is_open for order in attempts) or sent >= MAXIMUM_EXIT_ATTEMPTS:
        return None
    return len(attempts)


def _attempts(signal_id: str, day_orders: Iterable[Order]) -> list[Order]:
    return [order for order in day_orders if order.intent.signal_id == signal_id]


def _owned(desk: Desk, signal: Signal) -> int:
    """Count the shares that the signal's strategy itself bought: it sells no others."""
    with desk.stores.begin() as work:
        held = holdings_of(signal.strategy_id, work.executions.all())
    return held[signal.symbol].quantity if signal.symbol in held else 0


def _commit(desk: Desk, intent: OrderIntent, view: RiskView) -> Order | None:
    """Store the order as DENIED, or as SUBMITTED before anything is sent; None if it is there already.

    The halts are read again in this very transaction: nothing may slip past a halt put a moment ago.
    """
    decision = check(intent, view, rules_for(desk.channel.risk))
    with desk.stores.begin() as work:
        if decision.is_approved:
            decision = check(intent, replace(view, halts=desk.halts(work)), (Halted(),))
        if _repeats_denial(work, intent, view, decision):
            return None
        if not work.orders.add(Order.initialize(intent)):
            return None
        order = _judged(Order.initialize(intent), decision, at=desk.now())
        work.orders.save(order)
        work.risk_events.add(_events(order, decision))
    if not decision.is_approved:
        name = desk.name(order.symbol)
        desk.tell(order_denied(order, decision.breaches, desk.wording, name=name))
    return order


def _repeats_denial(
    work: UnitOfWork, intent: OrderIntent, view: RiskView, decision: RiskDecision
) -> bool:
    """Tell whether the same rules refused the attempt before this one: that is stored and told once."""
    attempts = _attempts(intent.signal_id, view.day_orders)
    if decision.is_approved or not attempts:
        return False
    events = work.risk_events.of_day(view.trading_day)
    last = attempts[-1].client_order_id
    known = {event.breach.rule_id for event in events if event.client_order_id == last}
    return known == {breach.rule_id for breach in decision.breaches}


def _judged(order: Order, decision: RiskDecision, *, at: datetime) -> Order:
    return order.submit(at=at) if decision.is_approved else order.deny(decision.reason, at=at)


async def _send(desk: Desk, order: Order) -> Order:
    """Send once and store the answer; no answer leaves the order in doubt."""
    try:
        receipt = await desk.broker.place(order.intent, last_look=lambda: None)
    except OutcomeUnknown as error:
        name = desk.name(order.symbol)
        desk.tell(order_in_doubt(order, str(error), desk.wording, name=name))
        return order
    except BrokerError as error:
        return _refused(desk, order, error)
    with desk.stores.begin() as work:
        current = work.orders.get(order.client_order_id) or order
        accepted = current.accept(receipt.broker_order_id, branch=receipt.branch, at=desk.now())
        work.orders.save(accepted)
    desk.tell(order_accepted(accepted, desk.wording, name=desk.name(order.symbol)))
    return accepted


def _refused(desk: Desk, order: Order, error: BrokerError) -> Order:
    """Store a certain refusal in the broker's own words, unless an inquiry found the order meanwhile."""
    with desk.stores.begin() as work:
        current = work.orders.get(order.client_order_id) or order
        if not current.is_in_doubt:
            return current
        code = error.code or type(error).__name__.upper()
        refused = current.reject(code, error.message, at=desk.now())
        work.orders.save(refused)
    desk.tell(order_rejected(refused, desk.wording, name=desk.name(order.symbol)))
    return refused


def _record_refusal(desk: Desk, signal: Signal, view: RiskView, breach: Breach) -> None:
    """Keep why a signal could not even be sized, once a day."""
    with desk.stores.begin() as work:
        known = {
            (e.client_order_id, e.breach.rule_id) for e in work.risk_events.of_day(view.trading_day)
        }
        if (signal.signal_id, breach.rule_id) in known:
            return
        event = RiskEvent(
            client_order_id=signal.signal_id,
            strategy_id=signal.strategy_id,
            symbol=signal.symbol,
            breach=breach,
            at=view.at,
            trading_day=view.trading_day,
        )
        work.risk_events.add([event])


def _events(order: Order, decision: RiskDecision) -> tuple[RiskEvent, ...]:
    return tuple(
        RiskEvent(
            client_order_id=order.client_order_id,
            strategy_id=order.intent.strategy_id,
            symbol=order.symbol,
            breach=breach,
            at=order.updated_at,
            trading_day=order.intent.trading_day,
        )
        for breach in decision.breaches
    )
