"""This is the test of days told anew: the same events are the same day, whoever tells them where and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.day_stories import states_of, story_of, the_day
from trading.day_stories import OrderState, differing_parts, digest_of, retell
from trading.orders import OrderStatus


def test_a_day_told_anew_is_the_same_day() -> None:
    day = the_day()
    again = retell(story_of(day))
    assert differing_parts(day, again) == ()
    assert digest_of(again) == digest_of(day)


@settings(max_examples=20)
@given(data=st.data())
def test_events_may_arrive_in_any_order(data: st.DataObject) -> None:
    def shuffled[T](events: Sequence[T]) -> tuple[T, ...]:
        return tuple(data.draw(st.permutations(events)))

    day = the_day()
    mixed = replace(
        day,
        signals=shuffled(day.signals),
        orders=shuffled(day.orders),
        executions=shuffled(day.executions),
        risk_events=shuffled(day.risk_events),
    )
    story = replace(story_of(mixed), states=shuffled(states_of(day)))
    assert digest_of(retell(story)) == digest_of(day)


def test_a_won_too_much_in_a_charge_is_another_day() -> None:
    day = the_day()
    first, *others = day.executions
    wrong = replace(day, executions=(replace(first, commission=first.commission + 1), *others))
    again = retell(story_of(wrong))
    assert "executions" in differing_parts(wrong, again)
    assert differing_parts(day, again) == ()  # what is worked out is right whatever was written


def test_a_lost_fill_is_another_day() -> None:
    day = the_day()
    again = retell(story_of(replace(day, executions=day.executions[1:])))
    assert {"orders", "executions", "closing", "curve"} <= set(differing_parts(day, again))


def test_a_way_that_the_table_does_not_allow_is_another_day() -> None:
    day = the_day()
    filled = next(order for order in day.orders if order.status is OrderStatus.FILLED)
    back = OrderState(filled.client_order_id, OrderStatus.ACCEPTED, filled.updated_at)
    later = replace(back, at=filled.updated_at.replace(hour=23))
    allowed = replace(story_of(day), states=(*states_of(day), back))
    assert differing_parts(day, retell(allowed)) == ()  # of one moment: accepted, then filled
    backwards = replace(story_of(day), states=(*states_of(day), later))
    assert differing_parts(day, retell(backwards)) == ("orders",)


def test_a_refusal_without_its_reasons_is_another_day() -> None:
    day = the_day()
    again = retell(story_of(replace(day, risk_events=day.risk_events[1:])))
    assert {"orders", "risk_events"} <= set(differing_parts(day, again))


def test_the_opening_decides_about_the_book() -> None:
    day = the_day()
    richer = replace(day, opening=day.opening.deposit(1, on=day.trading_day))
    assert retell(story_of(richer)).closing.cash == day.closing.cash + 1
