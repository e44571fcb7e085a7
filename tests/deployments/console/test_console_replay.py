"""This is the proof of `maemae replay`: the demo's days out of a real database, told anew to the same byte."""

from __future__ import annotations

import pytest
from psycopg import connect

from adapters.postgres import PostgresStores
from tests.consoles import Console
from tests.deployments.console.test_console_parity import LAST
from tests.recorded_days import DAYS, record_the_demo


@pytest.fixture
def demo(stores: PostgresStores, database: str) -> None:
    """The demo's days in the database."""
    assert database
    record_the_demo(stores)


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
