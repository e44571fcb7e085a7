"""What a process has loaded is left out of later garbage collections; what comes after it is collected as ever."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from tasks.garbage import no_collections, spare_long_collections


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


def collected(made: int) -> bool:
    """Tell whether so many new things make the collector run."""
    runs: list[str] = []
    gc.callbacks.append(lambda phase, _: runs.append(phase))
    rings = [Ring() for _ in range(made)]
    gc.callbacks.pop()
    return bool(rings and runs)


def test_nothing_is_collected_until_the_block_ends() -> None:
    with no_collections():
        assert not collected(20_000)
    assert collected(20_000)


def test_blocks_that_overlap_leave_it_on() -> None:
    first, second = no_collections(), no_collections()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    assert gc.isenabled()


def test_who_has_it_off_keeps_it_off() -> None:
    gc.disable()
    try:
        with no_collections():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
