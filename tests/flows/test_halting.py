"""This is the kill switch as flows, through the real Prefect engine, and what it leaves in rows, file and the UI."""

from __future__ import annotations

import pytest

from adapters.halt_files import HaltFile
from flows.generate_signals import generate_signals
from flows.halt_trading import halt_trading
from flows.place_orders import place_orders
from flows.reconcile_fills import reconcile_fills
from flows.resume_trading import resume_trading
from tests.builders import A_DAY, a_signal, seoul
from tests.consoles import NOWHERE
from tests.flow_worlds import World, carry_out, remember, told
from trading.orders import OrderStatus


async def test_a_halt_stops_every_new_order_until_it_is_lifted(world: World) -> None:
    remember(world, a_signal())
    halted = await carry_out(halt_trading, reason="a look first")
    stopped = [await carry_out(generate_signals), await carry_out(place_orders)]
    resumed = await carry_out(resume_trading, reason="looked")
    placed = await carry_out(place_orders)

    with world.stores.begin() as work:
        entries = [entry for _, entry in work.audit.last()]
    acts = [(e.action, e.detail["reason"]) for e in entries if not e.action.startswith("config ")]
    reason = "Trading is halted: operator: a look first"
    assert told(halted)[1] == "Trading halted, 0 open orders cancelled"
    assert {told(state) for state in stopped} == {("Skipped", reason)}
    assert told(resumed)[1] == "Trading resumed, 0 differences to the broker's book"
    assert told(placed)[1].startswith("1 signals: 1 orders placed")
    assert acts == [("resume", "looked"), ("halt", "a look first")]
    assert world.titles[:2] == ["Trading halted", "Trading resumed"]


async def test_a_halt_works_while_the_database_is_down(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(world, a_signal())
    await carry_out(place_orders)
    with monkeypatch.context() as patch:
        patch.setenv("MAEMAE_DATABASE_URL", NOWHERE)
        state = await carry_out(halt_trading, reason="smoke", cancel_open_orders=True)

    name, sentence = told(state)
    assert name == "Partly"
    assert sentence.startswith("Trading halted, 1 open orders cancelled. Not done: database 127")
    (halt,) = HaltFile(world.home / "halt.json").read(at=seoul(A_DAY, "08:51"))
    assert (halt.source, halt.reason) == ("operator", "smoke")
    assert world.titles[-1] == "Trading halted"
    assert told(await carry_out(place_orders))[0] == "Skipped"


async def test_a_halt_works_while_the_settings_are_wrong(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("MAEMAE_KIS__ENVIRONMENT", "moon")
        state = await carry_out(halt_trading)

    assert told(state)[0] == "Partly"
    assert len(HaltFile(world.home / "halt.json").read(at=seoul(A_DAY, "08:51"))) == 1


@pytest.mark.usefixtures("world")
async def test_one_strategys_signals_can_be_made_alone_and_be_stopped_alone() -> None:
    one, another = "trend-20-60", "trend-20-40"
    made = await carry_out(generate_signals, strategy_id=one)
    await carry_out(halt_trading, strategy_id=one)
    stopped = await carry_out(generate_signals, strategy_id=one)
    other = await carry_out(generate_signals, strategy_id=another)

    states = [told(state)[0] for state in (made, stopped, other)]
    assert states == ["Completed", "Skipped", "Completed"]


async def test_a_halt_stands_in_row_and_file(world: World) -> None:
    await carry_out(halt_trading, reason="a look first", strategy_id="trend-20-60")

    with world.stores.begin() as work:
        (row,) = work.halts.in_force()
    (entry,) = HaltFile(world.home / "halt.json").read(at=seoul(A_DAY, "08:51"))
    assert (row.source, row.state, row.strategy_id) == ("operator", "HALTED", "trend-20-60")
    assert entry == row


async def test_a_halt_cancels_what_is_open_if_told_to(world: World) -> None:
    remember(world, a_signal())
    await carry_out(place_orders)

    state = await carry_out(halt_trading, cancel_open_orders=True)

    placed, cancel = await world.placed()
    assert (placed["is_canceled"], placed["open_quantity"]) == (True, 0)
    assert cancel["act"] == "CANCEL"
    assert told(state)[1] == "Trading halted, 1 open orders cancelled"


async def test_a_halt_does_not_stop_fills_from_being_booked(world: World) -> None:
    remember(world, a_signal())
    await world.market.faults(reply_lost={"count": 1})
    await carry_out(place_orders)
    await carry_out(halt_trading)

    state = await carry_out(reconcile_fills)

    assert told(state) == ("Completed", "1 orders compared, 0 fills booked, 0 differences")
    assert [order.status for order in world.orders()] == [OrderStatus.ACCEPTED]


async def test_reducing_refuses_buys(world: World) -> None:
    remember(world, a_signal())
    await carry_out(halt_trading, level="REDUCING")

    state = await carry_out(place_orders)

    (order,) = world.orders()
    assert (state.name, order.status) == ("Completed", OrderStatus.DENIED)
    assert await world.placed() == []


async def test_resuming_needs_a_reason(world: World) -> None:
    await carry_out(halt_trading)

    state = await carry_out(resume_trading, reason=" ")

    with world.stores.begin() as work:
        assert len(work.halts.in_force()) == 1
    assert state.is_failed()
    assert "a few words why trading goes on" in told(state)[1]
    assert world.titles[-1] == "Resume failed"


async def test_resuming_without_a_halt_says_so(world: World) -> None:
    state = await carry_out(resume_trading, reason="just looking")

    assert told(state)[1] == "Nothing was halted; 0 differences to the broker's book"
    assert world.titles == []
