"""This is where the stack's databases are: the embedded PostgreSQL, or the server that the settings name."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.postgres import embedded
from adapters.postgres.databases import make_database, prefect_address

SIMULATED: Final = "maemae_simulated"
"""Made anew whenever the simulator starts, because its account is new as well."""
_LOOK_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where maemae's and Prefect's databases are, both on one server."""

    maemae: str
    prefect: str


@dataclass(slots=True)
class EmbeddedDatabase:
    """The embedded PostgreSQL as a part that is kept running; looked at every few seconds."""

    home: Path
    name: str = "postgresql"
    last_words: str = "-"
    _looked_at: float = 0.0

    @property
    def is_running(self) -> bool:
        """Whether it answers."""
        if time.monotonic() - self._looked_at < _LOOK_SECONDS:
            return True
        self._looked_at = time.monotonic()
        return embedded.running(self.home) is not None

    def start(self) -> None:
        """Start it, at the port that it had."""
        embedded.start(self.home)

    def stop(self, *, within: float) -> None:
        """End it in order; it takes the time that it needs to keep every row."""
        del within
        embedded.stop(self.home)


def make_databases(url: str, *, is_simulated: bool = False, is_fresh: bool = False) -> Addresses:
    """Make what is missing on the server of `url`; a simulated account's database and, if fresh, Prefect's anew.

    Raises:
        InvalidSetting: when `url` is no PostgreSQL address.
        StoreUnavailable: when the server cannot be reached.
    """
    ours = make_database(url, SIMULATED, is_fresh=True) if is_simulated else url
    prefect = make_database(url, "prefect", is_fresh=is_fresh)
    return Addresses(ours, prefect_address(prefect))
