"""This is looking for an order in doubt: how it is found late, declared absent, found after that, or ended by hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.notifier import Severity
from tasks.readiness import settle_doubts
from tasks.rulings import bind_by_hand, declare_absent_by_hand
from tests.builders import HYUNDAI, LG_CHEM, SAMSUNG, a_signal
from tests.desks import Floor, a_floor, an_exit
from trading.broker_books import BrokerOrder
from trading.errors import BadInput, OutcomeUnknown
from trading.notices import NoticeKind
from trading.orders import ABSENT, OrderStatus, Side
from trading.plans import Act, Step
from trading.submissions import Search

TIMED_OUT = OutcomeUnknown("no answer within 10 s")


async def lose(floor: Floor) -> None:
    """Order 24 LG Chem at 08:50; the line is dead before the order leaves."""
    await floor.open()
    floor.broker.refusal = TIMED_OUT
    await floor.trade(a_signal())
    floor.broker.refusal = None


async def lose_the_reply(floor: Floor) -> str:
    """Order 24 LG Chem at 08:50; the broker has it and nobody hears so; give its number."""
    await floor.open()
    floor.broker.lost_reply = TIMED_OUT
    await floor.trade(a_signal())
    floor.broker.lost_reply = None
    return floor.broker.book[-1].broker_order_id


def hide(floor: Floor, monkeypatch: pytest.MonkeyPatch, *numbers: str) -> Callable[[], None]:
    """Let the broker's rows be late; give what shows them."""
    read: Callable[[date], Awaitable[tuple[BrokerOrder, ...]]] = floor.broker.orders_of_day

    async def orders_of_day(trading_day: date) -> tuple[BrokerOrder, ...]:
        return tuple(r for r in await read(trading_day) if r.broker_order_id not in numbers)

    monkeypatch.setattr(floor.broker, "orders_of_day", orders_of_day)
    return lambda: monkeypatch.setattr(floor.broker, "orders_of_day", read)


async def look_at(floor: Floor, *times: str) -> list[Step]:
    """Reconcile at these times; give all steps."""
    steps: list[Step] = []
    for time in times:
        floor.at(time)
        steps += (await floor.reconcile()).steps
    return steps


def search_of(floor: Floor) -> Search:
    order_id = floor.order(0).client_order_id
    with floor.stores.begin() as work:
        submission = work.submissions.get(order_id)
    assert submission
    return submission.search


async def test_an_order_that_never_arrived_is_absent_after_a_minute_of_looking(
    floor: Floor,
) -> None:
    await lose(floor)
    assert await look_at(floor, "08:50:02", "08:50:30", "08:51:09") == []
    assert search_of(floor).scans == 3
    (step,) = await look_at(floor, "08:51:10")
    assert (step.act, floor.order().status, floor.order().error_code) == (
        Act.ABSENT,
        OrderStatus.REJECTED,
        ABSENT,
    )
    (again,) = await floor.trade(a_signal())
    assert again.status is OrderStatus.ACCEPTED
    assert again.client_order_id != floor.order(0).client_order_id
    assert len(floor.broker.book) == 1


async def test_on_paper_it_takes_two_minutes(tmp_path: Path) -> None:
    floor = a_floor(tmp_path)
    paper = floor.desk.channel.model_copy(update={"channel": "paper"})
    await lose(floor)
    floor.desk = replace(floor.desk, channel=paper)
    assert await look_at(floor, "08:50:02", "08:50:30", "08:52:01") == []
    assert [step.act for step in await look_at(floor, "08:52:02")] == [Act.ABSENT]


