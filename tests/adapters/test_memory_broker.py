"""This is what the paper broker in memory does beyond the contract: bars, auctions, shares of the volume."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.calendars import XkrxCalendar
from adapters.clock import FixedClock
from adapters.memory.broker import MemoryBroker
from adapters.memory.market_data import MemoryMarketData
from tests.builders import A_DAY, ACCOUNT, LG_CHEM, an_intent, looks_good, seoul
from trading.bars import Bar, Interval
from trading.broker_books import BrokerOrder
from trading.errors import Rejected
from trading.instruments import Instrument
from trading.orders import OrderIntent, OrderStatus, OrderType, Side
from trading.sessions import seoul_date
from trading.ticks import TradePrint

YESTERDAY = A_DAY - timedelta(days=1)
CASH = 100_000_000


class Paper:
    """A paper broker at 08:50, LG Chem at 430,000 won yesterday."""

    def __init__(self, clock: str = "08:50") -> None:
        self.clock = FixedClock(seoul(A_DAY, clock))
        instruments = [Instrument(LG_CHEM, "LG화학")]
        self.market = MemoryMarketData(instruments, clock=self.clock)
        self.market.load([a_day_bar(YESTERDAY, close=430_000)])
        self.broker = MemoryBroker(
            self.market,
            account=ACCOUNT,
            cash=CASH,
            clock=self.clock,
            calendar=XkrxCalendar(),
        )

    def play(self, clock: str, price: int, volume: int, *, is_auction: bool = False) -> None:
        """Move to `clock` and let a trade happen."""
        self.clock.move_to(seoul(A_DAY, clock))
        self.broker.play_print(
            TradePrint(LG_CHEM, price, volume, self.clock.now(), volume, is_auction=is_auction)
        )

    async def order(self, number: str) -> BrokerOrder:
        """Give the row of an order of the clock's day."""
        orders = await self.broker.orders_of_day(seoul_date(self.clock.now()))
        return next(order for order in orders if order.broker_order_id == number)


def a_day_bar(day: date, *, close: int) -> Bar:
    at = seoul(day, "00:00")
    return Bar(LG_CHEM, Interval.DAY, day, at, close, close, close, close, volume=1_000)


def a_minute_bar(clock: str, **prices: Any) -> Bar:
    return Bar(LG_CHEM, Interval.MINUTE, A_DAY, seoul(A_DAY, clock), **prices)


async def test_an_order_of_the_morning_trades_in_the_opening_auction() -> None:
    paper = Paper()
    receipt = await paper.broker.place(
        an_intent(quantity=10, limit_price=435_000), last_look=looks_good
    )
    paper.play("09:00", 432_000, 1_000, is_auction=True)
    order = await paper.order(receipt.broker_order_id)
    assert (order.status, order.filled_value) == (OrderStatus.FILLED, 10 * 432_000)


async def test_a_print_gives_a_tenth_of_its_volume_oldest_order_first() -> None:
    paper = Paper("09:05")
    first = await paper.broker.place(
        an_intent(quantity=6, limit_price=430_000), last_look=looks_good
    )
    second = await paper.broker.place(
        an_intent(quantity=6, limit_price=430_000), last_look=looks_good
    )
    paper.play("09:06", 430_000, 80)
    filled = [
        (await paper.order(receipt.broker_order_id)).filled_quantity for receipt in (first, second)
    ]
    assert filled == [6, 2]


async def test_an_arriving_order_takes_the_print_and_a_resting_one_its_limit() -> None:
    paper = Paper("09:05")
    receipt = await paper.broker.place(
        an_intent(quantity=20, limit_price=430_000), last_look=looks_good
    )
    paper.play("09:06", 428_000, 100)
    paper.play("09:07", 420_000, 100)
    order = await paper.order(receipt.broker_order_id)
    assert order.filled_value == 10 * 428_000 + 10 * 430_000


async def test_a_bar_fills_only_what_was_there_when_it_began() -> None:
    paper = Paper("09:05")
    early = await paper.broker.place(
        an_intent(quantity=5, limit_price=429_000), last_look=looks_good
    )
    paper.clock.move_to(seoul(A_DAY, "09:05:30"))
    late = await paper.broker.place(
        an_intent(quantity=5, limit_price=429_000), last_look=looks_good
    )
    paper.clock.move_to(seoul(A_DAY, "09:06"))
    bar = a_minute_bar("09:06", open=430_000, high=431_000, low=428_000, close=430_000, volume=900)
    paper.broker.play_bar(bar)
    order = await paper.order(early.broker_order_id)
    assert (order.filled_quantity, order.filled_value) == (5, 5 * 429_000)
    assert (await paper.order(late.broker_order_id)).filled_quantity == 0


