"""This is the chain that the audit rows form: each holds the hash of itself and of the row before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

BEGINNING: Final = "0" * 64
"""What the first row holds as the hash before it."""


OPERATOR: Final = "operator"
"""Whoever types commands and fills in forms: one person."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act of an operator or of the system on its settings or state."""

    actor: str
    action: str
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditMark:
    """The newest row of a chain as it was kept outside of it: without it a cut end cannot be seen."""

    number: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One row as it is stored, numbered from 1 in the chain of its channel and account.

    `detail` is JSON, letter by letter as the memory gives it back: every one of them is in the hash.
    """

    channel: str
    account: str
    number: int
    at: datetime
    actor: str
    action: str
    detail: str
    before: str = BEGINNING
    digest: str = ""

    @property
    def entry(self) -> AuditEntry:
        """The act."""
        return AuditEntry(self.actor, self.action, json.loads(self.detail))

    @property
    def mark(self) -> AuditMark:
        """What has to be kept of it elsewhere."""
        return AuditMark(self.number, self.digest)

    def sealed(self, before: str) -> AuditRow:
        """Give the row chained to the one whose hash is `before`."""
        chained = replace(self, before=before)
        return replace(chained, digest=digest_of(chained))


class Misfit(StrEnum):
    """Why a row does not fit."""

    CONTENT = "content"
    """It is not what was hashed when it was written."""
    ORDER = "order"
    """It does not follow the row before it."""
    MISSING = "missing"
    """It is not there, and later ones are."""
    CUT = "cut"
    """It is not there, and it was the newest one or before it."""
    REWRITTEN = "rewritten"
    """The chain is whole but another one than was kept in mind."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """The first row that does not fit."""

    number: int
    misfit: Misfit


def digest_of(row: AuditRow) -> str:
    """Hash everything that the row says, and the hash before it: SHA-256 as 64 hex digits."""
    parts = [
        row.channel,
        row.account,
        row.number,
        row.at.astimezone(UTC).isoformat(timespec="microseconds"),
        row.actor,
        row.action,
        row.detail,
        row.before,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def first_flaw(rows: Iterable[AuditRow], *, mark: AuditMark | None = None) -> Flaw | None:
    """Give the first row that does not fit, None when all do; `rows` of one chain in order of their numbers.

    `mark` is the newest row that anybody has kept in mind: a chain that ends before it was cut.
    """
    before, last = BEGINNING, 0
    marked = ""
    for row in rows:
        if row.number != last + 1:
            return Flaw(last + 1, Misfit.MISSING)
        if digest_of(row) != row.digest:
            return Flaw(row.number, Misfit.CONTENT)
        if row.before != before:
            return Flaw(row.number, Misfit.ORDER)
        before, last = row.digest, row.number
        marked = row.digest if mark and mark.number == last else marked
    if mark is None or mark.digest == marked:
        return None
    is_cut = last < mark.number
    return Flaw(last + 1 if is_cut else mark.number, Misfit.CUT if is_cut else Misfit.REWRITTEN)
