"""This is the test of the rules about size, at their boundaries: one below, at it, one above."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from risk.rules.cash import Cash
from risk.rules.daily_loss import DailyLoss
from risk.rules.maximum_holdings import MaximumHoldings
from risk.rules.maximum_quantity import MaximumQuantity
from risk.rules.maximum_weight import MaximumWeight
from tests.builders import (
    HYUNDAI,
    LG_CHEM,
    SAMSUNG,
)
from tests.risk_views import (
    CASH,
    NOW,
    a_ledger,
    a_quote,
    a_view,
    an_open_buy,
    buy,
    in_doubt,
    refuses,
)
from trading.costs import CostSchedule
from trading.orders import OrderType, Side

# Maximum quantity


@pytest.mark.parametrize(("quantity", "is_refused"), [(9, False), (10, False), (11, True)])
def test_quantity_may_reach_its_limit_and_not_pass_it(quantity: int, *, is_refused: bool) -> None:
    assert refuses(MaximumQuantity(10), buy(quantity), a_view()) is is_refused


@pytest.mark.parametrize(("quantity", "is_refused"), [(2, False), (3, False), (4, True)])
def test_quantity_counts_what_is_held_and_what_is_open(quantity: int, *, is_refused: bool) -> None:
    view = a_view(ledger=a_ledger(_051910=5), open_orders=(an_open_buy(2),))
    assert refuses(MaximumQuantity(10), buy(quantity), view) is is_refused


def test_quantity_counts_the_open_rest_of_a_partly_filled_order() -> None:
    partly = an_open_buy(8).fill(5, 5 * 400_000, at=NOW)
    view = a_view(ledger=a_ledger(_051910=5), open_orders=(partly,))
    assert not refuses(MaximumQuantity(10), buy(2), view)
    assert refuses(MaximumQuantity(10), buy(3), view)


def test_quantity_counts_an_order_in_doubt_as_filled() -> None:
    view = a_view(open_orders=(in_doubt(an_open_buy(10)),))
    assert refuses(MaximumQuantity(10), buy(1), view)


def test_quantity_does_not_count_other_symbols() -> None:
    view = a_view(ledger=a_ledger(_005930=10), open_orders=(an_open_buy(10, symbol=SAMSUNG),))
    assert not refuses(MaximumQuantity(10), buy(10), view)


# Maximum weight: equity 100,000,000, limit 20 %, no commission so that the boundary is exact

FREE = CostSchedule(commission_rate=Decimal(0))
WEIGHT = MaximumWeight(Decimal("0.20"))


@pytest.mark.parametrize(("quantity", "is_refused"), [(49, False), (50, False), (51, True)])
def test_weight_may_reach_its_limit_and_not_pass_it(quantity: int, *, is_refused: bool) -> None:
    assert refuses(WEIGHT, buy(quantity), a_view(costs=FREE)) is is_refused


@pytest.mark.parametrize(
    ("limit_price", "is_refused"), [(399_999, False), (400_000, False), (400_001, True)]
)
def test_weight_is_exact_to_the_won_of_the_limit_price(
    limit_price: int, *, is_refused: bool
) -> None:
    view = a_view(costs=FREE, quotes={LG_CHEM: a_quote(last=399_000)})
    # 50 shares at 400,001 are 20,000,050 won; the premium over the last price lowers equity as well.
    generous = a_view(costs=FREE, quotes=view.quotes, ledger=a_ledger(CASH + 50_000))
    assert refuses(WEIGHT, buy(50, limit_price=limit_price), generous) is is_refused


def test_weight_takes_the_commission_out_of_equity() -> None:
    assert refuses(WEIGHT, buy(50), a_view())
    assert not refuses(WEIGHT, buy(49), a_view())


@pytest.mark.parametrize(("quantity", "is_refused"), [(14, False), (15, False), (16, True)])
def test_weight_counts_what_is_held_and_what_is_open(quantity: int, *, is_refused: bool) -> None:
    ledger = a_ledger(CASH - 25 * 400_000, _051910=25)
    view = a_view(costs=FREE, ledger=ledger, open_orders=(an_open_buy(10),))
    assert refuses(WEIGHT, buy(quantity), view) is is_refused


def test_weight_values_an_open_market_buy_at_the_upper_limit() -> None:
    market = an_open_buy(38, order_type=OrderType.MARKET, limit_price=None)
    view = a_view(costs=FREE, open_orders=(market,))  # 38 x 520,000 = 19,760,000 of 95,440,000
    assert refuses(WEIGHT, buy(1), view)
    assert not refuses(WEIGHT, buy(1), a_view(costs=FREE, open_orders=(an_open_buy(38),)))


def test_weight_values_a_low_limit_at_the_last_price() -> None:
    assert refuses(WEIGHT, buy(51, limit_price=300_000), a_view(costs=FREE))


def test_weight_refuses_when_there_is_no_equity() -> None:
    assert refuses(WEIGHT, buy(1), a_view(ledger=a_ledger(0)))


def test_weight_tells_the_figures() -> None:
    breach = WEIGHT.check(buy(51), a_view(costs=FREE))
    assert breach is not None
    assert breach.figures == {
        "value": "20400000",
        "order_value": "20400000",
        "equity": "100000000",
        "weight": "0.2040",
        "limit": "0.20",
    }


# Maximum holdings


def test_holdings_may_reach_their_limit_and_not_pass_it() -> None:
    held = a_view(ledger=a_ledger(_005930=1), open_orders=(an_open_buy(symbol=HYUNDAI),))
    assert not refuses(MaximumHoldings(4), buy(), held)
    assert not refuses(MaximumHoldings(3), buy(), held)
    assert refuses(MaximumHoldings(2), buy(), held)


def test_more_of_a_holding_needs_no_place() -> None:
    full = a_view(ledger=a_ledger(_051910=1), open_orders=(an_open_buy(symbol=HYUNDAI),))
    assert not refuses(MaximumHoldings(2), buy(), full)
    assert not refuses(MaximumHoldings(2), buy(symbol=HYUNDAI), full)


def test_an_open_sell_frees_no_place() -> None:
    leaving = an_open_buy(symbol=SAMSUNG, side=Side.SELL)
    view = a_view(ledger=a_ledger(_005930=1), open_orders=(leaving,))
    assert refuses(MaximumHoldings(1), buy(), view)


def test_a_sold_out_symbol_takes_no_place() -> None:
    assert not refuses(MaximumHoldings(1), buy(), a_view(ledger=a_ledger(_005930=0)))


# Cash: 10 shares at 400,000 cost 4,000,000 and 600 commission


@pytest.mark.parametrize(("short_by", "is_refused"), [(-1, False), (0, False), (1, True)])
def test_cash_may_be_used_up_and_not_overdrawn(short_by: int, *, is_refused: bool) -> None:
    view = a_view(ledger=a_ledger(4_000_600 - short_by))
    assert refuses(Cash(), buy(10), view) is is_refused


@pytest.mark.parametrize(("short_by", "is_refused"), [(-1, False), (0, False), (1, True)])
def test_the_brokers_smaller_figure_counts(short_by: int, *, is_refused: bool) -> None:
    view = a_view(buyable_cash=4_000_600 - short_by)
    assert refuses(Cash(), buy(10), view) is is_refused


def test_the_brokers_larger_figure_does_not_count() -> None:
    assert refuses(Cash(), buy(10), a_view(ledger=a_ledger(4_000_599), buyable_cash=CASH))


@pytest.mark.parametrize(("short_by", "is_refused"), [(-1, False), (0, False), (1, True)])
def test_open_buys_are_paid_first(short_by: int, *, is_refused: bool) -> None:
    view = a_view(ledger=a_ledger(2 * 4_000_600 - short_by), open_orders=(an_open_buy(10),))
    assert refuses(Cash(), buy(10), view) is is_refused


def test_a_buy_in_doubt_is_paid_first_even_where_the_broker_does_not_know_it() -> None:
    doubtful = in_doubt(an_open_buy(10))
    enough = a_view(buyable_cash=2 * 4_000_600, open_orders=(doubtful,))
    assert not refuses(Cash(), buy(10), enough)
    assert refuses(Cash(), buy(10), replace(enough, buyable_cash=2 * 4_000_600 - 1))


def test_the_broker_has_already_taken_off_an_accepted_buy() -> None:
    view = a_view(buyable_cash=4_000_600, open_orders=(an_open_buy(10),))
    assert not refuses(Cash(), buy(10), view)


def test_a_market_buy_needs_the_upper_limit() -> None:
    market = buy(10, order_type=OrderType.MARKET, limit_price=None)
    assert not refuses(Cash(), market, a_view(ledger=a_ledger(5_200_780)))
    assert refuses(Cash(), market, a_view(ledger=a_ledger(5_200_779)))


def test_an_open_sell_pays_for_nothing() -> None:
    leaving = an_open_buy(10, side=Side.SELL)
    view = a_view(ledger=a_ledger(0, _051910=10), open_orders=(leaving,))
    assert refuses(Cash(), buy(1), view)


# Daily loss: 2 % of 100,000,000

LOSS = DailyLoss(Decimal("0.02"))


@pytest.mark.parametrize(
    ("lost", "is_refused"), [(1_999_999, False), (2_000_000, True), (2_000_001, True)]
)
def test_a_daily_loss_that_reaches_its_limit_refuses(lost: int, *, is_refused: bool) -> None:
    assert refuses(LOSS, buy(), a_view(ledger=a_ledger(CASH - lost))) is is_refused


def test_an_unrealised_loss_is_a_loss() -> None:
    ledger = a_ledger(CASH - 50 * 400_000, _051910=50)
    fallen = a_view(ledger=ledger, quotes={LG_CHEM: a_quote(last=360_000)})
    assert refuses(LOSS, buy(), fallen)
    assert not refuses(LOSS, buy(), replace(fallen, quotes={LG_CHEM: a_quote(last=360_001)}))


@pytest.mark.parametrize(
    ("paid_in", "is_refused"), [(0, False), (1_000_000, True), (-1_000_000, False)]
)
def test_money_paid_in_hides_no_loss_and_money_taken_out_is_none(
    paid_in: int, *, is_refused: bool
) -> None:
    view = a_view(ledger=a_ledger(CASH - 1_000_000), paid_in_today=paid_in)
    assert refuses(LOSS, buy(), view) is is_refused


def test_a_withdrawal_is_no_loss() -> None:
    view = a_view(ledger=a_ledger(CASH - 30_000_000), paid_in_today=-30_000_000)
    assert not refuses(LOSS, buy(), view)


def test_settlement_is_neither_profit_nor_loss() -> None:
    # 50 shares bought today: the deposit still shows the whole cash, D+2 cash does not.
    bought = a_ledger(CASH - 50 * 400_000, _051910=50)
    assert not refuses(DailyLoss(Decimal("0.0001")), buy(), a_view(ledger=bought))


@pytest.mark.parametrize(
    ("limit_price", "is_refused"), [(439_999, False), (440_000, True), (440_001, True)]
)
def test_a_loss_that_open_buys_may_still_bring_counts(
    limit_price: int, *, is_refused: bool
) -> None:
    view = a_view(costs=FREE, open_orders=(an_open_buy(50, limit_price=limit_price),))
    assert refuses(LOSS, buy(), view) is is_refused


def test_an_unknown_opening_equity_refuses() -> None:
    assert refuses(LOSS, buy(), a_view(equity_opening=None))
