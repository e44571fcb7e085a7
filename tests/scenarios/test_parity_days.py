"""This is parity end to end: days through KIS and its simulator, without faults and with them, against their replay.

CI plays a few days; `make parity` plays thirty (`PARITY_DAYS`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from itertools import cycle
from pathlib import Path
from typing import Final

import pytest

from adapters.calendars import XkrxCalendar
from backtest.attribution import Cause
from backtest.parity import ParityReport
from tasks.parity import evidence_of, examine_parity
from tests.desks import a_channel
from tests.simulated_days import Days, simulated_days

pytestmark = pytest.mark.timeout(1800)
COUNT: Final = int(os.environ.get("PARITY_DAYS", "4"))
FIRST: Final = date(2018, 1, 25)
SYMBOLS: Final = ["005380", "005930", "015760", "035420", "051910", "068270"]
CHANNEL: Final = a_channel(
    watch_list=SYMBOLS,
    history_days=60,
    strategies=[
        {
            "id": "quick",
            "kind": "moving_average_cross",
            "parameters": {"fast": 2, "slow": 6, "volume_window": 5, "volume_ratio": None},
            "symbols": SYMBOLS,
            "exits": {"stop_loss": 0.03, "take_profit": 0.05},
        }
    ],
    sizing={"target_weight": "0.15"},
    manual_orders="adopt",
)
"""Short averages and near exits, so that something happens on most days."""


def trading_days() -> tuple[date, ...]:
    """Give the days that are played."""
    return XkrxCalendar().trading_days(FIRST, date(2018, 12, 28))[:COUNT]


async def played(folder: Path, before: Callable[[Days, int], None]) -> ParityReport:
    """Play the days, each after `before` (which day of them), and compare."""
    days = trading_days()
    async with simulated_days(FIRST, CHANNEL, folder) as world:
        for place, day in enumerate(days):
            before(world, place)
            await world.play([day])
        desk = world.desk
        report = examine_parity(desk.stores, CHANNEL, desk.calendar, first=days[0], last=days[-1])
        evidence = evidence_of(report, channel="dev", commit="", made_at=desk.now())
        assert evidence is not None
        assert evidence.is_passed is report.is_equal
        return report


def told(report: ParityReport) -> str:
    """Tell what came out, for whoever reads the log."""
    money = report.money
    causes = {str(cause): money.of(cause) for cause in Cause if money.of(cause)}
    return (
        f"{report.first} to {report.last}: {report.looks} looks, {len(report.decisions)} decisions, "
        f"{len(report.unequal)} differ; account {money.actual:,}, replay {money.modelled:,}, "
        f"{causes}, unexplained {money.unexplained}"
    )


async def test_days_without_faults_decide_as_their_replay(tmp_path: Path) -> None:
    report = await played(tmp_path, lambda _world, _place: None)
    print(told(report))  # noqa: T201 - what `make parity` shows
    assert report.looks == COUNT * len(SYMBOLS)
    assert len(report.decisions) >= COUNT
    assert report.unequal == ()
    assert report.money.unexplained == 0
    assert report.is_equal


type Table = Mapping[str, object]

PLAN: Final[tuple[Table, ...]] = (
    {"partial_fills": {"max_quantity": 20}},
    {"reject_after_accept": {"count": 1}, "no_notice": {"count": 4}},
    {"reply_lost": {"count": 1}, "halt": {"symbols": ["068270"]}},
    {"duplicate_notice": True, "reordered_notices": True},
    {"timeout_after_accept": {"count": 1}, "orders_lag": {"seconds": 1}},
    {"market_closed": {"count": 1}},
    {"silent_socket": True},
    {"socket_drop": {"count": 2}, "expired_token": {"count": 1}},
)
"""What goes wrong on which day, over and over."""


async def test_days_with_faults_have_a_cause_for_every_difference(tmp_path: Path) -> None:
    tables: Iterator[Table] = cycle(PLAN)

    def disturb(world: Days, place: int) -> None:
        names = {name for table in PLAN for name in table}
        world.set_faults(**dict.fromkeys(names) | dict(next(tables)))
        world.by_hand = ("005380", 7) if place == 1 else None

    report = await played(tmp_path, disturb)
    print(told(report))  # noqa: T201 - what `make parity` shows
    assert report.money.unexplained == 0
    assert report.money.difference != 0
    assert report.money.of(Cause.MANUAL) != 0
    assert report.money.of(Cause.FILLS) != 0
    assert all(decision.why for decision in report.unequal)
