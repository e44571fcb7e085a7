"""This is a real Prefect server for tests, and what they ask it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from prefect.client.orchestration import PrefectClient, get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from adapters.postgres.databases import prefect_address
from deployments.doors import Door
from deployments.environments import use_packaged_time_zones
from deployments.programs import free_port, prefect_server


@contextmanager
def running_prefect(home: Path, database_url: str, door: Door | None = None) -> Iterator[str]:
    """Run a server that schedules nothing; give the address of its API."""
    use_packaged_time_zones()
    door = door or Door(free_port())
    server = prefect_server(
        home, door=door, database_url=prefect_address(database_url), is_scheduling=False
    )
    server.patience = 300.0  # a machine that runs other tests beside takes its time
    server.start()
    try:
        server.wait_until_ready()
        yield door.api_url
    finally:
        server.stop(within=3)


def talk[T](api_url: str, acts: Callable[[PrefectClient], Awaitable[T]]) -> T:
    """Do something with a client of the server and give what came of it."""

    async def talking() -> T:
        async with get_client() as client:
            return await acts(client)

    with temporary_settings({PREFECT_API_URL: api_url}):
        return asyncio.run(talking())
