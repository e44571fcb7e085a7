"""This is everything that a day of outages runs on: simulator, database, Kafka, Prefect, relay and the stream's run."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
import yaml

from adapters.kafka.settings import KafkaSettings
from adapters.postgres import PostgresStores
from adapters.postgres.scope import lock_key
from deployments.processes import Program
from deployments.programs import relay
from flows.desk import open_desk
from flows.settings import CHANNELS, load_settings
from tasks.desk import Desk
from tests.builders import ACCOUNT
from tests.consoles import PROJECT
from tests.database_servers import DatabaseServer
from tests.flow_worlds import STREAM_IS_UP, Market, World, a_market
from tests.kafka_brokers import a_broker
from tests.outages.services import DatabaseService, KafkaService, Service, Wire

GATE: Final = 40
"""Unsent events at which buys stop."""
SPACING: Final = 60
STREAM: Final = (
    "import asyncio; from flows.stream_fills import stream_fills; asyncio.run(stream_fills())"
)

HOLDERS: Final = """
    SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted
    AND (classid::bigint << 32 | objid::bigint) = %s
"""


@dataclass(frozen=True)
class OutageWorld:
    """What a day is played with."""

    market: Market
    desk: Desk
    kafka: KafkaSettings
    services: Mapping[str, Service]
    stream: Program
    home: Path
    database: str

    @property
    def stores(self) -> PostgresStores:
        """The account's memory."""
        stores = self.desk.stores
        assert isinstance(stores, PostgresStores)
        return stores

    def streams(self) -> int:
        """Count who holds the lock of the streams."""
        key = lock_key("lock", self.desk.channel.channel, ACCOUNT, "flow:stream-fills")
        with psycopg.connect(self.database) as connection:
            row = connection.execute(HOLDERS, (key,)).fetchone()
        return row[0] if row else 0

    def begin_stream(self) -> None:
        """Start the day's run of stream-fills as a process of its own."""
        self.stream.start()

    @property
    def is_stream_up(self) -> bool:
        """Whether prices and notices are subscribed."""
        log = self.home / "logs" / "flows.jsonl"
        return log.exists() and STREAM_IS_UP in log.read_text(encoding="utf-8")


@asynccontextmanager
async def an_outage_world(
    folder: Path, server: DatabaseServer, prefect: str, prefect_service: Service | None = None
) -> AsyncIterator[OutageWorld]:
    """Start everything but the stream; `prefect` is its API, cut off by a wire if nothing else stops it."""
    database, home = server.database(), folder / "home"
    async with AsyncExitStack() as exits:
        enter = exits.enter_context
        market = enter(a_market("paper", "--spacing", str(SPACING)))
        broker = enter(a_broker(folder))
        socket = await Wire.to(market.ws_url)
        way = await Wire.to(prefect)
        exits.push_async_callback(socket.stop)
        exits.push_async_callback(way.stop)
        through = replace(market, ws_url=socket.instead_of(market.ws_url))
        world = World(through, ACCOUNT, home, None)  # type: ignore[arg-type]  # only its variables are asked for
        variables = {
            **world.variables(database),
            "MAEMAE_CHANNELS": str(_channels(folder)),
            "MAEMAE_KAFKA_BOOTSTRAP": str(broker.settings.kafka_bootstrap),
            "MAEMAE_PREFECT_API_URL": way.instead_of(prefect),
            "PREFECT_API_URL": way.instead_of(prefect),
            "PREFECT_LOGGING_TO_API_ENABLED": "false",
            "PREFECT_HOME": str(folder / "prefect-client"),
        }
        patch = enter(pytest.MonkeyPatch.context())
        for name, value in variables.items():
            patch.setenv(name, value)
        telling = relay(home, variables=variables)
        telling.start()
        exits.callback(telling.stop, within=1)
        services: dict[str, Service] = {
            "kafka": KafkaService(broker, telling),
            "postgres": DatabaseService(server),
            "prefect": prefect_service or way,
            "socket": socket,
        }
        words = (sys.executable, "-c", STREAM)
        environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
        stream = Program("stream", words, environment, home / "logs" / "stream.log")
        exits.callback(stream.stop, within=3)
        desk = await exits.enter_async_context(open_desk(load_settings()))
        yield OutageWorld(market, desk, broker.settings, services, stream, home, database)


def _channels(folder: Path) -> Path:
    """Write the demo's channel with a lower threshold for events."""
    document: dict[str, Any] = yaml.safe_load((CHANNELS / "dev.yaml").read_text(encoding="utf-8"))
    document["trips"] |= {"unsent_events": GATE, "unsent_events_warning": GATE // 2}
    channels = folder / "channels"
    channels.mkdir()
    (channels / "dev.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return channels


async def until(is_true: Any, what: str, seconds: float = 180) -> None:
    """Wait for something that other processes bring about.

    Raises:
        AssertionError: naming what never came.
    """
    for _ in range(int(seconds / 0.05)):
        if is_true():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"never came: {what}")
