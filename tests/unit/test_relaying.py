"""This is the relay alone: what leaves, in which order, and what happens when a side fails in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from threading import Semaphore

import pytest

from adapters.event_logs import DeadLetter, LogUnavailable
from adapters.event_stores import OutboxEvent, WaitingEvent
from adapters.memory.notifier import MemoryNotifier
from adapters.memory.stores import MemoryStores
from adapters.stores import UnitOfWork
from adapters.wording import Wording
from risk.trips import TripLimits
from tasks import relaying
from tasks.relaying import Relay
from tests.builders import ACCOUNT
from tests.store_samples import AT
from trading.errors import StoreUnavailable

BATCH = 3


class Log:
    """A log that keeps the numbers of what it acknowledged; `meanwhile` happens while events are on their way."""

    def __init__(self) -> None:
        self.told: list[list[int]] = []
        self.meanwhile: list[Callable[[], None]] = []

    async def publish(self, events: Sequence[WaitingEvent]) -> Sequence[DeadLetter]:
        """Acknowledge, unless what happens meanwhile raises."""
        if self.meanwhile:
            self.meanwhile.pop(0)()
        self.told.append([event.event_id for event in events])
        return ()

    async def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Take nothing."""


@pytest.fixture
def log() -> Log:
    """A log that lies empty."""
    return Log()


@pytest.fixture
def relay(log: Log, monkeypatch: pytest.MonkeyPatch) -> Relay:
    """A relay of small batches."""
    monkeypatch.setattr(relaying, "BATCH", BATCH)
    stores = MemoryStores(channel="dev", account=ACCOUNT)
    return Relay(stores, log, TripLimits(), MemoryNotifier(), Wording("en"))


def tell(relay: Relay, count: int) -> None:
    """Write events."""
    with relay.stores.begin() as work:
        for _ in range(count):
            work.outbox.add(OutboxEvent("order.state", "000000", {}, AT))


async def drain(relay: Relay) -> None:
    """Send until nothing is left, whatever fails on the way."""
    count = 1
    while count:
        with suppress(LogUnavailable, StoreUnavailable):
            count = await relay.step()


def waiting(relay: Relay) -> int:
    """Count what is not noted as sent."""
    with relay.stores.begin() as work:
        return work.outbox.backlog().count


async def test_every_event_leaves_once_in_order_and_is_noted(relay: Relay, log: Log) -> None:
    tell(relay, 8)
    await drain(relay)
    assert log.told == [[1, 2, 3], [4, 5, 6], [7, 8]]
    assert waiting(relay) == 0


async def test_a_single_event_leaves_in_one_step(relay: Relay, log: Log) -> None:
    tell(relay, 1)
    assert await relay.step() == 1
    assert log.told == [[1]]


async def test_what_comes_while_others_leave_follows_them(relay: Relay, log: Log) -> None:
    tell(relay, 2)
    log.meanwhile = [lambda: tell(relay, 2)]
    await drain(relay)
    assert [number for batch in log.told for number in batch] == [1, 2, 3, 4]
    assert waiting(relay) == 0


async def test_what_was_not_acknowledged_leaves_again_before_what_was_read_ahead(
    relay: Relay, log: Log
) -> None:
    def refuse() -> None:
        raise LogUnavailable("gone")

    tell(relay, 8)
    log.meanwhile = [lambda: None, refuse, refuse]
    await drain(relay)
    assert log.told == [[1, 2, 3], [4, 5, 6], [7, 8]]
    assert waiting(relay) == 0


async def test_what_could_not_be_noted_is_told_again_in_order(
    relay: Relay, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, calls = relay.stores.begin, iter((True, True, False, True, False))

    def begin_sometimes() -> object:
        if not next(calls, True):
            raise StoreUnavailable("gone")
        return begin()

    tell(relay, 8)
    monkeypatch.setattr(relay.stores, "begin", begin_sometimes)
    await drain(relay)
    numbers = [number for batch in log.told for number in batch]
    first_time = list(dict.fromkeys(numbers))
    assert first_time == [1, 2, 3, 4, 5, 6, 7, 8]
    assert len(numbers) > len(first_time)
    assert waiting(relay) == 0


async def test_what_waits_is_read_while_events_are_being_encoded(
    relay: Relay, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer encodes before it first waits for Kafka."""
    looks, begin = Semaphore(0), relay.stores.begin

    def look() -> AbstractContextManager[UnitOfWork]:
        looks.release()
        return begin()

    def both() -> None:
        assert looks.acquire(timeout=5)
        assert looks.acquire(timeout=5)

    tell(relay, 1)
    monkeypatch.setattr(relay.stores, "begin", look)
    log.meanwhile = [both]
    assert await relay.step() == 1
