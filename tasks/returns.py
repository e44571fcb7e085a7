"""This is the way back to the snapshot before: its settings and its code, noted so that a cut-off one goes on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from adapters.stores import AuditEntry, Stores, UnitOfWork
from tasks.channels import read_version
from tasks.versions import (
    Proposal,
    commit_in_force,
    propose_within,
    require_reason,
    require_unforged,
)
from trading.audits import OPERATOR
from trading.configs import ConfigVersion
from trading.errors import BadInput

RETURN: Final = "rollback"
RETURNED: Final = "rolled back"


@dataclass(frozen=True)
class Return:
    """The way back to an earlier snapshot: what became of its settings, and its code, "" where nobody can tell."""

    proposal: Proposal
    commit: str


def begin_return(stores: Stores, *, reason: str, at: datetime) -> Return:
    """Propose the snapshot of code and settings before the one in force; a return that was cut off goes on.

    On live settings that loosen wait for their approval even so; the code of a version once approved does not.

    Raises:
        BadInput: without a reason, or when there is no earlier snapshot.
        NotApproved: when it is not what was approved then.
        InvalidSetting: when it is not what this program understands.
    """
    require_reason(reason)
    with stores.begin() as work:
        if unfinished := _unfinished_return(work):
            return Return(Proposal(unfinished, (), waits=False), unfinished.commit)
        earlier = _earlier_snapshot(work)
        require_unforged(work, earlier)
        commit = earlier.commit or commit_in_force(work)
        proposal = propose_within(
            work,
            read_version(earlier),
            reason,
            actor=OPERATOR,
            at=at,
            commit=commit,
            returns_to=earlier.version,
        )
        _note_return(work, RETURN, proposal, at=at)
        return Return(proposal, commit)


def code_before(stores: Stores) -> str:
    """Give the code that `begin_return` will name, changing nothing.

    Raises:
        BadInput: when there is no earlier snapshot.
    """
    with stores.begin() as work:
        unfinished = _unfinished_return(work)
        return (unfinished or _earlier_snapshot(work)).commit or commit_in_force(work)


def end_return(stores: Stores, done: Return, *, at: datetime) -> None:
    """Note that code and settings are what was returned to, and that the books were compared."""
    with stores.begin() as work:
        _note_return(work, RETURNED, done.proposal, at=at)


def _earlier_snapshot(work: UnitOfWork) -> ConfigVersion:
    """Give the newest approved version that says something else than the one in force, in settings or code."""
    current = work.configs.in_force()
    approved = [config for config in work.configs.all() if config.is_approved]
    others = [c for c in approved if current and c.snapshot != current.snapshot]
    if not others:
        raise BadInput("version", None, "an earlier version: there is none to return to")
    return others[-1]


def _unfinished_return(work: UnitOfWork) -> ConfigVersion | None:
    """Give the version in force when a return made it and was cut off before its end."""
    current, begun = work.configs.in_force(), _acted_on(work, RETURN)
    is_unfinished = current and current.version == begun != _acted_on(work, RETURNED)
    return current if is_unfinished else None


def _acted_on(work: UnitOfWork, action: str) -> int | None:
    """Give the version that the newest act of that name was about."""
    found = work.audit.latest(action)
    return None if found is None else found[1].detail.get("version")


def _note_return(work: UnitOfWork, action: str, proposal: Proposal, *, at: datetime) -> None:
    version = proposal.config.version if proposal.config else None
    work.audit.add(AuditEntry(OPERATOR, action, {"version": version}), at=at)
