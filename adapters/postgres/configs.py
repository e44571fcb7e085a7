"""This is the numbered versions of the channel's settings in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.scope import Scope
from adapters.postgres.tables import configs


class PostgresConfigs:
    """Versions of one account's settings."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def propose(self, document: Mapping[str, Any], *, digest: str, at: datetime) -> int:
        """Write a version if the newest differs by digest; give the number in force."""
        newest = self._newest()
        if newest and newest.digest == digest:
            return int(newest.version)
        self._scope.lock_account()  # two runs may see the change at once
        newest = self._newest()
        if newest and newest.digest == digest:
            return int(newest.version)
        version = int(newest.version) + 1 if newest else 1
        columns = {"version": version, "digest": digest, "document": dict(document), "at": at}
        self._scope.changes(insert(configs).values(**self._scope.owner, **columns))
        return version

    def latest(self) -> tuple[int, Mapping[str, Any]] | None:
        """Give the newest version."""
        newest = self._newest()
        return (newest.version, newest.document) if newest else None

    def _newest(self) -> Row[Any] | None:
        return self._scope.row(self._scope.own(configs).order_by(configs.c.version.desc()).limit(1))
