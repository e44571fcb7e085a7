"""This is how tests drive the console: in this process or as one of its own, and the day that it shows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.clock import SystemClock
from adapters.stores import Stores
from tests.builders import (
    A_DAY,
    LG_CHEM,
    SAMSUNG,
    a_fill,
    a_signal,
    an_accepted_order,
    an_order,
    seoul,
)
from trading.bars import Bar, Interval
from trading.decisions import Breach, RiskEvent
from trading.instruments import Instrument
from trading.ledger import CashFlow
from trading.orders import Order

PROJECT = Path(__file__).resolve().parents[1]
NOWHERE = "postgresql://maemae:geheim@127.0.0.1:1/nowhere"


@dataclass(frozen=True)
class Answer:
    """What a console command said."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON on standard output."""
        return json.loads(self.out)


type Console = Callable[..., Answer]
type Doubt = tuple[Order, str]
"""An order whose reply was lost, and the number that the broker has for it."""


RUN = "import sys; from deployments.cli import main; sys.exit(main())"


def run_process(*words: str, code: str = RUN, **variables: str) -> Answer:
    """Run the console as a process of its own, with further variables."""
    done = subprocess.run(  # noqa: S603 - our own words
        (sys.executable, "-c", code, *words),
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT,
        env={**os.environ, **variables},
        timeout=150,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def wait(patch: pytest.MonkeyPatch, minutes: int) -> None:
    """Let the computer's clock be so many minutes later: on live it is the one that changes wait by."""
    now = SystemClock.now
    patch.setattr(SystemClock, "now", lambda clock: now(clock) + timedelta(minutes=minutes))


async def come_to(simulator: dict[str, Any], clock: str) -> None:
    """Let the market be at `clock` at least."""
    async with httpx.AsyncClient(base_url=simulator["http"], timeout=60) as http:
        now = (await http.get("/sim/clock")).json()["now"]
        if now < f"{A_DAY}T{clock}":
            until = seoul(A_DAY, clock).isoformat()
            (await http.post("/sim/clock", json={"advance_to": until})).raise_for_status()


def fill_day(stores: Stores) -> None:
    """Write the day of 23 LG Chem bought in two fills, Samsung refused by two rules, one order open."""
    at = seoul(A_DAY, "09:00:05")
    order = an_accepted_order()
    first = a_fill(order, quantity=10, price=428_000, at=at)
    filled = order.fill(10, first.value, at=at)
    rest = a_fill(filled, quantity=13, price=428_500, at=at + timedelta(seconds=1))
    done = filled.fill(13, rest.value, at=rest.executed_at)
    breaches = (
        Breach(
            "MAXIMUM_WEIGHT",
            "too heavy",
            {"value": "30000000", "equity": "100000000", "limit": "0.2"},
        ),
        Breach("CASH", "too dear", {"need": "30000000", "available": "90000000"}),
    )
    denied = an_order(client_order_id="denied", symbol=SAMSUNG).deny("too heavy", at=at)
    waiting = an_accepted_order("0000000102", client_order_id="waiting", symbol=SAMSUNG, quantity=1)
    with stores.begin() as work:
        work.instruments.upsert([Instrument(LG_CHEM, "LG화학"), Instrument(SAMSUNG, "삼성전자")])
        work.ledger.deposit(CashFlow(A_DAY, 100_000_000), reason="opening", at=at)
        work.signals.add(a_signal())
        for one in (order, denied, waiting):
            work.orders.add(one)
        for execution in (first, rest):
            work.executions.add(execution)
            work.ledger.post(execution)
        work.orders.save(done)
        work.risk_events.add(
            RiskEvent("denied", "trend", SAMSUNG, breach, at, A_DAY) for breach in breaches
        )
        work.bars.upsert([a_bar(A_DAY, close=430_000)])


def a_bar(day: date, *, close: int) -> Bar:
    """Give a daily bar of LG Chem that closed at `close` won."""
    return Bar(
        symbol=LG_CHEM,
        interval=Interval.DAY,
        trading_day=day,
        at=seoul(day, "00:00"),
        open=428_000,
        high=close,
        low=428_000,
        close=close,
        volume=1_000,
    )
