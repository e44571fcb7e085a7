"""This is the chain that the audit rows form: each holds the hash of itself and of the row before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

BEGINNING: Final = "0" * 64
"""What the first row holds as the hash before it."""


OPERATOR: Final = "operator"
"""Whoever types commands and fills in forms: one person."""
WAITED: Final = "waited"
"""In the detail of a row that came later than its act: the name under which it waited, which ends with its seal."""
BEHIND: Final = "waited_behind"
"""In the detail of an act that has to wait: the name of the one that waited already."""


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


def seal_of(entry: AuditEntry, at: datetime) -> str:
    """Hash an act that has to wait for its row: 32 hex digits, the same however a memory writes its detail later."""
    text = json.dumps(dict(entry.detail))
    detail = json.loads(text, parse_int=_plain, parse_float=_plain)
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    parts = [moment, entry.actor, entry.action, detail]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _plain(number: str) -> str:
    return f"{Decimal(number).normalize():f}"


def first_flaw(
    rows: Iterable[AuditRow], *, mark: AuditMark | None = None, awaited: str = ""
) -> Flaw | None:
    """Give the first row that does not fit, None when all do; `rows` of one chain in order of their numbers.

    `mark` is the newest row that anybody has kept in mind: a chain that ends before it was cut. So is one
    without `awaited`, the name of an act that waits no longer.
    """
    chain = tuple(rows)
    broken = _first_break(chain)
    late = [row for row in chain[: broken.number - 1 if broken else None] if _has_waited(row)]
    for row in late:
        if not str(row.entry.detail[WAITED]).endswith(f"-{_seal_of_row(row)}"):
            return Flaw(row.number, Misfit.CONTENT)
    if broken:
        return broken
    names = {"", *(row.entry.detail[WAITED] for row in late)}
    for row in late:
        if row.entry.detail.get(BEHIND, "") not in names:
            return Flaw(row.number, Misfit.ORDER)
    if awaited not in names:
        return Flaw(len(chain) + 1, Misfit.CUT)
    return _first_lost(chain, mark) if mark else None


def _first_break(chain: Sequence[AuditRow]) -> Flaw | None:
    before = BEGINNING
    for number, row in enumerate(chain, start=1):
        if row.number != number:
            return Flaw(number, Misfit.MISSING)
        if digest_of(row) != row.digest:
            return Flaw(number, Misfit.CONTENT)
        if row.before != before:
            return Flaw(number, Misfit.ORDER)
        before = row.digest
    return None


def _first_lost(chain: Sequence[AuditRow], mark: AuditMark) -> Flaw | None:
    if len(chain) < mark.number:
        return Flaw(len(chain) + 1, Misfit.CUT)
    is_same = mark.number > 0 and chain[mark.number - 1].digest == mark.digest
    return None if is_same else Flaw(mark.number, Misfit.REWRITTEN)


def _has_waited(row: AuditRow) -> bool:
    return f'"{WAITED}"' in row.detail and WAITED in row.entry.detail


def _seal_of_row(row: AuditRow) -> str:
    detail = {key: told for key, told in row.entry.detail.items() if key != WAITED}
    return seal_of(replace(row.entry, detail=detail), row.at)
