"""This is one order per decision: however often, by however many, and whatever the broker answers."""

from __future__ import annotations

import ast
import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.notifier import Severity
from tasks.orders import MAXIMUM_ENTRY_ATTEMPTS, MAXIMUM_EXIT_ATTEMPTS
from tests.builders import A_DAY, LG_CHEM, SAMSUNG, a_signal, seoul
from tests.desks import Floor, an_exit
from trading.errors import (
    BrokerError,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Unauthorized,
    Unavailable,
)
from trading.instruments import Symbol
from trading.orders import ABSENT, OrderStatus

PROJECT = Path(__file__).parents[2]
NEVER_IN = [
    Throttled("초당 거래건수를 초과하였습니다.", code="EGW00201"),
    Unauthorized("기간이 만료된 token 입니다.", code="EGW00123"),
    Unavailable("connection refused"),
]


async def test_the_same_signals_traded_twice_give_one_order(floor: Floor) -> None:
    """Incidents 9 and 14: the orchestrator starts the same run twice."""
    await floor.open()
    assert len(await floor.trade(a_signal())) == 1
    assert await floor.trade(a_signal()) == ()
    assert len(floor.broker.sent) == len(floor.broker.book) == 1


async def test_five_runs_at_once_give_one_order(floor: Floor) -> None:
    """Incident 14: five copies of the flow, at the same moment."""
    await floor.open()
    runs = await asyncio.gather(*(floor.trade(a_signal()) for _ in range(5)))
    assert sorted(map(len, runs)) == [0, 0, 0, 0, 1]
    assert len(floor.broker.sent) == len(floor.broker.book) == 1


async def test_late_runs_released_at_once_place_each_signal_once(floor: Floor) -> None:
    """Incident 15: twelve late runs on resume."""
    await floor.open()
    signals = (a_signal(), a_signal(symbol=SAMSUNG, reference_price=50_000))
    await asyncio.gather(*(floor.trade(*signals) for _ in range(12)))
    assert sorted(order.symbol for order in floor.broker.book) == [SAMSUNG, LG_CHEM]


async def test_an_expired_signal_places_nothing(floor: Floor) -> None:
    await floor.open("15:30")
    assert await floor.trade(a_signal(expires_at=seoul(A_DAY, "15:30"))) == ()
    await floor.open("08:50", A_DAY + timedelta(days=1))
    assert await floor.trade(a_signal()) == ()
    assert (floor.orders, floor.broker.sent) == ((), [])


async def test_a_business_refusal_is_kept_in_the_brokers_words_and_never_tried_again(
    floor: Floor,
) -> None:
    """Incident 52."""
    await floor.open()
    floor.broker.refusal = Rejected("주문가능금액을 초과 했습니다", code="APBK0952")
    (order,) = await floor.trade(a_signal())
    assert order.status is OrderStatus.REJECTED
    assert (order.error_code, order.error_message) == ("APBK0952", "주문가능금액을 초과 했습니다")
    (told,) = floor.notifier.of(Severity.WARNING)
    assert order.error_message in told.text

    floor.broker.refusal = None
    assert await floor.trade(a_signal()) == ()
    assert len(floor.broker.sent) == 1
    assert floor.ledger.held_cash == 0


@pytest.mark.parametrize("refusal", NEVER_IN, ids=lambda error: type(error).__name__)
async def test_what_certainly_never_got_in_is_tried_anew_by_the_next_run_and_at_most_three_times(
    floor: Floor, refusal: BrokerError
) -> None:
    """Incidents 2 and 3: the run itself never repeats, and what is not certain is not tried again."""
    await floor.open()
    floor.broker.refusal = refusal
    (order,) = await floor.trade(a_signal())
    assert order.status is OrderStatus.REJECTED
    assert order.error_code == type(refusal).__name__.upper()
    assert refusal.code in order.error_message
    assert refusal.message in order.error_message
    assert len(floor.broker.sent) == 1

    for _ in range(MAXIMUM_ENTRY_ATTEMPTS + 1):
        await floor.trade(a_signal())
    assert len({intent.client_order_id for intent in floor.broker.sent}) == 3
    assert len(floor.broker.sent) == 3
    assert floor.ledger.held_cash == 0


async def test_an_entry_that_was_throttled_goes_through_at_its_second_attempt(floor: Floor) -> None:
    await floor.open()
    floor.broker.refusal = NEVER_IN[0]
    await floor.trade(a_signal())
    floor.broker.refusal = None
    (again,) = await floor.trade(a_signal())
    assert again.status is OrderStatus.ACCEPTED
    assert await floor.trade(a_signal()) == ()
    assert len(floor.broker.book) == 1


