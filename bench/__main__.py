"""This is `make bench`: every section in turn, as tables and as JSON."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import platform
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from rich.console import Console

from bench.backtests import measure_backtests
from bench.caches import measure_caches
from bench.commands import measure_commands
from bench.doubts import measure_doubts
from bench.events import measure_events
from bench.exits import measure_exits
from bench.figures import Section
from bench.gate import measure_gate
from bench.months import measure_months
from bench.placement import measure_placement
from bench.places import Place, a_database_server, a_place
from bench.plugins import measure_plugins
from bench.replays import measure_replays
from bench.spreads import measure_spreads
from bench.starts import measure_starts
from bench.ticks import measure_ticks

SECTIONS: Final[Mapping[str, tuple[Callable[[Place, int], Awaitable[Section]], int]]] = {
    "placement": (
        measure_placement,
        180,
    ),  # each second order loses, and after 100 of those the gate refuses
    "doubts": (measure_doubts, 20),
    "starts": (measure_starts, 10),
    "gate": (measure_gate, 2000),
    "events": (measure_events, 200),
    "plugins": (measure_plugins, 100),
    "replay": (measure_replays, 40),
    "ticks": (measure_ticks, 200),
    "exits": (measure_exits, 60),
    "months": (measure_months, 22),
    "backtest": (measure_backtests, 5),
    "spreads": (measure_spreads, 3),
    "cache": (measure_caches, 20),
    "commands": (measure_commands, 5),
}
"""By name: what measures, and how many samples it takes. A section has a database and a market of its own."""


def main() -> None:
    """Measure the sections that were named, all if none was."""
    words = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    words.add_argument("sections", nargs="*", help=", ".join(SECTIONS), default=[])
    words.add_argument("--samples", type=int, help="instead of each section's own number")
    words.add_argument("--json", type=Path, help="write the figures there as JSON too")
    asked = words.parse_args()
    names = asked.sections or list(SECTIONS)
    gc.freeze()  # what is imported, as flow runs have it from the warm engine
    with a_database_server() as (home, url):
        measured = [_measure(name, asked.samples, home, url) for name in names]
    console = Console(width=160)
    for section in measured:
        console.print(section.table())
    document = {"machine": _machine(), "sections": [section.figures() for section in measured]}
    if asked.json:
        asked.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    console.print_json(data=document)


def _measure(name: str, samples: int | None, home: Path, server_url: str) -> Section:
    measure, usual = SECTIONS[name]
    with a_place(home, server_url, name) as place:
        return asyncio.run(_call(measure, place, samples or usual))


async def _call(
    measure: Callable[[Place, int], Awaitable[Section]], place: Place, samples: int
) -> Section:
    return await measure(place, samples)


def _machine() -> dict[str, str]:
    """Say on what it was measured, and what else went on."""
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return {"cores": str(os.cpu_count()), "python": platform.python_version(), "load": load}


if __name__ == "__main__":
    main()
