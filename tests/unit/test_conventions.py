"""This is the test of replays by convention: each rule of `backtest.options` on bars that are worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from backtest.conventions import plan_of, run_convention
from backtest.options import (
    BacktestOptions,
    CashSplit,
    FillConvention,
    SizingKind,
    convention,
)
from backtest.outcomes import outcome_of
from strategies.base import BarColumns, Decisions, Strategy
from tests.builders import HYUNDAI, LG_CHEM, SAMSUNG
from tests.conventions import (
    BOUGHT,
    CALENDAR,
    DAYS,
    FALL,
    FREE,
    RISE,
    STOPPED,
    TEN,
    Row,
    columns_of,
    flat,
    run,
    told,
    trades,
    trend,
)
from trading.errors import BadInput
from trading.instruments import Symbol
from trading.orders import OrderStatus

KRX_DAILY = convention("krx-daily") or BacktestOptions()


def test_next_open_trades_at_the_opening_after_the_close_that_decided() -> None:
    assert trades(TEN, (10_200, 10_300, 10_150, 10_250), FALL, flat(9_900)) == [
        (0, "buy", 10, 10_200),
        (2, "sell", 10, 9_900),
    ]


def test_signal_close_trades_at_the_close_that_decides() -> None:
    same = replace(TEN, fill=FillConvention.SIGNAL_CLOSE)
    assert trades(same, (10_200, 10_300, 10_150, 10_250), FALL) == [
        (-1, "buy", 10, 10_100),
        (1, "sell", 10, 10_000),
    ]


def test_next_close_trades_at_the_close_after_the_one_that_decided() -> None:
    later = replace(TEN, fill=FillConvention.NEXT_CLOSE)
    assert trades(later, (10_200, 10_300, 10_150, 10_250), FALL, (9_900, 9_950, 9_700, 9_800)) == [
        (0, "buy", 10, 10_250),
        (2, "sell", 10, 9_800),
    ]


def test_what_the_last_close_decides_is_not_traded() -> None:
    assert trades(TEN) == []
    assert trades(TEN, fill=FillConvention.NEXT_CLOSE) == []


LEVELS: dict[str, tuple[Row, int | None]] = {
    "low on the stop": ((9_900, 10_200, 9_500, 10_160), 9_500),
    "low one above": ((9_900, 10_200, 9_501, 10_160), None),
    "opening on the stop": ((9_500, 10_200, 9_500, 10_160), 9_500),
    "a gap below the stop": ((9_300, 10_200, 9_200, 10_160), 9_300),
    "high on the target": ((10_500, 11_000, 10_500, 10_900), 11_000),
    "high one below": ((10_500, 10_999, 10_500, 10_900), None),
    "a gap above the target": ((11_200, 11_300, 11_100, 11_200), 11_200),
    "both in one bar: the stop": ((10_160, 11_500, 9_400, 10_160), 9_500),
}


@pytest.mark.parametrize(("bar", "price"), LEVELS.values(), ids=LEVELS.keys())
def test_a_level_is_left_at_its_price_or_at_the_gap_behind_it(bar: Row, price: int | None) -> None:
    sold = [(1, "sell", 10, price)] if price else []
    assert trades(STOPPED, BOUGHT, bar) == [(0, "buy", 10, 10_000), *sold]


def test_levels_are_whole_won_in_our_disfavour() -> None:
    # Bought at 10,007: stop floor(9,506.65) = 9,506, target ceil(11,007.7) = 11,008.
    bought = (10_007, 10_150, 10_007, 10_150)
    assert trades(STOPPED, bought, (10_100, 10_200, 9_506, 10_160))[1:] == [(1, "sell", 10, 9_506)]
    assert trades(STOPPED, bought, (10_100, 10_200, 9_507, 10_160))[1:] == []
    assert trades(STOPPED, bought, (10_100, 11_008, 10_100, 10_160))[1:] == [
        (1, "sell", 10, 11_008)
    ]
    assert trades(STOPPED, bought, (10_100, 11_007, 10_100, 10_160))[1:] == []


def test_what_is_bought_at_the_opening_can_be_left_on_the_same_day() -> None:
    assert trades(STOPPED, (10_000, 10_050, 9_400, 9_600)) == [
        (0, "buy", 10, 10_000),
        (0, "sell", 10, 9_500),
    ]


def test_what_is_bought_at_a_close_can_be_left_from_the_next_bar_on() -> None:
    at_close = replace(STOPPED, fill=FillConvention.NEXT_CLOSE)
    wild = (10_100, 12_000, 8_000, 10_150)
    assert trades(at_close, wild) == [(0, "buy", 10, 10_150)]
    # stop floor(10,150 * 0.95) = 9,642
    assert trades(at_close, wild, (10_200, 10_200, 9_642, 10_190))[1:] == [(1, "sell", 10, 9_642)]


def test_a_cross_at_the_opening_comes_before_the_stop_of_the_same_bar() -> None:
    down = (10_100, 10_150, 9_900, 9_950)  # the close below 10,150 decides to leave
    assert trades(STOPPED, BOUGHT, down, (9_800, 9_800, 9_000, 9_100))[1:] == [
        (2, "sell", 10, 9_800)
    ]


def test_a_stop_comes_before_the_close_at_which_a_cross_would_be_left() -> None:
    at_close = replace(STOPPED, fill=FillConvention.NEXT_CLOSE)
    falling = (10_000, 10_000, 9_990, 9_990), (9_900, 9_900, 9_000, 9_100)
    # bought at the close of 10,150; the stop of 9,642 is reached on the day of the cross's own close
    assert trades(at_close, (10_100, 10_200, 10_100, 10_150), *falling)[1:] == [
        (2, "sell", 10, 9_642)
    ]


def test_a_stop_of_the_day_leaves_its_close_free_to_decide_again() -> None:
    # Stopped at 9,500 on day 1, whose close is above that of day 0, after a close that was not: bought on day 2.
    day0, day1 = (10_000, 10_100, 10_000, 10_100), (9_900, 10_200, 9_400, 10_150)
    assert trades(STOPPED, day0, day1, flat(10_160)) == [
        (0, "buy", 10, 10_000),
        (1, "sell", 10, 9_500),
        (2, "buy", 10, 10_160),
    ]


def test_an_entry_counts_only_for_who_holds_nothing() -> None:
    # 10,100 -> 10,050 -> 10,100 would be entered anew, but the exit of 10,050 is only at the next opening.
    rows = flat(10_100), flat(10_050), flat(10_100), flat(10_200)
    assert trades(TEN, *rows) == [
        (0, "buy", 10, 10_100),
        (2, "sell", 10, 10_100),
        (3, "buy", 10, 10_200),
    ]
    same = replace(TEN, fill=FillConvention.SIGNAL_CLOSE)
    assert [t[0] for t in trades(same, *rows)] == [-1, 1, 2]


def test_all_cash_buys_the_largest_whole_quantity_with_its_commission() -> None:
    # 990 x 10,100 = 9,999,000 and floor(9,999,000 x 0.000140527) = 1,405 are 10,000,405: too much; 989 fit.
    bought = run({LG_CHEM: [*RISE, flat(10_100)]}, replace(KRX_DAILY, stop_loss=None))
    (fill,) = outcome_of(bought).fills
    assert (fill.quantity, fill.price, fill.commission) == (989, 10_100, 1_403)  # of 1,403.71
    assert bought.ledger.cash == 10_000_000 - 989 * 10_100 - 1_403


def test_krx_daily_to_the_won() -> None:
    # Bought 1,000 at 9,998: 9,998,000 and floor(1,404.98) = 1,404 are 9,999,404 of 10,000,000.
    # Stop floor(9,498.1) = 9,498: 9,498,000 less floor(1,334.72) = 1,334 and floor(18,996) of tax.
    result = run(
        {LG_CHEM: [*RISE, (9_998, 10_150, 9_990, 10_150), (9_900, 10_200, 9_400, 10_160)]},
        KRX_DAILY,
    )
    outcome = outcome_of(result)
    assert [told(f) for f in outcome.fills] == [(0, "buy", 1_000, 9_998), (1, "sell", 1_000, 9_498)]
    assert [(f.commission, f.tax) for f in outcome.fills] == [(1_404, 0), (1_334, 18_996)]
    assert outcome.cash == 10_000_000 - 9_998_000 - 1_404 + 9_498_000 - 1_334 - 18_996
    # marked at the close of 10,150 on the day of the purchase, in cash on the next
    assert [won for _, won in outcome.equity] == [
        10_000_000 - 9_999_404 + 10_150_000,
        outcome.cash,
    ]
    assert outcome.equity[0][0] == DAYS[3]  # the first on which a decision can fill


def test_a_point_of_a_curve_is_the_same_alone_and_among_the_others() -> None:
    curve = run({LG_CHEM: [*RISE, (9_998, 10_150, 9_990, 10_150), FALL, flat(9_900)]}, TEN).equity
    whole = list(curve)

    assert len(whole) == len(curve) == 3
    assert [point.opening for point in whole[1:]] == [point.closing for point in whole[:-1]]
    assert [curve[place] for place in range(-3, 3)] == [*whole, *whole]
    assert list(curve[1:]) == whole[1:]
    with pytest.raises(IndexError):
        curve[3]


def test_a_fixed_quantity_that_cash_does_not_pay_is_refused_whole() -> None:
    poor = replace(TEN, cash=101_009)
    assert trades(poor, flat(10_101)) == []  # ten cost 101,010
    assert trades(replace(TEN, cash=101_010), flat(10_101)) == [(0, "buy", 10, 10_101)]
    (order,) = run({LG_CHEM: [*RISE, flat(10_101)]}, poor).orders
    assert (order.status, "CASH" in order.error_message) == (OrderStatus.DENIED, True)


def test_a_weight_is_of_the_equity_at_the_close_that_decided() -> None:
    # Samsung: 500 of 10,000,000 x 0.5 at 10,000 (day 0), worth 11,000 each when Hyundai rises on day 1:
    # equity 5,000,000 + 5,500,000; half of it is 5,250,000, but only 5,000,000 are there: 250 at 20,000.
    samsung = [flat(9_990), flat(9_990), flat(10_000), flat(10_000), flat(11_000), flat(12_000)]
    hyundai = [flat(20_000)] * 4 + [flat(20_100), flat(20_000)]
    half = replace(FREE, sizing=SizingKind.WEIGHT, weight=Decimal("0.5"))
    fills = outcome_of(run({SAMSUNG: samsung, HYUNDAI: hyundai}, half)).fills
    assert [(f.symbol, f.quantity) for f in fills] == [(SAMSUNG, 500), (HYUNDAI, 250)]
    third = replace(half, weight=Decimal("0.3"))
    # 300 of 3,000,000; equity 7,000,000 + 3,300,000 at the close that decides; 3,090,000 buy 154 at 20,000.
    fills = outcome_of(run({SAMSUNG: samsung, HYUNDAI: hyundai}, third)).fills
    assert [(f.symbol, f.quantity) for f in fills] == [(SAMSUNG, 300), (HYUNDAI, 154)]


def test_places_are_counted_after_the_exits_of_the_opening_in_order_of_the_symbols() -> None:
    # All three rise on one close; two places go to the first two symbols (005380, 005930), none to 051910.
    two = replace(TEN, maximum_holdings=2)
    up = [*RISE, flat(10_100), flat(10_050), flat(10_050)]
    late = [flat(10_000)] * 4 + [flat(10_100), flat(10_100)]
    result = run({HYUNDAI: up, SAMSUNG: [*RISE, *[flat(10_100)] * 3], LG_CHEM: late}, two)
    assert [(told(f)[:2], f.symbol) for f in outcome_of(result).fills] == [
        ((0, "buy"), HYUNDAI),
        ((0, "buy"), SAMSUNG),
        ((2, "sell"), HYUNDAI),  # leaves at the opening at which the third may come
        ((2, "buy"), LG_CHEM),
    ]
    crowded = run({s: [*RISE, flat(10_100)] for s in (LG_CHEM, SAMSUNG, HYUNDAI)}, two)
    assert [f.symbol for f in outcome_of(crowded).fills] == [HYUNDAI, SAMSUNG]
    assert [o.symbol for o in crowded.orders if "MAXIMUM_HOLDINGS" in o.error_message] == [LG_CHEM]


def test_money_of_a_stop_buys_from_the_next_bar_on() -> None:
    # Samsung takes all cash and is stopped on day 1, at whose opening Hyundai was to be bought: nothing was there.
    samsung = [*RISE, BOUGHT, (9_900, 10_000, 9_400, 9_990), flat(9_990)]
    hyundai = [flat(20_000)] * 3 + [flat(20_100), flat(20_100), flat(20_100)]
    stopped = replace(FREE, stop_loss=Decimal("0.05"))
    result = run({SAMSUNG: samsung, HYUNDAI: hyundai}, stopped)
    assert [f.symbol for f in outcome_of(result).fills] == [SAMSUNG, SAMSUNG]
    ((signal, breach),) = result.unsized
    assert (signal.symbol, breach.rule_id) == (HYUNDAI, "SIZING")


def test_money_of_an_exit_at_the_opening_buys_at_the_same_opening() -> None:
    # 990 shares lose 50 won each: 9,950,500 of 10,000,000 are left and buy 495 at 20,100.
    samsung = [*RISE, flat(10_100), flat(10_050), flat(10_050)]
    hyundai = [flat(20_000)] * 4 + [flat(20_100), flat(20_100)]
    fills = outcome_of(run({SAMSUNG: samsung, HYUNDAI: hyundai}, FREE)).fills
    assert [(f.symbol, told(f)) for f in fills if told(f)[0] == 2] == [
        (HYUNDAI, (2, "buy", 495, 20_100)),
        (SAMSUNG, (2, "sell", 990, 10_050)),
    ]


def test_each_symbol_may_have_cash_of_its_own() -> None:
    rows = {SAMSUNG: [*RISE, flat(10_100)], HYUNDAI: [*RISE, flat(10_100)]}
    outcome = outcome_of(run(rows, replace(FREE, cash_split=CashSplit.EACH)))
    assert [(f.symbol, f.quantity) for f in outcome.fills] == [(HYUNDAI, 990), (SAMSUNG, 990)]
    assert outcome.cash == 2 * (10_000_000 - 9_999_000)
    assert outcome.equity == ((DAYS[3], 20_000_000),)


def test_slippage_is_against_us_and_rounded_so() -> None:
    # 10,101 x 1.001 = 10,111.1 -> 10,112; 9,901 x 0.999 = 9,891.1 -> 9,891
    slipping = replace(TEN, slippage=Decimal("0.001"))
    assert trades(slipping, flat(10_101), FALL, flat(9_901)) == [
        (0, "buy", 10, 10_112),
        (2, "sell", 10, 9_891),
    ]


def test_slippage_knows_no_highest_price_without_the_exchange() -> None:
    # 300,000 won in ten-thousandths are more than 2^31, the exchange's last price: 0.1 % of it is 300 won.
    price = 300_000 * 10_000
    slipping = replace(TEN, slippage=Decimal("0.001"), price_scale=10_000)
    rise = [flat(price), flat(price), flat(price + 1), flat(price)]
    (fill,) = outcome_of(run({LG_CHEM: rise}, slipping)).fills
    assert fill.price == 300_300 * 10_000


def test_an_order_fills_no_more_than_its_part_of_the_volume_and_the_rest_dies() -> None:
    part = replace(TEN, participation=Decimal("0.1"))
    rows = flat(10_100, 69), flat(10_050), flat(10_000, 40), flat(10_000), flat(10_000)
    assert trades(part, *rows) == [(0, "buy", 6, 10_100), (2, "sell", 4, 10_000)]


def test_a_stop_goes_on_where_a_part_of_the_volume_left_shares_over() -> None:
    part = replace(STOPPED, participation=Decimal("0.1"))
    rows = BOUGHT, (9_900, 10_200, 9_500, 10_160, 70), (9_450, 10_170, 9_440, 10_170)
    assert trades(part, *rows)[1:] == [(1, "sell", 7, 9_500), (2, "sell", 3, 9_450)]


def test_prices_may_be_parts_of_a_won_and_charges_are_whole_won() -> None:
    # In hundredths: 100.00 won of cash is 10,000; 10 shares at 9.99 won are 99.90 won, 1 % of it floors to 0 won.
    scaled = replace(
        FREE, cash=100, price_scale=100, commission_rate=Decimal("0.01"), tax_rate=Decimal("0.02")
    )
    result = run(
        {LG_CHEM: [flat(900), flat(900), flat(950), flat(999), flat(950), flat(950)]}, scaled
    )
    fills = outcome_of(result).fills
    assert [(f.quantity, f.price, f.commission) for f in fills] == [(10, 999, 0), (10, 950, 0)]
    assert fills[1].tax == 100  # floor(1.90) won, in hundredths
    assert result.ledger.cash == 10_000 - 9_990 + 9_500 - 100


def test_the_dated_tax_counts_where_none_is_given() -> None:
    taxed = replace(TEN, tax_rate=None)
    result = run({LG_CHEM: [*RISE, flat(10_100), FALL, flat(10_000)]}, taxed)
    assert outcome_of(result).fills[1].tax == 2 * 150  # 0.15 % twice of 100,000 in 2018


def test_decisions_of_the_close_before_the_first_day_are_traded_on_it() -> None:
    rows = {LG_CHEM: [*RISE, flat(10_200), flat(10_300)]}
    assert [told(f)[0] for f in outcome_of(run(rows, TEN, first=DAYS[3])).fills] == [0]
    late = outcome_of(run(rows, TEN, first=DAYS[4]))
    assert (late.fills, [day for day, _ in late.equity]) == ((), [DAYS[4]])
    early = outcome_of(run(rows, TEN, last=DAYS[2]))  # the third bar is the first that may decide
    assert (early.fills, early.equity) == ((), ())


def test_a_history_shorter_than_the_averages_is_refused() -> None:
    with pytest.raises(BadInput, match="bars=2: at least 3, for a first decision"):
        run({LG_CHEM: RISE[:2]}, TEN)
    with pytest.raises(BadInput, match="bars=2"):
        run({LG_CHEM: [*RISE, flat(10_200)]}, TEN, last=DAYS[1])


IMPOSSIBLE = {
    "symbols": ({}, "symbols"),
    "days": ({"first": date(2019, 1, 2), "last": date(2019, 2, 1)}, "days"),
    "first after last": ({"first": DAYS[5], "last": DAYS[4]}, "first"),
}


@pytest.mark.parametrize(("days", "field"), IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_a_question_that_the_bars_do_not_answer_is_refused(
    days: dict[str, date], field: str
) -> None:
    symbols = (LG_CHEM, HYUNDAI) if field == "symbols" else (LG_CHEM,)
    span = {"first": DAYS[0], "last": DAYS[-1]} | days
    plan = plan_of(TEN, trend(*symbols), first=span["first"], last=span["last"])
    with pytest.raises(BadInput) as told_why:
        run_convention({LG_CHEM: columns_of(RISE)}, plan, CALENDAR)
    assert told_why.value.field == field


def test_the_same_bars_in_another_order_come_to_the_same() -> None:
    rows: dict[Symbol, Sequence[Row | None]] = {
        SAMSUNG: [*RISE, flat(10_100), flat(10_050), flat(10_050)],
        HYUNDAI: [flat(20_000)] * 4 + [flat(20_100), flat(20_100)],
    }
    turned = dict(reversed(rows.items()))
    one, other = outcome_of(run(rows, FREE)), outcome_of(run(turned, FREE))
    assert one.digest == other.digest
    assert replace(one, cash=one.cash + 1).digest != one.digest


def test_a_strategy_of_minute_bars_is_refused_by_name() -> None:
    settings = trend(SAMSUNG).model_copy(
        update={"kind": "opening_range_breakout", "parameters": {}}
    )
    plan = plan_of(FREE, settings, first=DAYS[0], last=DAYS[-1])
    with pytest.raises(BadInput, match=r"opening_range_breakout.*daily bars"):
        run_convention({SAMSUNG: columns_of([flat(10_000)] * 6)}, plan, CALENDAR)


class Halves(Strategy):
    """Wants half of the account of each symbol at its third bar, and a fifth at its fifth."""

    kind = "halves"

    @property
    def warm_up(self) -> int:
        return 1

    def evaluate(self, columns: BarColumns) -> Decisions:
        weight = np.full(len(columns), np.nan)
        weight[2], weight[4] = 0.5, 0.2
        return Decisions.of_weight(weight, {})


def test_target_weights_sell_what_is_too_much_before_they_buy() -> None:
    # Half of 10,000,000 is 500 of Samsung at 10,000. At day 2 (20,000) those are 10,000,000 of 15,000,000, and a
    # fifth is wanted: 350 are sold for 7,000,000.
    samsung = [flat(10_000)] * 4 + [flat(20_000)] * 2
    settings = trend(SAMSUNG).run_by(Halves())
    plan = plan_of(FREE, settings, first=DAYS[0], last=DAYS[-1])
    result = run_convention({SAMSUNG: columns_of(samsung)}, plan, CALENDAR)
    assert [told(f) for f in outcome_of(result).fills] == [
        (0, "buy", 500, 10_000),
        (2, "sell", 350, 20_000),
    ]
