"""This is one day of outages for every change of the code; `make outages` plays more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.database_servers import DatabaseServer
from tests.outages.days import OutageDay
from tests.outages.plans import draw, told
from tests.outages.verdicts import judge
from tests.outages.worlds import an_outage_world

SEED = 1


@pytest.mark.timeout(900)
async def test_a_day_of_outages_loses_nothing_and_doubles_nothing(
    tmp_path: Path, spare_server: DatabaseServer, prefect_api: str
) -> None:
    acts = draw(SEED)
    print(f"seed {SEED}: {told(acts)}")  # noqa: T201 - shown when it fails
    async with an_outage_world(tmp_path, spare_server, prefect_api) as world:
        day = OutageDay(world, SEED)
        await day.play(acts)
        counted = await judge(world)
    print(counted, dict(day.seen))  # noqa: T201
    assert counted["fills"] > 0
    assert day.seen["gate closed by Kafka"] >= 1
    assert day.seen["gate closed by PostgreSQL"] >= 1
    assert day.seen["one stream"] == 2
    assert day.seen["kept on disk"] >= 1
