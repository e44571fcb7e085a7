"""This is the proof of `maemae replay`: the demo's days out of a real database, told anew to the same byte."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import pytest
from psycopg import connect

from adapters.postgres import PostgresStores
from adapters.stores import Stores
from backtest.recordings import Recording
from tests.builders import ACCOUNT
from tests.consoles import Console
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


@pytest.fixture
def demo(stores: PostgresStores, database: str) -> Recording:
    """The demo's days in the database, as their orders are called there."""
    assert database
    recording = the_demo()
    named = replace(
        recording.actual,
        orders=tuple(
            replace(o, intent=replace(o.intent, channel="dev", account=ACCOUNT))
            for o in recording.actual.orders
        ),
    )
    recording = replace(recording, actual=named)
    store(recording, stores, channel="dev", account=ACCOUNT)
    keep_reports(recording, stores)
    return recording


@pytest.mark.usefixtures("demo")
def test_each_day_of_the_demo_is_told_anew_to_the_byte(console: Console) -> None:
    answers = [console("replay", "--date", day.isoformat(), "--json") for day in DAYS]
    assert [(answer.code, answer.err) for answer in answers] == [(0, "")] * len(DAYS)
    documents = [answer.document for answer in answers]
    assert [(each["is_equal"], each["differences"]) for each in documents] == [(True, [])] * 3
    assert all(each["sha256"] == each["recorded_sha256"] for each in documents)
    assert len({each["sha256"] for each in documents}) == len(DAYS)
    last = documents[-1]
    assert (last["signals"], last["fills"], last["verdicts"] > 0) == (2, 1, True)
    assert "the same to the byte" in console("replay", "--date", LAST.isoformat()).out


CHANGES = {
    "signals": "UPDATE signals SET reason = 'I felt like it'",
    "executions": "UPDATE executions SET commission = commission + 1",
    "orders": "UPDATE orders SET filled_value = filled_value + 1 WHERE filled_value > 0",
    "risk_events": "DELETE FROM risk_events",
}


@pytest.mark.usefixtures("demo")
def test_what_was_changed_afterwards_is_named(console: Console, postgres_url: str) -> None:
    for part, statement in CHANGES.items():
        with connect(postgres_url) as connection:
            connection.execute(statement)
        answer = console("replay", "--date", LAST.isoformat(), "--json")
        assert answer.code == 3
        assert part in answer.document["differences"] or part == "risk_events"


@pytest.mark.usefixtures("database")
def test_a_day_without_a_book_is_refused(console: Console) -> None:
    answer = console("replay", "--date", "2018-01-16")
    assert (answer.code, answer.out) == (2, "")
    assert "2018-01-16" in answer.err
