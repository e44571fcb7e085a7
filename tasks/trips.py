"""This is stopping by ourselves: the account's figures held against the limits that trip the kill switch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from adapters.stores import UnitOfWork
from risk.trips import Trip, TripFigures, TripRule, reject_streak, source_of, tripped
from tasks.desk import Desk
from tasks.equity import opening_equity
from tasks.halts import put_halt
from tasks.notices import beside_doubts
from trading.halts import Halt
from trading.instruments import Symbol
from trading.sessions import Phase, phase_at, seoul_date

FORGIVEN: Final = (TripRule.DAILY_LOSS, TripRule.REJECTS)
"""Trips over what has happened: once the owner has resumed, the same does not trip again."""


def check_trips(
    desk: Desk, *, prices: Mapping[Symbol, int], silence: timedelta | None = None
) -> tuple[Halt, ...]:
    """Put a halt for every limit that is reached and does not stop already; give those put now.

    `prices` are the last traded ones; without the price of a holding the day's loss is not judged. `silence` is how long the stream has brought no price (`Hearing.silence`). What
    the owner has resumed does not trip again on the same rejects, nor on the loss of the same day.

    Raises:
        StoreUnavailable: when the figures cannot be read; nothing is stopped by that.
    """
    with desk.stores.begin() as work:
        resumed = _resumed(work)
        figures = _figures(desk, work, prices, silence, resumed)
        in_force = {halt.source for halt in desk.halts(work)}
    limits, daily_loss = desk.channel.trips, desk.channel.risk.daily_loss
    trips = tripped(figures, limits, daily_loss=daily_loss)
    halts = [
        _halt(desk, trip)
        for trip in trips
        if trip.source not in in_force and not _is_forgiven(desk, trip, resumed)
    ]
    for halt in halts:
        put_halt.fn(desk, halt)
    return tuple(halts)


@dataclass(frozen=True, slots=True)
class Hearing:
    """The last price that the stream brought: when, in the market's time and in that of the event loop, seconds.

    A simulated market jumps over hours and stands still; so it is silent only if both times have passed.
    """

    at: datetime
    loop_time: float

    def silence(self, desk: Desk, loop_time: float) -> timedelta | None:
        """Give how long there has been no price since the market began to trade; None while it does not."""
        now, session = desk.now(), desk.session()
        if session is None or phase_at(now, session) is not Phase.CONTINUOUS:
            return None
        waited = timedelta(seconds=loop_time - self.loop_time)
        return min(now - max(self.at, session.opens_at), waited)


def _figures(
    desk: Desk,
    work: UnitOfWork,
    prices: Mapping[Symbol, int],
    silence: timedelta | None,
    resumed: Mapping[TripRule, datetime],
) -> TripFigures:
    now, day = desk.now(), desk.today()
    opening, result = _result(desk, work, prices, day)
    notices = beside_doubts(work, day)  # a doubt stops its symbol, and has a trip of its own
    backlog = work.outbox.backlog() if desk.is_relayed else None
    return TripFigures(
        equity_opening=opening,
        day_result=result,
        rejects=reject_streak(work.orders.of_day(day), since=resumed.get(TripRule.REJECTS)),
        orders_in_doubt=sum(order.is_in_doubt for order in work.orders.open()),
        silence=silence,
        clock_offset=desk.broker_clock.offset() if desk.broker_clock else None,
        waiting_notices=len(notices),
        oldest_notice=now - min((notice.received_at for notice in notices), default=now),
        unsent_events=backlog.count if backlog else None,
        oldest_event=backlog.age if backlog else None,
    )


def _result(
    desk: Desk, work: UnitOfWork, prices: Mapping[Symbol, int], day: date
) -> tuple[int | None, int | None]:
    """Give opening equity and the day's result in won, as the daily loss rule reckons without open orders."""
    ledger = work.ledger.load()
    opening, paid_in = opening_equity(desk, work, day), work.ledger.paid_in(day)
    if opening is None or any(prices.get(symbol, 0) <= 0 for symbol in ledger.held_symbols):
        return opening, None
    gained = ledger.equity(prices) - paid_in - opening
    return opening or paid_in, gained


def _resumed(work: UnitOfWork) -> dict[TripRule, datetime]:
    """Tell when the owner last resumed after each trip."""
    found = {rule: work.audit.latest("resume", actor=source_of(rule)) for rule in FORGIVEN}
    return {rule: entry[0] for rule, entry in found.items() if entry}


def _is_forgiven(desk: Desk, trip: Trip, resumed: Mapping[TripRule, datetime]) -> bool:
    """Tell whether the owner has resumed today with this loss; the risk rule goes on refusing buys."""
    at = resumed.get(trip.rule)
    return trip.rule is TripRule.DAILY_LOSS and at is not None and seoul_date(at) == desk.today()


def _halt(desk: Desk, trip: Trip) -> Halt:
    reason = desk.wording.text(f"trip.{trip.rule}", **trip.figures)
    return Halt(trip.source, trip.state, reason, desk.now())
