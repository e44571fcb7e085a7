"""This is which bars a backtest was made of: the file or the database, and the version of what was read of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from trading.errors import BadInput
from trading.instruments import Symbol

DATABASE: Final = "database"
_OF_THE_DATA: Final = {"symbols", "days", "bars"}
"""What question and data have wrong together; the sentence then names the data."""
NO_ADJUSTMENTS: Final[Mapping[Symbol, int]] = {}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where bars are from. `version` is another one as soon as anything in them is; of a large file it takes its time.

    `adjustments` are the versions of the factors between raw prices and the series, where they are known.
    """

    source: str
    version: Callable[[], str]
    adjustments: Mapping[Symbol, int] = field(default_factory=lambda: NO_ADJUSTMENTS)

    @classmethod
    def of_file(cls, path: Path) -> Origin:
        """Take a file.

        Raises:
            BadInput: when there is none.
        """
        if not path.is_file():
            raise BadInput("--data", str(path), "a CSV or parquet file of bars")
        return cls(path.name, partial(_digest_of, path))

    @classmethod
    def of_database(
        cls,
        versions: Mapping[Symbol, str],
        symbols: Iterable[Symbol],
        adjustments: Mapping[Symbol, int],
    ) -> Origin:
        """Take some symbols of the series' versions, as they were before the bars were read."""
        told = [f"{symbol} {versions[symbol]}" for symbol in sorted(symbols) if symbol in versions]
        digest = hashlib.sha256("\n".join(told).encode()).hexdigest
        return cls(DATABASE, digest, adjustments)

    @contextmanager
    def named(self) -> Iterator[None]:
        """Name it where question and data do not fit together."""
        try:
            yield
        except BadInput as error:
            if error.field in _OF_THE_DATA:
                where = f"{self.source}: {error.field}"
                raise BadInput(where, error.value, error.expected) from None
            raise

    def document(self) -> dict[str, Any]:
        """Tell it to programs."""
        adjustments = {str(symbol): each for symbol, each in sorted(self.adjustments.items())}
        return {"source": self.source, "version": self.version(), "adjustments": adjustments}


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
