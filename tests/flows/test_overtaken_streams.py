"""This is a stream that slept while another took its lock: when it wakes it stands back, and says so."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun, StateType

from deployments.processes import Program
from tests.adapters.test_postgres_stores import end_holders
from tests.consoles import PROJECT
from tests.flow_worlds import STREAM_IS_UP, World, wait_until

RUN = "import asyncio; from flows.stream_fills import stream_fills; asyncio.run(stream_fills())"


@pytest.mark.timeout(300)
async def test_a_stream_that_slept_and_was_overtaken_stands_back_and_says_so(
    world: World, postgres_url: str, tmp_path: Path
) -> None:
    before = {run.id for run in await runs()}
    is_up = world.says_once_more(STREAM_IS_UP)
    with a_stream(tmp_path, "first") as first:
        await wait_until(is_up, seconds=120)
        (slept,) = [run.id for run in await runs() if run.id not in before]
        assert first.pid is not None
        os.kill(first.pid, signal.SIGSTOP)
        end_holders(postgres_url)  # as a restart of the database does
        is_up = world.says_once_more(STREAM_IS_UP)
        with a_stream(tmp_path, "second") as second:
            await wait_until(lambda: held(postgres_url) == 1, seconds=120)
            os.kill(first.pid, signal.SIGCONT)
            await wait_until(lambda: not first.is_running, seconds=60)
            await wait_until(is_up, seconds=60)  # the broker lets one key listen once
            assert second.is_running
            assert held(postgres_url) == 1
    (ended,) = await runs(slept)
    assert ended.state is not None
    assert (ended.state.type, ended.state.name) == (StateType.COMPLETED, "Overtaken")
    assert "Another run of Fill stream has taken over" in (ended.state.message or "")
    assert world.titles == [], "nothing failed, and nobody cancelled it"


@contextmanager
def a_stream(folder: Path, name: str) -> Iterator[Program]:
    """Run the day's stream in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    log = folder / "streams" / f"{name}.log"
    stream = Program(name, (sys.executable, "-c", RUN), environment, log)
    stream.start()
    try:
        yield stream
    finally:
        if stream.pid is not None:
            os.kill(stream.pid, signal.SIGKILL)
        stream.stop(within=3)


async def runs(*ids: object) -> list[FlowRun]:
    """Give the runs of these numbers, or all."""
    wanted = FlowRunFilter(id=FlowRunFilterId(any_=list(ids))) if ids else None
    async with get_client() as client:
        return await client.read_flow_runs(flow_run_filter=wanted)


def held(url: str) -> int:
    """Count who holds the lock of the streams."""
    asked = "SELECT count(DISTINCT pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    with psycopg.connect(url) as connection:
        row = connection.execute(asked.encode()).fetchone()
    return row[0] if row else 0
