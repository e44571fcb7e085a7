"""This is the test of evaluation: bars in, one signal or the reason for none out."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from strategies.evaluation import Evaluation, Validity, latest_signals, protective_signal
from strategies.holdings import holdings_of
from strategies.settings import StrategySettings
from tests.bar_columns import a_bar, bars_of
from tests.builders import A_DAY, LG_CHEM, SAMSUNG, a_fill, an_accepted_order, seoul
from trading.bars import Bar
from trading.orders import Side
from trading.positions import Position
from trading.signals import Direction

TREND = StrategySettings.model_validate(
    {
        "id": "trend",
        "kind": "moving_average_cross",
        "parameters": {"fast": 2, "slow": 3, "volume_window": 2, "volume_ratio": None},
        "symbols": [LG_CHEM],
    }
)
FLAT = Position(LG_CHEM)
VALIDITY = Validity(A_DAY, at=seoul(A_DAY, "08:40"), expires_at=seoul(A_DAY, "15:30"))
CLOSED_DAY = A_DAY - timedelta(days=1)
CROSS_UP = [100, 100, 100, 100, 102]
CROSS_DOWN = [100, 100, 100, 100, 98]


def until_yesterday(closes: list[int]) -> list[Bar]:
    """Give bars whose last one is of the closed day."""
    return bars_of(closes, first=CLOSED_DAY - timedelta(days=len(closes) - 1))


def held(average: int, quantity: int = 10) -> Position:
    """Give a position of LG Chem."""
    return Position(LG_CHEM, quantity=quantity, cost=quantity * average)


def evaluate(bars: list[Bar], position: Position = FLAT) -> Evaluation:
    """Let the trend strategy decide on the morning of the day."""
    return latest_signals(TREND, bars, position=position, closed_day=CLOSED_DAY, validity=VALIDITY)


def test_a_cross_up_enters_when_nothing_is_held() -> None:
    (signal,) = evaluate(until_yesterday(CROSS_UP)).signals
    assert (signal.direction, signal.trigger) == (Direction.ENTRY, "cross")
    assert (signal.strategy_id, signal.symbol) == ("trend", LG_CHEM)
    assert signal.reference_price == 102
    assert signal.parameter_hash == TREND.parameter_hash
    assert (signal.trading_day, signal.expires_at) == (A_DAY, seoul(A_DAY, "15:30"))


def test_the_reason_is_a_sentence_with_the_figures() -> None:
    (signal,) = evaluate(until_yesterday(CROSS_UP)).signals
    assert signal.reason.startswith("Entry by cross at 102 won: average_2 101.00, average_3 100.67")
    assert signal.indicators["average_3"] == "100.67"
    assert signal.indicators["volume"] == "1000"


def test_a_cross_up_enters_nothing_when_already_held() -> None:
    assert evaluate(until_yesterday(CROSS_UP), held(100)) == Evaluation("trend", LG_CHEM)


def test_a_cross_down_leaves_what_is_held() -> None:
    (signal,) = evaluate(until_yesterday(CROSS_DOWN), held(100)).signals
    assert (signal.direction, signal.trigger) == (Direction.EXIT, "cross")


def test_a_cross_down_leaves_nothing_when_flat() -> None:
    assert evaluate(until_yesterday(CROSS_DOWN)) == Evaluation("trend", LG_CHEM)


@pytest.mark.parametrize(("average", "trigger"), [(120, "stop"), (92, "target")])
def test_a_stop_or_target_missed_in_the_session_is_caught_at_the_close(
    average: int, trigger: str
) -> None:
    (signal,) = evaluate(until_yesterday([102, 102, 102, 102, 102]), held(average)).signals
    assert (signal.direction, signal.trigger) == (Direction.EXIT, trigger)


def test_of_stop_and_cross_on_one_bar_only_the_stop_is_signalled() -> None:
    (signal,) = evaluate(until_yesterday(CROSS_DOWN), held(120)).signals
    assert signal.trigger == "stop"


def test_too_few_bars_are_told_and_not_passed_over() -> None:
    evaluation = evaluate(until_yesterday(CROSS_UP)[-3:])
    assert evaluation == Evaluation("trend", LG_CHEM, notice="not enough bars: 3 of 4")


def test_halted_days_do_not_count_as_bars() -> None:
    bars = until_yesterday([100, 100, 0, 102])
    bars[2] = a_bar(bars[2].trading_day, 100, open=0, high=0, low=0, volume=0)
    assert evaluate(bars).notice == "not enough bars: 3 of 4"


def test_an_old_cross_is_not_signalled_again_when_the_last_day_is_missing() -> None:
    bars = until_yesterday([*CROSS_UP, 103])[:-1]
    assert evaluate(bars).notice == "no bar of 2018-01-15, last 2018-01-14"
    assert evaluate(bars).signals == ()


def test_an_old_cross_is_not_signalled_again_while_the_symbol_is_halted() -> None:
    bars = until_yesterday([*CROSS_UP, 102])
    bars[-1] = a_bar(CLOSED_DAY, 102, volume=0)
    assert evaluate(bars) == Evaluation("trend", LG_CHEM, notice="no trade on 2018-01-15")


def test_a_bar_of_the_running_day_is_no_closed_bar() -> None:
    bars = [*until_yesterday(CROSS_UP), a_bar(A_DAY, 103)]
    assert evaluate(bars).notice == "no bar of 2018-01-15, last 2018-01-16"


def test_no_bars_at_all_are_told() -> None:
    assert evaluate([]).notice == "no bar of 2018-01-15, last never"


def test_the_same_decision_made_twice_is_the_same_signal() -> None:
    (first,) = evaluate(until_yesterday(CROSS_UP)).signals
    (second,) = evaluate(until_yesterday(CROSS_UP)).signals
    assert first.signal_id == second.signal_id


@pytest.mark.parametrize(
    ("price", "trigger"), [(96, None), (95, "stop"), (109, None), (110, "target")]
)
def test_a_price_now_gives_the_exit_it_makes_necessary(price: int, trigger: str | None) -> None:
    signal = protective_signal(TREND, held(100), price, validity=VALIDITY)
    assert (signal.trigger if signal else None) == trigger


def test_a_protective_signal_shows_price_and_cost() -> None:
    signal = protective_signal(TREND, held(100), 95, validity=VALIDITY)
    assert signal is not None
    assert signal.indicators == {"price": "95", "average_cost": "100.00"}
    assert (signal.direction, signal.reference_price) == (Direction.EXIT, 95)


def test_each_strategy_owns_what_it_bought() -> None:
    at = seoul(A_DAY, "09:00")

    def filled(quantity: int, **changes: Any) -> Any:
        order = an_accepted_order(quantity=quantity, **changes)
        return a_fill(order, quantity=quantity, price=1_000, at=at)

    fills = [
        filled(10, strategy_id="trend"),
        filled(5, strategy_id="other"),
        filled(2, strategy_id="trend", symbol=SAMSUNG),
        filled(4, strategy_id="trend", side=Side.SELL),
    ]
    assert {s: p.quantity for s, p in holdings_of("trend", fills).items()} == {
        LG_CHEM: 6,
        SAMSUNG: 2,
    }
    assert {s: p.quantity for s, p in holdings_of("other", fills).items()} == {LG_CHEM: 5}
    assert holdings_of("nobody", fills) == {}


def test_the_closed_day_may_lie_before_a_holiday() -> None:
    closed = date(2018, 2, 14)  # the 15th and 16th are Seollal
    bars = bars_of(CROSS_UP, first=closed - timedelta(days=4))
    morning = Validity(
        date(2018, 2, 19),
        at=seoul(date(2018, 2, 19), "08:40"),
        expires_at=seoul(date(2018, 2, 19), "15:30"),
    )
    evaluation = latest_signals(TREND, bars, position=FLAT, closed_day=closed, validity=morning)
    assert [s.trading_day for s in evaluation.signals] == [date(2018, 2, 19)]