async def test_an_entry_declared_absent_may_be_made_anew(floor: Floor) -> None:
    await floor.open()
    floor.broker.refusal = OutcomeUnknown("no answer")
    (order,) = await floor.trade(a_signal())
    floor.broker.refusal = None
    assert await floor.trade(a_signal()) == ()
    with floor.stores.begin() as work:
        work.orders.save(order.reject(ABSENT, "not in the broker's book", at=floor.clock.now()))
    (again,) = await floor.trade(a_signal())
    assert (again.status, len(floor.broker.book)) == (OrderStatus.ACCEPTED, 1)
    assert (order.quantity, again.quantity) == (24, 23)  # no row can be taken for the other's


async def test_a_throttled_entry_is_not_tried_again_once_its_signal_has_expired(
    floor: Floor,
) -> None:
    await floor.open()
    floor.broker.refusal = NEVER_IN[0]
    signal = a_signal(expires_at=seoul(A_DAY, "09:00"))
    await floor.trade(signal)
    floor.broker.refusal = None
    floor.at("09:00")
    assert await floor.trade(signal) == ()
    assert floor.broker.book == ()


async def test_a_refused_exit_is_tried_five_times_and_no_more(floor: Floor) -> None:
    """Incident 52: a failed sell is never reported as sold, nor repeated for ever."""
    entry = await floor.hold()
    floor.broker.refusal = Rejected("매도가능수량이 부족합니다", code="APBK0400")
    for _ in range(MAXIMUM_EXIT_ATTEMPTS + 2):
        await floor.trade(an_exit(entry))
    assert [order.status for order in floor.orders[1:]] == [OrderStatus.REJECTED] * 5
    assert len({intent.client_order_id for intent in floor.broker.sent}) == 1 + 5
    assert floor.ledger.position(LG_CHEM).quantity == 24


async def test_an_exit_that_never_got_in_is_tried_for_as_long_as_its_signal_lives(
    floor: Floor,
) -> None:
    """Incident 51: a stop must get out when the line is back, however long it was gone."""
    entry = await floor.hold()
    floor.broker.refusal = Unavailable("connection refused")
    for _ in range(MAXIMUM_EXIT_ATTEMPTS + 2):
        await floor.trade(an_exit(entry))
    floor.broker.refusal = None
    (order,) = await floor.trade(an_exit(entry))
    assert (order.status, order.quantity) == (OrderStatus.ACCEPTED, 24)


async def test_an_exit_goes_through_at_its_second_attempt(floor: Floor) -> None:
    entry = await floor.hold()
    floor.broker.refusal = Rejected("try later", code="VI")
    await floor.trade(an_exit(entry))
    floor.broker.refusal = None
    (again,) = await floor.trade(an_exit(entry))
    assert (again.status, again.quantity) == (OrderStatus.ACCEPTED, 24)
    assert await floor.trade(an_exit(entry)) == ()


async def test_one_signal_that_cannot_be_judged_stops_no_other(floor: Floor) -> None:
    """Incident 13: one leg was placed, the other raised, and nothing was recorded."""
    await floor.open()
    unknown = a_signal(symbol=Symbol("999999"), reference_price=1_000)
    with pytest.raises(Rejected, match="999999"):
        await floor.trade(unknown, a_signal())
    assert [order.symbol for order in floor.orders] == [LG_CHEM]
    assert [order.status for order in floor.orders] == [OrderStatus.ACCEPTED]


async def test_an_exit_needs_no_other_symbols_price(floor: Floor) -> None:
    """A holding that nobody quotes any more must not keep a stop from selling another."""
    floor.broker.hand_over(SAMSUNG, 10, 500_000)
    entry = await floor.hold()
    floor.market.lost.add(SAMSUNG)
    (leaving,) = await floor.trade(an_exit(entry))
    assert leaving.status is OrderStatus.ACCEPTED


async def test_a_defect_is_raised_as_what_it_is_and_leaves_the_order_in_doubt(
    floor: Floor,
) -> None:
    """Incident 46: an internal TypeError was shown as a delay of the broker."""
    await floor.open()
    floor.broker.lost_reply = TypeError("int() argument must not be None")
    with pytest.raises(TypeError):
        await floor.trade(a_signal())
    assert floor.order().status is OrderStatus.SUBMITTED
    floor.broker.lost_reply = None
    assert await floor.trade(a_signal()) == ()  # made ready first: the row settles the doubt
    assert floor.order().status is OrderStatus.ACCEPTED
    assert len(floor.broker.sent) == 1


def test_one_line_of_the_whole_system_sends_orders_and_one_tries_that_it_cannot() -> None:
    """No path to the broker leads around the gate, the writer's lease and the last look.

    The rehearsal, which the live channel refuses, sends only to see a halt keep the order from leaving.
    """
    folders = ("tasks", "flows", "deployments")  # the others never see a broker
    callers = [
        f"{path.relative_to(PROJECT)}:{function.name}"
        for folder in folders
        for path in (PROJECT / folder).rglob("*.py")
        for function in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(function, ast.AsyncFunctionDef | ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "place"
    ]
    assert sorted(callers) == ["tasks/rehearsals.py:_is_withheld", "tasks/submissions.py:_send"]
