"""This is what every broker promises; it runs in memory and on KIS over the simulator, paper and real."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.kis_sim.orders import Environment
from tests.broker_worlds import (
    CASH,
    BrokerWorld,
    a_kis_world,
    a_memory_world,
    a_plugin_world,
    an_intent_to_buy,
)
from tests.builders import A_DAY, LG_CHEM, SAMSUNG, looks_good
from trading.broker_books import BrokerOrder
from trading.costs import CostSchedule
from trading.errors import BadInput, LeaseLost, MaemaeError, Rejected, StoreUnavailable, Withheld
from trading.instruments import InstrumentKind, Market, Symbol
from trading.krx import price_limits
from trading.orders import OrderStatus, OrderType, Side

NEXT_DAY = A_DAY + timedelta(days=1)
SETTLEMENT_DAY = A_DAY + timedelta(days=2)


@pytest.fixture(params=["memory", "plugin", "paper", "real"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[BrokerWorld]:
    """Each broker in turn, five minutes after the opening."""
    if request.param in {"memory", "plugin"}:
        open_world = a_memory_world if request.param == "memory" else a_plugin_world
        async with open_world(tmp_path) as memory:
            await memory.move_to("09:05")
            yield memory
    else:
        async with a_kis_world(tmp_path, Environment(request.param)) as kis:
            await kis.move_to("09:05")
            yield kis


async def the_order(world: BrokerWorld, number: str) -> BrokerOrder:
    orders = await world.broker.orders_of_day(A_DAY)
    return next(order for order in orders if order.broker_order_id == number)


async def a_price_that_trades(world: BrokerWorld, side: Side) -> int:
    """Give a limit that crosses the market: ours are on the grid, 1,000 won wide at this price."""
    last = (await world.broker.get_price(LG_CHEM)).last
    return (last // 1_000 + (10 if side is Side.BUY else -10)) * 1_000


async def holding(world: BrokerWorld, symbol: Symbol) -> int:
    positions = await world.broker.get_positions()
    return next((p.quantity for p in positions if p.symbol == symbol), 0)


def commission(value: int) -> int:
    charges = CostSchedule().charges_on(
        value,
        Side.BUY,
        market=Market.KOSPI,
        kind=InstrumentKind.STOCK,
        settles_on=SETTLEMENT_DAY,
    )
    return charges.commission


async def test_a_limit_order_below_the_market_rests(world: BrokerWorld) -> None:
    receipt = await world.broker.place(an_intent_to_buy(), last_look=looks_good)
    order = await the_order(world, receipt.broker_order_id)
    assert (order.symbol, order.side, order.quantity) == (LG_CHEM, Side.BUY, 10)
    assert (order.order_type, order.limit_price) == (OrderType.LIMIT, 400_000)
    assert (order.filled_quantity, order.open_quantity) == (0, 10)
    assert (order.status, order.original_id) == (OrderStatus.ACCEPTED, "")
    assert order.is_ours
    assert order.branch == receipt.branch
    assert order.ordered_at == receipt.accepted_at
    assert abs(receipt.accepted_at - world.now()) < timedelta(seconds=1)


async def test_a_market_order_fills(world: BrokerWorld) -> None:
    receipt = await world.place(
        fills=10, quantity=10, order_type=OrderType.MARKET, limit_price=None
    )
    order = await the_order(world, receipt.broker_order_id)
    assert (order.order_type, order.limit_price) == (OrderType.MARKET, None)
    assert (order.status, order.filled_quantity, order.open_quantity) == (
        OrderStatus.FILLED,
        10,
        0,
    )
    quote = await world.broker.get_price(LG_CHEM)
    assert quote.lower_limit * 10 <= order.filled_value <= quote.upper_limit * 10


async def test_an_order_fills_in_parts_and_the_rest_can_be_canceled(world: BrokerWorld) -> None:
    price = await a_price_that_trades(world, Side.BUY)
    receipt = await world.place(fills=3, quantity=10, limit_price=price)
    order = await the_order(world, receipt.broker_order_id)
    assert (order.status, order.filled_quantity, order.open_quantity) == (
        OrderStatus.PARTIALLY_FILLED,
        3,
        7,
    )
    cancel = await world.broker.cancel(
        broker_order_id=receipt.broker_order_id,
        branch=receipt.branch,
        order_type=OrderType.LIMIT,
    )
    order = await the_order(world, receipt.broker_order_id)
    assert (order.status, order.filled_quantity) == (OrderStatus.CANCELED, 3)
    assert (order.open_quantity, order.canceled_quantity) == (0, 7)
    assert cancel.broker_order_id != receipt.broker_order_id
    assert (await the_order(world, cancel.broker_order_id)).original_id == receipt.broker_order_id
    assert await holding(world, LG_CHEM) == 3


async def test_what_is_gone_cannot_be_canceled(world: BrokerWorld) -> None:
    price = await a_price_that_trades(world, Side.BUY)
    filled = await world.place(fills=2, quantity=2, limit_price=price)
    resting = await world.place(fills=0, quantity=2, limit_price=400_000)
    await world.broker.cancel(
        broker_order_id=resting.broker_order_id,
        branch=resting.branch,
        order_type=OrderType.LIMIT,
    )
    for number in (filled.broker_order_id, resting.broker_order_id, "0000009999"):
        with pytest.raises(Rejected):
            await world.broker.cancel(
                broker_order_id=number, branch=filled.branch, order_type=OrderType.LIMIT
            )


@pytest.mark.parametrize(
    "changes",
    [
        {"quantity": 1_000},
        {"quantity": 200, "order_type": OrderType.MARKET, "limit_price": None},
        {"limit_price": 400_100},
        {"limit_price": 1_000_000},
        {"limit_price": 100_000},
        {"side": Side.SELL, "quantity": 1},
        {"symbol": Symbol("999999")},
    ],
    ids=[
        "cash",
        "cash at the upper limit",
        "off the grid",
        "above the limit",
        "below the limit",
        "no shares",
        "unknown",
    ],
)
async def test_what_the_exchange_does_not_take_is_rejected_and_leaves_no_trace(
    world: BrokerWorld, changes: dict[str, Any]
) -> None:
    before = await world.broker.buyable(LG_CHEM, order_type=OrderType.LIMIT, price=400_000)
    with pytest.raises(Rejected) as caught:
        await world.broker.place(an_intent_to_buy(**changes), last_look=looks_good)
    assert caught.value.code
    assert caught.value.message
    assert await world.broker.orders_of_day(A_DAY) == ()
    after = await world.broker.buyable(LG_CHEM, order_type=OrderType.LIMIT, price=400_000)
    assert after == before


async def test_an_order_for_another_account_never_leaves(world: BrokerWorld) -> None:
    with pytest.raises(BadInput, match="account"):
        await world.broker.place(an_intent_to_buy(account="99999999-01"), last_look=looks_good)
    assert await world.broker.orders_of_day(A_DAY) == ()


@pytest.mark.parametrize(
    "objection",
    [Withheld("halted", code="HALTED"), LeaseLost("taken over"), StoreUnavailable("gone")],
    ids=lambda error: type(error).__name__,
)
async def test_what_the_last_look_raises_keeps_the_order_from_leaving_and_comes_out_as_it_is(
    world: BrokerWorld, objection: MaemaeError
) -> None:
    looks = []

    def last_look() -> None:
        looks.append(objection)
        raise objection

    with pytest.raises(type(objection)) as caught:
        await world.broker.place(an_intent_to_buy(), last_look=last_look)
    assert caught.value is objection
    assert looks == [objection]
    assert await world.broker.orders_of_day(A_DAY) == ()
    await world.broker.place(an_intent_to_buy(), last_look=looks_good)
    assert len(await world.broker.orders_of_day(A_DAY)) == 1


async def test_every_order_is_looked_at_once(world: BrokerWorld) -> None:
    looks: list[int] = []
    await world.broker.place(an_intent_to_buy(), last_look=lambda: looks.append(1))
    assert looks == [1]


async def test_the_fields_on_the_wire_are_told_before_it_leaves(world: BrokerWorld) -> None:
    fields = world.broker.wire_fields(an_intent_to_buy())
    assert {"051910", "10", "400000"} <= set(fields.values())
    assert all(isinstance(value, str) for value in fields.values())
    assert await world.broker.orders_of_day(A_DAY) == ()


@pytest.mark.parametrize("time", ["15:30", "23:00"])
async def test_after_the_close_nothing_is_taken(world: BrokerWorld, time: str) -> None:
    await world.move_to(time)
    with pytest.raises(Rejected):
        await world.broker.place(an_intent_to_buy(), last_look=looks_good)


async def test_on_a_holiday_nothing_is_taken(world: BrokerWorld) -> None:
    saturday = A_DAY + timedelta(days=4)
    await world.move_to("10:00", day=saturday)
    with pytest.raises(Rejected):
        await world.broker.place(an_intent_to_buy(), last_look=looks_good)


async def test_what_is_open_at_the_close_dies_with_the_day(world: BrokerWorld) -> None:
    await world.move_to("15:15")
    price = await a_price_that_trades(world, Side.BUY)
    parted = await world.place(fills=3, quantity=10, limit_price=price)
    await world.broker.cancel(
        broker_order_id=parted.broker_order_id, branch=parted.branch, order_type=OrderType.LIMIT
    )
    resting = await world.place(fills=0, quantity=2, limit_price=350_000)
    await world.move_to("16:00")
    order = await the_order(world, resting.broker_order_id)
    assert (order.filled_quantity, order.open_quantity) == (0, 0)
    freed = await world.broker.buyable(LG_CHEM, order_type=OrderType.LIMIT, price=400_000)
    cash = (await world.broker.get_balance()).cash
    assert cash - freed.cash in range(commission(cash) + 1)


async def test_an_open_buy_holds_its_cash(world: BrokerWorld) -> None:
    before = await world.broker.buyable(LG_CHEM, order_type=OrderType.LIMIT, price=400_000)
    await world.broker.place(an_intent_to_buy(quantity=10), last_look=looks_good)
    after = await world.broker.buyable(LG_CHEM, order_type=OrderType.LIMIT, price=400_000)
    value = 10 * 400_000
    assert before.cash - after.cash in {value, value + commission(value)}
    assert before.quantity - after.quantity == 10
    assert (await world.broker.get_balance()).cash == CASH


async def test_a_market_order_may_buy_what_the_upper_limit_allows(world: BrokerWorld) -> None:
    upper = (await world.broker.get_price(LG_CHEM)).upper_limit
    found = await world.broker.buyable(LG_CHEM, order_type=OrderType.MARKET, price=None)
    assert found.quantity * (upper + commission(upper)) <= CASH
    assert (found.quantity + 1) * upper > CASH * 0.9997
    with pytest.raises(Rejected):
        await world.broker.place(
            an_intent_to_buy(
                quantity=found.quantity + 1, order_type=OrderType.MARKET, limit_price=None
            ),
            last_look=looks_good,
        )
    await world.broker.place(
        an_intent_to_buy(quantity=found.quantity, order_type=OrderType.MARKET, limit_price=None),
        last_look=looks_good,
    )


async def test_a_buy_moves_cash_at_once_and_the_deposit_on_settlement(world: BrokerWorld) -> None:
    receipt = await world.place(
        fills=10, quantity=10, order_type=OrderType.MARKET, limit_price=None
    )
    value = (await the_order(world, receipt.broker_order_id)).filled_value
    balance = await world.broker.get_balance()
    assert balance.deposit == balance.next_day_cash == CASH
    assert CASH - balance.cash - value in range(commission(value) - 9, commission(value) + 1)
    (position,) = await world.broker.get_positions()
    assert (position.symbol, position.quantity, position.sellable_quantity) == (LG_CHEM, 10, 10)
    assert position.cost == value
    assert balance.securities_value == 10 * position.last
    assert balance.equity == balance.cash + balance.securities_value
    await world.move_to("09:05", day=NEXT_DAY)
    next_day = await world.broker.get_balance()
    assert (next_day.deposit, next_day.next_day_cash) == (CASH, balance.cash)
    await world.move_to("09:05", day=SETTLEMENT_DAY)
    assert (await world.broker.get_balance()).deposit == balance.cash


async def test_a_sale_frees_cash_at_once_and_pays_tax(world: BrokerWorld) -> None:
    await world.place(fills=10, quantity=10, order_type=OrderType.MARKET, limit_price=None)
    before = await world.broker.get_balance()
    receipt = await world.place(
        fills=4, side=Side.SELL, quantity=4, order_type=OrderType.MARKET, limit_price=None
    )
    order = await the_order(world, receipt.broker_order_id)
    assert (order.side, order.status) == (Side.SELL, OrderStatus.FILLED)
    gained = (await world.broker.get_balance()).cash - before.cash
    # 0.015 % commission and 0.15 + 0.15 % tax in January 2018, each floored per fill.
    charges = order.filled_value * 315 // 100_000
    assert order.filled_value - gained in range(charges - 12, charges + 1)
    assert await holding(world, LG_CHEM) == 6


async def test_an_open_sell_locks_its_shares(world: BrokerWorld) -> None:
    await world.place(fills=10, quantity=10, order_type=OrderType.MARKET, limit_price=None)
    high = (await world.broker.get_price(LG_CHEM)).upper_limit
    await world.place(fills=0, side=Side.SELL, quantity=7, limit_price=high)
    (position,) = await world.broker.get_positions()
    assert (position.quantity, position.sellable_quantity) == (10, 3)
    with pytest.raises(Rejected):
        await world.place(fills=0, side=Side.SELL, quantity=4, limit_price=high)


async def test_a_position_sold_out_is_gone(world: BrokerWorld) -> None:
    await world.place(fills=2, quantity=2, order_type=OrderType.MARKET, limit_price=None)
    await world.place(
        fills=2, side=Side.SELL, quantity=2, order_type=OrderType.MARKET, limit_price=None
    )
    assert await world.broker.get_positions() == ()


async def test_every_page_of_the_days_orders_is_read_oldest_first(world: BrokerWorld) -> None:
    count = 101  # one more than the largest page
    numbers = [
        (
            await world.broker.place(an_intent_to_buy(quantity=1), last_look=looks_good)
        ).broker_order_id
        for _ in range(count)
    ]
    orders = await world.broker.orders_of_day(A_DAY)
    assert [order.broker_order_id for order in orders] == numbers
    assert sum(order.open_quantity for order in orders) == count


async def test_every_quantity_of_the_book_adds_up(world: BrokerWorld) -> None:
    price = await a_price_that_trades(world, Side.BUY)
    await world.place(fills=3, quantity=10, limit_price=price)
    resting = await world.place(fills=0, quantity=2, limit_price=400_000)
    await world.broker.cancel(
        broker_order_id=resting.broker_order_id,
        branch=resting.branch,
        order_type=OrderType.LIMIT,
    )
    orders = await world.broker.orders_of_day(A_DAY)
    assert len(orders) == 3
    for order in orders:
        settled = order.filled_quantity + order.canceled_quantity + order.rejected_quantity
        assert order.quantity == settled + order.open_quantity


async def test_another_day_has_no_orders(world: BrokerWorld) -> None:
    await world.broker.place(an_intent_to_buy(), last_look=looks_good)
    assert await world.broker.orders_of_day(NEXT_DAY) == ()


async def test_a_price_comes_with_the_days_frame(world: BrokerWorld) -> None:
    quote = await world.broker.get_price(LG_CHEM)
    limits = price_limits(quote.base_price, on=A_DAY)
    assert (quote.lower_limit, quote.upper_limit) == (limits.lower, limits.upper)
    assert limits.contains(quote.last)
    assert quote.at == world.now()
    assert not quote.is_halted


async def test_the_price_of_an_unknown_symbol_is_refused(world: BrokerWorld) -> None:
    with pytest.raises(Rejected):
        await world.broker.get_price(Symbol("999999"))


async def test_instruments_have_names_and_boards(world: BrokerWorld) -> None:
    found = await world.market_data.instruments([LG_CHEM, SAMSUNG])
    assert [(each.symbol, each.name, each.market) for each in found] == [
        (LG_CHEM, "LG화학", Market.KOSPI),
        (SAMSUNG, "삼성전자", Market.KOSPI),
    ]


async def test_a_token_that_ends_in_between_is_healed_for_reads(tmp_path: Path) -> None:
    async with a_kis_world(tmp_path) as world:
        await world.move_to("09:05")
        await world.broker.place(an_intent_to_buy(), last_look=looks_good)
        await world.move_to("09:10")
        world.set_faults(expired_token=True)
        assert len(await world.broker.orders_of_day(A_DAY)) == 1
        assert (await world.broker.get_balance()).cash == CASH
