"""A cell is a whole backtest of its own parameters, and knows nothing after its window."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.cells import (
    Question,
    Row,
    Trial,
    Window,
    possible,
    trade,
    try_cell,
    universe_digest,
    with_parameters,
)
from backtest.channel_bars import bars_of
from backtest.conventions import run_convention
from backtest.listings import listed_columns
from backtest.options import BacktestOptions
from backtest.plans import ReplayPlan
from backtest.replay import run_replay
from backtest.spaces import Space, read_axis
from risk.limits import RiskLimits
from risk.sizing import SizingSettings
from tasks.sweeps import question_digest
from tests.builders import LG_CHEM, SAMSUNG
from tests.sweep_worlds import (
    CALENDAR,
    DAYS,
    OPTIONS,
    SETTINGS,
    SPACE,
    UNIVERSE,
    WHOLE,
    a_question,
    changed_after,
    trial,
)
from trading.costs import CostSchedule
from trading.errors import BadInput
from trading.instruments import Instrument, Listing, Market

places = st.integers(min_value=25, max_value=len(DAYS) - 2)


def test_a_row_says_what_a_backtest_of_these_parameters_says() -> None:
    question = a_question()
    row = try_cell(question, trial(fast=3, slow=10))
    plan = question.plan_of(trial(fast=3, slow=10))
    metrics = run_convention(UNIVERSE, plan, CALENDAR).metrics
    assert (plan.strategies[0].parameters["fast"], plan.strategies[0].parameters["slow"]) == (3, 10)
    assert row.trades == metrics.trades > 5
    assert row.days == metrics.days
    for name in ("total_return", "cagr", "volatility", "sharpe", "sortino", "max_drawdown"):
        assert getattr(row, name) == pytest.approx(float(getattr(metrics, name))), name


def test_the_fast_engine_answers_where_it_can_and_the_exact_one_agrees() -> None:
    question = a_question()
    for cell in SPACE.cells():
        if cell["fast"] != cell["slow"]:
            fast = trade(question, Trial(WHOLE, cell))
            plan = question.plan_of(Trial(WHOLE, cell))
            exact = run_convention(UNIVERSE, plan, CALENDAR)
            assert fast.equity[1:].tolist() == [point.closing for point in exact.equity]
            assert fast.trades == exact.metrics.trades


def test_without_options_a_cell_is_traded_as_the_channel_trades() -> None:
    limits = RiskLimits(maximum_weight=Decimal("0.5"), maximum_holdings=1)
    sizing = SizingSettings(target_weight=Decimal("0.3"))
    plan = ReplayPlan((SETTINGS,), limits, sizing, CostSchedule(), 10_000_000, DAYS[0], DAYS[-1])
    question = Question(plan, UNIVERSE, CALENDAR)
    row = try_cell(question, trial(fast=3, slow=10, stop_loss=Decimal("0.03")))
    changed = with_parameters(SETTINGS, {"fast": 3, "slow": 10}, {"stop_loss": Decimal("0.03")})
    bars = {symbol: bars_of(symbol, columns) for symbol, columns in UNIVERSE.items()}
    result = run_replay(bars, replace(plan, strategies=(changed,)), CALENDAR)
    assert row.trades == result.metrics.trades > 5
    assert row.final_equity == result.equity[-1].closing != 10_000_000
    assert result.metrics.denied > 0, "the gate was asked"


@settings(max_examples=4, deadline=None)
@given(places, st.integers(min_value=3, max_value=1_000))
def test_a_trial_sees_no_bar_after_its_window(place: int, seed: int) -> None:
    window = Window(DAYS[0], DAYS[place])
    row = try_cell(a_question(), trial(window))
    assert row == try_cell(a_question(changed_after(DAYS[place], seed)), trial(window))
    assert row != try_cell(a_question(changed_after(DAYS[place - 20], seed)), trial(window))


def test_bars_before_the_window_warm_up_and_do_not_count() -> None:
    late = Window(DAYS[60], DAYS[-1])
    assert try_cell(a_question(), trial(late)).days == len(DAYS) - 60


def test_an_exit_is_an_axis_too() -> None:
    options = replace(OPTIONS, stop_loss=Decimal("0.5"))
    tight = Trial(WHOLE, {"stop_loss": Decimal("0.01")})
    plan = a_question(options=options).plan_of(tight)
    assert plan.options is not None
    assert plan.options.stop_loss == plan.strategies[0].exits.stop_loss == Decimal("0.01")
    wide = Trial(WHOLE, {"stop_loss": Decimal("0.5")})
    question = a_question(options=options)
    assert try_cell(question, tight).trades > try_cell(question, wide).trades


def test_cells_that_the_strategy_refuses_are_counted_and_left_out() -> None:
    trials, refused = possible(a_question(), WHOLE, SPACE.cells())
    assert (len(trials), refused) == (11, 1)


def test_a_space_of_refused_cells_alone_says_why() -> None:
    with pytest.raises(BadInput, match="fewer days than slow=5"):
        possible(a_question(), WHOLE, Space((read_axis("fast=5,6"), read_axis("slow=5"))).cells())


def test_a_window_that_is_longer_than_the_history_is_refused() -> None:
    space = Space((read_axis("slow=900"),))
    with pytest.raises(BadInput, match=f"bars={len(DAYS)}: at least 901"):
        possible(a_question(), WHOLE, space.cells())


def test_an_unknown_parameter_is_named_with_those_there_are() -> None:
    with pytest.raises(BadInput, match=r"fats.*fast, slow, volume_window, volume_ratio, stop_loss"):
        possible(a_question(), WHOLE, Space((read_axis("fats=1,2"),)).cells())


def test_a_symbol_that_is_listed_later_is_left_out_of_earlier_windows() -> None:
    late = UNIVERSE[SAMSUNG]
    columns = (getattr(late, n)[120:] for n in ("days", "open", "high", "low", "close", "volume"))
    question = a_question({**UNIVERSE, SAMSUNG: type(late)(*columns)})
    early = Window(DAYS[0], DAYS[100])
    alone = a_question({LG_CHEM: UNIVERSE[LG_CHEM]})
    assert try_cell(question, trial(early)) == try_cell(alone, trial(early))


def test_a_window_without_a_day_to_trade_keeps_its_cash() -> None:
    window = Window(DAYS[0], DAYS[5])
    row = try_cell(a_question(), trial(window))
    assert (row.days, row.final_equity, row.sharpe) == (0, 10_000_000, None)
    traded = trade(a_question(), trial(window))
    assert (traded.days.tolist(), traded.equity.tolist(), traded.trades) == ([], [10_000_000], 0)


def test_a_row_survives_being_written_down() -> None:
    row = try_cell(a_question(), trial())
    assert Row.of_document(json.loads(json.dumps(asdict(row)))) == row


def test_another_price_is_another_fingerprint() -> None:
    first = universe_digest(UNIVERSE, list(UNIVERSE))
    assert first == universe_digest(dict(reversed(UNIVERSE.items())), list(UNIVERSE))
    bars = UNIVERSE[LG_CHEM]
    close = bars.close.copy()
    close[7] += 1
    other = type(bars)(bars.days, bars.open, bars.high, bars.low, close, bars.volume)
    assert universe_digest({**UNIVERSE, LG_CHEM: other}, list(UNIVERSE)) != first


def test_a_window_cuts_after_its_last_day() -> None:
    known = Window(date(2018, 1, 1), DAYS[3]).cut(UNIVERSE)
    assert [len(bars) for bars in known.values()] == [4, 4]
    assert Window(DAYS[0], date(2017, 1, 1)).cut(UNIVERSE) == {}
    assert np.shares_memory(known[LG_CHEM].close, UNIVERSE[LG_CHEM].close), "no copy of the prices"


def test_a_delisted_symbol_is_closed_out_in_a_cell_as_in_a_backtest() -> None:
    plain = a_question()
    listings = {SAMSUNG: Listing(delisted_on=DAYS[120])}
    universe = listed_columns(UNIVERSE, listings)
    question = replace(plain, plan=replace(plain.plan, listings=listings), universe=universe)
    exact = run_convention(universe, question.plan_of(trial()), CALENDAR)
    assert trade(question, trial()).equity[1:].tolist() == [p.closing for p in exact.equity]
    assert question_digest(question, "code") != question_digest(plain, "code")


@pytest.mark.parametrize("options", [OPTIONS, None])
def test_whatever_a_row_depends_on_is_another_question(options: BacktestOptions | None) -> None:
    plain = a_question()
    plan = replace(plain.plan, options=options)
    ours = replace(plain, plan=plan)
    tax = {LG_CHEM: Instrument(LG_CHEM, "LG Chem", Market.KOSDAQ)}
    others = [
        replace(plan, cash=plan.cash + 1),
        replace(plan, costs=CostSchedule(Decimal("0.001"))),
        replace(plan, instruments=tax),
    ]
    digests = [question_digest(replace(plain, plan=each), "code") for each in (plan, *others)]
    assert len(set(digests)) == len(digests)
    named = replace(plan, instruments={LG_CHEM: Instrument(LG_CHEM, "another name")})
    assert question_digest(replace(plain, plan=named), "code") == question_digest(ours, "code")
