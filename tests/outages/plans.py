"""This is a day's misfortune, drawn from a seed: what is stopped when and for how long, and what is traded meanwhile."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Final

SERVICES: Final = ("kafka", "postgres", "prefect", "socket")
SESSION: Final = timedelta(hours=6, minutes=20)
"""From the opening to the closing auction."""
SHORTEST, LONGEST = timedelta(seconds=1), timedelta(minutes=30)
LONG: Final = timedelta(minutes=10)
TRADES: Final = 8


@dataclass(frozen=True, slots=True, order=True)
class Act:
    """Something at a moment after the opening: a service goes or comes back, or somebody trades."""

    after: timedelta
    what: str
    """"stop", "start", "try" (at the end of an outage), "buy", "sell" or "by hand"."""
    service: str = ""


def draw(seed: int) -> tuple[Act, ...]:
    """Draw a day: of each service one long and one short outage, which may overlap with others', and trades."""
    random = Random(seed)  # noqa: S311 - a drawn day, not a secret
    acts = [*_trades(random)]
    for service in SERVICES:
        for shortest, longest in ((LONG, LONGEST), (SHORTEST, LONG)):
            acts += _outage(random, service, shortest, longest)
    return tuple(sorted(acts))


def told(acts: Sequence[Act]) -> str:
    """Tell the outages of a day in one line."""
    begun: dict[str, timedelta] = {}
    words = []
    for act in acts:
        if act.what == "stop":
            begun[act.service] = act.after
        elif act.what == "start":
            seconds = int((act.after - begun[act.service]).total_seconds())
            words.append(f"{act.service} {seconds} s")
    return ", ".join(words)


def _outage(random: Random, service: str, shortest: timedelta, longest: timedelta) -> Iterator[Act]:
    """Draw one; short ones are as likely as long ones. The long one falls into the morning, so that the two are apart."""
    spread = math.log(longest / shortest)
    lasts = timedelta(
        seconds=round((shortest * math.exp(random.random() * spread)).total_seconds())
    )
    half = SESSION / 2
    earliest = timedelta() if longest is LONGEST else half
    begins = earliest + timedelta(seconds=random.randrange(int((half - lasts).total_seconds())))
    yield Act(begins, "stop", service)
    yield Act(begins + lasts - SHORTEST, "try", service)
    yield Act(begins + lasts, "start", service)


def _trades(random: Random) -> Iterator[Act]:
    for _ in range(TRADES):
        after = timedelta(seconds=random.randrange(int(SESSION.total_seconds())))
        yield Act(after, random.choice(("buy", "buy", "sell", "by hand")))
