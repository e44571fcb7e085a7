"""This is each memory in turn, for the contract that all of them keep."""

from __future__ import annotations

from collections.abc import Iterator

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
