"""This is the world of the flow tests: a simulator of its own process, an account, what a run left behind."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from prefect.client.schemas.objects import FlowRun, State
from prefect.flow_engine import run_flow_async
from prefect.flows import Flow

from adapters.postgres import PostgresStores
from tests.builders import A_DAY, ACCOUNT, seoul
from trading.executions import Execution
from trading.orders import Order
from trading.signals import Signal

HTS_ID = "maemae"
STREAM_IS_UP = "the stream is up"
"""What is logged once prices and notices are subscribed."""


@dataclass(frozen=True, slots=True)
class Market:
    """A running simulator: where it answers, its keys, and the door by which a test moves it."""

    environment: str
    url: str
    ws_url: str
    appkey: str
    appsecret: str

    async def to(self, clock: str, day: date = A_DAY) -> None:
        """Play the market up to HH:MM[:SS] in Seoul."""
        await self._ask("POST", "/sim/clock", {"advance_to": seoul(day, clock).isoformat()})

    async def faults(self, **table: Any) -> None:
        """Let nothing but these faults happen."""
        await self._ask("PUT", "/sim/faults", table)

    async def order_by_hand(self, account: str, symbol: str, quantity: int, price: int) -> None:
        """Buy in HTS, as the owner may."""
        order = {"symbol": symbol, "side": "BUY", "quantity": quantity, "price": price}
        await self._ask("POST", "/sim/orders", {"account": account} | order)

    async def book(self, account: str = ACCOUNT) -> Mapping[str, Any]:
        """Give what is true of an account."""
        book = await self._ask("GET", "/sim/book")
        accounts: Sequence[Mapping[str, Any]] = book["accounts"]
        return next(each for each in accounts if each["account"] == account)

    async def _ask(self, method: str, path: str, document: Any = None) -> Any:
        async with httpx.AsyncClient(base_url=self.url, timeout=120) as client:
            reply = await client.request(method, path, json=document)
        return reply.raise_for_status().json()


@contextmanager
def a_market(
    environment: str, *options: str, accounts: Sequence[str] = (ACCOUNT,)
) -> Iterator[Market]:
    """Start a simulator at six in the morning of `A_DAY`; every account has 100,000,000 won."""
    words = [sys.executable, "-m", "adapters.kis_sim", "--port", "0", "--ws-port", "0"]
    words += ["--mode", environment, "--rate-limit", "off", "--token-interval", "off"]
    words += ["--day", A_DAY.isoformat(), "--clock", "step", "--hts-id", HTS_ID, *options]
    words += [word for account in accounts for word in ("--account", account)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own words
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            yield Market(
                environment,
                ready["http"],
                ready["ws"],
                ready.get("appkey", ""),  # keys that a test gives are not repeated
                ready.get("appsecret", ""),
            )
        finally:
            process.terminate()


@dataclass(frozen=True, slots=True)
class World:
    """What the run of a test works with, seen from outside."""

    market: Market
    account: str
    home: Path
    stores: PostgresStores

    def variables(self, database_url: str) -> dict[str, str]:
        """Give the environment that leads a run to it."""
        return {
            "MAEMAE_HOME": str(self.home),
            "MAEMAE_CHANNEL": "dev",
            "MAEMAE_LANGUAGE": "en",
            "MAEMAE_DATABASE_URL": database_url,
            "MAEMAE_SIMULATOR_URL": self.market.url,
            "MAEMAE_KIS__ENVIRONMENT": self.market.environment,
            "MAEMAE_KIS__BASE_URL": self.market.url,
            "MAEMAE_KIS__WS_URL": self.market.ws_url,
            "MAEMAE_KIS__APPKEY": self.market.appkey,
            "MAEMAE_KIS__APPSECRET": self.market.appsecret,
            "MAEMAE_KIS__ACCOUNT": self.account,
            "MAEMAE_KIS__HTS_ID": HTS_ID,
            "MAEMAE_KIS__CALLS_PER_SECOND": "100",
            "MAEMAE_KIS__RETRY_SECONDS": "0.01",
            "MAEMAE_KIS__REGISTRATION_SECONDS": "0.001",
        }

    @property
    def messages(self) -> tuple[Mapping[str, Any], ...]:
        """What the owner was told, oldest first."""
        inbox = self.home / "inbox.jsonl"
        lines = inbox.read_text(encoding="utf-8").splitlines() if inbox.exists() else []
        return tuple(json.loads(line) for line in lines)

    @property
    def titles(self) -> list[str]:
        """The titles of it."""
        return [message["title"] for message in self.messages]

    def orders(self, day: date = A_DAY) -> tuple[Order, ...]:
        """The day's orders, oldest first."""
        with self.stores.begin() as work:
            return work.orders.of_day(day)

    def executions(self, day: date = A_DAY) -> tuple[Execution, ...]:
        """The day's fills in order of booking."""
        with self.stores.begin() as work:
            return work.executions.of_day(day)

    def says_once_more(self, words: str) -> Callable[[], bool]:
        """Give the condition that the runs' log holds `words` more often than now."""
        log = self.home / "logs" / "flows.jsonl"

        def count() -> int:
            return log.read_text(encoding="utf-8").count(words) if log.exists() else 0

        before = count()
        return lambda: count() > before

    async def placed(self) -> list[Mapping[str, Any]]:
        """The orders that the broker has."""
        return list((await self.market.book(self.account))["orders"])


@contextmanager
def entered(market: Market, account: str, home: Path, database_url: str) -> Iterator[World]:
    """Lead the runs of this process, and those of its children, to a world; afterwards as before."""
    with (
        closing(PostgresStores(database_url, channel="dev", account=account)) as stores,
        pytest.MonkeyPatch.context() as patch,
    ):
        world = World(market, account, home, stores)
        for name, value in world.variables(database_url).items():
            patch.setenv(name, value)
        yield world


async def carry_out(
    flow: Flow[..., Any], flow_run: FlowRun | None = None, **parameters: Any
) -> State[Any]:
    """Carry out a run in this process, a new one if none is given, and give its last state."""
    state = await run_flow_async(
        flow, flow_run=flow_run, parameters=parameters, return_type="state"
    )
    assert state is not None
    return state


def told(state: State[Any]) -> tuple[str, str]:
    """Give a state as the UI shows it."""
    return state.name or "", state.message or ""


def remember(world: World, *signals: Signal) -> None:
    """Store signals, as generate-signals does."""
    with world.stores.begin() as work:
        for signal in signals:
            work.signals.add(signal)


async def artifacts_of(state: State[Any]) -> dict[str, Any]:
    """Give what a run published: the artifacts' contents by key."""
    wanted = ArtifactFilterFlowRunId(any_=[state.state_details.flow_run_id])
    async with get_client() as client:
        found = await client.read_artifacts(artifact_filter=ArtifactFilter(flow_run_id=wanted))
    return {artifact.key or "": artifact.data for artifact in found}


async def wait_until(condition: Callable[[], object], *, seconds: float = 30) -> None:
    """Wait until `condition` holds.

    Raises:
        AssertionError: when it never does.
    """
    for _ in range(int(seconds / 0.05)):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("what was waited for never came")
