"""This is the proof that a recorded day is told anew from its stored events, and that what was changed is found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.memory.stores import MemoryStores
from tasks.day_replays import DayReplay, replay_day
from tests.builders import ACCOUNT
from tests.deployments.console.test_console_parity import DEV, LAST
from tests.recorded_days import DAYS, record_the_demo
from tests.recordings import CALENDAR
from trading.errors import BadInput


@pytest.fixture(scope="module")
def stores() -> MemoryStores:
    """The demo's days in memory."""
    kept = MemoryStores(channel="dev", account=ACCOUNT)
    record_the_demo(kept)
    return kept


def replayed(stores: MemoryStores) -> DayReplay:
    """Replay the last day: an order denied, a position stopped."""
    return replay_day(stores, DEV, CALENDAR, LAST)


def test_each_day_is_told_anew_to_the_byte(stores: MemoryStores) -> None:
    days = [replay_day(stores, DEV, CALENDAR, day) for day in DAYS]
    assert [day.differences for day in days] == [()] * len(DAYS)
    pairs = [day.digests for day in days]
    assert all(recorded == told for recorded, told in pairs)
    assert len({told for _, told in pairs}) == len(DAYS)
    told = days[-1].replayed
    assert [signal.trigger for signal in told.signals] == ["cross", "stop"]
    assert (len(told.orders), len(told.executions), len(told.risk_events) > 0) == (2, 1, True)


def test_a_signal_that_the_strategy_would_not_make_is_missing(stores: MemoryStores) -> None:
    other = DEV.model_copy(
        update={
            "strategies": tuple(
                s.model_copy(update={"exits": s.exits.model_copy(update={"stop_loss": None})})
                for s in DEV.strategies
            )
        }
    )
    day = replay_day(stores, other, CALENDAR, LAST)
    assert "signals" in day.differences
    recorded, told = day.digests
    assert recorded != told


def test_other_costs_are_other_fills(stores: MemoryStores) -> None:
    dearer = DEV.model_copy(
        update={
            "costs": DEV.costs.model_copy(update={"commission_rate": DEV.costs.commission_rate * 2})
        }
    )
    day = replay_day(stores, dearer, CALENDAR, LAST)
    assert {"executions", "closing", "curve"} <= set(day.differences)


def test_words_that_were_changed_afterwards_are_found(stores: MemoryStores) -> None:
    day = replayed(stores)
    (first, *others) = day.recorded.signals
    changed = replace(first, reason="I felt like it")
    forged = replace(day, recorded=replace(day.recorded, signals=(changed, *others)))
    assert forged.differences == ("signals",)
    assert len(set(forged.digests)) == 2


def test_a_day_whose_report_was_never_made_is_refused(stores: MemoryStores) -> None:
    with pytest.raises(BadInput, match="report was made"):
        replay_day(stores, DEV, CALENDAR, CALENDAR.next_trading_day(LAST))
