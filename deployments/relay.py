"""This is the relay's process: events out of the outbox to Kafka, and what they add up to back into the database."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress

from adapters.logs import configure_logs
from flows.relays import relay_events
from flows.settings import Settings, load_settings
from trading.errors import MaemaeError


async def relay(settings: Settings) -> None:
    """Run until SIGTERM."""
    working = asyncio.ensure_future(relay_events(settings))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, working.cancel)
    with suppress(asyncio.CancelledError):
        await working


def main() -> int:
    """Run; what cannot be helped is the last line of the log, one sentence."""
    settings = load_settings()
    accounts = [settings.kis.account] if settings.kis else []
    configure_logs(settings.home, name="relay", secrets=settings.secrets, accounts=accounts)
    code = 0
    try:
        asyncio.run(relay(settings))
    except* MaemaeError as errors:
        sys.stderr.write(f"{errors.exceptions[0]}\n")
        code = 2
    return code


if __name__ == "__main__":
    sys.exit(main())
