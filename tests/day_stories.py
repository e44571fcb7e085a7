"""This is a recorded day whose figures all follow from its events; it needs no package beside `trading`."""

from __future__ import annotations

from tests.report_days import a_day_record
from trading.costs import CostSchedule
from trading.day_records import DayRecord
from trading.day_stories import DayStory, OrderState, retell

PAID_IN = 1_000_000


def states_of(record: DayRecord) -> tuple[OrderState, ...]:
    """Let each order have come straight to where it stands."""
    return tuple(OrderState(o.client_order_id, o.status, o.updated_at) for o in record.orders)


def story_of(record: DayRecord) -> DayStory:
    """Give the story of a day of KOSPI shares at the usual commission."""
    return DayStory(record, states_of(record), CostSchedule(), {}, PAID_IN)


def the_day() -> DayRecord:
    """Give a day whose charges are worked out and whose refusals are in their own words."""
    return retell(story_of(a_day_record()))