async def test_rows_that_are_late_are_waited_for(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Incident 5: in flight too long was declared REJECTED, and the order lived on."""
    number = await lose_the_reply(floor)
    show = hide(floor, monkeypatch, number)
    assert await look_at(floor, "08:50:02", "08:51:30", "08:55:00", "08:56:30") == []
    assert floor.order().status is OrderStatus.SUBMITTED  # its cash is held
    show()
    (step,) = await look_at(floor, "08:56:40")
    assert (step.act, floor.order().broker_order_id) == (Act.BIND, number)


async def test_a_later_order_proves_absence_when_figures_cannot(floor: Floor) -> None:
    await lose(floor)
    floor.at("08:50:20")
    await floor.trade(a_signal(symbol=HYUNDAI))
    assert await look_at(floor, "08:50:30", "08:51:20", "08:52:20", "08:55:59") == []
    (step,) = await look_at(floor, "08:56:00")
    assert (step.act, step.detail) == (Act.ABSENT, "CONTROL_SEEN")


async def test_an_equal_order_by_hand_neither_binds_nor_hides_the_absence(floor: Floor) -> None:
    """Incident 45: the line was dead before the order left, and the owner bought the same in HTS."""
    await lose(floor)
    floor.at("08:50:05")
    await floor.broker.place_by_hand(LG_CHEM, Side.BUY, 24, 404_000)
    steps = await look_at(floor, "08:50:10", "08:51:20", "08:52:20", "08:56:00")
    assert steps == []  # what was placed by hand came too early to be a control
    floor.at("08:56:10")
    await floor.broker.place_by_hand(SAMSUNG, Side.BUY, 1, 50_000)
    assert [step.act for step in await look_at(floor, "08:56:20")] == [Act.ABSENT]


async def test_a_notice_of_it_forbids_absence(floor: Floor) -> None:
    number = await lose_the_reply(floor)
    floor.hear(floor.broker.notice_of(floor.broker.book[-1], NoticeKind.ACCEPTED))
    floor.broker.forget(number)  # nothing is held any more, and no row shows it
    assert await look_at(floor, "08:50:02", "08:51:00", "08:51:30", "08:58:00") == []
    assert search_of(floor).is_noticed


async def test_a_sell_is_absent_when_every_share_is_free(floor: Floor) -> None:
    entry = await floor.hold()
    floor.broker.refusal = TIMED_OUT
    await floor.trade(an_exit(entry))
    floor.broker.refusal = None
    await look_at(floor, "10:00:02", "10:00:30", "10:01:10")
    assert (floor.order().side, floor.order().error_code) == (Side.SELL, ABSENT)
    (again,) = await floor.trade(an_exit(entry))
    assert (again.side, again.status) == (Side.SELL, OrderStatus.ACCEPTED)


async def test_a_sell_towards_a_target_weight_is_absent_when_every_share_is_free(
    floor: Floor,
) -> None:
    """Its signal is an entry, so the buyable cash is known too; it proves nothing about a sell."""
    await floor.hold()
    floor.broker.refusal = TIMED_OUT
    await floor.trade(a_signal(trigger="rebalance", target_weight=Decimal("0.03")))
    floor.broker.refusal = None
    await look_at(floor, "10:00:02", "10:00:30", "10:01:10")
    assert (floor.order().side, floor.order().error_code) == (Side.SELL, ABSENT)


async def a_late_find(
    floor: Floor, monkeypatch: pytest.MonkeyPatch, *, fills: bool = False
) -> list[Step]:
    """Declare an order absent that lives: rows and figures were empty for minutes."""
    number = await lose_the_reply(floor)
    show = hide(floor, monkeypatch, number)
    floor.at("08:51:30")
    await declare_absent_by_hand(floor.desk, floor.order().client_order_id, reason="not in HTS")
    assert floor.order().error_code == ABSENT
    floor.at("09:00")
    if fills:
        floor.print(401_000, 100, auction=True)
    show()
    return await look_at(floor, "09:01")


async def test_a_late_match_is_told_its_fills_booked_and_its_rest_canceled(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = await a_late_find(floor, monkeypatch, fills=True)
    assert [step.act for step in steps] == [Act.FIND, Act.CANCEL, Act.BOOK]
    assert (floor.order().status, floor.order().filled_quantity) == (OrderStatus.CANCELED, 10)
    assert floor.broker.book[0].status is OrderStatus.CANCELED
    assert any("absent" in title for title in floor.titles(Severity.CRITICAL))
    assert (await floor.reconcile()).is_clean
    floor.assert_books_agree()


async def test_by_policy_a_late_match_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    floor = a_floor(tmp_path, late_match="keep")
    steps = await a_late_find(floor, monkeypatch)
    assert [step.act for step in steps] == [Act.FIND]
    assert floor.order().status is OrderStatus.ACCEPTED
    assert (await floor.reconcile()).is_clean


async def test_two_late_matches_are_not_chosen_between(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await lose_the_reply(floor)
    twin = await floor.broker.place_by_hand(LG_CHEM, Side.BUY, 24, 404_000)
    floor.broker.disguise(twin)
    show = hide(floor, monkeypatch, number, twin)
    floor.at("08:51:30")
    await declare_absent_by_hand(floor.desk, floor.order().client_order_id, reason="not in HTS")
    show()
    assert await look_at(floor, "08:52") == []
    assert floor.order().error_code == ABSENT


async def test_what_the_owner_must_decide_is_told_once_with_both_commands(floor: Floor) -> None:
    await lose_the_reply(floor)
    floor.broker.disguise(await floor.broker.place_by_hand(LG_CHEM, Side.BUY, 24, 404_000))
    await look_at(floor, "08:50:02", "08:50:30", "08:58:00")
    _, message = floor.notifier.of(Severity.CRITICAL)
    order_id = floor.order().client_order_id
    for words in (
        f"maemae orders bind {order_id} NUMBER",
        f"maemae orders absent {order_id}",
        "051910 Buy 24 shares 404,000 KRW",
        "08:49:58 and 08:50:50",
        "0000000001",
        "0000000002",
    ):
        assert words in message.text


async def test_the_operator_binds_a_number_and_its_fills_are_booked(floor: Floor) -> None:
    number = await lose_the_reply(floor)
    floor.broker.disguise(await floor.broker.place_by_hand(LG_CHEM, Side.BUY, 24, 404_000))
    floor.at("09:00")
    floor.print(401_000, 100, auction=True)
    order = await bind_by_hand(
        floor.desk, floor.order(0).client_order_id, number.lstrip("0"), reason="seen in HTS"
    )
    assert (order.status, order.filled_quantity) == (OrderStatus.PARTIALLY_FILLED, 10)
    with floor.stores.begin() as work:
        entries = [entry for _, entry in work.audit.last() if entry.actor == "operator"]
    assert [entry.action for entry in entries] == ["orders bind"]
    assert entries[0].detail["reason"] == "seen in HTS"


async def test_a_number_that_cannot_be_it_is_refused(floor: Floor) -> None:
    await lose_the_reply(floor)
    other = await floor.broker.place_by_hand(LG_CHEM, Side.BUY, 23, 404_000)
    floor.broker.disguise(await floor.broker.place_by_hand(LG_CHEM, Side.BUY, 24, 404_000))
    order_id = floor.order(0).client_order_id
    for number in (other, "0000000777", ""):
        with pytest.raises(BadInput):
            await bind_by_hand(floor.desk, order_id, number, reason="guess")
    await bind_by_hand(floor.desk, order_id, "1", reason="seen")
    with pytest.raises(BadInput, match="an order in doubt"):
        await bind_by_hand(floor.desk, order_id, "3", reason="again")
    with pytest.raises(BadInput, match="an order in doubt"):
        await declare_absent_by_hand(floor.desk, order_id, reason="not there")


async def test_a_number_that_another_order_has_is_refused(floor: Floor) -> None:
    await floor.open()
    (first,) = await floor.trade(a_signal())
    await floor.broker.cancel(
        broker_order_id=first.broker_order_id,
        branch=first.broker_branch,
        order_type=first.intent.order_type,
    )
    await floor.reconcile()
    floor.broker.refusal = TIMED_OUT
    (second,) = await floor.trade(a_signal(strategy_id="swing"))
    with pytest.raises(BadInput, match="no order of ours has"):
        await bind_by_hand(
            floor.desk, second.client_order_id, first.broker_order_id, reason="guess"
        )


@pytest.mark.parametrize(("time", "is_allowed"), [("08:50:49", False), ("08:50:50", True)])
async def test_what_may_be_on_its_way_is_not_declared_absent(
    floor: Floor, time: str, *, is_allowed: bool
) -> None:
    await lose(floor)
    floor.at(time)
    order_id = floor.order().client_order_id
    if is_allowed:
        order = await declare_absent_by_hand(floor.desk, order_id, reason="not in HTS")
        assert order.error_message == "operator: not in HTS"
    else:
        with pytest.raises(BadInput, match="on its way"):
            await declare_absent_by_hand(floor.desk, order_id, reason="not in HTS")


async def test_a_visible_row_settles_the_doubt_at_the_first_look(floor: Floor) -> None:
    """Within the first pause of one second, five are allowed."""
    await lose_the_reply(floor)
    done = await settle_doubts(floor.desk, within=1.0, pauses=(0.0,))
    assert done is not None
    assert [step.act for step in done.steps] == [Act.BIND]
    assert await settle_doubts(floor.desk, within=1.0) is None


async def test_a_dry_run_plans_all_and_changes_nothing(floor: Floor) -> None:
    number = await lose_the_reply(floor)
    await floor.broker.place_by_hand(HYUNDAI, Side.BUY, 10, 150_000)
    floor.at("09:00")
    floor.print(401_000, auction=True)
    floor.print(150_000, symbol=HYUNDAI, auction=True)
    before = (floor.orders, floor.executions, floor.ledger, len(floor.notifier.messages))
    planned = await floor.plan()
    assert (floor.orders, floor.executions, floor.ledger, len(floor.notifier.messages)) == before
    acts = [step.act for step in planned.steps]
    assert acts == [Act.BIND, Act.BOOK, Act.ADOPT, Act.BOOK]
    done = await floor.reconcile()
    assert [(s.act, s.subject, s.detail) for s in done.steps] == [
        (s.act, s.subject, s.detail) for s in planned.steps
    ]
    assert (done.is_clean, floor.order(0).broker_order_id) == (True, number)
    floor.assert_books_agree()


async def test_one_impossible_booking_stops_its_symbol_and_no_other(floor: Floor) -> None:
    """Shares that were never ours are sold by hand: our book cannot take it, and says so."""
    await floor.open()
    await floor.trade(a_signal())
    floor.broker.hand_over(HYUNDAI, 10, 1_500_000)
    await floor.broker.place_by_hand(HYUNDAI, Side.SELL, 10, 150_000)
    floor.at("09:00")
    floor.print(150_000, symbol=HYUNDAI, auction=True)
    floor.print(401_000, auction=True)
    done = await floor.reconcile()
    assert [step.subject for step in done.booked] == [floor.order(0).client_order_id]
    assert [d.symbol for d in done.differences if d.kind == "IMPOSSIBLE"] == [HYUNDAI]
    assert [(s.act, s.subject) for s in done.steps][-1] == (Act.QUARANTINE, HYUNDAI)
    (other,) = await floor.trade(a_signal(symbol=SAMSUNG))
    assert other.status is OrderStatus.ACCEPTED
