"""This is the command `replay`: a recorded day told anew, and whether it is the same to the byte."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from adapters.calendars import XkrxCalendar
from deployments.console.accounts import open_account
from deployments.console.speech import option, say
from deployments.console.tables import paper, print_json
from flows.settings import load_channel
from tasks.day_replays import replay_day

UNEQUAL = 3
"""The exit code when the replayed day is another one."""


def replay(
    *,
    day: Annotated[date, option("replay_date", name=("--date", "--day"))],
    as_json: Annotated[bool, option("json", name="--json")] = False,
) -> int:
    """Replay the day from the stored events; give 0 when both tellings have one fingerprint, else 3."""
    with open_account() as account:
        with account.stores.begin() as work:
            calendar = XkrxCalendar(overrides=work.calendar.all())
        replayed = replay_day(account.stores, load_channel(account.settings), calendar, day)
    recorded, told = replayed.digests
    document = {
        "trading_day": day,
        "is_equal": replayed.is_equal,
        "sha256": told,
        "recorded_sha256": recorded,
        "differences": list(replayed.differences),
        "signals": len(replayed.replayed.signals),
        "orders": len(replayed.replayed.orders),
        "fills": len(replayed.replayed.executions),
        "verdicts": len(replayed.replayed.risk_events),
    }
    if as_json:
        print_json(document)
    else:
        verdict = "equal" if replayed.is_equal else "unequal"
        paper().print(say(f"replay.{verdict}", **document), soft_wrap=True)
    return 0 if replayed.is_equal else UNEQUAL
