"""This is placing orders: which signals are acted on, by one writer at a time, exits first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from prefect import task
from prefect.cache_policies import NO_CACHE

from adapters.stores import Lease
from risk.judgements import unsized
from risk.rules.halted import stopped
from risk.sizing import MARKET_TRIGGER, size
from risk.views import RiskView
from tasks.cancellations import cancel_order, finish_cancels
from tasks.desk import Desk
from tasks.prices import Asked
from tasks.submissions import attempts_of, submit
from tasks.trips import check_trips
from tasks.views import read_view
from tasks.writers import only_writer
from trading.decisions import Breach
from trading.errors import BrokerError
from trading.orders import NEVER_IN, Order, OrderStatus, OrderType, Side
from trading.signals import Direction, Signal

MAXIMUM_ENTRY_ATTEMPTS: Final = 3
"""So many orders of one entry may be made, each after one that certainly never got in."""
MAXIMUM_EXIT_ATTEMPTS: Final = 5
"""So many orders of one exit may reach the broker, one after the other came to nothing; a stop that never got in
is tried as long as its signal lives."""


@task(cache_policy=NO_CACHE, retries=0)  # whatever Prefect's defaults are set to
async def trade(
    desk: Desk, signals: Sequence[Signal], asked: Asked | None = None
) -> tuple[Order, ...]:
    """Turn live signals into orders, exits first; give every order made, denied ones included.

    The only writer of the account's orders while it runs. A signal that already has its order gives none. `asked`: a
    price that was asked for already.

    Raises:
        Unavailable: when another writer holds the account for too long; nothing was ordered.
        NotReady: when a writer died and the account cannot be trusted since; nothing was ordered.
        LeaseLost: when another writer took over meanwhile; nothing is sent from then on.
        BrokerError: when a price or the cash of some signal could not be read; it gave no order, and every
            other signal was acted on.
    """
    exits_first = sorted(signals, key=lambda signal: signal.direction is Direction.ENTRY)
    acted: list[Order | None] = []
    unread: list[BrokerError] = []
    async with only_writer(desk) as lease:
        for signal in exits_first:
            try:
                acted.append(await _act(desk, lease, signal, asked))
            except BrokerError as problem:
                unread.append(problem)
        await finish_cancels(desk, lease)
    check_trips(desk, prices={})  # asking for prices here would keep the next stop waiting
    if unread:
        raise unread[0]
    return tuple(order for order in acted if order is not None)


async def _act(desk: Desk, lease: Lease, signal: Signal, asked: Asked | None) -> Order | None:
    """Decide about one signal and carry it out."""
    if signal.is_expired(desk.now()):
        return None
    view = await read_view(desk, signal, asked)
    sequence = _sequence(signal, view)
    if sequence is None:
        return None
    if await _clear_the_way(desk, lease, signal, view):
        if signal.is_expired(desk.now()):
            return None
        view = await read_view(desk, signal)
    sized = size(signal, view, desk.channel.sizing, owned=view.owned, sequence=sequence)
    if isinstance(sized, Breach):
        _record_refusal(lease, signal, view, sized)
        return None
    return await submit(desk, lease, sized, view, owned=view.owned)


async def _clear_the_way(desk: Desk, lease: Lease, signal: Signal, view: RiskView) -> bool:
    """Cancel the strategy's resting sells of a symbol whose stop is reached: they promise the same shares.

    Not while a halt would keep the stop itself from leaving. Tells whether anything was canceled or filled.
    """
    if signal.direction is not Direction.EXIT or signal.trigger != MARKET_TRIGGER:
        return False
    resting = [order for order in view.open_orders if _is_in_the_way(order, signal)]
    resting = [order for order in resting if not stopped(order.intent, view.halts)]
    for order in resting:
        await cancel_order(desk, lease, order.client_order_id, reason=signal.reason)
    return bool(resting)


def _is_in_the_way(order: Order, signal: Signal) -> bool:
    intent = order.intent
    is_its_sell = (intent.strategy_id, intent.symbol, intent.side) == (
        signal.strategy_id,
        signal.symbol,
        Side.SELL,
    ) and intent.trading_day == signal.trading_day
    return is_its_sell and intent.order_type is OrderType.LIMIT and not order.is_in_doubt


def _sequence(signal: Signal, view: RiskView) -> int | None:
    """Number the next attempt for a signal, None when it must not be acted on (again).

    An entry is tried anew only after orders that certainly never got in. An exit goes on while shares are
    left: its entry may have filled further after a first exit. What was bought by a later decision it leaves alone.
    """
    attempts = attempts_of(signal.signal_id, view.day_orders)
    if signal.direction is Direction.ENTRY:
        may_go_on = all(_never_got_in(order) for order in attempts)
        return len(attempts) if may_go_on and len(attempts) < MAXIMUM_ENTRY_ATTEMPTS else None
    has_filled = any(order.status is OrderStatus.FILLED for order in attempts)
    is_done = has_filled and (not view.owned or _has_bought_since(signal, attempts, view))
    judged = [o for o in attempts if o.status is not OrderStatus.DENIED and not _never_got_in(o)]
    if is_done or any(order.is_open for order in attempts) or len(judged) >= MAXIMUM_EXIT_ATTEMPTS:
        return None
    return len(attempts)


def _has_bought_since(signal: Signal, attempts: Sequence[Order], view: RiskView) -> bool:
    """Tell whether its strategy decided to buy the symbol anew after the exit, and after its last order."""
    last = max(signal.created_at, *(order.intent.created_at for order in attempts))
    bought = (signal.strategy_id, signal.symbol, Side.BUY)
    return any(
        (intent.strategy_id, intent.symbol, intent.side) == bought and intent.created_at > last
        for intent in (order.intent for order in view.day_orders if order.filled_quantity)
    )


def _never_got_in(order: Order) -> bool:
    return order.status is OrderStatus.REJECTED and order.error_code in NEVER_IN


def _record_refusal(lease: Lease, signal: Signal, view: RiskView, breach: Breach) -> None:
    """Keep why a signal could not even be sized, once a day."""
    with lease.begin() as work:
        known = {
            (e.client_order_id, e.breach.rule_id) for e in work.risk_events.of_day(view.trading_day)
        }
        if (signal.signal_id, breach.rule_id) in known:
            return
        work.risk_events.add(unsized(signal, view, breach, owned=view.owned))
