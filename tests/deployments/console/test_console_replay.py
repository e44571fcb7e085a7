"""This is the proof of `maemae replay`: the demo's days out of a real database, told anew to the same byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from psycopg import connect

from adapters.postgres import PostgresStores
from tests.consoles import Console
from tests.recorded_days import DAYS, record

CHANGES = {
    "risk_events": "UPDATE risk_events SET figures = '{}' WHERE rule_id = 'CASH'",
    "signals": "UPDATE signals SET reason = 'I felt like it'",
    "executions": "UPDATE executions SET commission = commission + 1",
    "orders": "UPDATE orders SET filled_value = filled_value + 1 WHERE filled_value > 0",
    "inputs": "DELETE FROM risk_events",
}


@pytest.mark.usefixtures("database")
def test_a_traded_day_is_told_anew_to_the_byte_until_it_is_changed(
    console: Console, stores: PostgresStores, tmp_path: Path, postgres_url: str
) -> None:
    day, *_ = DAYS
    record(stores, tmp_path, days=(day,))
    asked = ("replay", "--date", day.isoformat())
    answer = console(*asked, "--json")
    assert (answer.code, answer.err) == (0, "")
    document = answer.document
    assert (document["is_equal"], document["differences"]) == (True, [])
    assert document["sha256"] == document["recorded_sha256"]
    assert (document["signals"], document["orders"], document["fills"]) == (1, 1, 1)
    assert document["verdicts"] > 20, "every rule's, whatever it said"
    assert "the same to the byte" in console(*asked).out
    for part, statement in CHANGES.items():
        with connect(postgres_url) as connection:
            connection.execute(statement)
        answer = console(*asked, "--json")
        assert answer.code == 3
        assert part in answer.document["differences"]


@pytest.mark.usefixtures("database")
def test_a_day_without_a_book_is_refused(console: Console) -> None:
    answer = console("replay", "--day", "2018-01-16")
    assert (answer.code, answer.out) == (2, "")
    assert "2018-01-16" in answer.err
