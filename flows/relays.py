"""This is opening what tells events to Kafka and takes them in again: a process beside the flows, not a flow.

The relay has to run whenever something may be written, at night too, must not stop with Prefect, and must never
hold up the stream. So it is a process of the stack that the supervisor keeps running.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from typing import Final

import structlog

from adapters.event_logs import LogUnavailable
from adapters.kafka.clusters import prepare
from adapters.kafka.readers import KafkaReader, open_reader
from adapters.kafka.writers import KafkaWriter
from adapters.stores import NameLock, Stores
from flows.desk import open_owner_channel, tell_crowd
from flows.settings import Settings, load_channel
from flows.sources import open_stores, owner_of
from flows.turns import wait_for_loss, wait_for_turn
from risk.trips import TripLimits
from tasks.channels import read_version
from tasks.projecting import RETRY_SECONDS, Projector
from tasks.relaying import Relay

_LOG: Final = structlog.get_logger(__name__)
LOCK: Final = "relay"


async def relay_events(settings: Settings) -> None:
    """Tell the account's events and take them in again until cancelled; wait while another process does.

    Raises:
        InvalidSetting: when Kafka lacks topics that may not be made, or a newer version of maemae wrote there.
        StoreUnavailable: when the database cannot be reached at the start.
    """
    notifier, wording = open_owner_channel(settings)
    stores = open_stores(settings, on_crowd=tell_crowd(notifier, wording))
    with closing(stores), stores.lock(LOCK) as lock:
        while True:
            await wait_for_turn(lock)
            with suppress(_Overtaken):
                async with open_writer(settings) as writer, asyncio.TaskGroup() as group:
                    limits = await asyncio.to_thread(_limits, settings, stores)
                    relay = Relay(stores, writer, limits, notifier, wording)
                    group.create_task(relay.run())
                    group.create_task(relay.watch())
                    group.create_task(_project(settings, relay))
                    group.create_task(_end_when_overtaken(lock))


class _Overtaken(Exception):
    """Another process has the lock."""


async def _end_when_overtaken(lock: NameLock) -> None:
    await wait_for_loss(lock)
    raise _Overtaken


@asynccontextmanager
async def open_writer(settings: Settings) -> AsyncIterator[KafkaWriter]:
    """Give the way into Kafka; it connects at the first use."""
    writer = KafkaWriter(settings, owner_of(settings))
    try:
        yield writer
    finally:
        await writer.close()


def _limits(settings: Settings, stores: Stores) -> TripLimits:
    """Give the limits of the version in force, those of the channel's file while there is none."""
    with stores.begin() as work:
        current = work.configs.in_force()
    return (read_version(current) if current else load_channel(settings)).trips


async def _project(settings: Settings, relay: Relay) -> None:
    while True:
        try:
            await prepare(settings)
            async with open_reader(settings) as reader:
                await _projector(settings, relay, reader).run()
        except LogUnavailable as problem:
            _LOG.warning("events are not taken in", words=str(problem))
            await asyncio.sleep(RETRY_SECONDS)


def _projector(settings: Settings, relay: Relay, reader: KafkaReader) -> Projector:
    return Projector(
        relay.stores, owner_of(settings), reader, relay.writer, relay.notifier, relay.wording
    )
