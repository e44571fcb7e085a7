"""This is the numbered versions of the channel's settings in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, update
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.scope import Scope, columns_of, own, pick
from adapters.postgres.tables import configs
from trading.configs import ConfigVersion


class PostgresConfigs:
    """Versions of one account's settings."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def propose(
        self,
        document: Mapping[str, Any],
        *,
        digest: str,
        commit: str = "",
        reason: str = "",
        at: datetime,
    ) -> ConfigVersion | None:
        """Write a version that waits for its approval; None when the newest has digest and commit already."""
        self._scope.lock_account()  # two runs may see the change at once
        newest = self.newest()
        if newest and newest.snapshot == (commit, digest):
            return None
        number = newest.version + 1 if newest else 1
        proposed = ConfigVersion(number, digest, dict(document), reason, at, commit=commit)
        self._scope.changes(insert(configs).values(**self._scope.owner, **columns_of(proposed)))
        return proposed

    def approve(self, version: int, *, at: datetime) -> bool:
        """Put a version in force; False when there is none of that number that waits for it."""
        waiting = update(configs).filter_by(**self._scope.owner, version=version)
        waiting = waiting.where(configs.c.approved_at.is_(None))
        return self._scope.changes(waiting.values(approved_at=at)) == 1

    def in_force(self) -> ConfigVersion | None:
        """Give the newest approved version."""
        return self._first(self._newest_first().where(configs.c.approved_at.is_not(None)))

    def newest(self) -> ConfigVersion | None:
        """Give the newest version, approved or not."""
        return self._first(self._newest_first())

    def get(self, version: int) -> ConfigVersion | None:
        """Give one."""
        return self._first(self._newest_first().where(configs.c.version == version))

    def all(self) -> tuple[ConfigVersion, ...]:
        """Give every version, oldest first."""
        return tuple(_version(row) for row in reversed(self._scope.rows(self._newest_first())))

    def _newest_first(self) -> Select[Any]:
        return own(configs).order_by(configs.c.version.desc())

    def _first(self, query: Select[Any]) -> ConfigVersion | None:
        row = self._scope.row(query.limit(1))
        return _version(row) if row else None


def _version(row: Row[Any]) -> ConfigVersion:
    return ConfigVersion(**pick(row, ConfigVersion))
