"""This is a session whose neighbours fail slowly or for long: what does not need them goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.spools import Spool
from tasks.streaming import StreamSession
from tests.builders import a_signal
from tests.desks import Floor
from trading.errors import DiskFull


async def test_a_full_disk_keeps_nothing_waiting_that_the_database_takes(
    floor: Floor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prints that find no room in the spool must not hold back the fills that are in it."""
    session = StreamSession(replace(floor.desk, spool=Spool(tmp_path / "a.jsonl")))
    await floor.open()
    await session.pulse()
    order = (await floor.trade(a_signal()))[0]
    floor.at("09:00")
    session.spooling.is_away = True
    for notice in floor.print(401_000, auction=True):
        await session.take(notice)
    await session.take(floor.tick(401_000))
    monkeypatch.setattr(Spool, "_append", _refuse)
    await session.pulse()
    assert [fill.client_order_id for fill in floor.executions] == [order.client_order_id]
    assert not session.spooling.is_away


def _refuse(*_: object) -> None:
    raise DiskFull("no space left")
