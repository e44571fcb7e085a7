"""This is where the measurements happen: a PostgreSQL that flushes to disk, a simulator of its own process, a desk."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

import httpx
from prefect.logging.handlers import PrefectConsoleHandler

from adapters.calendars import XkrxCalendar
from adapters.clock import Clock
from adapters.halt_files import HaltFile
from adapters.inbox import Inbox
from adapters.kis.access import open_kis
from adapters.kis.settings import KisSettings
from adapters.logs import configure_logs
from adapters.postgres import PostgresStores, embedded
from adapters.postgres.databases import make_database
from adapters.postgres.migrations import migrate
from adapters.wording import Wording
from tasks.channels import ChannelSettings
from tasks.desk import Desk
from trading.instruments import Symbol
from trading.sessions import KST

ACCOUNT: Final = "50012345-01"
DAY: Final = date(2018, 1, 16)
SYMBOLS: Final = tuple(map(Symbol, ("051910", "005930", "005380", "035420")))
NO_LIMIT: Final = 1_000_000
"""Calls a second: the pace is kept by the same code, and never met."""
_CHANNEL: Final[Mapping[str, Any]] = {
    "channel": "dev",
    "watch_list": list(SYMBOLS),
    "strategies": [
        {
            "id": "bench",
            "kind": "moving_average_cross",
            "symbols": list(SYMBOLS),
            "parameters": {"fast": 2, "slow": 3, "volume_window": 2, "volume_ratio": None},
        }
    ],
    "risk": {
        "daily_loss": "0.5",
        "maximum_weight": "1",
        "maximum_daily_value": 10**12,
        "orders_per_minute": 60_000,
        "stop_cooldown_sessions": 0,
        "losing_trades": 100,
        "losing_days": 250,
    },
}


@dataclass(frozen=True, slots=True)
class Place:
    """A database, a market and a folder, from outside."""

    home: Path
    database_url: str
    market: Mapping[str, Any]

    @property
    def market_url(self) -> str:
        """Where the simulator answers, its own door included."""
        return str(self.market["http"])

    async def ask(self, method: str, path: str, document: Any = None) -> Any:
        """Use the simulator's own door."""
        async with httpx.AsyncClient(base_url=self.market_url, timeout=120) as client:
            reply = await client.request(method, path, json=document)
        return reply.raise_for_status().json()

    async def to(self, clock: str, *, day: date = DAY) -> datetime:
        """Play the market up to HH:MM in Seoul; give that moment."""
        at = datetime.combine(day, time.fromisoformat(clock), KST)
        await self.ask("POST", "/sim/clock", {"advance_to": at.isoformat()})
        return at

    @property
    def broker(self) -> KisSettings:
        """The keys of the market, and a pace that keeps nobody waiting."""
        settings = KisSettings.model_validate(
            {
                "environment": "real",
                "base_url": self.market["http"],
                "ws_url": self.market["ws"],
                "appkey": self.market["appkey"],
                "appsecret": self.market["appsecret"],
                "account": ACCOUNT,
                "hts_id": "bench",
                "registration_seconds": 0,
            }
        )
        return settings.model_copy(update={"calls_per_second": NO_LIMIT})


@contextmanager
def a_database_server() -> Iterator[tuple[Path, str]]:
    """Start a server with its ordinary settings (fsync on); give the folder and the address of a database."""
    with tempfile.TemporaryDirectory(prefix="maemae-bench-") as folder:
        home = Path(folder)
        home.chmod(0o711)
        server = embedded.start(home / "server")
        watcher = embedded.stop_when_we_die(home / "server")
        try:
            yield home, server.url_of("postgres")
        finally:
            embedded.stop(home / "server")
            watcher.terminate()
            watcher.communicate()


@contextmanager
def a_place(home: Path, server_url: str, name: str) -> Iterator[Place]:
    """Open an empty database and a market at six in the morning; both are `name`'s alone."""
    database_url = make_database(server_url, f"bench_{name}")
    migrate(database_url)
    words = [sys.executable, "-m", "adapters.kis_sim", "--port", "0", "--ws-port", "0"]
    words += ["--mode", "real", "--rate-limit", "off", "--token-interval", "off"]
    words += ["--day", DAY.isoformat(), "--clock", "step", "--account", ACCOUNT]
    words += ["--cash", "100000000", "--hts-id", "bench", "--spacing", "30"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(words, text=True, **pipes) as process:  # noqa: S603 - our own words
        try:
            line = process.stdout.readline() if process.stdout else ""
            yield Place(home / name, database_url, json.loads(line))
        finally:
            process.terminate()


@asynccontextmanager
async def a_desk(place: Place, clock: Clock) -> AsyncIterator[Desk]:
    """Open a desk on real adapters; the clock is the market's."""
    wording = Wording("en")
    open_logs(place)
    stores = PostgresStores(place.database_url, channel="dev", account=ACCOUNT)
    with closing(stores):
        async with open_kis(place.broker, home=place.home, clock=clock) as kis:
            yield Desk(
                account=ACCOUNT,
                channel=ChannelSettings.model_validate(_CHANNEL),
                version=1,
                clock=clock,
                calendar=XkrxCalendar(),
                stores=stores,
                access=kis.auth,
                broker=kis.broker,
                market_data=kis.market_data,
                stream=kis.stream,
                notifier=Inbox(place.home, wording=wording, clock=clock),
                wording=wording,
                halt_file=HaltFile(place.home / "halt.json"),
            )


def open_logs(place: Place) -> None:
    """Log to the file as a run does, and leave the console to the figures."""
    configure_logs(place.home, name="bench", secrets=(), accounts=(), on_console=False)
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each, PrefectConsoleHandler)]:
        root.removeHandler(handler)
