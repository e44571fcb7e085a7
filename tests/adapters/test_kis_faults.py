"""This is the KIS adapter on a bad day: each fault of the wire, judged by the simulator's own book."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.kis.access import open_kis
from adapters.kis_sim.gateway import Mode
from adapters.kis_sim.options import Options, default_credential
from adapters.kis_sim.orders import Environment
from adapters.kis_sim.server import Simulator
from tests.broker_worlds import KisWorld, SimulatorClock, a_kis_world, an_intent_to_buy
from tests.builders import A_DAY, ACCOUNT, LG_CHEM, looks_good, seoul
from tests.kis_worlds import settings_for
from trading.errors import (
    BrokerError,
    InvalidSetting,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Unavailable,
)
from trading.orders import OrderStatus, OrderType


@pytest.mark.parametrize(
    ("faults", "kind", "in_the_book"),
    [
        ({"throttled": {"http": 500}}, Throttled, 0),
        ({"throttled": {"http": 200}}, Throttled, 0),
        ({"ledger_throttled": True}, OutcomeUnknown, 0),
        ({"timeout_after_accept": True}, OutcomeUnknown, 1),
        ({"reply_lost": True}, OutcomeUnknown, 1),
        ({"reply_delayed": {"seconds": 2}}, OutcomeUnknown, 1),
        ({"halt": True}, Rejected, 0),
        ({"market_closed": True}, Rejected, 0),
        ({"holiday": True}, Rejected, 0),
    ],
)
async def test_an_order_under_a_fault_is_told_truly_and_stands_in_the_book_once_at_most(
    tmp_path: Path, faults: dict[str, Any], kind: type[BrokerError], in_the_book: int
) -> None:
    async with a_kis_world(tmp_path) as world:
        await world.move_to("09:05")
        world.set_faults(**faults)
        with pytest.raises(kind):
            await world.broker.place(an_intent_to_buy(), last_look=looks_good)
        assert len(world.true_orders()) == in_the_book


async def test_a_row_tells_from_which_address_the_order_came(tmp_path: Path) -> None:
    async with a_kis_world(tmp_path) as world:
        await world.move_to("09:05")
        await world.broker.place(an_intent_to_buy(), last_look=looks_good)
        (row,) = await world.broker.orders_of_day(A_DAY)
        assert row.address == "127.0.0.1"


@pytest.mark.parametrize("fault", ["timeout_after_accept", "reply_lost"])
async def test_a_cancel_in_doubt_has_happened_once(tmp_path: Path, fault: str) -> None:
    async with a_kis_world(tmp_path) as world:
        await world.move_to("09:05")
        receipt = await world.broker.place(an_intent_to_buy(), last_look=looks_good)
        world.set_faults(**{fault: True})
        with pytest.raises(OutcomeUnknown):
            await world.broker.cancel(
                broker_order_id=receipt.broker_order_id,
                branch=receipt.branch,
                order_type=OrderType.LIMIT,
            )
        assert [order["act"] for order in world.true_orders()] == ["NEW", "CANCEL"]


@pytest.mark.parametrize("http", [200, 500])
async def test_throttled_reads_are_read_again(tmp_path: Path, http: int) -> None:
    async with a_kis_world(tmp_path) as world:
        await world.move_to("09:05")
        await world.broker.place(an_intent_to_buy(), last_look=looks_good)
        reads = ["inquire-daily-ccld", "inquire-balance"]
        world.set_faults(throttled={"http": http, "count": 1, "trs": reads})
        assert len(await world.broker.orders_of_day(A_DAY)) == 1
        world.set_faults(ledger_throttled={"http": http, "count": 1, "trs": reads})
        assert (await world.broker.get_balance()).cash == 100_000_000


async def test_the_simulators_own_pace_is_kept(tmp_path: Path) -> None:
    options = Options(mode=Mode.PAPER, day=A_DAY, rate_limit=5)
    credential = default_credential(Environment.PAPER)
    async with Simulator(options) as simulator:
        settings = settings_for(
            simulator.url,
            appkey=credential.appkey,
            appsecret=credential.appsecret,
            calls_per_second=5,
            read_attempts=1,
        )
        clock = SimulatorClock(simulator)
        async with open_kis(settings, home=tmp_path, clock=clock) as kis:
            for _ in range(12):
                await kis.broker.get_balance()


async def test_a_day_whose_rows_do_not_show_yet_is_no_empty_day(tmp_path: Path) -> None:
    async with a_kis_world(tmp_path) as world:
        await world.move_to("09:05")
        await world.broker.place(an_intent_to_buy(), last_look=looks_good)
        world.set_faults(orders_empty=True)
        with pytest.raises(Unavailable, match="no row"):
            await world.broker.orders_of_day(A_DAY)


async def test_rows_that_are_late_as_a_whole_look_like_an_empty_day(tmp_path: Path) -> None:
    async with a_kis_world(tmp_path) as world:
        await world.move_to("09:05")
        world.set_faults(orders_lag={"seconds": 60})
        await world.broker.place(an_intent_to_buy(), last_look=looks_good)
        assert await world.broker.orders_of_day(A_DAY) == ()
        await world.move_to("09:06")
        assert len(await world.broker.orders_of_day(A_DAY)) == 1


async def test_an_order_refused_after_acceptance_shows_in_its_row(tmp_path: Path) -> None:
    async with a_kis_world(tmp_path) as world:
        await world.move_to("09:05")
        world.set_faults(reject_after_accept=True)
        receipt = await world.broker.place(an_intent_to_buy(), last_look=looks_good)
        (order,) = await world.broker.orders_of_day(A_DAY)
        assert order.broker_order_id == receipt.broker_order_id
        assert (order.status, order.rejected_quantity) == (OrderStatus.REJECTED, 10)


async def test_a_halt_and_an_interruption_show_in_the_price(tmp_path: Path) -> None:
    async with a_kis_world(tmp_path) as world:
        await world.move_to("09:05")
        world.set_faults(halt=True, volatility_interruption=True)
        quote = await world.broker.get_price(LG_CHEM)
        assert quote.is_halted
        assert quote.has_volatility_interruption


async def test_an_order_placed_by_hand_is_seen_and_is_not_ours(tmp_path: Path) -> None:
    async with a_kis_world(tmp_path) as world:
        await world.move_to("09:05")
        await world.broker.place(an_intent_to_buy(), last_look=looks_good)
        await place_by_hand(world)
        orders = await world.broker.orders_of_day(A_DAY)
        assert [order.is_ours for order in orders] == [True, False]


async def place_by_hand(world: KisWorld) -> None:
    order = {"account": ACCOUNT, "symbol": LG_CHEM, "side": "BUY", "quantity": 1, "price": 400_000}
    async with httpx.AsyncClient(base_url=world.simulator.url) as http:
        (await http.post("/sim/orders", json=order)).raise_for_status()


@pytest.mark.parametrize(
    ("environment", "key_of", "code"),
    [
        (Environment.REAL, Environment.PAPER, "EGW02004"),
        (Environment.PAPER, Environment.REAL, "EGW02007"),
    ],
)
async def test_the_key_of_the_other_environment_refuses_at_the_start(
    tmp_path: Path, environment: Environment, key_of: Environment, code: str
) -> None:
    credential = default_credential(key_of)
    with pytest.raises(InvalidSetting, match=code) as caught:
        async with a_kis_world(
            tmp_path, environment, appkey=credential.appkey, appsecret=credential.appsecret
        ):
            pytest.fail("it opened")
    assert caught.value.field == "environment"


async def test_a_broker_that_forgot_our_token_is_asked_for_another(tmp_path: Path) -> None:
    async with a_kis_world(tmp_path) as world:
        await world.move_to("09:05")
        token = (await world.kis.auth.token()).get_secret_value()
        world.simulator.office.revoke(token)
        assert (await world.broker.get_balance()).cash == 100_000_000
        assert (await world.kis.auth.token()).get_secret_value() != token


async def test_an_order_with_a_token_that_ended_did_not_get_in(tmp_path: Path) -> None:
    """Incident 17: the token was revoked by maintenance while the local expiry said valid."""
    async with a_kis_world(tmp_path) as world:
        await world.move_to("09:05")
        world.simulator.office.revoke((await world.kis.auth.token()).get_secret_value())
        with pytest.raises(BrokerError) as caught:
            await world.broker.place(an_intent_to_buy(), last_look=looks_good)
        assert not isinstance(caught.value, OutcomeUnknown)
        assert world.true_orders() == []
        await world.broker.place(an_intent_to_buy(), last_look=looks_good)
        assert len(world.true_orders()) == 1


async def test_a_token_lives_through_the_day_and_is_new_the_next(tmp_path: Path) -> None:
    async with a_kis_world(tmp_path) as world:
        first = await world.kis.auth.ensure()
        assert first == seoul(A_DAY, "08:00") + timedelta(days=1)
        await world.move_to("08:30", day=A_DAY + timedelta(days=1))
        second = await world.kis.auth.ensure()
        assert second == world.now() + timedelta(days=1)
