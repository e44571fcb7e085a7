"""This is a recorded day read from the stores and replayed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import date, timedelta

from adapters.stores import Stores, UnitOfWork
from backtest.day_replays import DayReplay, RecordedDay, replay_recorded
from backtest.plans import ReplayPlan
from backtest.recordings import Recording
from plugins.strategies import running
from risk.inputs import INPUTS, orders_seen
from tasks.channels import ChannelSettings, read_version
from tasks.parity import Start, Strategies, plan_of, read_recording
from tasks.recorded_prices import bars_as_of
from trading.bars import Interval
from trading.day_records import DayRecord
from trading.day_stories import OrderState
from trading.decisions import Breach, RiskEvent
from trading.errors import BadInput
from trading.instruments import Symbol
from trading.ledger import Ledger
from trading.orders import Order, OrderIntent, OrderStatus
from trading.sessions import TradingCalendar

_DAY = timedelta(days=1)


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
            recorded = read_day(work, file, calendar, day, start=start)
        return replay_recorded(recorded, calendar)


def read_day(
    work: UnitOfWork,
    file: ChannelSettings,
    calendar: TradingCalendar,
    day: date,
    *,
    start: Start = lambda channel: channel.strategies,
) -> RecordedDay:
    """Read all that is stored of a day; raises what `replay_day` raises."""
    recording = read_recording(work, file, calendar, first=day, last=day, start=start)
    events = _verdicts(work, recording, day)
    record = _record(work, file, recording, calendar, day)
    inputs = {e.client_order_id: e.breach for e in events if e.breach.rule_id == INPUTS}
    return RecordedDay(
        record=replace(record, risk_events=tuple(e for e in events if e.breach.rule_id != INPUTS)),
        states=_states(work, record),
        recording=recording,
        inputs=inputs,
        intents=_intents(work, record.orders, inputs.values()),
        plans=_plans(work, recording, day, start),
    )


def _verdicts(work: UnitOfWork, recording: Recording, day: date) -> tuple[RiskEvent, ...]:
    """Give all that every rule said, of orders and of signals that became none."""
    happened = recording.actual
    asked = [order.client_order_id for order in happened.orders]
    asked += [signal.signal_id for signal in happened.signals]
    return tuple(event for name in asked for event in work.risk_events.of_order(name, day))


def _intents(
    work: UnitOfWork, orders: Iterable[Order], inputs: Iterable[Breach]
) -> Mapping[str, OrderIntent]:
    """Give what was wanted with the day's orders, and with those of earlier days that the gate saw."""
    known = {order.client_order_id: order.intent for order in orders}
    others = {name for kept in inputs for name in orders_seen(kept)} - known.keys()
    found = (work.orders.get(name) for name in sorted(others))
    return known | {order.client_order_id: order.intent for order in found if order is not None}


def _plans(
    work: UnitOfWork, recording: Recording, day: date, start: Start
) -> Mapping[int, ReplayPlan]:
    """Give what the settings said by which the day's signals and orders were made."""
    happened = recording.actual
    used = {signal.config_version for signal in happened.signals}
    used |= {order.intent.config_version for order in happened.orders}
    morning = recording.plan_of(day)
    return {
        config.version: replace(
            plan_of(channel, start(channel), (day,)), instruments=morning.instruments
        )
        for config in work.configs.all()
        if config.version in used
        for channel in (read_version(config),)
    }


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
        opening_prices=_closes(work, opening, calendar.previous_trading_day(day), day),
        closing_prices=_closes(work, closing, day, day),
        signals=recording.actual.signals,
        orders=recording.actual.orders,
        executions=recording.actual.executions,
        names={i.symbol: i.name for i in work.instruments.all()},
    )


def _closes(work: UnitOfWork, book: Ledger, until: date, day: date) -> dict[Symbol, int]:
    """Give the last closes up to `until` as they stood on `day`."""
    found = {}
    for symbol in book.held_symbols:
        bars = work.bars.last(symbol, Interval.DAY, count=1, until=until)
        if not bars:
            raise BadInput(f"bars of {symbol}", "none", f"a close up to {until.isoformat()}")
        found[symbol] = bars_as_of(work, symbol, bars, day)[-1].close
    return found


def _states(work: UnitOfWork, record: DayRecord) -> tuple[OrderState, ...]:
    return tuple(
        OrderState(event.client_order_id, OrderStatus(event.status), event.at)
        for order in record.orders
        for event in work.orders.timeline(order.client_order_id)
    )
