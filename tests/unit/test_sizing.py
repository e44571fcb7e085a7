"""This is the test of sizing: whole shares, tick prices, commission included, a refusal with figures."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from risk.gate import check
from risk.limits import RiskLimits
from risk.rules import rules_for
from risk.sizing import SizingSettings, limit_price, size
from risk.views import RiskView
from tests.builders import A_DAY, ACCOUNT, LG_CHEM, SAMSUNG, a_signal
from tests.risk_views import (
    NOW,
    a_ledger,
    a_quote,
    a_view,
    an_open_buy,
    an_open_market_sell,
    in_doubt,
)
from trading.decisions import Breach
from trading.errors import InvalidSetting
from trading.krx import is_on_tick
from trading.orders import ABSENT, OrderIntent, OrderType, Side, client_order_id
from trading.signals import Direction

SETTINGS = SizingSettings(
    target_weight=Decimal("0.15"), limit_offset=Decimal("0.01"), exit_type=OrderType.LIMIT
)


def an_exit(trigger: str = "cross") -> Any:
    """Give an exit of LG Chem."""
    return a_signal(direction=Direction.EXIT, trigger=trigger)


def sized(view: RiskView, signal: Any = None, **changes: Any) -> OrderIntent:
    """Size an entry of LG Chem that must succeed."""
    result = size(signal or a_signal(), view, SETTINGS, **changes)
    assert isinstance(result, OrderIntent), result
    return result


def refused(view: RiskView, signal: Any = None, **changes: Any) -> Breach:
    """Size an entry of LG Chem that must fail."""
    result = size(signal or a_signal(), view, SETTINGS, **changes)
    assert isinstance(result, Breach), result
    return result


def test_an_entry_takes_the_target_weight_at_the_limit_price() -> None:
    # 15 % of 100,000,000 at 404,000 (400,000 + 1 %): 37 shares are 14,948,000 and 2,242 commission.
    intent = sized(a_view())
    assert (intent.side, intent.order_type) == (Side.BUY, OrderType.LIMIT)
    assert (intent.quantity, intent.limit_price) == (37, 404_000)


@pytest.mark.parametrize(("last", "price"), [(437_000, 441_000), (100, 101), (50, 50)])
def test_a_buy_is_rounded_down_to_a_tick(last: int, price: int) -> None:
    # 437,000 + 1 % = 441,370, ticks of 500; 50 + 1 % = 50.5
    assert sized(a_view(quotes={LG_CHEM: a_quote(last=last)})).limit_price == price


@pytest.mark.parametrize(("last", "price"), [(437_000, 433_000), (423_000, 419_000), (50, 50)])
def test_a_sell_is_rounded_up_to_a_tick(last: int, price: int) -> None:
    # 437,000 - 1 % = 432,630; 423,000 - 1 % = 418,770; 50 - 1 % = 49.5
    view = a_view(ledger=a_ledger(_051910=10), quotes={LG_CHEM: a_quote(last=last)})
    assert sized(view, an_exit()).limit_price == price


def test_prices_stay_within_the_limits_of_the_day() -> None:
    at_the_top = a_quote(last=400_000, upper_limit=401_000, lower_limit=216_000)
    at_the_bottom = a_quote(last=400_000, upper_limit=742_000, lower_limit=399_500)
    assert sized(a_view(quotes={LG_CHEM: at_the_top})).limit_price == 401_000
    held = a_view(ledger=a_ledger(_051910=10), quotes={LG_CHEM: at_the_bottom})
    assert sized(held, an_exit()).limit_price == 399_500


def test_a_sell_on_an_ex_rights_morning_stays_below_the_upper_limit() -> None:
    """Before the first trade the last price may be that of before a split."""
    split = a_quote(last=2_650_000, base_price=53_000, upper_limit=68_900, lower_limit=37_100)
    held = a_view(ledger=a_ledger(_051910=10), quotes={LG_CHEM: split})
    assert sized(held, an_exit()).limit_price == 68_900


@pytest.mark.parametrize(("cash", "quantity"), [(4_040_606, 10), (4_040_605, 9)])
def test_the_commission_is_part_of_the_cash_need(cash: int, quantity: int) -> None:
    # 10 shares at 404,000 and 606 commission
    view = a_view(ledger=a_ledger(100_000_000), buyable_cash=cash)
    assert sized(view).quantity == quantity


def test_an_entry_takes_no_more_than_open_buys_leave() -> None:
    view = a_view(ledger=a_ledger(8_000_000), open_orders=(an_open_buy(10),))
    everything = SizingSettings(target_weight=Decimal(1), limit_offset=Decimal(0))
    intent = size(a_signal(), view, everything)
    assert isinstance(intent, OrderIntent)
    assert intent.quantity == 9  # 8,000,000 - 4,000,600 pays for 9 with commission, not for 10


def test_strength_scales_the_entry() -> None:
    assert sized(a_view(), a_signal(strength=Decimal("0.5"))).quantity == 18


def test_an_entry_of_less_than_one_share_is_refused_with_the_figures() -> None:
    breach = refused(a_view(ledger=a_ledger(2_000_000)))
    assert breach.rule_id == "SIZING"
    assert breach.figures == {
        "budget": "300000",
        "available": "2000000",
        "limit_price": "404000",
    }


@pytest.mark.parametrize("cash", [0, -1])
def test_an_entry_without_cash_is_refused(cash: int) -> None:
    assert refused(a_view(buyable_cash=cash)).figures["available"] == str(cash)


def test_an_exit_sells_all_that_is_sellable() -> None:
    leaving = an_open_buy(3, side=Side.SELL)
    view = a_view(ledger=a_ledger(_051910=10), open_orders=(leaving,))
    assert sized(view, an_exit()).quantity == 7


@pytest.mark.parametrize(("owned", "quantity"), [(6, 6), (10, 10), (11, 10), (None, 10)])
def test_an_exit_sells_only_what_its_strategy_owns(owned: int | None, quantity: int) -> None:
    view = a_view(ledger=a_ledger(_051910=10))
    assert sized(view, an_exit(), owned=owned).quantity == quantity


@pytest.mark.parametrize("owned", [0, None])
def test_an_exit_of_nothing_is_refused(owned: int | None) -> None:
    ledger = a_ledger(_051910=10) if owned == 0 else a_ledger()
    breach = refused(a_view(ledger=ledger), an_exit(), owned=owned)
    assert breach.rule_id == "SIZING"


@pytest.mark.parametrize(
    ("trigger", "exit_type", "expected"),
    [
        ("stop", OrderType.LIMIT, OrderType.MARKET),
        ("stop", OrderType.MARKET, OrderType.MARKET),
        ("target", OrderType.LIMIT, OrderType.LIMIT),
        ("cross", OrderType.LIMIT, OrderType.LIMIT),
        ("cross", OrderType.MARKET, OrderType.MARKET),
    ],
)
def test_a_stop_is_a_market_order_and_other_exits_are_as_set(
    trigger: str, exit_type: OrderType, expected: OrderType
) -> None:
    view = a_view(ledger=a_ledger(_051910=10))
    intent = size(an_exit(trigger), view, SizingSettings(exit_type=exit_type))
    assert isinstance(intent, OrderIntent)
    assert intent.order_type is expected
    assert (intent.limit_price is None) is (expected is OrderType.MARKET)


NO_PRICE = {
    "no quote": {},
    "never traded": {LG_CHEM: a_quote(last=0)},
    "no limits": {LG_CHEM: a_quote(upper_limit=0)},
}


@pytest.mark.parametrize("quotes", NO_PRICE.values(), ids=NO_PRICE.keys())
def test_without_a_price_nothing_is_sized(quotes: dict[Any, Any]) -> None:
    assert refused(a_view(quotes=quotes)).figures == {"unknown": "051910"}


def test_without_the_price_of_a_holding_no_entry_is_sized() -> None:
    view = a_view(ledger=a_ledger(_005930=1, _051910=1), quotes={LG_CHEM: a_quote()})
    assert refused(view).figures == {"unknown": "005930"}
    assert sized(view, an_exit()).quantity == 1


def test_a_stop_leaves_where_the_broker_tells_no_limits_of_the_day() -> None:
    """In liquidation trading (정리매매) there are none; a market order needs none either."""
    bare = a_quote(upper_limit=0, lower_limit=0)
    view = a_view(ledger=a_ledger(_051910=10), quotes={LG_CHEM: bare})
    intent = sized(view, an_exit("stop"))
    assert (intent.order_type, intent.quantity) == (OrderType.MARKET, 10)
    assert check(intent, view, rules_for(RiskLimits())).is_approved
    assert refused(view, an_exit()).figures == {"unknown": "051910"}


def test_an_unknown_symbol_is_not_sized() -> None:
    assert refused(a_view(instruments={})).figures == {"unknown": "051910"}


def test_the_intent_carries_where_it_came_from() -> None:
    signal = a_signal()
    intent = sized(a_view(), signal)
    assert (intent.channel, intent.account, intent.strategy_id) == ("dev", ACCOUNT, "trend")
    assert (intent.signal_id, intent.reason) == (signal.signal_id, signal.reason)
    assert (intent.parameter_hash, intent.reference_price) == ("0123456789ab", 428_500)
    assert (intent.trading_day, intent.created_at) == (A_DAY, NOW)
    assert intent.client_order_id == client_order_id(
        channel="dev",
        account=ACCOUNT,
        strategy_id="trend",
        symbol=LG_CHEM,
        side=Side.BUY,
        trading_day=A_DAY,
        signal_id=signal.signal_id,
    )


def test_only_the_sequence_makes_a_second_order_of_one_signal() -> None:
    first, again = sized(a_view()), sized(a_view())
    assert first.client_order_id == again.client_order_id
    assert sized(a_view(), sequence=1).client_order_id != first.client_order_id


@given(
    last=st.integers(1, 1_000_000),
    cash=st.integers(1, 10**10),
    weight=st.decimals("0.01", 1, places=2),
    offset=st.decimals(0, "0.29", places=3),
)
def test_an_entry_is_the_largest_that_its_budget_pays_at_a_valid_price(
    last: int, cash: int, weight: Decimal, offset: Decimal
) -> None:
    view = a_view(ledger=a_ledger(cash), quotes={LG_CHEM: a_quote(last=last, upper_limit=2 * last)})
    settings = SizingSettings(target_weight=weight, limit_offset=offset)
    price = limit_price(LG_CHEM, Side.BUY, view, settings)
    assert is_on_tick(price, on=A_DAY) or price in {max(1, last * 7 // 10), 2 * last}
    assert price <= last * (1 + offset) or price == max(1, last * 7 // 10)
    result = size(a_signal(), view, settings)
    budget = int(cash * weight)
    quantity = result.quantity if isinstance(result, OrderIntent) else 0
    assert view.cost(LG_CHEM, quantity, price) <= budget
    assert view.cost(LG_CHEM, quantity + 1, price) > budget


def test_a_target_weight_above_the_maximum_is_refused_by_name() -> None:
    SETTINGS.require_within(RiskLimits(maximum_weight=Decimal("0.15")))
    with pytest.raises(InvalidSetting, match=r"sizing.target_weight.*at most risk.maximum_weight"):
        SETTINGS.require_within(RiskLimits(maximum_weight=Decimal("0.14")))


@pytest.mark.parametrize(
    "fault",
    [{"target_weight": 0}, {"target_weight": 1.01}, {"limit_offset": 0.3}, {"exit_type": "STOP"}],
)
def test_settings_out_of_range_are_refused(fault: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SizingSettings.model_validate(fault)


@pytest.mark.parametrize(
    "fault",
    [
        {"daily_loss": 0},
        {"daily_loss": 0.51},
        {"maximum_weight": 1.01},
        {"maximum_quantity_per_symbol": 0},
        {"maximum_holdings": 0},
        {"maximum_price_age": 0},
        {"maximum_wieght": 0.2},
    ],
)
def test_limits_out_of_range_or_unknown_are_refused(fault: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RiskLimits.model_validate(fault)


def test_samsung_has_ticks_of_its_own_price() -> None:
    assert sized(a_view(), a_signal(symbol=SAMSUNG)).limit_price == 50_500


def test_an_entry_takes_one_share_less_than_an_open_equal_of_another_strategy() -> None:
    """Two strategies of one size would make two orders that no row of the broker's could tell apart."""
    view = a_view(open_orders=(an_open_buy(37, limit_price=404_000),))
    assert sized(view).quantity == 36
    assert sized(a_view(open_orders=(an_open_buy(37, limit_price=403_500),))).quantity == 37


