"""This is the demo's three days as the flows would have stored them, refusals and equity included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

from adapters.stores import Stores
from backtest.recordings import Recording
from tests.builders import ACCOUNT
from tests.deployments.console.test_console_parity import FIRST, LAST, the_demo
from tests.recordings import CALENDAR, store
from trading.decisions import Breach, RiskEvent
from trading.equity import EquityPoint
from trading.instruments import Symbol
from trading.ledger import Ledger
from trading.orders import OrderStatus

DAYS = CALENDAR.trading_days(FIRST, LAST)


def closes(recording: Recording, book: Ledger, day: date) -> Mapping[Symbol, int]:
    """Give the last closes up to a day."""
    return {symbol: recording.close(symbol, until=day) for symbol in book.held_symbols}


def keep_reports(recording: Recording, stores: Stores) -> None:
    """Write what the gate said and what the days came to, as the flows do."""
    for order in recording.actual.orders:
        if order.status is OrderStatus.DENIED:
            told = [
                Breach(rule, message)
                for words in order.error_message.split("; ")
                for rule, _, message in [words.partition(": ")]
            ]
            intent = order.intent
            with stores.begin() as work:
                work.risk_events.add(
                    RiskEvent(
                        order.client_order_id,
                        intent.strategy_id,
                        order.symbol,
                        breach,
                        order.updated_at,
                        intent.trading_day,
                    )
                    for breach in told
                )
    for day in DAYS:
        with stores.begin() as work:
            before, after = work.ledger.before(day), work.ledger.before(day + timedelta(days=1))
            yesterday = CALENDAR.previous_trading_day(day)
            opening = before.equity(closes(recording, before, yesterday))
            closing = after.equity(closes(recording, after, day))
            work.equity.put(EquityPoint(day, opening, closing, work.ledger.paid_in(day)))


def record_the_demo(stores: Stores) -> Recording:
    """Store the days, orders under the names that they have there."""
    recording = the_demo()
    named = tuple(
        replace(o, intent=replace(o.intent, channel="dev", account=ACCOUNT))
        for o in recording.actual.orders
    )
    recording = replace(recording, actual=replace(recording.actual, orders=named))
    store(recording, stores, channel="dev", account=ACCOUNT)
    keep_reports(recording, stores)
    return recording