async def test_nothing_can_be_bought_at_the_locked_upper_limit() -> None:
    paper = Paper("09:05")
    upper = paper.market.limits(LG_CHEM).upper
    receipt = await paper.broker.place(
        an_intent(quantity=5, order_type=OrderType.MARKET, limit_price=None), last_look=looks_good
    )
    paper.clock.move_to(seoul(A_DAY, "09:06"))
    paper.broker.play_bar(
        a_minute_bar("09:06", open=upper, high=upper, low=upper, close=upper, volume=900)
    )
    assert (await paper.order(receipt.broker_order_id)).filled_quantity == 0


async def test_a_halted_symbol_takes_no_order() -> None:
    paper = Paper("09:05")
    paper.market.set_instrument(Instrument(LG_CHEM, "LG화학", is_halted=True))
    assert (await paper.broker.get_price(LG_CHEM)).is_halted
    with pytest.raises(Rejected, match="HALTED"):
        await paper.broker.place(an_intent(), last_look=looks_good)


async def test_bars_of_the_future_are_not_seen() -> None:
    paper = Paper("15:29")
    paper.market.load([a_day_bar(A_DAY, close=440_000)])
    seen = await paper.market.daily_bars(LG_CHEM, first=YESTERDAY, last=A_DAY)
    assert [bar.trading_day for bar in seen] == [YESTERDAY]
    paper.clock.move_to(seoul(A_DAY, "15:30"))
    seen = await paper.market.daily_bars(LG_CHEM, first=YESTERDAY, last=A_DAY)
    assert [bar.trading_day for bar in seen] == [YESTERDAY, A_DAY]
    assert paper.market.base(LG_CHEM) == 430_000


async def test_the_last_price_of_a_day_is_the_base_of_the_next() -> None:
    paper = Paper("15:29")
    paper.play("15:30", 437_000, 100, is_auction=True)
    assert paper.market.base(LG_CHEM) == 430_000
    paper.clock.move_to(seoul(A_DAY + timedelta(days=1), "08:00"))
    assert paper.market.base(LG_CHEM) == 437_000
    paper.market.set_base(LG_CHEM, 218_500)
    assert (await paper.broker.get_price(LG_CHEM)).base_price == 218_500


async def test_numbers_start_again_the_next_day_and_nothing_is_mixed_up() -> None:
    paper = Paper("09:05")
    first = await paper.broker.place(
        an_intent(quantity=10, limit_price=420_000), last_look=looks_good
    )
    paper.broker.end_day()
    paper.clock.move_to(seoul(A_DAY + timedelta(days=1), "09:05"))
    second = await paper.broker.place(
        an_intent(quantity=20, limit_price=420_000), last_look=looks_good
    )
    assert second.broker_order_id == first.broker_order_id
    assert (await paper.order(second.broker_order_id)).open_quantity == 20
    (yesterday,) = await paper.broker.orders_of_day(A_DAY)
    assert (yesterday.quantity, yesterday.canceled_quantity) == (10, 10)


class NotCovered(Exception):
    """Cash or shares are short; any other refusal is a mistake of the test."""


async def placed(paper: Paper, intent: OrderIntent) -> None:
    try:
        await paper.broker.place(intent, last_look=looks_good)
    except Rejected as refusal:
        if refusal.code != "NOT_COVERED":
            raise
        raise NotCovered from None


@given(
    trades=st.lists(
        st.tuples(st.integers(-30, 30), st.integers(1, 400), st.sampled_from(Side)), max_size=30
    )
)
async def test_whatever_is_traded_cash_and_shares_are_conserved(
    trades: list[tuple[int, int, Side]],
) -> None:
    paper = Paper("09:05")
    for step, volume, side in trades:
        price = 430_000 + step * 1_000
        intent = an_intent(side=side, quantity=1 + volume % 37, limit_price=price)
        with suppress(NotCovered):
            await placed(paper, intent)
        paper.play("09:05", price, volume)
        ledger = paper.broker.ledger
        assert ledger.buyable_cash >= 0
        assert ledger.sellable_quantity(LG_CHEM) >= 0
        orders = await paper.broker.orders_of_day(A_DAY)
        bought = sum(o.filled_quantity for o in orders if o.side is Side.BUY)
        sold = sum(o.filled_quantity for o in orders if o.side is Side.SELL)
        assert ledger.position(LG_CHEM).quantity == bought - sold
        spent = sum(o.filled_value * (1 if o.side is Side.BUY else -1) for o in orders)
        assert ledger.cash == CASH - spent - ledger.position(LG_CHEM).charges
    paper.broker.end_day()
    assert paper.broker.ledger.holds == {}
