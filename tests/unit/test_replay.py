"""This is the test of the replay: what is traded when and at which price, bar by bar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.calendars import XkrxCalendar
from backtest.plans import ReplayPlan
from backtest.replay import run_replay
from backtest.results import ReplayResult
from risk.limits import RiskLimits
from risk.sizing import SizingSettings
from strategies.settings import StrategySettings
from tests.bar_columns import a_bar
from tests.builders import HYUNDAI, LG_CHEM, seoul
from trading.bars import Bar
from trading.costs import CostSchedule
from trading.errors import BadInput
from trading.instruments import Symbol
from trading.ledger import CashFlow, Ledger, rebuild
from trading.orders import OrderStatus, Side
from trading.trades import closed_trades

CALENDAR = XkrxCalendar()
DAYS = CALENDAR.trading_days(date(2018, 1, 2), date(2018, 3, 30))
A_YEAR_BEFORE = CALENDAR.trading_days(date(2017, 1, 2), date(2017, 12, 29))
FIRST = DAYS[3]
"""The day after the first decision of a 1/2 cross, which needs three closes."""

type Ohlc = tuple[int, int, int, int]


def trend(**changes: Any) -> StrategySettings:
    """Give a strategy that enters when a close is above the one before and leaves when it is below."""
    document: dict[str, Any] = {
        "id": "trend",
        "kind": "moving_average_cross",
        "parameters": {"fast": 1, "slow": 2, "volume_ratio": None, "volume_window": 1},
        "symbols": [LG_CHEM],
    }
    return StrategySettings.model_validate(document | changes)


def a_plan(*strategies: StrategySettings, **changes: Any) -> ReplayPlan:
    """Give a plan of 10,000,000 won, half of it in each entry, without commission."""
    fields: dict[str, Any] = {
        "strategies": strategies or (trend(),),
        "limits": RiskLimits(maximum_weight=Decimal(1)),
        "sizing": SizingSettings(target_weight=Decimal("0.5"), limit_offset=Decimal("0.02")),
        "costs": CostSchedule(commission_rate=Decimal(0)),
        "cash": 10_000_000,
        "first": FIRST,
        "last": DAYS[-1],
    }
    return ReplayPlan(**fields | changes)


def bars_of(prices: Sequence[Ohlc | None], symbol: Symbol = LG_CHEM) -> list[Bar]:
    """Give one bar per trading day; None leaves the day out."""
    return [
        a_bar(day, bar[3], symbol=symbol, open=bar[0], high=bar[1], low=bar[2])
        for day, bar in zip(DAYS, prices, strict=False)
        if bar is not None
    ]


def flat(price: int) -> Ohlc:
    """Give a bar that stood still."""
    return (price, price, price, price)


CROSS_UP = [flat(10_000), flat(10_000), flat(10_100)]
"""Three closes after which the trend is bought: limit 10,100 + 2 % = 10,302, on the grid 10,300."""


def replay(
    *after: Ohlc | None,
    plan: ReplayPlan | None = None,
    others: Mapping[Symbol, list[Bar]] | None = None,
) -> ReplayResult:
    """Replay the cross and what comes `after` it."""
    bars = {LG_CHEM: bars_of([*CROSS_UP, *after])} | dict(others or {})
    plan = plan or a_plan(last=DAYS[2 + len(after)])
    return run_replay(bars, plan, CALENDAR)


def fills(result: ReplayResult) -> list[tuple[Side, int, int]]:
    """Give side, quantity and whole price of each fill."""
    return [(e.side, e.quantity, int(e.price)) for e in result.executions]


def test_a_decision_at_a_close_is_traded_at_the_next_opening() -> None:
    result = replay((10_200, 10_250, 10_150, 10_250))
    assert fills(result) == [(Side.BUY, 485, 10_200)]  # 5,000,000 / 10,300 = 485.4
    (execution,) = result.executions
    assert execution.trading_day == FIRST
    assert execution.executed_at == seoul(FIRST, "09:00")
    assert [s.reference_price for s in result.signals] == [10_100]


TRAILING = trend(exits={"stop_loss": "0.05", "take_profit": None, "trailing_stop": "0.04"})


def test_a_trailing_stop_stands_from_the_entry_on() -> None:
    # 10,200 * 0.96 = 9,792: the grid below is 9,790. The plain stop would lie at 9,690.
    result = replay((10_200, 10_250, 9_750, 10_000), plan=a_plan(TRAILING, last=FIRST))
    assert fills(result) == [(Side.BUY, 485, 10_200), (Side.SELL, 485, 9_790)]


def test_a_trailing_stop_knows_the_high_of_what_was_held_before_the_first_day() -> None:
    days = [
        (10_200, 10_400, 9_950, 10_300),
        (10_350, 10_700, 10_300, 10_650),
        (10_650, 10_650, 10_200, 10_650),
    ]
    whole = replay(*days, plan=a_plan(TRAILING, last=DAYS[5]))
    bought, sold = whole.executions
    book = Ledger("replay").deposit(10_000_000, on=FIRST).post(bought)
    for first in DAYS[4:6]:
        rest = a_plan(TRAILING, first=first, last=DAYS[5], cash=0, opening=book, past=(bought,))
        (again,) = replay(*days, plan=rest).executions
        assert (again.value, again.executed_at) == (sold.value, sold.executed_at)


def test_a_trailing_stop_follows_the_highest_price_up_to_the_day_before() -> None:
    days = [
        (10_200, 10_400, 9_950, 10_300),  # bought at the opening; nothing is known of a high yet
        (10_350, 10_700, 10_300, 10_650),  # 10,400 * 0.96 = 9,984 is not reached
        (10_650, 10_650, 10_200, 10_650),  # 10,700 * 0.96 = 10,272: the grid is 10 won
    ]
    plan = a_plan(TRAILING, last=DAYS[5])
    result = replay(*days, plan=plan)
    assert fills(result) == [(Side.BUY, 485, 10_200), (Side.SELL, 485, 10_250)]
    stop = result.signals[-1]
    assert (stop.trigger, stop.indicators["highest"]) == ("stop", "10700")


def test_an_opening_above_the_limit_fills_later_at_the_limit_if_the_day_comes_back() -> None:
    result = replay((10_500, 10_600, 10_300, 10_400))
    assert fills(result) == [(Side.BUY, 485, 10_300)]
    assert result.executions[0].executed_at == seoul(FIRST, "15:19")


def test_an_entry_that_the_day_leaves_behind_dies_with_it() -> None:
    result = replay((10_500, 10_600, 10_350, 10_400), flat(10_300))
    assert fills(result) == []
    assert [o.status for o in result.orders] == [OrderStatus.EXPIRED]


def test_a_cross_down_leaves_at_the_next_opening() -> None:
    result = replay(flat(10_200), flat(10_100), (10_050, 10_300, 10_000, 10_200))
    assert fills(result) == [(Side.BUY, 485, 10_200), (Side.SELL, 485, 10_050)]


BOUGHT = (10_000, 10_150, 10_000, 10_150)
"""A day at whose opening the cross is bought at 10,000: stop at 9,500, target at 11,000."""

EXITS = {
    "low on the stop": ((9_900, 9_900, 9_500, 9_800), 9_500),
    "low above the stop": ((9_900, 9_900, 9_550, 9_900), None),
    "opening below the stop": ((9_300, 9_800, 9_200, 9_800), 9_300),
    "opening on the stop": ((9_500, 9_800, 9_500, 9_800), 9_500),
    "high on the target": ((10_500, 11_000, 10_500, 10_900), 11_000),
    "high below the target": ((10_500, 10_950, 10_500, 10_900), None),
    "opening above the target": ((11_200, 11_300, 11_100, 11_200), 11_200),
    "stop and target in one bar": ((10_000, 11_500, 9_400, 10_000), 9_500),
}


@pytest.mark.parametrize(("bar", "price"), EXITS.values(), ids=EXITS.keys())
def test_stop_and_target_fill_where_the_bar_first_reaches_them(
    bar: Ohlc, price: int | None
) -> None:
    result = replay(BOUGHT, bar)
    sells = [(quantity, at) for side, quantity, at in fills(result) if side is Side.SELL]
    assert sells == ([(485, price)] if price else [])


def test_a_level_between_ticks_fills_at_the_first_tick_beyond_it() -> None:
    # Bought at 10,100: the stop of 9,595 is reached by 9,590 (ticks of 10 below 10,000), not by 9,600.
    assert fills(replay(flat(10_100), (9_900, 9_900, 9_600, 9_900)))[1:] == []
    stopped = replay(flat(10_100), (9_900, 9_900, 9_400, 9_800))
    assert fills(stopped)[1:] == [(Side.SELL, 485, 9_590)]
    # The target of 11,110 is reached by 11,150 (ticks of 50 above 10,000).
    taken = replay(flat(10_100), (10_900, 11_300, 10_900, 11_200))
    assert fills(taken)[1:] == [(Side.SELL, 485, 11_150)]


def test_a_stop_may_come_on_the_day_of_the_purchase() -> None:
    result = replay((10_000, 10_050, 9_400, 9_600))
    assert fills(result) == [(Side.BUY, 485, 10_000), (Side.SELL, 485, 9_500)]


def test_a_purchase_after_the_opening_has_no_target_that_day() -> None:
    # Opened at 12,000, came down to the limit of 10,300: the high of 12,000 was before.
    result = replay((12_000, 12_000, 10_300, 10_500))
    assert fills(result) == [(Side.BUY, 485, 10_300)]


def test_a_purchase_after_the_opening_can_be_stopped_that_day() -> None:
    result = replay((10_500, 10_500, 9_600, 9_700))
    assert fills(result) == [(Side.BUY, 485, 10_300), (Side.SELL, 485, 9_780)]


def test_an_order_of_a_halted_day_is_denied_and_not_carried_over() -> None:
    halted = [*bars_of(CROSS_UP), a_bar(FIRST, 10_100, volume=0), a_bar(DAYS[4], 10_200)]
    result = run_replay({LG_CHEM: halted}, a_plan(last=DAYS[4]), CALENDAR)
    assert [o.status for o in result.orders] == [OrderStatus.DENIED]
    assert "STANDING" in result.orders[0].error_message
    assert len(result.signals) == 1


def test_a_missing_day_is_a_day_without_trade() -> None:
    result = replay(None, flat(10_200))
    assert [o.status for o in result.orders] == [OrderStatus.DENIED]


def test_money_of_an_exit_pays_for_an_entry_of_the_same_opening() -> None:
    # LG Chem falls at the close on which Hyundai rises: one is sold before the other is sized.
    hyundai = bars_of([flat(100_000)] * 4 + [flat(101_000), flat(101_000)], HYUNDAI)
    plan = a_plan(
        trend(symbols=[LG_CHEM, HYUNDAI]),
        sizing=SizingSettings(target_weight=Decimal(1), limit_offset=Decimal(0)),
        last=DAYS[5],
    )
    result = replay(flat(10_100), flat(10_050), flat(10_050), plan=plan, others={HYUNDAI: hyundai})
    assert [(e.symbol, e.side) for e in result.executions] == [
        (LG_CHEM, Side.BUY),
        (LG_CHEM, Side.SELL),
        (HYUNDAI, Side.BUY),
    ]


def test_two_strategies_on_one_symbol_leave_only_what_they_entered() -> None:
    careful = trend(id="careful", exits={"stop_loss": 0.02})
    plan = a_plan(
        trend(), careful, sizing=SizingSettings(target_weight=Decimal("0.3")), last=DAYS[4]
    )
    result = replay(BOUGHT, (9_900, 9_900, 9_700, 9_900), plan=plan)
    by_strategy = [(e.strategy_id, e.side, e.quantity) for e in result.executions]
    assert by_strategy == [
        ("trend", Side.BUY, 294),
        ("careful", Side.BUY, 294),
        ("careful", Side.SELL, 294),
    ]
    assert result.ledger.position(LG_CHEM).quantity == 294


def test_commission_tax_and_settlement_to_the_won() -> None:
    # Limit 10,300; 485 shares cost 4,995,500 and floor(749.3) = 749, in all 4,996,249 of 5,000,000.
    # Bought at 10,000: 4,850,000 and 727 (of 727.5). Stopped at 9,500: 4,607,500, commission 691 (of 691.1),
    # tax 2 x 0.15 % on KOSPI in 2018: 6,911 + 6,911 (of 6,911.25 each).
    plan = a_plan(costs=CostSchedule(), last=DAYS[4])
    result = replay(BOUGHT, (9_900, 9_900, 9_400, 9_800), plan=plan)
    assert fills(result) == [(Side.BUY, 485, 10_000), (Side.SELL, 485, 9_500)]
    assert [(e.commission, e.tax) for e in result.executions] == [(727, 0), (691, 13_822)]
    assert result.ledger.cash == 10_000_000 - 4_850_727 + 4_607_500 - 691 - 13_822
    # Bought on the fourth trading day of January, settled two trading days later.
    assert result.ledger.settled_cash(DAYS[4]) == 10_000_000
    assert result.ledger.settled_cash(DAYS[5]) == 10_000_000 - 4_850_727
    assert result.equity[-1].closing == result.ledger.cash
    (trade,) = closed_trades(result.executions)
    assert trade.result == -242_500 - 727 - 691 - 13_822


def test_days_before_the_first_possible_decision_do_not_count() -> None:
    result = replay(flat(10_200), plan=a_plan(first=DAYS[0], last=DAYS[3]))
    assert [point.trading_day for point in result.equity] == [FIRST]


def test_an_idle_year_before_the_first_possible_decision_changes_no_figure() -> None:
    quiet = [a_bar(day, 10_000, symbol=LG_CHEM) for day in A_YEAR_BEFORE]
    trading = [*CROSS_UP, BOUGHT, (9_900, 9_900, 9_400, 9_800), flat(9_900), flat(10_000)]
    slow = trend(
        parameters={
            "fast": 1,
            "slow": len(A_YEAR_BEFORE) + 2,
            "volume_ratio": None,
            "volume_window": 1,
        }
    )
    plan = a_plan(slow, first=A_YEAR_BEFORE[0], last=DAYS[6])
    whole = run_replay({LG_CHEM: [*quiet, *bars_of(trading)]}, plan, CALENDAR)
    active = run_replay(
        {LG_CHEM: [*quiet, *bars_of(trading)]}, replace(plan, first=DAYS[3]), CALENDAR
    )
    assert [point.trading_day for point in whole.equity] == list(DAYS[3:7])
    assert whole.metrics == active.metrics
    assert whole.metrics.sharpe is not None


def test_the_metrics_are_those_of_the_curve() -> None:
    result = replay(BOUGHT, (9_900, 9_900, 9_400, 9_800))
    metrics = result.metrics
    assert metrics.days == 2
    assert metrics.probabilistic_sharpe is not None
    assert 0 < metrics.probabilistic_sharpe < Decimal("0.5")  # it lost
    assert metrics.trades == 1
    assert metrics.win_rate == 0
    # 485 x 500 lost and 0.15 % twice of 4,607,500 in tax
    assert metrics.total_return == Decimal(-242_500 - 13_822) / 10_000_000
    assert (metrics.tax, metrics.commission) == (13_822, 0)
    assert metrics.exposure == Decimal(485 * 10_150) / (10_000_000 + 485 * 150) / 2


def test_denials_are_orders_with_their_reason() -> None:
    plan = a_plan(limits=RiskLimits(maximum_weight=Decimal("0.4")), last=DAYS[3])
    result = replay(flat(10_200), plan=plan)
    assert [o.status for o in result.orders] == [OrderStatus.DENIED]
    assert "MAXIMUM_WEIGHT" in result.orders[0].error_message
    assert result.metrics.denied == 1


def test_a_signal_that_cannot_be_sized_is_kept_with_its_figures() -> None:
    result = replay(flat(10_200), plan=a_plan(cash=20_000, last=DAYS[3]))
    ((signal, breach),) = result.unsized
    assert (signal.symbol, breach.rule_id) == (LG_CHEM, "SIZING")


PATHS = st.lists(
    st.tuples(*[st.integers(180, 220)] * 4).map(
        lambda p: (50 * p[0], 50 * max(p), 50 * min(p), 50 * p[3])
    ),
    min_size=4,
    max_size=15,
)


@settings(max_examples=30)
@given(path=PATHS, rate=st.sampled_from([Decimal(0), Decimal("0.00015")]))
def test_every_fill_lies_in_its_bar_and_the_books_add_up(path: list[Ohlc], rate: Decimal) -> None:
    plan = a_plan(costs=CostSchedule(rate), last=DAYS[len(path) - 1])
    bars = {bar.trading_day: bar for bar in bars_of(path)}
    result = run_replay({LG_CHEM: list(bars.values())}, plan, CALENDAR)
    for execution in result.executions:
        bar = bars[execution.trading_day]
        assert bar.low <= execution.price <= bar.high
    deposits = [CashFlow(plan.first, plan.cash)]
    assert rebuild("replay", deposits, result.executions) == result.ledger
    assert result.ledger.cash >= 0
    last = result.equity[-1]
    assert last.closing == result.ledger.equity({LG_CHEM: bars[last.trading_day].close})
    assert sum(point.profit for point in result.equity) == last.closing - plan.cash


@settings(max_examples=30)
@given(path=PATHS, data=st.data())
def test_tomorrow_never_changes_what_was_done_until_today(
    path: list[Ohlc], data: st.DataObject
) -> None:
    count = data.draw(st.integers(4, len(path)))
    whole = run_replay({LG_CHEM: bars_of(path)}, a_plan(last=DAYS[len(path) - 1]), CALENDAR)
    until = run_replay({LG_CHEM: bars_of(path[:count])}, a_plan(last=DAYS[count - 1]), CALENDAR)
    assert whole.executions[: len(until.executions)] == until.executions
    assert whole.orders[: len(until.orders)] == until.orders
    assert whole.equity[: len(until.equity)] == until.equity


def test_the_same_question_has_the_same_answer() -> None:
    after = (BOUGHT, (9_900, 9_900, 9_400, 9_800))
    assert replay(*after) == replay(*after)


IMPOSSIBLE: dict[str, tuple[dict[str, Any], str]] = {
    "no cash": ({"cash": 0}, "cash=0"),
    "first after last": ({"first": DAYS[5], "last": DAYS[4]}, "first='2018-01-09'"),
    "days without data": ({"first": date(2019, 1, 2), "last": date(2019, 2, 1)}, "days="),
    "symbol without bars": (
        {"strategies": (trend(symbols=[LG_CHEM, HYUNDAI]),)},
        "symbols='005380'",
    ),
}


@pytest.mark.parametrize(("change", "told"), IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_an_impossible_question_is_refused_with_what_would_be_right(
    change: dict[str, Any], told: str
) -> None:
    with pytest.raises(BadInput, match=told):
        run_replay({LG_CHEM: bars_of([*CROSS_UP, flat(10_200)])}, a_plan(**change), CALENDAR)
