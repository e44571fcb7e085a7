"""This is one order in the operator's hands: canceled or changed from a terminal, with a reason, audited."""

from __future__ import annotations

import asyncio

import pytest

from adapters.postgres import PostgresStores
from deployments.console.orders import ACTS
from flows.desk import open_desk
from tests.builders import A_DAY
from tests.consoles import Console
from trading.orders import Order, OrderStatus


async def _rows() -> dict[str, OrderStatus]:
    async with open_desk(needs_database=False) as desk:
        return {row.broker_order_id: row.status for row in await desk.broker.orders_of_day(A_DAY)}


def test_an_order_is_canceled_by_the_brokers_number_and_the_act_is_audited(
    console: Console, stores: PostgresStores, resting: Order
) -> None:
    number = resting.broker_order_id.lstrip("0")
    answer = console("orders", "cancel", number, "--reason", "changed my mind")
    assert answer.code == 0, answer
    assert resting.client_order_id in answer.out
    assert asyncio.run(_rows())[resting.broker_order_id] is OrderStatus.CANCELED
    with stores.begin() as work:
        stored = work.orders.get(resting.client_order_id)
        ((_, entry),) = work.audit.last(count=1)
    assert stored is not None
    assert stored.status is OrderStatus.CANCELED
    assert (entry.actor, entry.action) == ("operator", "orders cancel")
    assert entry.detail == {"order": resting.client_order_id, "reason": "changed my mind"}


@pytest.mark.parametrize(
    ("wrong", "said"), [("--price=1", "tick grid"), ("--quantity=0", "one whole share")]
)
def test_a_change_is_refused_before_anything_is_canceled(
    console: Console, stores: PostgresStores, resting: Order, wrong: str, said: str
) -> None:
    answer = console("orders", "modify", resting.client_order_id, "--reason", "why not", wrong)
    assert (answer.code, said in answer.err) == (2, True), answer
    with stores.begin() as work:
        stored = work.orders.get(resting.client_order_id)
    assert stored is not None
    assert stored.status is OrderStatus.ACCEPTED


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["cancel", "4711", "--reason", "x"], "the broker's number"),
        (["cancel", "4711"], "--reason"),
        (["cancel", "4711", "--reason", " "], "a few words why"),
        (["modify", "4711", "--reason", "x"], "--price or --quantity"),
    ],
)
@pytest.mark.usefixtures("at_simulator", "database")
def test_what_is_missing_or_unknown_is_said_in_one_sentence(
    console: Console, words: list[str], said: str
) -> None:
    answer = console("orders", *words)
    assert (answer.code, len(answer.err.splitlines())) == (2, 1), answer
    assert said in answer.err


@pytest.mark.parametrize("act", list(ACTS))
def test_every_act_explains_itself(console: Console, act: str) -> None:
    answer = console("orders", act, "--help")
    assert (answer.code, answer.err) == (0, "")
    assert "--reason" in answer.out
    assert "console." not in answer.out


def test_without_a_word_more_the_days_orders_are_shown(console: Console, resting: Order) -> None:
    document = console("orders", "--day", A_DAY.isoformat(), "--json").document
    assert [row["client_order_id"] for row in document["orders"]] == [resting.client_order_id]
