"""This is ending a doubt from a terminal, and reading what a reconciliation would do."""

from __future__ import annotations

import pytest

from adapters.postgres import PostgresStores
from tests.consoles import Console, Doubt
from trading.audits import AuditEntry
from trading.orders import ABSENT, Order, OrderStatus


def _stored(stores: PostgresStores, order: Order) -> Order:
    with stores.begin() as work:
        stored = work.orders.get(order.client_order_id)
    assert stored is not None
    return stored


def _acts_of_the_operator(stores: PostgresStores) -> list[AuditEntry]:
    with stores.begin() as work:
        return [entry for _, entry in work.audit.last() if entry.actor == "operator"]


def test_a_plan_names_what_would_be_bound_and_changes_nothing(
    console: Console, stores: PostgresStores, doubtful: Doubt
) -> None:
    order, number = doubtful
    document = console("reconcile", "--dry-run", "--json").document
    assert document["dry_run"] is True
    step = {"act": "BIND", "subject": order.client_order_id, "detail": number}
    assert step in document["steps"]
    assert _stored(stores, order).is_in_doubt
    assert _acts_of_the_operator(stores) == []


def test_what_is_done_is_shown_as_a_table_and_audited(
    console: Console, stores: PostgresStores, doubtful: Doubt
) -> None:
    order, number = doubtful
    answer = console("reconcile")
    assert "Bind its number" in answer.out
    assert (_stored(stores, order).status, _stored(stores, order).broker_order_id) == (
        OrderStatus.ACCEPTED,
        number,
    )
    assert [entry.action for entry in _acts_of_the_operator(stores)] == ["reconcile"]


def test_a_number_is_bound_and_the_act_is_audited(
    console: Console, stores: PostgresStores, doubtful: Doubt
) -> None:
    order, number = doubtful
    answer = console(
        "orders", "bind", order.client_order_id, number.lstrip("0"), "--reason", "seen in HTS"
    )
    assert answer.code == 0, answer
    assert _stored(stores, order).broker_order_id == number
    entries = _acts_of_the_operator(stores)
    assert [(entry.action, entry.detail["reason"]) for entry in entries] == [
        ("orders bind", "seen in HTS")
    ]


def test_what_may_be_on_its_way_is_not_declared_absent(
    console: Console, stores: PostgresStores, doubtful: Doubt
) -> None:
    order, _ = doubtful
    answer = console("orders", "absent", order.client_order_id, "--reason", "not there")
    assert (answer.code, "on its way" in answer.err) == (2, True), answer
    assert _stored(stores, order).error_code != ABSENT


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bind", "nobody", "4711", "--reason", "x"], "no such order"),
        (["absent", "nobody", "--reason", "x"], "no such order"),
        (["bind", "nobody", "4711"], "--reason"),
        (["absent", "nobody", "--reason", " "], "a few words why"),
    ],
)
@pytest.mark.usefixtures("at_simulator", "database")
def test_what_cannot_be_ended_is_said_in_one_sentence(
    console: Console, words: list[str], said: str
) -> None:
    answer = console("orders", *words)
    assert (answer.code, len(answer.err.splitlines())) == (2, 1), answer
    assert said in answer.err
