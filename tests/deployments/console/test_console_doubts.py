"""This is ending a doubt from a terminal, and reading what a reconciliation would do."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from adapters.postgres import PostgresStores
from flows.desk import open_desk
from tests.builders import A_DAY, HYUNDAI, an_intent, looks_good, seoul
from tests.consoles import Console
from trading.audits import AuditEntry
from trading.orders import ABSENT, Order, OrderStatus
from trading.submissions import Submission

type Doubt = tuple[Order, str]


@pytest.fixture
def doubtful(at_simulator: dict[str, Any], database: str, request: pytest.FixtureRequest) -> Doubt:
    """A buy that the broker has and whose reply was lost, with its number; each test's quantity is its own."""
    assert database
    quantity = 1 + sum(map(ord, request.node.name)) % 50
    return asyncio.run(_lose(at_simulator, quantity))


async def _lose(simulator: dict[str, Any], quantity: int) -> Doubt:
    async with httpx.AsyncClient(base_url=simulator["http"], timeout=60) as http:
        clock = (await http.get("/sim/clock")).json()
        if clock["now"] < f"{A_DAY}T09:40":
            until = seoul(A_DAY, "09:40").isoformat()
            (await http.post("/sim/clock", json={"advance_to": until})).raise_for_status()
    async with open_desk() as desk:
        quote = await desk.market_data.quote(HYUNDAI)
        at = desk.now()
        intent = an_intent(
            symbol=HYUNDAI, quantity=quantity, limit_price=quote.lower_limit, created_at=at
        )
        receipt = await desk.broker.place(intent, last_look=looks_good)
        order = Order.initialize(intent).submit(at=at)
        evidence = Submission(
            client_order_id=order.client_order_id,
            fence=1,
            body=desk.broker.wire_fields(intent),
            sent_at=at,
            known_numbers=(),
            highest_number="",
            held=0,
            sellable=0,
            buyable_cash=0,
        )
        with desk.stores.begin() as work:
            work.orders.add(Order.initialize(intent))
            work.submissions.add(evidence)
            work.orders.save(order)
    return order, receipt.broker_order_id


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
