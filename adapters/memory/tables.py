"""This is rows in memory that can be put back to how they were at the last commit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class Table[K, V]:
    """Rows by key, in the order of their first writing."""

    def __init__(self) -> None:
        self._rows: dict[K, V] = {}
        self._before: dict[K, V | None] = {}

    def __contains__(self, key: K) -> bool:
        return key in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[V]:
        return iter(tuple(self._rows.values()))

    def get(self, key: K) -> V | None:
        """Give one row."""
        return self._rows.get(key)

    def put(self, key: K, row: V) -> None:
        """Write or replace."""
        self._remember(key)
        self._rows[key] = row

    def drop(self, key: K) -> None:
        """Remove a row if it is there."""
        self._remember(key)
        self._rows.pop(key, None)

    def add(self, key: K, row: V) -> bool:
        """Write a new row; False when the key exists."""
        if key in self:
            return False
        self.put(key, row)
        return True

    def commit(self) -> None:
        """Keep what was written."""
        self._before.clear()

    def roll_back(self) -> None:
        """Undo everything since the last commit."""
        for key, row in self._before.items():
            if row is None:
                self._rows.pop(key, None)
            else:
                self._rows[key] = row
        self._before.clear()

    def _remember(self, key: K) -> None:
        self._before.setdefault(key, self._rows.get(key))


class Log[V](Table[int, V]):
    """Rows that are only ever added, numbered from 1."""

    def append(self, row: V) -> int:
        """Add a row; give its number."""
        number = len(self) + 1
        self.put(number, row)
        return number


def every_table(owner: object) -> Iterator[Table[Any, Any]]:
    """Give the tables that an object consists of."""
    return (part for part in vars(owner).values() if isinstance(part, Table))
