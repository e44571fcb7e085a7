"""This is what the demo shows: which market, which days, and what must have happened by the end."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final

from deployments.simulator import SimulatorOptions

FIRST_DAY: Final = date(2018, 1, 16)
FAULTS: Final = Path(__file__).with_name("demo_faults.json")


def simulated_market() -> SimulatorOptions:
    """Return the market of the demo: real prices from 2018-01-16 on, orders filled in parts."""
    return SimulatorOptions(day=FIRST_DAY, faults=FAULTS)
