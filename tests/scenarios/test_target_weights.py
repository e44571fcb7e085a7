"""This is a strategy's weight on its way through a trading day: decided, stored, ordered as a difference, explained."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from adapters.wording import Wording
from tasks.signals import evaluate_bars
from tests.builders import LG_CHEM, a_signal
from tests.desks import PRICES, Floor, a_close, a_floor
from trading.halts import Halt, TradingState
from trading.orders import Order, OrderStatus, Side
from trading.signals import Signal


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    """A desk with 100,000,000 won."""
    return a_floor(tmp_path)


def wanting(weight: str, strategy_id: str = "trend") -> Signal:
    """Give a signal that wants a part of equity in LG Chem."""
    return a_signal(trigger="weight", strategy_id=strategy_id, target_weight=Decimal(weight))


def told(orders: tuple[Order, ...]) -> list[tuple[Side, int, OrderStatus]]:
    """Give side, quantity and status of each order."""
    return [(order.side, order.quantity, order.status) for order in orders]


async def test_a_lower_weight_sells_the_difference(floor: Floor) -> None:
    await floor.hold()  # 24 shares at 401,000, 9,624,000 of 99,998,557
    # 5 % is 4,999,927: 11 shares too many.
    assert told(await floor.trade(wanting("0.0500"))) == [(Side.SELL, 11, OrderStatus.ACCEPTED)]
    floor.hear(*floor.print(401_000))
    assert floor.ledger.position(LG_CHEM).quantity == 13
    floor.assert_books_agree()


async def test_a_higher_weight_buys_the_difference(floor: Floor) -> None:
    await floor.hold()
    # 15 % is 14,999,783: 5,375,783 more pay for 13 shares at 405,000 with commission.
    assert told(await floor.trade(wanting("0.1500"))) == [(Side.BUY, 13, OrderStatus.ACCEPTED)]
    floor.hear(*floor.print(401_000))
    assert floor.ledger.position(LG_CHEM).quantity == 37
    floor.assert_books_agree()


async def test_a_weight_is_ordered_once(floor: Floor) -> None:
    await floor.hold()
    signal = wanting("0.0500")
    await floor.trade(signal)
    floor.hear(*floor.print(401_000))
    assert await floor.trade(signal) == ()
    assert floor.ledger.position(LG_CHEM).quantity == 13


async def test_what_another_strategy_bought_is_not_sold(floor: Floor) -> None:
    await floor.hold()
    assert await floor.trade(wanting("0.0010", strategy_id="swing")) == ()
    assert floor.breaches == ("SIZING",)  # 100,000 won buy no share
    assert floor.ledger.position(LG_CHEM).quantity == 24


async def test_a_holding_on_its_target_says_so(floor: Floor) -> None:
    await floor.hold()
    assert await floor.trade(wanting("0.0960")) == ()
    with floor.stores.begin() as work:
        (event,) = work.risk_events.of_day(floor.desk.today())
    assert "9,624,000 KRW are held and 9,599,861 KRW wanted" in Wording("en").breach(event.breach)
    assert "9,624,000원" in Wording("ko").breach(event.breach)


async def test_while_buys_are_stopped_a_weight_still_sells(floor: Floor) -> None:
    await floor.hold()
    with floor.stores.begin() as work:
        work.halts.put(Halt("trip:DAILY_LOSS", TradingState.REDUCING, "loss", floor.desk.now()))
    assert told(await floor.trade(wanting("0.0500"))) == [(Side.SELL, 11, OrderStatus.ACCEPTED)]


async def test_a_strategys_weights_become_orders_of_that_size(tmp_path: Path) -> None:
    calm = {"volatility": "0.15", "weight": "0.15", "window": 2, "trend": None}
    strategy = {"id": "calm", "kind": "volatility_target", "symbols": list(PRICES)}
    floor = a_floor(tmp_path, strategies=[{**strategy, "parameters": calm}])
    day = floor.desk.today()  # a Tuesday: Monday's bar is the first of the week
    with floor.stores.begin() as work:
        for _ in range(7):
            day = floor.desk.calendar.previous_trading_day(day)
            work.bars.upsert([a_close(symbol, day) for symbol in PRICES])
    floor.at("08:40")
    found = evaluate_bars.fn(floor.desk)
    assert [s.target_weight for each in found for s in each.signals] == [Decimal("0.1500")] * 3
    await floor.open()
    with floor.stores.begin() as work:
        signals = work.signals.of_day(floor.desk.today())
    orders = {order.symbol: order for order in await floor.trade(*signals)}
    # 15,000,000 at 404,000 (1 % above the last price) with commission.
    assert told((orders[LG_CHEM],)) == [(Side.BUY, 37, OrderStatus.ACCEPTED)]
    assert len(orders) == 3
