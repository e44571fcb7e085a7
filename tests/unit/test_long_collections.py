"""What a process has loaded is left out of later garbage collections; what comes after it is collected as ever."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from tasks.garbage import spare_long_collections


class Ring:
    """Something that only a collection frees."""

    def __init__(self) -> None:
        self.ring = self


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    """Give everything back to the collector."""
    yield
    gc.unfreeze()


def test_a_later_collection_goes_through_little() -> None:
    before = len(gc.get_objects())
    spare_long_collections()
    assert before > 10_000
    assert len(gc.get_objects()) < before / 10


def test_what_comes_later_is_freed() -> None:
    spare_long_collections()
    ring = weakref.ref(Ring())
    assert ring() is not None
    gc.collect()
    assert ring() is None
