"""This is each memory in turn, for the contract that all of them keep."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from adapters.memory.stores import MemoryStores
from adapters.stores import Stores
from tests.builders import ACCOUNT


@pytest.fixture(params=["memory", "postgres"])
def memory(request: pytest.FixtureRequest) -> Iterator[Stores]:
    """Each implementation in turn, empty."""
    if request.param == "memory":
        yield MemoryStores(channel="dev", account=ACCOUNT)
    else:
        yield request.getfixturevalue("stores")


@pytest.fixture
def lose(memory: Stores, request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Take a lease from its holder as a death of its connection does, while the holder goes on."""
    if isinstance(memory, MemoryStores):
        return memory.abandon
    url: str = request.getfixturevalue("postgres_url")

    def cut(name: str) -> None:
        statement = "SELECT pg_terminate_backend(backend_pid, 5000) FROM leases WHERE name = %s"
        with psycopg.connect(url) as connection:
            assert connection.execute(statement, (name,)).fetchall() == [(True,)]

    return cut
