"""This is when trading stops by itself: the figures that are watched, each with the limit that trips the switch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from risk.streaks import refused_in_a_row
from trading.halts import TradingState
from trading.orders import Order

_SECOND: Final = timedelta(seconds=1)


class TripRule(StrEnum):
    """What may trip the kill switch."""

    DAILY_LOSS = "daily_loss"
    REJECTS = "rejects"
    DOUBTS = "doubts"
    SILENCE = "silence"
    CLOCK = "clock"
    NOTICES = "notices"
    NOTICE_AGE = "notice_age"
    EVENTS = "events"
    EVENT_AGE = "event_age"


STATES: Final = {
    TripRule.DAILY_LOSS: TradingState.REDUCING,  # what is held must be able to leave
    TripRule.REJECTS: TradingState.HALTED,
    TripRule.DOUBTS: TradingState.HALTED,
    TripRule.SILENCE: TradingState.REDUCING,  # each sell still asks for its own fresh price
    TripRule.CLOCK: TradingState.HALTED,
    TripRule.NOTICES: TradingState.HALTED,  # fills are not booked: who knows what is held
    TripRule.NOTICE_AGE: TradingState.HALTED,
    TripRule.EVENTS: TradingState.REDUCING,
    TripRule.EVENT_AGE: TradingState.REDUCING,
}
"""How far each stops."""


class TripLimits(BaseModel):
    """What stops trading by itself until the owner resumes it. Reaching a figure trips.

    The daily loss has the limit of the risk rule of the same name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    reject_streak: int = Field(
        default=5, ge=2, le=100, description="orders in a row that the broker refused"
    )
    orders_in_doubt: int = Field(
        default=3, ge=1, le=50, description="orders of which nobody knows whether they are in"
    )
    silence_seconds: int = Field(
        default=180,
        ge=10,
        le=3600,
        description="seconds without any price of the watch list on the stream while the market trades",
    )
    clock_seconds: int = Field(
        default=5, ge=1, le=60, description="seconds between our clock and the broker's"
    )
    waiting_notices: int = Field(
        default=100, ge=1, le=100_000, description="notices whose order nobody knows yet"
    )
    notice_seconds: int = Field(
        default=600, ge=10, le=86_400, description="age in seconds of the oldest such notice"
    )
    unsent_events: int = Field(
        default=10_000, ge=1, le=1_000_000, description="events that the relay has not sent yet"
    )
    unsent_seconds: int = Field(
        default=600, ge=1, le=86_400, description="age in seconds of the oldest such event"
    )
    unsent_events_warning: int = Field(
        default=1_000, ge=1, le=1_000_000, description="such events of which the owner is told"
    )
    unsent_seconds_warning: int = Field(
        default=60, ge=1, le=86_400, description="the age of which the owner is told"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TripFigures:
    """What is looked at, at one moment; None is what nobody could tell, and trips nothing.

    `day_result` and `equity_opening` are won; `silence` is how long the stream has brought no price while the
    market traded; `clock_offset` is how far the broker's clock is ahead of ours. Events wait where a relay sends them.
    """

    day_result: int | None = None
    equity_opening: int | None = None
    rejects: int = 0
    orders_in_doubt: int = 0
    silence: timedelta | None = None
    clock_offset: timedelta | None = None
    waiting_notices: int = 0
    oldest_notice: timedelta = timedelta()
    unsent_events: int | None = None
    oldest_event: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Trip:
    """A limit that was reached, with the figures for the owner."""

    rule: TripRule
    figures: Mapping[str, int | Decimal]

    @property
    def source(self) -> str:
        """The source of the halt that it puts."""
        return source_of(self.rule)

    @property
    def state(self) -> TradingState:
        """How far it stops."""
        return STATES[self.rule]


def source_of(rule: TripRule) -> str:
    """Name the halt's source of a rule."""
    return f"trip:{rule}"


def tripped(figures: TripFigures, limits: TripLimits, *, daily_loss: Decimal) -> tuple[Trip, ...]:
    """Hold every figure against its limit; `daily_loss` is a fraction of the opening equity."""
    return (
        *_lost(figures, daily_loss),
        *(
            Trip(rule, {"figure": figure, "limit": limit})
            for rule, figure, limit in _limited(figures, limits)
            if figure is not None and figure >= limit
        ),
    )


def reject_streak(orders: Iterable[Order], *, since: datetime | None = None) -> int:
    """Count the broker's refusals in a row up to the newest answer, `orders` oldest first.

    Those answered up to `since`, when the owner last resumed, are forgiven.
    """
    return len(refused_in_a_row(orders, since=since))


def _limited(
    figures: TripFigures, limits: TripLimits
) -> Iterator[tuple[TripRule, int | None, int]]:
    """Pair what is counted with its limit; spans in whole seconds."""
    yield TripRule.REJECTS, figures.rejects, limits.reject_streak
    yield TripRule.DOUBTS, figures.orders_in_doubt, limits.orders_in_doubt
    yield TripRule.SILENCE, _seconds(figures.silence), limits.silence_seconds
    yield TripRule.CLOCK, _seconds(figures.clock_offset), limits.clock_seconds
    yield TripRule.NOTICES, figures.waiting_notices, limits.waiting_notices
    yield TripRule.NOTICE_AGE, _seconds(figures.oldest_notice), limits.notice_seconds
    yield TripRule.EVENTS, figures.unsent_events, limits.unsent_events
    yield TripRule.EVENT_AGE, _seconds(figures.oldest_event), limits.unsent_seconds


def _lost(figures: TripFigures, limit: Decimal) -> Iterator[Trip]:
    """Compare the day's result as the risk rule does: a loss that reaches the limit."""
    result, opening = figures.day_result, figures.equity_opening
    if result is not None and opening is not None and 0 < limit * opening <= -result:
        told: dict[str, int | Decimal] = {
            "day_result": result,
            "equity_opening": opening,
            "limit": limit,
        }
        yield Trip(TripRule.DAILY_LOSS, told)


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else abs(span) // _SECOND