def test_an_entry_made_anew_differs_from_the_one_that_was_declared_absent() -> None:
    """Its row may turn up late, and must not be taken for the new order's."""
    absent = in_doubt(an_open_buy(37, limit_price=404_000)).reject(ABSENT, "no row", at=NOW)
    assert sized(a_view(day_orders=(absent,))).quantity == 36
    refused_one = in_doubt(an_open_buy(37, limit_price=404_000)).reject("APBK0919", "no", at=NOW)
    assert sized(a_view(day_orders=(refused_one,))).quantity == 37


def test_a_third_strategy_takes_two_shares_less() -> None:
    both = (
        an_open_buy(37, limit_price=404_000),
        an_open_buy(36, limit_price=404_000, client_order_id="third"),
    )
    assert sized(a_view(open_orders=both)).quantity == 35


def test_an_exit_that_could_only_be_an_equal_of_an_open_one_is_refused_with_the_reason() -> None:
    view = a_view(ledger=a_ledger(_051910=2), open_orders=(an_open_market_sell(1),))
    breach = refused(view, an_exit("stop"))
    assert (breach.rule_id, breach.figures) == ("SIZING", {"alike": "1"})


def test_an_exit_at_market_takes_one_share_less_than_another_strategys() -> None:
    view = a_view(ledger=a_ledger(_051910=10), open_orders=(an_open_market_sell(5),))
    assert sized(view, an_exit("stop"), owned=5).quantity == 4
