"""Pausing in Prefect, however it is done, is a halt of ours within two seconds; un-pausing lifts only that."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from adapters.clock import FixedClock
from adapters.halt_files import HaltFile
from adapters.memory.stores import MemoryStores
from adapters.notifier import Message
from adapters.stores import UnitOfWork
from adapters.wording import Wording
from deployments.environments import POOL
from deployments.mirror import PAUSE_SECONDS, Mirror, read_pauses
from tests.builders import ACCOUNT, seoul
from tests.prefect_servers import talk
from trading.errors import StoreUnavailable
from trading.halts import Halt, TradingState

AT = seoul(date(2026, 11, 24), "09:30")
OPERATOR = Halt("operator", TradingState.HALTED, "lunch", AT)


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until it is so."""
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.02)


@dataclass
class Listener:
    """Takes the messages to the owner."""

    messages: list[Message] = field(default_factory=list)

    def send(self, message: Message) -> None:
        self.messages.append(message)


@dataclass
class Scene:
    """A watching mirror, its stores, and a hand at the switches of Prefect."""

    api: httpx.Client
    api_url: str
    stores: GoneStores
    listener: Listener
    mirror: Mirror

    def id_of(self, name: str) -> UUID:
        return UUID(self.api.get(f"/deployments/name/{name}/{name}").json()["id"])

    def pause(self, name: str) -> None:
        self.api.post(f"/deployments/{self.id_of(name)}/pause_deployment").raise_for_status()

    def resume(self, name: str) -> None:
        self.api.post(f"/deployments/{self.id_of(name)}/resume_deployment").raise_for_status()

    def switch(self, name: str, *, active: bool) -> None:
        here = f"/deployments/{self.id_of(name)}/schedules"
        schedule = self.api.get(here).json()[0]
        self.api.patch(f"{here}/{schedule['id']}", json={"active": active}).raise_for_status()

    def pause_pool(self, *, paused: bool) -> None:
        self.patch(f"/work_pools/{POOL}", is_paused=paused)

    def pause_queue(self, *, paused: bool) -> None:
        self.patch(f"/work_pools/{POOL}/queues/default", is_paused=paused)

    def patch(self, place: str, **change: Any) -> None:
        self.api.patch(place, json=change).raise_for_status()

    def sources(self) -> set[str]:
        with self.stores.begin() as work:
            return {halt.source for halt in work.halts.in_force()}

    def on_disk(self) -> set[tuple[str, str]]:
        return {(halt.source, halt.strategy_id) for halt in self.mirror.halt_file.read(at=AT)}

    def becomes(self, expected: set[str]) -> float:
        """Wait until these are the halts in force; give the seconds that it took."""
        began = time.monotonic()
        while self.sources() != expected:
            if time.monotonic() - began > 30:
                pytest.fail(f"{self.sources()} is not {expected}")
            time.sleep(0.02)
        return time.monotonic() - began

    def patience(self) -> float:
        """One second, or on a machine that is busy the pause and three looks."""
        began = time.monotonic()
        talk(self.api_url, lambda client: read_pauses(client, POOL))
        return max(1.0, PAUSE_SECONDS + 3 * (time.monotonic() - began))


class GoneStores(MemoryStores):
    """A database that can be away."""

    is_gone = False

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        if self.is_gone:
            raise StoreUnavailable("the database went away")
        with super().begin() as work:
            yield work


@pytest.fixture
def scene(registered: str, tmp_path: Path) -> Iterator[Scene]:
    stores, listener = GoneStores(channel="dev", account=ACCOUNT), Listener()
    mirror = Mirror(
        api_url=registered,
        pool=POOL,
        halt_file=HaltFile(tmp_path / "halt.json"),
        stores=stores,
        clock=FixedClock(AT),
        notifier=listener,
        wording=Wording(),
        lateness=timedelta(minutes=5),
    )
    mirror.start()
    with httpx.Client(base_url=registered) as api:
        yield Scene(api, registered, stores, listener, mirror)
    mirror.stop(within=5)


