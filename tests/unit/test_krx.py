"""This is the price grid held against the exchange's published tables and worked limits."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import BadInput
from trading.instruments import InstrumentKind, Market
from trading.krx import NO_LIMITS, PriceLimits, is_on_tick, price_limits, round_price, tick_size
from trading.orders import Side

LAST_OLD_DAY = date(2023, 1, 24)
FIRST_NEW_DAY = date(2023, 1, 25)
NARROW_DAY = date(2015, 6, 12)
WIDE_DAY = date(2015, 6, 15)

OLD_KOSPI = {1_000: (1, 5), 5_000: (5, 10), 10_000: (10, 50), 50_000: (50, 100), 100_000: (100, 500), 500_000: (500, 1_000)}  # fmt: skip
OLD_KOSDAQ = {1_000: (1, 5), 5_000: (5, 10), 10_000: (10, 50), 50_000: (50, 100)}
NEW = {2_000: (1, 5), 5_000: (5, 10), 20_000: (10, 50), 50_000: (50, 100), 200_000: (100, 500), 500_000: (500, 1_000)}  # fmt: skip
BANDS = [
    (day, market, edge, below, above)
    for day, market, table in [
        (LAST_OLD_DAY, Market.KOSPI, OLD_KOSPI),
        (LAST_OLD_DAY, Market.KOSDAQ, OLD_KOSDAQ),
        (LAST_OLD_DAY, Market.KONEX, OLD_KOSDAQ),
        (FIRST_NEW_DAY, Market.KOSPI, NEW),
        (FIRST_NEW_DAY, Market.KOSDAQ, NEW),
        (FIRST_NEW_DAY, Market.KONEX, NEW),
    ]
    for edge, (below, above) in table.items()
]

days = st.dates(min_value=date(2014, 1, 1), max_value=date(2030, 12, 31))
markets = st.sampled_from(Market)
kinds = st.sampled_from(InstrumentKind)
sides = st.sampled_from(Side)
prices = st.one_of(
    st.integers(min_value=5, max_value=3_000_000),
    st.sampled_from([edge + step for _, _, edge, _, _ in BANDS for step in (-1, 0, 1)]),
)


@pytest.mark.parametrize(("day", "market", "edge", "below", "above"), BANDS)
def test_a_band_begins_at_its_edge_on_its_day(
    day: date, market: Market, edge: int, below: int, above: int
) -> None:
    ticks = [tick_size(edge + step, on=day, market=market) for step in (-1, 0, 1)]
    assert ticks == [below, above, above]


def test_kosdaq_had_no_step_above_100_won_before_2023() -> None:
    assert tick_size(900_000, on=LAST_OLD_DAY, market=Market.KOSDAQ) == 100
    assert tick_size(900_000, on=FIRST_NEW_DAY, market=Market.KOSDAQ) == 1_000


@pytest.mark.parametrize("kind", [InstrumentKind.ETF, InstrumentKind.ETN])
def test_cheap_funds_step_by_one_won_since_december_2023(kind: InstrumentKind) -> None:
    before, since = date(2023, 12, 8), date(2023, 12, 11)
    assert [tick_size(price, on=before, kind=kind) for price in (1_999, 2_000, 300_000)] == [
        5,
        5,
        5,
    ]
    assert [tick_size(price, on=since, kind=kind) for price in (1_999, 2_000, 300_000)] == [1, 5, 5]


@given(prices, sides, days, markets, kinds)
def test_a_rounded_price_is_on_the_grid_less_than_a_tick_away_and_never_worse(
    price: int, side: Side, day: date, market: Market, kind: InstrumentKind
) -> None:
    rounded = round_price(price, side, on=day, market=market, kind=kind)
    assert is_on_tick(rounded, on=day, market=market, kind=kind)
    gain = price - rounded if side is Side.BUY else rounded - price
    assert 0 <= gain < tick_size(price, on=day, market=market, kind=kind)


@given(prices, sides, days, markets, kinds)
def test_rounding_twice_changes_nothing(
    price: int, side: Side, day: date, market: Market, kind: InstrumentKind
) -> None:
    once = round_price(price, side, on=day, market=market, kind=kind)
    assert round_price(once, side, on=day, market=market, kind=kind) == once


@given(prices, prices, sides, days, markets, kinds)
def test_a_higher_price_never_rounds_lower(  # noqa: PLR0917 - all that a grid depends on
    one: int, other: int, side: Side, day: date, market: Market, kind: InstrumentKind
) -> None:
    low, high = sorted((one, other))
    first = round_price(low, side, on=day, market=market, kind=kind)
    assert first <= round_price(high, side, on=day, market=market, kind=kind)


@pytest.mark.parametrize(
    ("price", "side", "expected"),
    [
        (Decimal("49950.01"), Side.BUY, 49_950),
        (Decimal("49950.01"), Side.SELL, 50_000),
        (Decimal("199999.5"), Side.BUY, 199_900),
        (Decimal("199999.5"), Side.SELL, 200_000),
        (200_001, Side.SELL, 200_500),
    ],
)
def test_fractions_of_a_won_round_away_from_the_worse_price(
    price: Decimal | int, side: Side, expected: int
) -> None:
    assert round_price(price, side, on=FIRST_NEW_DAY) == expected


@pytest.mark.parametrize("price", [0, -5, Decimal("0.99")])
def test_a_buy_that_would_round_to_nothing_is_refused(price: Decimal | int) -> None:
    with pytest.raises(BadInput):
        round_price(price, Side.BUY, on=FIRST_NEW_DAY)


def test_a_fund_below_its_first_tick_is_refused_for_a_buy_and_lifted_for_a_sell() -> None:
    with pytest.raises(BadInput, match="one tick"):
        round_price(4, Side.BUY, on=LAST_OLD_DAY, kind=InstrumentKind.ETF)
    assert round_price(4, Side.SELL, on=LAST_OLD_DAY, kind=InstrumentKind.ETF) == 5


@pytest.mark.parametrize("price", [0, -100, 50_001])
def test_a_price_off_the_grid_is_not_on_a_tick(price: int) -> None:
    assert not is_on_tick(price, on=FIRST_NEW_DAY)


@pytest.mark.parametrize(
    ("base", "lower", "upper"),
    [
        (239_000, 167_500, 310_500),
        (24_250, 17_000, 31_500),
        (50_000, 35_000, 65_000),
        (1_999, 1_400, 2_595),  # width 599; 2,598 lies in the 5-won band
        (3, 2, 4),  # 30 % is less than a tick: one tick
        (1, 1, 2),
    ],
)
def test_limits_match_the_worked_examples(base: int, lower: int, upper: int) -> None:
    assert price_limits(base, on=FIRST_NEW_DAY) == PriceLimits(lower, upper)


def test_limits_were_half_as_wide_before_june_2015_and_still_are_on_konex() -> None:
    narrow, wide = PriceLimits(8_500, 11_500), PriceLimits(7_000, 13_000)
    assert price_limits(10_000, on=NARROW_DAY) == narrow
    assert price_limits(10_000, on=WIDE_DAY) == wide
    assert price_limits(10_000, on=WIDE_DAY, market=Market.KOSDAQ) == wide
    assert price_limits(10_000, on=FIRST_NEW_DAY, market=Market.KONEX) == narrow


@given(prices, days, markets)
def test_limits_lie_on_the_grid_around_the_base(base: int, day: date, market: Market) -> None:
    limits = price_limits(base, on=day, market=market)
    assert is_on_tick(limits.lower, on=day, market=market)
    assert is_on_tick(limits.upper, on=day, market=market)
    assert limits.contains(round_price(base, Side.BUY, on=day, market=market))


@given(prices)
def test_the_upper_limit_is_the_last_tick_up_to_130_percent(base: int) -> None:
    on_grid = round_price(base, Side.SELL, on=FIRST_NEW_DAY)
    upper = price_limits(on_grid, on=FIRST_NEW_DAY).upper
    step = tick_size(upper, on=FIRST_NEW_DAY)
    assert upper * 10 <= on_grid * 13 < (upper + step) * 10


@given(prices)
def test_the_lower_limit_is_at_most_a_base_tick_above_70_percent(base: int) -> None:
    on_grid = round_price(base, Side.SELL, on=FIRST_NEW_DAY)
    lower = price_limits(on_grid, on=FIRST_NEW_DAY).lower
    assert on_grid * 7 <= lower * 10 < on_grid * 7 + 10 * tick_size(on_grid, on=FIRST_NEW_DAY)


def test_limits_include_themselves_and_nothing_beyond() -> None:
    limits = PriceLimits(17_000, 31_500)
    inside = [limits.contains(price) for price in (16_999, 17_000, 31_500, 31_501)]
    assert inside == [False, True, True, False]


def test_warrants_have_no_limits() -> None:
    assert price_limits(100, on=FIRST_NEW_DAY, kind=InstrumentKind.ELW) is NO_LIMITS
    assert NO_LIMITS.contains(1)
    assert NO_LIMITS.contains(10_000_000)


def test_a_base_of_nothing_has_no_limits_to_give() -> None:
    with pytest.raises(BadInput):
        price_limits(0, on=FIRST_NEW_DAY)
