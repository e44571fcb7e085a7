"""This is when trading stops by itself: every figure at its limit, one below it, and unknown."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from risk.trips import TripFigures, TripLimits, TripRule, reject_streak, tripped
from tests.builders import A_DAY, an_accepted_order, an_order, seoul
from trading.halts import TradingState
from trading.orders import Order

LIMITS = TripLimits(unsent_events=10)
LOSS = Decimal("0.02")
CALM = TripFigures(day_result=-1_999_999, equity_opening=100_000_000)
LIMIT_OF: dict[TripRule, dict[str, Any]] = {
    TripRule.DAILY_LOSS: {"day_result": -2_000_000},
    TripRule.REJECTS: {"rejects": 5},
    TripRule.DOUBTS: {"orders_in_doubt": 3},
    TripRule.SILENCE: {"silence": timedelta(seconds=180)},
    TripRule.CLOCK: {"clock_offset": timedelta(seconds=5)},
    TripRule.NOTICES: {"waiting_notices": 100},
    TripRule.NOTICE_AGE: {"oldest_notice": timedelta(seconds=600)},
    TripRule.EVENTS: {"unsent_events": 10},
    TripRule.EVENT_AGE: {"oldest_event": timedelta(seconds=600)},
}


def rules_of(figures: TripFigures, limits: TripLimits = LIMITS) -> list[TripRule]:
    return [trip.rule for trip in tripped(figures, limits, daily_loss=LOSS)]


def below(figure: Any) -> Any:
    """Give the figure that just does not reach the limit."""
    if isinstance(figure, timedelta):
        return figure - timedelta(microseconds=1)
    return figure + 1 if figure < 0 else figure - 1


def test_every_rule_has_its_limit_here() -> None:
    assert set(LIMIT_OF) == set(TripRule)


@pytest.mark.parametrize("rule", TripRule)
def test_reaching_the_limit_trips_and_one_less_does_not(rule: TripRule) -> None:
    reached = LIMIT_OF[rule]
    almost = {name: below(figure) for name, figure in reached.items()}
    assert rules_of(replace(CALM, **reached)) == [rule]
    assert rules_of(replace(CALM, **almost)) == []


def test_a_clock_behind_trips_like_one_ahead() -> None:
    assert rules_of(replace(CALM, clock_offset=timedelta(seconds=-6))) == [TripRule.CLOCK]


def test_what_nobody_knows_trips_nothing() -> None:
    assert rules_of(TripFigures()) == []
    assert rules_of(TripFigures(day_result=-10, equity_opening=None)) == []


def test_an_account_that_opened_empty_has_lost_nothing() -> None:
    assert rules_of(TripFigures(day_result=0, equity_opening=0)) == []


def test_events_pile_up_unseen_where_no_relay_runs() -> None:
    unseen = replace(CALM, unsent_events=None, oldest_event=None)
    assert rules_of(unseen, TripLimits(unsent_events=1, unsent_seconds=1)) == []


def test_all_that_is_reached_trips_at_once() -> None:
    assert rules_of(replace(CALM, rejects=9, orders_in_doubt=9)) == ["rejects", "doubts"]


@pytest.mark.parametrize(
    ("rule", "state"),
    [
        (TripRule.DAILY_LOSS, TradingState.REDUCING),
        (TripRule.SILENCE, TradingState.REDUCING),
        (TripRule.REJECTS, TradingState.HALTED),
        (TripRule.CLOCK, TradingState.HALTED),
    ],
)
def test_a_loss_lets_what_is_held_leave_and_a_defect_stops_all(
    rule: TripRule, state: TradingState
) -> None:
    (trip,) = tripped(replace(CALM, **LIMIT_OF[rule]), LIMITS, daily_loss=LOSS)
    assert (trip.state, trip.source) == (state, f"trip:{rule}")


@pytest.mark.parametrize(
    "wrong", [{"reject_streak": 1}, {"clock_seconds": 0}, {"silence_seconds": 9}, {"nonsense": 1}]
)
def test_a_limit_out_of_its_range_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        TripLimits.model_validate(wrong)


# Rejects in a row


def sent(minute: int, number: int = 0) -> Order:
    return an_order(client_order_id=f"order-{minute}-{number}").submit(at=moment(minute))


def refused(minute: int, code: str = "APBK0400") -> Order:
    return sent(minute).reject(code, "no", at=moment(minute))


def moment(minute: int) -> Any:
    return seoul(A_DAY, f"10:{minute:02}")


def test_rejects_count_back_to_the_last_order_that_was_taken() -> None:
    taken = sent(2).accept("0000000007", branch="", at=moment(2))
    assert reject_streak([refused(1), taken, refused(3), refused(4)]) == 2


def test_what_has_no_answer_neither_counts_nor_breaks_the_row() -> None:
    denied = an_order(client_order_id="denied").deny("too heavy", at=moment(3))
    assert reject_streak([refused(1), sent(2), denied, refused(4)]) == 2


@pytest.mark.parametrize("code", ["WITHHELD", "ABSENT", "UNAVAILABLE", "THROTTLED"])
def test_what_nobody_has_judged_is_no_refusal_of_the_brokers(code: str) -> None:
    assert reject_streak([refused(1), refused(2, code)]) == 1


def test_a_fill_of_an_older_order_does_not_end_the_row() -> None:
    older = sent(1).accept("0000000007", branch="", at=moment(1))
    filled = older.fill(1, 428_500, at=moment(9))
    assert reject_streak([filled, refused(2), refused(3)]) == 2


def test_rejects_before_the_owner_resumed_are_forgiven() -> None:
    row = [refused(minute) for minute in range(6)]
    assert reject_streak(row, since=moment(4)) == 1
    assert reject_streak([an_accepted_order()]) == 0
