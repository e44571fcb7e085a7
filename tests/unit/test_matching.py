"""This is what fills an order and at which price, for quotes, prints, auctions and bars."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.bars import Bar, Interval
from trading.errors import BadInput
from trading.instruments import Symbol
from trading.krx import PriceLimits, price_limits
from trading.matching import (
    Fill,
    RestingOrder,
    match_auction,
    match_bar,
    match_print,
    match_quote,
    participation,
)
from trading.orders import OrderType, Side
from trading.ticks import BookLevel

DAY = date(2024, 3, 5)


def a_buy(limit: int | None = 10_000, quantity: int = 10) -> RestingOrder:
    """Give a buy, at market when `limit` is None."""
    return an_order(Side.BUY, limit, quantity)


def a_sell(limit: int | None = 10_000, quantity: int = 10) -> RestingOrder:
    """Give a sell, at market when `limit` is None."""
    return an_order(Side.SELL, limit, quantity)


def an_order(side: Side, limit: int | None, quantity: int) -> RestingOrder:
    """Give an order whose type follows from its limit."""
    return RestingOrder(
        side, OrderType.MARKET if limit is None else OrderType.LIMIT, limit, quantity
    )


def a_bar(prices: tuple[int, int, int, int], volume: int = 1_000) -> Bar:
    """Give a daily bar from (open, high, low, close)."""
    opened, high, low, close = prices
    at = datetime(2024, 3, 4, 15, 0, tzinfo=UTC)
    return Bar(Symbol("005930"), Interval.DAY, DAY, at, opened, high, low, close, volume)


prices = st.integers(min_value=1_000, max_value=20_000)
quantities = st.integers(min_value=1, max_value=500)
orders = st.builds(an_order, st.sampled_from(Side), st.none() | prices, quantities)
books = st.lists(st.builds(BookLevel, prices, st.integers(0, 200)), max_size=10)


@st.composite
def bars(draw: st.DrawFn) -> Bar:
    """Draw possible bars, some without volume."""
    low, opened, close, high = draw(st.tuples(prices, prices, prices, prices).map(sorted))
    if draw(st.booleans()):
        opened, close = close, opened
    return a_bar((opened, high, low, close), draw(st.integers(0, 1_000)))


# Quotes


def test_an_arriving_buy_takes_the_offers_from_the_cheapest() -> None:
    offers = [BookLevel(9_980, 4), BookLevel(10_000, 5), BookLevel(10_010, 99)]
    assert match_quote(a_buy(10_000), offers) == (Fill(9_980, 4), Fill(10_000, 5))


def test_an_arriving_sell_takes_the_bids_from_the_highest() -> None:
    bids = [BookLevel(10_020, 4), BookLevel(10_000, 50)]
    assert match_quote(a_sell(10_000), bids) == (Fill(10_020, 4), Fill(10_000, 6))


def test_a_market_order_takes_every_level_it_needs() -> None:
    offers = [BookLevel(10_000, 4), BookLevel(12_000, 4), BookLevel(13_000, 4)]
    assert match_quote(a_buy(None), offers) == (Fill(10_000, 4), Fill(12_000, 4), Fill(13_000, 2))


def test_a_quote_beyond_the_limit_fills_nothing() -> None:
    assert match_quote(a_buy(10_000), [BookLevel(10_010, 5)]) == ()
    assert match_quote(a_sell(10_000), [BookLevel(9_990, 5)]) == ()


def test_an_empty_book_fills_nothing() -> None:
    assert match_quote(a_buy(None), []) == ()


@given(orders, books)
def test_a_book_never_fills_more_than_is_open_or_offered(
    order: RestingOrder, book: list[BookLevel]
) -> None:
    fills = match_quote(order, book)
    assert sum(fill.quantity for fill in fills) <= order.open_quantity
    for fill, level in zip(fills, book, strict=False):
        assert fill.price == level.price
        assert 1 <= fill.quantity <= level.quantity
        assert order.accepts(fill.price)


# Prints


@pytest.mark.parametrize(
    ("order", "price"),
    [(a_buy(10_000), 10_010), (a_sell(10_000), 9_990)],
)
def test_a_print_beyond_the_limit_fills_nothing(order: RestingOrder, price: int) -> None:
    assert match_print(order, price=price, volume=100) is None
    assert match_print(order, price=price, volume=100, is_arriving=True) is None


@pytest.mark.parametrize(
    ("order", "price"),
    [(a_buy(10_000), 9_900), (a_sell(10_000), 10_100), (a_buy(10_000), 10_000)],
)
def test_a_resting_order_trades_at_its_own_limit(order: RestingOrder, price: int) -> None:
    assert match_print(order, price=price, volume=100) == Fill(10_000, 10)


@pytest.mark.parametrize(
    ("order", "price"), [(a_buy(10_000), 9_900), (a_sell(10_000), 10_100), (a_buy(None), 12_345)]
)
def test_an_arriving_order_trades_at_the_print(order: RestingOrder, price: int) -> None:
    assert match_print(order, price=price, volume=100, is_arriving=True) == Fill(price, 10)


def test_a_resting_market_order_trades_at_the_print() -> None:
    assert match_print(a_buy(None), price=9_870, volume=100) == Fill(9_870, 10)


def test_a_small_print_fills_a_part() -> None:
    assert match_print(a_buy(), price=10_000, volume=3) == Fill(10_000, 3)


def test_a_print_without_volume_fills_nothing() -> None:
    assert match_print(a_buy(), price=10_000, volume=0) is None


@given(order=orders, price=prices, volume=st.integers(0, 600), is_arriving=st.booleans())
def test_a_print_fills_between_itself_and_the_limit_and_never_too_much(
    *, order: RestingOrder, price: int, volume: int, is_arriving: bool
) -> None:
    fill = match_print(order, price=price, volume=volume, is_arriving=is_arriving)
    if fill is None:
        assert volume == 0 or not order.accepts(price)
        return
    assert fill.quantity == min(order.open_quantity, volume)
    assert fill.price in {price, order.limit_price}
    assert order.accepts(fill.price)


# Auctions


@pytest.mark.parametrize("order", [a_buy(10_100), a_sell(9_900), a_buy(None), a_sell(None)])
def test_an_auction_fills_what_crosses_at_the_single_price(order: RestingOrder) -> None:
    assert match_auction(order, price=10_000, volume=7) == Fill(10_000, 7)


@pytest.mark.parametrize("order", [a_buy(9_990), a_sell(10_010)])
def test_an_auction_leaves_what_does_not_cross(order: RestingOrder) -> None:
    assert match_auction(order, price=10_000, volume=7) is None


def test_an_order_at_the_auction_price_fills() -> None:
    assert match_auction(a_buy(10_000), price=10_000, volume=100) == Fill(10_000, 10)


# Bars


@pytest.mark.parametrize(
    ("order", "price"),
    [
        (a_buy(None), 10_000),
        (a_sell(None), 10_000),
        (a_buy(10_500), 10_000),  # gaps below the limit: the open is better
        (a_sell(9_500), 10_000),
        (a_buy(10_000), 10_000),
        (a_buy(9_800), 9_800),  # reached later in the bar
        (a_sell(10_900), 10_900),
        (a_buy(9_700), 9_700),  # touched at the low
        (a_sell(11_000), 11_000),  # touched at the high
    ],
)
def test_a_bar_fills_at_the_open_or_else_at_the_limit(order: RestingOrder, price: int) -> None:
    assert match_bar(order, a_bar((10_000, 11_000, 9_700, 10_600))) == Fill(price, 10)


@pytest.mark.parametrize("order", [a_buy(9_690), a_sell(11_010)])
def test_a_bar_that_never_reached_the_limit_fills_nothing(order: RestingOrder) -> None:
    assert match_bar(order, a_bar((10_000, 11_000, 9_700, 10_600))) is None


@pytest.mark.parametrize(
    "bar",
    [
        a_bar((0, 0, 0, 10_000), volume=0),
        a_bar((10_000, 10_000, 10_000, 10_000), volume=0),
        a_bar((0, 0, 0, 10_000), volume=500),  # an off-session block trade on a halted day
    ],
)
def test_a_halted_day_fills_nothing_in_any_encoding(bar: Bar) -> None:
    assert match_bar(a_buy(None), bar) is None
    assert match_bar(a_sell(None), bar) is None


def test_the_volume_share_makes_a_partial_fill() -> None:
    bar = a_bar((10_000, 10_000, 10_000, 10_000), volume=79)
    assert match_bar(a_buy(), bar, rate=Decimal("0.1")) == Fill(10_000, 7)


def test_a_share_below_one_share_fills_nothing() -> None:
    assert match_bar(a_buy(), a_bar((10_000,) * 4, volume=9), rate=Decimal("0.1")) is None


def test_nobody_buys_on_a_day_locked_at_the_upper_limit() -> None:
    limits = PriceLimits(7_000, 13_000)
    locked = a_bar((13_000,) * 4)
    assert match_bar(a_buy(13_000), locked, limits=limits) is None
    assert match_bar(a_buy(None), locked, limits=limits) is None
    assert match_bar(a_sell(13_000), locked, limits=limits) == Fill(13_000, 10)


def test_nobody_sells_on_a_day_locked_at_the_lower_limit() -> None:
    limits = PriceLimits(7_000, 13_000)
    locked = a_bar((7_000,) * 4)
    assert match_bar(a_sell(None), locked, limits=limits) is None
    assert match_bar(a_buy(None), locked, limits=limits) == Fill(7_000, 10)


def test_a_limit_that_opened_up_again_fills() -> None:
    opened_up = a_bar((13_000, 13_000, 12_990, 13_000))
    assert match_bar(a_buy(None), opened_up, limits=PriceLimits(7_000, 13_000)) == Fill(13_000, 10)


@given(orders, bars(), st.decimals(min_value=0, max_value=1, places=3))
def test_a_bar_fills_inside_itself_at_an_acceptable_price_within_its_volume(
    order: RestingOrder, bar: Bar, rate: Decimal
) -> None:
    fill = match_bar(order, bar, rate=rate)
    if fill is None:
        return
    assert bar.low <= fill.price <= bar.high
    assert order.accepts(fill.price)
    assert 1 <= fill.quantity <= min(order.open_quantity, participation(bar.volume, rate))


@given(orders, bars())
def test_a_bar_fills_whoever_it_reached(order: RestingOrder, bar: Bar) -> None:
    reached = order.accepts(bar.low) or order.accepts(bar.high)
    assert (match_bar(order, bar) is not None) == (reached and bar.volume > 0)


@given(orders, bars(), prices)
def test_a_bar_within_the_limits_never_fills_outside_them(
    order: RestingOrder, bar: Bar, base: int
) -> None:
    limits = price_limits(base, on=DAY)
    fill = match_bar(order, bar, limits=limits)
    if fill and limits.contains(bar.low) and limits.contains(bar.high):
        assert limits.contains(fill.price)


@given(st.integers(0, 10**9), st.decimals(min_value=0, max_value=1, places=4))
def test_a_participation_is_a_whole_part_of_the_volume(volume: int, rate: Decimal) -> None:
    assert 0 <= volume * rate - participation(volume, rate) < 1


@pytest.mark.parametrize(
    ("order_type", "limit", "quantity"),
    [(OrderType.LIMIT, None, 1), (OrderType.MARKET, 10_000, 1), (OrderType.LIMIT, 10_000, 0)],
)
def test_an_order_that_could_only_be_guessed_at_is_refused(
    order_type: OrderType, limit: int | None, quantity: int
) -> None:
    with pytest.raises(BadInput):
        RestingOrder(Side.BUY, order_type, limit, quantity)
