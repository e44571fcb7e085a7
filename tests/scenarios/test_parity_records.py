"""This is what parity reads from the stores: halts, trades by hand, versions, days that can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pytest

from adapters.memory.stores import MemoryStores
from adapters.stores import AuditEntry
from backtest.attribution import Cause
from backtest.decisions import Why
from backtest.parity import ParityReport
from backtest.recordings import Happened
from tasks.channels import ChannelSettings
from tasks.parity import examine_parity
from tests.builders import ACCOUNT, LG_CHEM, seoul
from tests.desks import a_channel
from tests.recordings import CALENDAR, DAYS, FIRST, a_recording, account, bars_of, store, trend

CLOSES: Final = [10_000, 10_000, 10_100, 10_200, 10_300, 10_200, 10_200, 10_200]
"""Bought on the 4th day, sold on the 7th."""
CHANNEL: Final[ChannelSettings] = a_channel(
    watch_list=[LG_CHEM],
    strategies=[trend(LG_CHEM).model_dump()],
    risk={"maximum_weight": "1"},
    sizing={"target_weight": "0.4", "limit_offset": "0.02"},
)
LAST: Final = DAYS[len(CLOSES) - 1]


def nothing_done(happened: Happened) -> Happened:
    """Let nobody have decided anything."""
    return replace(happened, signals=(), orders=(), executions=())


def stored(change: Any = lambda happened: happened) -> MemoryStores:
    """Give the stores of an account that did what its replay does, but for `change`."""
    stores = MemoryStores(channel="dev", account=ACCOUNT)
    recording = account(a_recording({LG_CHEM: bars_of(CLOSES)}), change)
    store(recording, stores, channel="dev", account=ACCOUNT)
    return stores


def examined(stores: MemoryStores) -> ParityReport:
    """Compare all of the days."""
    return examine_parity(stores, CHANNEL, CALENDAR, first=FIRST, last=LAST)


def test_what_lies_in_the_stores_is_equal_to_its_replay() -> None:
    report = examined(stored())
    assert report.is_equal
    assert len(report.decisions) == 2


PAUSE: Final = "prefect:generate-signals"


@pytest.mark.parametrize(
    ("halted", "resumed", "why"),
    [
        ({"reason": "paused"}, None, Why.HALTED),
        ({"reason": "paused", "strategy_id": "trend"}, None, Why.HALTED),
        ({"reason": "paused", "strategy_id": "swing"}, None, Why.NOT_MADE),
        ({"reason": "paused", "strategy_id": "trend"}, {"reason": "on"}, Why.NOT_MADE),
        ({"state": "HALTED", "reason": "enough"}, None, Why.HALTED),
        ({"state": "REDUCING", "reason": "enough"}, None, Why.NOT_MADE),
    ],
)
def test_a_pause_in_prefect_is_told_as_the_halt_that_it_was(
    halted: Mapping[str, str], resumed: Mapping[str, str] | None, why: Why
) -> None:
    stores = stored(nothing_done)
    with stores.begin() as work:
        work.audit.add(AuditEntry(PAUSE, "halt", halted), at=seoul(FIRST, "07:00"))
        if resumed:
            work.audit.add(AuditEntry(PAUSE, "resume", resumed), at=seoul(FIRST, "08:00"))
    (unequal,) = examined(stores).unequal
    assert unequal.why is why
