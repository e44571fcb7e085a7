"""This is the relay's process: events out of the outbox to Kafka, and what they add up to back into the database.

SIGTERM ends it at once: whatever it was at is told again, and counts once.
"""

from __future__ import annotations

import asyncio
import sys

from adapters.logs import configure_logs
from deployments.console.faults import sentence_of
from flows.relays import relay_events
from flows.settings import load_settings
from trading.errors import MaemaeError


def main() -> int:
    """Run; what cannot be helped is the last line of the log, one sentence."""
    code = 0
    try:
        _relay()
    except* MaemaeError as errors:
        sys.stderr.write(f"{sentence_of(errors.exceptions[0])}\n")
        code = 2
    return code


def _relay() -> None:
    settings = load_settings()
    accounts = [settings.kis.account] if settings.kis else []
    configure_logs(settings.home, name="relay", secrets=settings.secrets, accounts=accounts)
    asyncio.run(relay_events(settings))


if __name__ == "__main__":
    sys.exit(main())
