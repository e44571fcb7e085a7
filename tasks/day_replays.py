"""This is a recorded day replayed: read from the stores, told anew, and held against what was recorded."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date, timedelta

from adapters.stores import Stores, UnitOfWork
from backtest.day_replays import SignalMaker
from backtest.recordings import Recording
from plugins.strategies import running
from tasks.channels import ChannelSettings
from tasks.parity import Strategies, read_recording
from trading.bars import Interval
from trading.day_records import DayRecord
from trading.day_stories import DayStory, OrderState, differing_parts, digest_of, in_order, retell
from trading.errors import BadInput, ReportImbalance
from trading.instruments import Symbol
from trading.ledger import Ledger
from trading.orders import OrderStatus
from trading.sessions import TradingCalendar

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DayReplay:
    """A day as it was recorded and as it is told anew."""

    recorded: DayRecord
    replayed: DayRecord

    @property
    def digests(self) -> tuple[str, str]:
        """The fingerprints of both, recorded first; "" where a report cannot be made."""
        return _digest(self.recorded), _digest(self.replayed)

    @property
    def differences(self) -> tuple[str, ...]:
        """What of the record differs, by name."""
        return differing_parts(self.recorded, self.replayed)


def replay_day(
    stores: Stores, file: ChannelSettings, calendar: TradingCalendar, day: date
) -> DayReplay:
    """Replay a day from what is stored of it; `file` counts where no version is stored.

    Raises:
        BadInput: for a day without a session, before the account had a book, or whose report was never made.
    """
    with ExitStack() as foreign:

        def start(channel: ChannelSettings) -> Strategies:
            return foreign.enter_context(running(channel.strategies, channel.plugins))

        with stores.begin() as work:
            recording = read_recording(work, file, calendar, first=day, last=day, start=start)
            recorded = _record(work, file, recording, calendar, day)
            states = _states(work, recorded)
        made = SignalMaker(recording, calendar).made_anew()
    plan = recording.plan_of(day)
    story = DayStory(
        record=replace(recorded, signals=made),
        states=states,
        costs=plan.costs,
        instruments=plan.instruments,
        paid_in=plan.deposits.get(day, 0),
    )
    return DayReplay(in_order(recorded), retell(story))


def _digest(record: DayRecord) -> str:
    try:
        return digest_of(record)
    except ReportImbalance:
        return ""


def _record(
    work: UnitOfWork,
    file: ChannelSettings,
    recording: Recording,
    calendar: TradingCalendar,
    day: date,
) -> DayRecord:
    curve = tuple(point for point in work.equity.all() if point.trading_day <= day)
    if not curve or curve[-1].trading_day != day:
        raise BadInput("--date", day.isoformat(), "a day whose report was made")
    opening, closing = work.ledger.before(day), work.ledger.before(day + _DAY)
    return DayRecord(
        trading_day=day,
        channel=file.channel,
        account=opening.account,
        curve=curve,
        opening=opening,
        closing=closing,
        opening_prices=_closes(work, opening, calendar.previous_trading_day(day)),
        closing_prices=_closes(work, closing, day),
        signals=recording.actual.signals,
        orders=recording.actual.orders,
        executions=recording.actual.executions,
        risk_events=work.risk_events.of_day(day),
        names={i.symbol: i.name for i in work.instruments.all()},
    )


def _closes(work: UnitOfWork, book: Ledger, until: date) -> dict[Symbol, int]:
    found = {}
    for symbol in book.held_symbols:
        bars = work.bars.last(symbol, Interval.DAY, count=1, until=until)
        if not bars:
            raise BadInput(f"bars of {symbol}", "none", f"a close up to {until.isoformat()}")
        found[symbol] = bars[-1].close
    return found


def _states(work: UnitOfWork, record: DayRecord) -> tuple[OrderState, ...]:
    return tuple(
        OrderState(event.client_order_id, OrderStatus(event.status), event.at)
        for order in record.orders
        for event in work.orders.timeline(order.client_order_id)
    )
