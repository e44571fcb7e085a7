"""This is `make outages`: days on which everything goes away for a while, and what came of them."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from adapters.postgres.databases import prefect_address
from deployments.doors import Door
from deployments.environments import use_packaged_time_zones
from deployments.programs import free_port, prefect_server
from tests.database_servers import DatabaseServer, a_database_server
from tests.outages.days import OutageDay
from tests.outages.plans import draw, told
from tests.outages.services import ProgramService
from tests.outages.verdicts import judge
from tests.outages.worlds import an_outage_world
from tests.secret_scans import finds_below

PREFECT_SECONDS: Final = 300.0


def main(words: Sequence[str] | None = None) -> int:
    """Play the days that are asked for; 0 when nothing was lost or counted twice on any."""
    parser = ArgumentParser(prog="python -m tests.outages", description=main.__doc__)
    parser.add_argument("--days", type=int, default=1, help="how many, one seed each (1)")
    parser.add_argument("--seed", type=int, default=1, help="the first seed (1)")
    given = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="maemae-outages-") as folder:
        Path(folder).chmod(0o711)  # the database's user passes through
        seeds = range(given.seed, given.seed + given.days)
        wrong = asyncio.run(_play_all(Path(folder), seeds))
        shown = finds_below(Path(folder))
    for place in shown:
        _say(f"a secret stands in {place}")
    _say(f"{given.days} days, {wrong} of them wrong")
    return 1 if wrong or shown else 0


async def _play_all(folder: Path, seeds: Sequence[int]) -> int:
    with a_database_server(folder / "database") as server:
        async with _prefect(folder / "prefect", server) as (api, service):
            days = [(seed, _folder(folder, seed)) for seed in seeds]
            return sum([not await _play(*day, server, api, service) for day in days])


def _folder(parent: Path, seed: int) -> Path:
    folder = parent / str(seed)
    folder.mkdir(mode=0o711)
    return folder


async def _play(
    seed: int, folder: Path, server: DatabaseServer, api: str, prefect: ProgramService
) -> bool:
    """Play one day; tell the seed first, so that it can be played again."""
    acts = draw(seed)
    _say(f"seed {seed}: {told(acts)}")
    try:
        async with an_outage_world(folder, server, api, prefect) as world:
            day = OutageDay(world, seed)
            await day.play(acts)
            counted = await judge(world)
    except AssertionError as problem:
        _say(f"  WRONG: {problem}")
        return False
    _say(f"  lost 0, doubled 0: {counted}, seen: {dict(sorted(day.seen.items()))}")
    return True


@asynccontextmanager
async def _prefect(home: Path, server: DatabaseServer) -> AsyncIterator[tuple[str, ProgramService]]:
    """Run Prefect's server on the same database server, as the stack does."""
    use_packaged_time_zones()
    door = Door(free_port())
    url = prefect_address(server.start().url_of("prefect"))
    program = prefect_server(home, door=door, database_url=url, is_scheduling=False)
    program.patience = PREFECT_SECONDS
    service = ProgramService(program)
    async with AsyncExitStack() as exits:
        exits.push_async_callback(service.stop)
        await service.start()
        await asyncio.to_thread(program.wait_until_ready)
        yield door.api_url, service


def _say(words: str) -> None:
    print(words, flush=True)  # noqa: T201 - the command's voice


if __name__ == "__main__":
    sys.exit(main())
