"""This is whole trading days: an entry, its fills, its exit, and the books to the won."""

from __future__ import annotations

from decimal import Decimal

from tasks.fills import NoticeOutcome
from tasks.signals import exits_at
from tests.builders import LG_CHEM, a_signal
from tests.desks import CASH, Floor
from trading.orders import OrderStatus, OrderType, Side


async def test_an_entry_fills_in_the_opening_auction_and_is_stopped_the_same_day(
    floor: Floor,
) -> None:
    await floor.open("08:50")
    (entry,) = await floor.trade(a_signal())
    # 10 % of 100,000,000 at the limit of 404,000 (+1 %) with 60.6 won commission a share: 24 shares.
    assert (entry.status, entry.quantity) == (OrderStatus.ACCEPTED, 24)
    assert entry.intent.limit_price == 404_000

    floor.at("09:00")
    notices = floor.print(401_000, auction=True)
    assert floor.hear(*notices) == (NoticeOutcome.APPLIED,)
    assert floor.order().status is OrderStatus.FILLED
    assert floor.order().average_price == Decimal(401_000)

    floor.at("10:30")
    # The stop: 401,000 * 0.95 = 380,950; 381,000 is above it, 380,500 below.
    assert exits_at(floor.desk, {LG_CHEM: 381_000}) == ()
    floor.print(380_500)
    (stop,) = exits_at(floor.desk, {LG_CHEM: 380_500})
    (leaving,) = await floor.trade(stop)
    assert (leaving.side, leaving.intent.order_type) == (Side.SELL, OrderType.MARKET)
    floor.hear(*floor.print(380_000))
    assert floor.order().status is OrderStatus.FILLED

    # Bought 24 * 401,000 = 9,624,000, commission 1,443. Sold 24 * 380,000 = 9,120,000, commission 1,368,
    # tax 13,680 + 13,680 (KOSPI, January 2018: 0.15 % + 0.15 %).
    assert floor.ledger.cash == CASH - 9_624_000 - 1_443 + 9_120_000 - 1_368 - 27_360
    assert floor.ledger.held_symbols == ()
    floor.assert_books_agree()
    assert (await floor.reconcile()).is_clean
