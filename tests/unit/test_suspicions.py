"""A result that flatters is found by its own figures, and one step before the limit it is not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.wording import Wording
from backtest.suspicions import (
    Evidence,
    Suspicion,
    SuspicionKind,
    free_parameters,
    largest_part,
    suspicions,
)
from strategies.settings import StrategySettings
from tests.bar_columns import a_bar
from tests.builders import LG_CHEM, SAMSUNG, an_execution
from trading.equity import EquityPoint
from trading.executions import Execution
from trading.instruments import Symbol
from trading.orders import Side

DAYS = [date(2018, 1, 2) + timedelta(days=i) for i in range(40)]


def fill(
    day: int, side: Side, price: int, *, quantity: int = 10, symbol: Symbol = LG_CHEM
) -> Execution:
    """Give a fill without charges."""
    return an_execution(DAYS[day], side, price, quantity=quantity, symbol=symbol)


def a_trade(bought: int, price: int, sold: int, *, to: int, quantity: int = 10) -> list[Execution]:
    """Give a trade from one day's price to another's."""
    return [
        fill(bought, Side.BUY, price, quantity=quantity),
        fill(sold, Side.SELL, to, quantity=quantity),
    ]


def curve(*profits: int) -> list[EquityPoint]:
    """Give a curve of so many won a day."""
    points, value = [], 1_000_000
    for day, profit in zip(DAYS, profits, strict=False):
        points.append(EquityPoint(day, value, value + profit))
        value += profit
    return points


def look(executions: Sequence[Execution], **changes: Any) -> dict[SuspicionKind, Suspicion]:
    """Look at fills on bars from 90 to 110 won with 1,000 shares; no parameter to have been fitted."""
    bars = [a_bar(day, 100, low=90, high=110) for day in DAYS]
    fields: dict[str, Any] = {
        "equity": curve(*[1, -1] * 20),
        "executions": executions,
        "bars": {LG_CHEM: bars},
        "parameters": 0,
    }
    return {found.kind: found for found in suspicions(Evidence(**fields | changes))}


TWO_EQUAL_TRADES = [
    *a_trade(0, 95, 1, to=100),
    *a_trade(2, 95, 3, to=100),
    *a_trade(4, 95, 5, to=101),
]


def test_an_ordinary_result_raises_no_suspicion() -> None:
    assert look(TWO_EQUAL_TRADES) == {}


def test_no_trade_says_nothing_else() -> None:
    assert set(look([], equity=curve(*[0] * 40))) == {SuspicionKind.NO_TRADES}


@pytest.mark.parametrize(("idle", "is_flat"), [(17, False), (18, True), (20, True)])
def test_a_curve_that_stands_still_on_nine_days_of_ten_is_flat(idle: int, *, is_flat: bool) -> None:
    found = look(TWO_EQUAL_TRADES, equity=curve(*[0] * idle, *[5] * (20 - idle)))
    assert (SuspicionKind.FLAT_CURVE in found) is is_flat


@pytest.mark.parametrize(("last", "is_alone"), [(104, False), (105, True), (110, True)])
def test_a_trade_with_half_of_the_profit_is_named(last: int, *, is_alone: bool) -> None:
    # 50 + 50 won, and (last - 95) * 10: at 105 it is 100 of 200
    trades = [*a_trade(0, 95, 1, to=100), *a_trade(2, 95, 3, to=100), *a_trade(4, 95, 5, to=last)]
    found = look(trades)
    assert (SuspicionKind.ONE_TRADE in found) is is_alone
    if is_alone:
        figures = found[SuspicionKind.ONE_TRADE].figures
        assert (figures["day"], figures["result"]) == (DAYS[4], (last - 95) * 10)


def test_a_trade_that_is_still_open_counts_at_the_last_close() -> None:
    # bought at 95, and 100 at the close of the curve's last day; the bars go on to 10 days later
    bars = [a_bar(day, 100 if day <= DAYS[29] else 9, low=9, high=110) for day in DAYS]
    some = {"equity": curve(*[1, -1] * 15), "bars": {LG_CHEM: bars}}
    figures = look([fill(0, Side.BUY, 95)], **some)[SuspicionKind.ONE_TRADE].figures
    assert (figures["day"], figures["result"], figures["trades"]) == (DAYS[0], 50, 1)
    two = [*a_trade(0, 95, 1, to=100), *a_trade(2, 95, 3, to=100), fill(4, Side.BUY, 95)]
    assert SuspicionKind.ONE_TRADE not in look(two, **some)
    lost = [*a_trade(0, 100, 1, to=97), fill(4, Side.BUY, 95)]
    assert look(lost, **some)[SuspicionKind.ONE_TRADE].figures["total"] == 20


def test_a_best_trade_of_an_account_that_lost_is_no_suspicion() -> None:
    assert SuspicionKind.ONE_TRADE not in look(
        [*a_trade(0, 95, 1, to=100), *a_trade(2, 105, 3, to=95)]
    )


@pytest.mark.parametrize(
    ("side", "price", "is_outside"),
    [
        (Side.BUY, 90, False),
        (Side.BUY, 89, True),
        (Side.BUY, 110, False),
        (Side.BUY, 111, True),
        (Side.SELL, 110, False),
        (Side.SELL, 111, True),
        (Side.SELL, 89, True),
    ],
)
def test_a_fill_outside_the_bar_is_impossible(side: Side, price: int, *, is_outside: bool) -> None:
    found = look([fill(0, side, price)])
    assert (SuspicionKind.OUTSIDE_THE_BAR in found) is is_outside


def test_slippage_may_carry_a_fill_beyond_the_bar_but_only_to_our_cost() -> None:
    def is_outside(side: Side, price: int) -> bool:
        return SuspicionKind.OUTSIDE_THE_BAR in look(
            [fill(0, side, price)], slippage=Decimal("0.02")
        )

    assert not is_outside(Side.BUY, 112)
    assert is_outside(Side.BUY, 89)
    assert not is_outside(Side.SELL, 88)
    assert is_outside(Side.SELL, 111)
    assert is_outside(Side.BUY, 120)


def test_slippage_may_carry_a_fill_to_the_next_price_of_the_grid() -> None:
    # 1 % above 701,000 is 708,010 and lands on 709,000, 1 % below 699,000 is 692,010 and lands on 692,000
    def is_outside(side: Side, price: int) -> bool:
        bars = [a_bar(DAYS[0], 700_000, low=699_000, high=701_000)]
        fills = [fill(0, side, price)]
        found = look(fills, slippage=Decimal("0.01"), bars={LG_CHEM: bars})
        return SuspicionKind.OUTSIDE_THE_BAR in found

    assert not is_outside(Side.BUY, 709_000)
    assert is_outside(Side.BUY, 710_000)
    assert not is_outside(Side.SELL, 692_000)
    assert is_outside(Side.SELL, 691_000)


def test_a_fill_without_a_bar_or_without_trade_is_impossible() -> None:
    halted = [a_bar(DAYS[0], 100, volume=0)]
    assert SuspicionKind.NO_BAR in look([fill(0, Side.BUY, 100)], bars={LG_CHEM: halted})
    assert SuspicionKind.NO_BAR in look([fill(0, Side.BUY, 100, symbol=SAMSUNG)])


@pytest.mark.parametrize(
    ("quantities", "expected"),
    [
        ((50,), None),
        ((51,), SuspicionKind.CAPACITY),
        ((30, 21), SuspicionKind.CAPACITY),
        ((1_000,), SuspicionKind.CAPACITY),
        ((999, 2), SuspicionKind.MORE_THAN_VOLUME),
    ],
)
def test_a_days_fills_are_held_against_its_volume(
    quantities: tuple[int, ...], expected: SuspicionKind | None
) -> None:
    # 1,000 shares a day: 5 % are 50, and two orders of a day are one part of its volume
    fills = [fill(0, Side.BUY, 100, quantity=quantity) for quantity in quantities]
    about_volume = {SuspicionKind.CAPACITY, SuspicionKind.MORE_THAN_VOLUME}
    assert set(look(fills)) & about_volume == ({expected} if expected else set())


def test_the_capacity_says_how_much_of_the_cash_would_do() -> None:
    figures = look([fill(0, Side.BUY, 100, quantity=200)])[SuspicionKind.CAPACITY].figures
    assert (figures["part"], figures["share"]) == (Decimal("0.2"), Decimal("0.25"))


def test_buys_and_sells_of_a_day_are_parts_of_their_own() -> None:
    evidence = Evidence((), a_trade(0, 100, 0, to=100), {LG_CHEM: [a_bar(DAYS[0], 100)]}, 0)
    assert largest_part(evidence) == Decimal("0.01")
    assert largest_part(Evidence((), (), {}, 0)) == 0


@pytest.mark.parametrize(("parameters", "is_many"), [(0, False), (1, True)])
def test_each_parameter_needs_ten_trades(parameters: int, *, is_many: bool) -> None:
    found = look(TWO_EQUAL_TRADES, parameters=parameters)
    assert (SuspicionKind.MANY_PARAMETERS in found) is is_many


def test_ten_trades_are_enough_for_one_parameter() -> None:
    ten = [each for n in range(10) for each in a_trade(2 * n, 95, 2 * n + 1, to=100)]
    assert look(ten, parameters=1) == {}
    assert SuspicionKind.MANY_PARAMETERS in look(ten[:-2], parameters=1)


def test_parameters_that_are_switched_off_are_not_counted() -> None:
    document = {"id": "trend", "kind": "moving_average_cross", "symbols": [LG_CHEM]}
    whole = StrategySettings.model_validate(document)
    assert free_parameters([whole]) == 6  # fast, slow, two of the volume, stop, target
    off = {"parameters": {"volume_ratio": None}, "exits": {"take_profit": None}}
    assert free_parameters([StrategySettings.model_validate(document | off)]) == 4


def test_the_parameters_of_a_plugin_are_counted_one_by_one() -> None:
    document = {"id": "highs", "kind": "plugin:breakout", "symbols": [LG_CHEM]}
    exits = {"stop_loss": None, "take_profit": None}
    none = StrategySettings.model_validate(document | {"exits": exits})
    assert free_parameters([none]) == 0
    three = {"parameters": {"days": 20, "width": 2, "off": None, "level": 3}}
    assert free_parameters([StrategySettings.model_validate(document | three)]) == 5


def test_a_profit_that_more_costs_eat_is_named_by_the_first_factor() -> None:
    profits = {Decimal(1): 100, Decimal("0.5"): 120, Decimal(3): -50, Decimal(2): 0}
    found = look(TWO_EQUAL_TRADES, profit_by_costs=profits)
    assert found[SuspicionKind.COSTS].figures == {"factor": Decimal(2)}
    assert look(TWO_EQUAL_TRADES, profit_by_costs=profits | {Decimal(2): 1, Decimal(3): 1}) == {}
    assert look(TWO_EQUAL_TRADES, profit_by_costs=profits | {Decimal(1): -1}) == {}


def test_a_ratio_that_may_be_luck_is_named() -> None:
    assert SuspicionKind.LUCK in look(TWO_EQUAL_TRADES, probability=Decimal("0.9499"))
    assert look(TWO_EQUAL_TRADES, probability=Decimal("0.95")) == {}


def test_every_suspicion_is_a_sentence_in_both_languages() -> None:
    trades = [*TWO_EQUAL_TRADES, fill(6, Side.BUY, 200), fill(7, Side.BUY, 100, symbol=SAMSUNG)]
    profits = {Decimal(1): 1, Decimal(2): -1}
    some: dict[str, Any] = {
        "parameters": 3,
        "probability": Decimal("0.5"),
        "profit_by_costs": profits,
    }
    found = (
        look(trades, equity=curve(*[0] * 40), **some)
        | look([])
        | look([fill(0, Side.BUY, 100, quantity=60)])
        | look([fill(0, Side.BUY, 100, quantity=2_000)])
        | look(a_trade(0, 95, 1, to=100))
    )
    assert set(found) == set(SuspicionKind)
    for language in ("ko", "en"):
        words = Wording(language)
        sentences = [
            words.text(f"suspicion.{kind}", **each.figures) for kind, each in found.items()
        ]
        assert all(sentence.endswith((".", "다.")) for sentence in sentences), sentences
