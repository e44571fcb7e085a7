"""This is small flows for tests of what runs flows: they need no account, no database, no broker."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed


@flow(name="sample-report")
async def sample_report() -> State[None]:
    """Tell what process this is."""
    is_copy = "warm_engine" in " ".join(sys.orig_argv)
    words = f"{'copy' if is_copy else 'cold'} in {Path.cwd()} with {os.environ['SAMPLE']}"
    return Completed(message=words)


@flow(name="sample-failure")
async def sample_failure() -> None:
    """Fail."""
    raise ValueError("on purpose")


@flow(name="sample-wait")
async def sample_wait(file: str) -> None:
    """Write the own process id into a file, wait, and put things in order when told to end."""
    _write(file, str(os.getpid()))
    try:
        await asyncio.sleep(60)
    finally:
        _write(f"{file}.ended", "in order")


def _write(file: str, text: str) -> None:
    Path(file).write_text(text, encoding="utf-8")
