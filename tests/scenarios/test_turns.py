"""This is a long body of a flow whose lock the database has lost: it keeps it, or is told who is quicker."""

from __future__ import annotations

import asyncio

from adapters.postgres import PostgresStores
from flows.turns import LOOK_SECONDS, watching
from tests.adapters.test_postgres_stores import end_holders


async def test_who_is_quicker_than_the_next_look_ends_the_other_in_order(
    stores: PostgresStores, postgres_url: str
) -> None:
    overtaken = asyncio.Event()
    with stores.lock("flow:stream-fills") as ours, stores.lock("flow:stream-fills") as theirs:
        async with watching(ours, overtaken.set) as is_overtaken:
            end_holders(postgres_url)
            await asyncio.sleep(3 * LOOK_SECONDS)
            assert (bool(ours), overtaken.is_set()) == (True, False), "it has it again"
            end_holders(postgres_url)
            assert theirs.keep()
            async with asyncio.timeout(20):
                await overtaken.wait()
            assert is_overtaken.is_set()
    assert not ours
