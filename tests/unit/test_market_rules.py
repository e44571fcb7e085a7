"""This is the test of the rules about prices and the exchange's days, at their boundaries -1, 0, +1."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from risk.rules.corporate_action import CorporateAction
from risk.rules.listing_day import ListingDay
from risk.rules.price_collar import PriceCollar
from risk.rules.quick_move import QuickMove
from risk.rules.sudden_move import SuddenMove
from risk.views import Past
from tests.builders import A_DAY, LG_CHEM
from tests.risk_views import (
    NOW,
    a_minute,
    a_quote,
    a_view,
    buy,
    refuses,
    sell,
)
from trading.instruments import Instrument
from trading.orders import OrderType, Side

BOTH_SIDES = pytest.mark.parametrize("side", list(Side))


def at_market(side: Side, **changes: Any) -> Any:
    """Give a market order of LG Chem."""
    return buy(side=side, order_type=OrderType.MARKET, limit_price=None, **changes)


# Price collar: 5 % of 400,000 is 20,000

COLLAR = PriceCollar(Decimal("0.05"))


@BOTH_SIDES
@pytest.mark.parametrize(
    ("price", "is_refused"),
    [
        (420_000, False),
        (420_001, True),
        (419_999, False),
        (380_000, False),
        (379_999, True),
        (380_001, False),
    ],
)
def test_a_price_may_be_as_far_from_the_last_as_the_collar(
    price: int, *, is_refused: bool, side: Side
) -> None:
    intent = buy(side=side, limit_price=price, reference_price=0)
    assert refuses(COLLAR, intent, a_view()) is is_refused


@pytest.mark.parametrize(
    ("reference", "is_refused"),
    [(380_953, False), (380_952, True), (421_052, False), (421_053, True)],
)
def test_a_buy_does_not_run_after_a_price_that_left_its_signal(
    reference: int, *, is_refused: bool
) -> None:
    # 400,000 is 5 % above 380,952.4 and 5 % below 421,052.6
    assert refuses(COLLAR, buy(reference_price=reference), a_view()) is is_refused
    assert not refuses(COLLAR, sell(reference_price=reference), a_view())


def test_a_market_order_to_buy_is_priced_at_the_upper_limit_and_a_stop_at_nothing() -> None:
    assert refuses(COLLAR, at_market(Side.BUY), a_view())
    falling = a_view(quotes={LG_CHEM: a_quote(last=300_000)})
    assert not refuses(COLLAR, at_market(Side.SELL, reference_price=400_000), falling)


# Sudden move: 10 % of 400,000; the exchange's interruption

JUMP = SuddenMove(Decimal("0.10"))


@pytest.mark.parametrize(
    ("last", "is_refused"),
    [(439_999, False), (440_000, True), (440_001, True), (360_001, False), (360_000, True)],
)
def test_a_move_that_reaches_its_limit_refuses_buys(last: int, *, is_refused: bool) -> None:
    view = a_view(quotes={LG_CHEM: a_quote(last=last, base_price=400_000)})
    assert refuses(JUMP, buy(), view) is is_refused
    assert not refuses(JUMP, sell(), view)


def test_an_interruption_refuses_buys_and_only_buys() -> None:
    view = a_view(quotes={LG_CHEM: a_quote(has_volatility_interruption=True)})
    assert refuses(JUMP, buy(), view)
    assert not refuses(JUMP, sell(), view)


# Quick move: 5 % within 5 minutes, the last price at 400,000

RUN = QuickMove(Decimal("0.05"), minutes=5)


@pytest.mark.parametrize(
    ("price", "is_refused"),
    [
        (419_999, False),
        (420_000, True),
        (420_001, True),
        (380_953, False),  # 1.05 x 380,952.4 is 400,000
        (380_952, True),
        (380_951, True),
    ],
)
def test_a_price_that_has_just_run_up_or_down_is_not_bought(
    price: int, *, is_refused: bool
) -> None:
    view = a_view(minute_bars=(a_minute(price, minutes_ago=1), a_minute(400_000, minutes_ago=0)))
    assert refuses(RUN, buy(), view) is is_refused
    assert not refuses(RUN, sell(), view)


@pytest.mark.parametrize(("minutes_ago", "is_refused"), [(4.99, True), (5, False), (5.01, False)])
def test_a_run_is_over_after_some_minutes(minutes_ago: float, *, is_refused: bool) -> None:
    view = a_view(minute_bars=(a_minute(440_000, minutes_ago=minutes_ago),))
    assert refuses(RUN, buy(), view) is is_refused


def test_a_run_to_and_fro_within_one_minute_is_seen() -> None:
    torn = replace(a_minute(400_000, minutes_ago=2), low=390_000, high=410_000)
    breach = RUN.check(buy(), a_view(minute_bars=(torn,)))
    assert breach is not None
    assert breach.figures == {
        "lowest": "390000",
        "highest": "410000",
        "last": "400000",
        "move": "0.0513",
        "limit": "0.05",
        "within": "5",
    }


def test_minutes_without_a_trade_and_no_minutes_at_all_refuse_nothing() -> None:
    assert not refuses(RUN, buy(), a_view())
    untraded = replace(a_minute(440_000, minutes_ago=1), volume=0)
    assert not refuses(RUN, buy(), a_view(minute_bars=(untraded,), at=NOW))


# Listing day


@pytest.mark.parametrize(("days", "is_refused"), [(-1, False), (0, True), (1, False)])
def test_nothing_is_bought_on_its_listing_day(days: int, *, is_refused: bool) -> None:
    listed = Instrument(LG_CHEM, "new", listed_on=A_DAY + timedelta(days=days))
    view = a_view(instruments={LG_CHEM: listed})
    assert refuses(ListingDay(), buy(), view) is is_refused
    assert not refuses(ListingDay(), sell(), view)


def test_where_no_listing_day_is_told_all_pass() -> None:
    assert not refuses(ListingDay(), buy(), a_view())


# Corporate action: base price 400,000, half a per cent of the close


@BOTH_SIDES
@pytest.mark.parametrize(
    ("close", "is_refused"),
    [
        (400_000, False),
        (398_010, False),  # 0.005 x 398,010 = 1,990.05
        (398_009, True),
        (402_010, False),  # 0.005 x 402,010 = 2,010.05
        (402_011, True),
        (800_000, True),
        (None, False),
    ],
)
def test_nothing_is_ordered_while_prices_have_changed_their_meaning(
    close: int | None, *, is_refused: bool, side: Side
) -> None:
    view = a_view(past=Past(previous_close=close))
    assert refuses(CorporateAction(), buy(side=side), view) is is_refused
    assert refuses(CorporateAction(), at_market(side), view) is is_refused


def test_without_a_base_price_nobody_can_tell() -> None:
    view = a_view(quotes={LG_CHEM: a_quote(base_price=0)}, past=Past(previous_close=400_000))
    assert not refuses(CorporateAction(), buy(), view)
