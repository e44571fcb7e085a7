"""This is the worker's process: Prefect's process worker for our pool, imported while the server still starts."""

from __future__ import annotations

import asyncio
import signal
from typing import Final

from prefect.workers.process import ProcessWorker

from deployments.environments import POOL

LIMIT: Final = 6
"""Runs at a time: the stream, what a minute's schedules may bring, and room for the kill switch."""


async def work() -> None:
    """Run until SIGTERM, which ends the runs under way too."""
    worker = ProcessWorker(
        work_pool_name=POOL, name="maemae", limit=LIMIT, create_pool_if_not_found=False
    )
    working = asyncio.ensure_future(worker.start(with_healthcheck=True))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, working.cancel)
    await asyncio.wait([working])


if __name__ == "__main__":
    asyncio.run(work())