@pytest.mark.timed
@pytest.mark.parametrize(
    ("pause", "resume", "source"),
    [
        (
            lambda s: s.pause("place-orders"),
            lambda s: s.resume("place-orders"),
            "prefect:place-orders",
        ),
        (
            lambda s: s.pause("generate-signals"),
            lambda s: s.resume("generate-signals"),
            "prefect:generate-signals",
        ),
        (
            lambda s: s.switch("place-orders", active=False),
            lambda s: s.switch("place-orders", active=True),
            "prefect:place-orders",
        ),
        (lambda s: s.pause_pool(paused=True), lambda s: s.pause_pool(paused=False), "prefect:pool"),
        (
            lambda s: s.pause_queue(paused=True),
            lambda s: s.pause_queue(paused=False),
            "prefect:pool",
        ),
    ],
    ids=["deployment", "signals", "schedule", "pool", "queue"],
)
def test_a_pause_halts_within_a_second_and_its_end_lifts_it(
    scene: Scene, pause: Callable[[Scene], None], resume: Callable[[Scene], None], source: str
) -> None:
    scene.becomes(set())

    pause(scene)
    took = scene.becomes({source})
    assert took <= scene.patience()
    with scene.stores.begin() as work:
        (halt,) = work.halts.in_force()
        assert halt.state is TradingState.HALTED
        assert [entry.action for _, entry in work.audit.last()] == ["halt"]

    assert scene.on_disk() == {(source, "")}

    resume(scene)
    took = scene.becomes(set())
    assert took <= scene.patience()
    eventually(lambda: not scene.on_disk())
    assert len(scene.listener.messages) == 2


def test_pausing_one_strategys_signals_halts_that_strategy(scene: Scene) -> None:
    template = scene.api.get("/deployments/name/generate-signals/generate-signals").json()
    deployment = {
        "name": "signals-of-trend",
        "flow_id": template["flow_id"],
        "parameters": {"strategy_id": "trend-20-60"},
        "paused": True,
    }
    made = scene.api.post("/deployments/", json=deployment).raise_for_status().json()
    try:
        scene.becomes({"prefect:signals-of-trend"})
        with scene.stores.begin() as work:
            (halt,) = work.halts.in_force()
        assert halt.strategy_id == "trend-20-60"
        assert "trend-20-60" in scene.listener.messages[0].text
        assert scene.on_disk() == {("prefect:signals-of-trend", "trend-20-60")}
    finally:
        scene.api.delete(f"/deployments/{made['id']}").raise_for_status()
    scene.becomes(set())
    eventually(lambda: not scene.on_disk())


def test_a_pause_halts_on_disk_while_the_database_is_down(scene: Scene) -> None:
    scene.stores.is_gone = True
    scene.pause("place-orders")
    eventually(lambda: scene.on_disk() == {("prefect:place-orders", "")})
    eventually(lambda: len(scene.listener.messages) == 1)  # told after it is on disk

    scene.resume("place-orders")
    time.sleep(2 * PAUSE_SECONDS)
    assert scene.on_disk() == {("prefect:place-orders", "")}  # nothing is lifted unrecorded

    scene.stores.is_gone = False
    eventually(lambda: not scene.on_disk())


def test_reports_and_data_may_be_paused_without_stopping_trade(scene: Scene) -> None:
    scene.pause("eod-report")
    scene.pause("ingest-bars")
    scene.pause("place-orders")

    scene.becomes({"prefect:place-orders"})


def test_the_operators_own_halt_is_not_lifted(scene: Scene) -> None:
    with scene.stores.begin() as work:
        work.halts.put(OPERATOR)
    scene.pause("place-orders")
    scene.becomes({"operator", "prefect:place-orders"})

    scene.resume("place-orders")

    scene.becomes({"operator"})


def test_a_halt_that_somebody_lifts_comes_back_while_prefect_is_paused(scene: Scene) -> None:
    scene.pause("place-orders")
    scene.becomes({"prefect:place-orders"})

    with scene.stores.begin() as work:
        work.halts.lift("prefect:place-orders", reason="by hand", at=AT)

    scene.becomes({"prefect:place-orders"})


def test_without_prefect_the_halts_stay_as_they_are(scene: Scene) -> None:
    scene.pause("place-orders")
    scene.becomes({"prefect:place-orders"})
    scene.mirror.stop(within=5)
    scene.mirror.api_url = "http://127.0.0.1:1/api"

    scene.mirror.start()

    deadline = time.monotonic() + 20
    while scene.mirror.last_words == "-" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert scene.mirror.is_running
    assert scene.mirror.last_words != "-"
    assert scene.sources() == {"prefect:place-orders"}


def test_a_mirror_that_has_died_does_not_count_as_running(scene: Scene) -> None:
    assert scene.mirror.is_running

    scene.mirror.stop(within=5)

    assert not scene.mirror.is_running
