"""This is bars in columns beside the database: one file that is mapped into memory, never older than the database.

What is kept of a series is used only while its version is that of the database (sql/migrations/0007). Versions are
read before bars, so what changes in between is read once more next time, and nothing is ever served stale.
"""

from __future__ import annotations

import json
import os
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import batched
from pathlib import Path
from typing import Final, Protocol
from uuid import uuid4

import numpy as np
import numpy.typing as npt

from trading.bars import Interval
from trading.instruments import Symbol

type Columns = npt.NDArray[np.int64]
"""A row each for day (as ordinal), open, high, low, close, volume."""

_ROWS: Final = 6
_AT_ONCE: Final = 100
"""Series in one question to the database."""
_FORMAT: Final = 1


class Series(Protocol):
    """Where the bars really are."""

    def versions(self, interval: Interval) -> Mapping[Symbol, str]:
        """Give the version of each series."""
        ...

    def read(self, symbols: Iterable[Symbol], interval: Interval) -> Mapping[Symbol, Columns]:
        """Give whole series; symbols without bars are left out."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class CachedBars:
    """All series after each other: symbol k has its columns from starts[k] up to starts[k + 1]. Symbols rise.

    `versions` are those of the database that the bars are of.
    """

    symbols: tuple[Symbol, ...]
    starts: npt.NDArray[np.int64]
    bars: Columns
    versions: Mapping[Symbol, str]

    def __getitem__(self, symbol: Symbol) -> Columns:
        """Give one symbol's columns; KeyError when it has none."""
        k = bisect_left(self.symbols, symbol)
        if self.symbols[k : k + 1] != (symbol,):
            raise KeyError(symbol)
        return self.bars[:, self.starts[k] : self.starts[k + 1]]


@dataclass(frozen=True, slots=True)
class _Index:
    """What the file holds: versions of all series that were looked at, and the bars of those that have some."""

    file: str
    versions: Mapping[Symbol, str]
    counts: Mapping[Symbol, int]

    def cached(self, folder: Path) -> CachedBars:
        """Map the file; raises OSError or ValueError when it is not what it was."""
        starts = np.cumsum([0, *self.counts.values()], dtype=np.int64)
        size = _ROWS * int(starts[-1])
        if size == 0:
            return CachedBars((), starts, np.empty((_ROWS, 0), dtype=np.int64), self.versions)
        # Copy on write: whoever writes into the columns spoils nothing for others.
        mapped = np.memmap(folder / self.file, dtype=np.int64, mode="c")
        bars = np.asarray(mapped).reshape(_ROWS, int(starts[-1]))
        return CachedBars(tuple(self.counts), starts, bars, self.versions)

    def in_memory(self, found: Mapping[Symbol, Columns]) -> CachedBars:
        """Put the same together without a file."""
        starts = np.cumsum([0, *self.counts.values()], dtype=np.int64)
        none = np.empty((_ROWS, 0), dtype=np.int64)
        bars = np.concatenate([none, *found.values()], axis=1)
        return CachedBars(tuple(self.counts), starts, bars, self.versions)


def open_bars(folder: Path, series: Series, interval: Interval = Interval.DAY) -> CachedBars:
    """Give all bars of `series` from `folder`, reading from the database what has changed since."""
    folder = folder / interval.value
    current = dict(sorted(series.versions(interval).items()))
    kept = _load(folder)
    if kept is not None and kept[0].versions == current:
        return kept[1]
    return _refresh(folder, series, interval, current, kept)


def _load(folder: Path) -> tuple[_Index, CachedBars] | None:
    """Give what is kept; None when there is nothing, or nothing of use."""
    try:
        document = json.loads((folder / "index.json").read_text("utf-8"))
        if document["format"] != _FORMAT:
            return None
        index = _Index(
            document["file"],
            {Symbol(s): version for s, version in document["versions"].items()},
            {Symbol(s): count for s, count in document["counts"].items()},
        )
        return index, index.cached(folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _refresh(
    folder: Path,
    series: Series,
    interval: Interval,
    current: Mapping[Symbol, str],
    kept: tuple[_Index, CachedBars] | None,
) -> CachedBars:
    """Write a new file of kept and changed series, then an index that names it, then remove the others.

    Where the file finds no place the bars are in memory alone, for this time.
    """
    parts = dict(_kept_parts(current, kept))
    changed = [symbol for symbol in current if symbol not in parts]
    for some in batched(changed, _AT_ONCE):
        parts |= series.read(some, interval)
    found = {symbol: parts[symbol] for symbol in current if symbol in parts}
    counts = {symbol: columns.shape[1] for symbol, columns in found.items()}
    index = _Index(f"{uuid4().hex}.bars", current, counts)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_bars(folder / index.file, found, counts)
        _write_index(folder, index)
        for other in folder.glob("*.bars"):
            if other.name != index.file:
                other.unlink(missing_ok=True)  # who has it mapped keeps it
        return index.cached(folder)
    except OSError:
        with suppress(OSError):
            (folder / index.file).unlink(missing_ok=True)
        return index.in_memory(found)


def _kept_parts(
    current: Mapping[Symbol, str], kept: tuple[_Index, CachedBars] | None
) -> Iterator[tuple[Symbol, Columns]]:
    if kept is None:
        return
    index, cached = kept
    bounds = zip(cached.symbols, cached.starts[:-1], cached.starts[1:], strict=True)
    for symbol, start, end in bounds:
        if index.versions.get(symbol) == current.get(symbol):
            yield symbol, cached.bars[:, start:end]


def _write_bars(file: Path, found: Mapping[Symbol, Columns], counts: Mapping[Symbol, int]) -> None:
    with file.open("wb") as target:
        for row in range(_ROWS):
            for columns in found.values():
                target.write(np.ascontiguousarray(columns[row]).data)
        target.flush()
        os.fsync(target.fileno())
    if file.stat().st_size != _ROWS * 8 * sum(counts.values()):
        raise OSError(f"{file.name} is not whole")


def _write_index(folder: Path, index: _Index) -> None:
    document = {
        "format": _FORMAT,
        "file": index.file,
        "versions": index.versions,
        "counts": index.counts,
    }
    unfinished = folder / f"{uuid4().hex}.json"
    try:
        unfinished.write_text(json.dumps(document), "utf-8")
        unfinished.replace(folder / "index.json")
    finally:
        unfinished.unlink(missing_ok=True)
