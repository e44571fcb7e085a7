"""This is the KIS simulator as a part of the stack: started on a day of its own, and its clock moved from here."""

from __future__ import annotations

import json
import secrets
import sys
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import httpx

from deployments.environments import plain_environment
from deployments.processes import Program

ACCOUNT: Final = "50012345-01"
HTS_ID: Final = "maemae"
_STEP_PATIENCE: Final = 120.0
"""Seconds that the simulator may take to play the market up to a time."""


@dataclass(frozen=True, slots=True)
class SimulatorOptions:
    """What the simulated market is. `cash` in won; the same seed makes the same days.

    `spacing`: seconds between two prints of a symbol.
    """

    day: date
    cash: int = 100_000_000
    seed: int = 1
    spacing: int = 30
    faults: Path | None = None


@dataclass(slots=True)
class SimulatorProgram(Program):
    """The simulator's process. Its clock stands until somebody moves it.

    Its keys are new at every start, so that no token of an earlier one is taken for valid. Its log, where it says
    that it is ready, does not hold them.
    """

    appkey: str = field(default="", repr=False)
    appsecret: str = field(default="", repr=False)

    @classmethod
    def of(cls, options: SimulatorOptions, logs: Path) -> SimulatorProgram:
        """Put the command together."""
        words = [sys.executable, "-m", "adapters.kis_sim", "--port", "0", "--ws-port", "0"]
        words += ["--account", ACCOUNT, "--hts-id", HTS_ID, "--cash", str(options.cash)]
        appkey, appsecret = secrets.token_hex(18), secrets.token_hex(90)
        words += ["--appkey", appkey, "--appsecret", appsecret]
        words += ["--clock", "step", "--day", options.day.isoformat(), "--seed", str(options.seed)]
        words += ["--spacing", str(options.spacing)]
        if options.faults is not None:
            words += ["--faults", str(options.faults)]
        log = logs / "simulator.log"
        return cls(
            "simulator",
            tuple(words),
            plain_environment(),
            log,
            lambda: _reply(log) != {},
            appkey=appkey,
            appsecret=appsecret,
        )

    @property
    def url(self) -> str:
        """Where it answers, control endpoints included."""
        return str(_reply(self.log)["http"])

    def variables(self) -> dict[str, str]:
        """Return the settings that lead flows and console to it."""
        reply = _reply(self.log)
        return {
            "MAEMAE_SIMULATOR_URL": str(reply["http"]),
            "MAEMAE_KIS__ENVIRONMENT": "real",  # the paper world knows fewer calls and one a second
            "MAEMAE_KIS__BASE_URL": str(reply["http"]),
            "MAEMAE_KIS__WS_URL": str(reply["ws"]),
            "MAEMAE_KIS__APPKEY": self.appkey,
            "MAEMAE_KIS__APPSECRET": self.appsecret,
            "MAEMAE_KIS__ACCOUNT": ACCOUNT,
            "MAEMAE_KIS__HTS_ID": HTS_ID,
        }


class SimulatorControl:
    """The simulator's own door: its time and its book."""

    def __init__(self, url: str) -> None:
        """Take where it answers."""
        self._client = httpx.AsyncClient(base_url=url, timeout=_STEP_PATIENCE)

    async def now(self) -> datetime:
        """Return the market's time."""
        reply = await self._client.get("/sim/clock")
        return datetime.fromisoformat(reply.raise_for_status().json()["now"])

    async def step_to(self, at: datetime) -> None:
        """Play the market up to `at`; returns when that is done."""
        reply = await self._client.post("/sim/clock", json={"advance_to": at.isoformat()})
        reply.raise_for_status()

    async def calls(self) -> int:
        """Return how many KIS calls were answered so far."""
        reply = await self._client.get("/sim/clock")
        return int(reply.raise_for_status().json()["calls"])

    async def book(self) -> dict[str, Any]:
        """Return what is true: orders, fills, positions and cash of every account."""
        reply = await self._client.get("/sim/book")
        document: dict[str, Any] = reply.raise_for_status().json()
        return document

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()


def _reply(log: Path) -> dict[str, Any]:
    """Read the line that says ready; empty until it is there, whole."""
    try:
        line, separator, _ = log.read_text(encoding="utf-8").partition("\n")
        return dict(json.loads(line)) if separator else {}
    except (OSError, ValueError):
        return {}
