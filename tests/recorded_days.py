"""This is days that were traded through the broker's protocol, by the real tasks, as they lie in the stores."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random
from typing import Any, Final

from adapters.stores import Stores
from backtest.day_replays import RecordedDay
from tasks.channels import ChannelSettings
from tests.deployments.console.test_console_parity import DEV, FIRST, LAST
from tests.recordings import CALENDAR
from tests.simulated_days import Days, simulated_days

DAYS: Final = CALENDAR.trading_days(FIRST, LAST)
"""The demo's."""

type Before = Callable[[Days, date], None]


def record(
    stores: Stores,
    folder: Path,
    *,
    days: tuple[date, ...] = DAYS,
    channel: ChannelSettings = DEV,
    before: Before = lambda _world, _day: None,
) -> None:
    """Trade the days on the simulator, each after `before`."""

    async def play() -> None:
        async with simulated_days(days[0], channel, folder, stores=stores) as world:
            for day in days:
                before(world, day)
                await world.play([day])

    asyncio.run(play())


def shuffled(day: RecordedDay, seed: int) -> RecordedDay:
    """Give the same day with its events in another order of arrival."""
    random = Random(seed)  # noqa: S311 - no secret

    def mixed(values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(random.sample(values, len(values)))

    def mixed_table(table: Mapping[Any, Any]) -> dict[Any, Any]:
        return dict(mixed(tuple(table.items())))

    record, happened = day.record, day.recording.actual
    return replace(
        day,
        record=replace(
            record,
            signals=mixed(record.signals),
            orders=mixed(record.orders),
            executions=mixed(record.executions),
            risk_events=mixed(record.risk_events),
        ),
        states=mixed(day.states),
        recording=replace(
            day.recording,
            actual=replace(
                happened,
                signals=mixed(happened.signals),
                orders=mixed(happened.orders),
                executions=mixed(happened.executions),
            ),
            bars=mixed_table(day.recording.bars),
        ),
        inputs=mixed_table(day.inputs),
        intents=mixed_table(day.intents),
    )
