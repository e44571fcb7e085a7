"""This is which version of the settings is in force, and the way of a change into force: propose, approve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from adapters.stores import AuditEntry, Stores, UnitOfWork
from risk.changes import Change, differences, loosening
from tasks.channels import GUARDED_CHANNEL, ChannelSettings, read_version
from tasks.desk import Desk
from trading.audits import OPERATOR
from trading.configs import APPROVE, PROPOSE, ConfigVersion, first_forged
from trading.errors import BadInput, NotApproved

_LOG: Final = structlog.get_logger(__name__)
FIRST_START: Final = "first start"
PROMOTED: Final = "promote"
"""The audit's word for a commit that has passed the gate to a channel."""


@dataclass(frozen=True)
class Standing:
    """The settings in force: what they say, their number and code, and whether the file says something else."""

    channel: ChannelSettings
    version: int
    is_file_ahead: bool
    commit: str = ""


@dataclass(frozen=True)
class Proposal:
    """What a proposal came to: `config` is None when it changes nothing; it is in force unless it `waits`."""

    config: ConfigVersion | None
    changes: tuple[Change, ...]
    waits: bool


def open_version(
    stores: Stores, file: ChannelSettings, *, at: datetime, commit: str = ""
) -> Standing:
    """Give the newest approved version; the first start of a channel proposes what its file says.

    The first start of other code (`commit`, "" where nobody can tell) is a version too, with the settings in
    force. On live code comes into force by a promotion only.

    Raises:
        NotApproved: when none is approved, or not with this code, or it is not what was, naming what to do; a
            proposal is kept.
        InvalidSetting: when the version is not what this program understands.
    """
    with stores.begin() as work:
        require_unforged(work, work.configs.in_force())
        if work.configs.newest() is None:
            propose_within(work, file, FIRST_START, actor=file.channel, at=at, commit=commit)
        elif file.channel == GUARDED_CHANNEL:
            _require_known_code(work, commit)
        else:
            _take_up_code(work, commit, at=at)
        current = work.configs.in_force()
        waiting = work.configs.newest()
    if current is None:
        number = waiting.version if waiting else 1
        expected = f"settings that you have approved: maemae config approve {number}"
        raise NotApproved(f"configs ({file.channel})", None, expected)
    channel = read_version(current)
    return Standing(channel, current.version, channel.digest != file.digest)


def standing_of(work: UnitOfWork, file: ChannelSettings) -> Standing | None:
    """Give what is in force as it is, None as long as nothing is.

    Raises:
        InvalidSetting: when the version is not what this program understands.
    """
    current = work.configs.in_force()
    if current is None:
        return None
    channel = read_version(current)
    return Standing(channel, current.version, channel.digest != file.digest, commit=current.commit)


def is_other_code(running: str | None, approved: str | None) -> bool:
    """Tell whether code runs that is not that of the version in force; not where nobody can tell either."""
    return bool(running and approved and running != approved)


def follow(desk: Desk) -> Desk:
    """Give the desk with the version in force, itself when it works with that already.

    A version that was changed past `maemae config` is not taken over: what runs goes on hearing its fills.

    Raises:
        InvalidSetting: when the version is not what this program understands.
    """
    with desk.stores.begin() as work:
        current = work.configs.in_force()
        if current is None or current.version <= desk.version:
            return desk
        try:
            require_unforged(work, current)
        except NotApproved as problem:
            _LOG.error("settings not taken over", words=str(problem))
            return desk
    return replace(desk, channel=read_version(current), version=current.version)


def propose(
    stores: Stores,
    file: ChannelSettings,
    *,
    reason: str,
    at: datetime,
    commit: str | None = None,
) -> Proposal:
    """Make what the file says a version; it is in force at once where nobody has to approve it.

    `commit` is the code that goes with it, unless given that of the version in force.

    Raises:
        BadInput: without a reason.
    """
    require_reason(reason)
    with stores.begin() as work:
        return propose_within(work, file, reason, actor=OPERATOR, at=at, commit=commit)


def waiting_change(stores: Stores) -> tuple[ConfigVersion, tuple[Change, ...]] | None:
    """Give the version that waits for its approval and what it changes, None when none does.

    Raises:
        InvalidSetting: when it is not what this program understands.
    """
    with stores.begin() as work:
        waiting = work.configs.newest()
        if waiting is None or waiting.is_approved:
            return None
        document = read_version(waiting).model_dump(mode="json")
        return waiting, differences(_document_in_force(work), document)


def approve(
    stores: Stores,
    version: int,
    *,
    reason: str,
    at: datetime,
    delay: timedelta,
    needs_code: bool = False,
) -> tuple[Change, ...]:
    """Put the newest version in force, at the earliest `delay` after its proposal; give what it changes.

    Raises:
        BadInput: without a reason, when it is not the version that waits, too early, or with code that has passed
            no promotion; if it `needs_code`, with code that nobody can tell.
        InvalidSetting: when the version is not what this program understands.
    """
    require_reason(reason)
    with stores.begin() as work:
        waiting = work.configs.newest()
        if waiting is None or waiting.is_approved or waiting.version != version:
            raise BadInput("version", version, _what_waits(waiting))
        if at < waiting.at + delay:
            minutes = int(delay.total_seconds() // 60)
            raise BadInput("version", version, f"a version that has waited {minutes} minutes")
        _require_promotion(work, waiting, needs_code=needs_code)
        require_unforged(work, waiting)
        document = read_version(waiting).model_dump(mode="json")
        changes = differences(_document_in_force(work), document)
        _approve(work, waiting, actor=OPERATOR, reason=reason, at=at)
    return changes


def roll_back(stores: Stores, version: int | None, *, reason: str, at: datetime) -> Proposal:
    """Propose what an earlier version said, the one in force before the present one unless named.

    Raises:
        BadInput: without a reason, or when there is no such version.
        NotApproved: when it is not what was approved then.
        InvalidSetting: when the version is not what this program understands.
    """
    require_reason(reason)
    with stores.begin() as work:
        earlier = _earlier(work, version)
        require_unforged(work, earlier)
        channel = read_version(earlier)
        return propose_within(
            work, channel, reason, actor=OPERATOR, at=at, returns_to=earlier.version
        )


def require_unforged(work: UnitOfWork, config: ConfigVersion | None) -> None:
    """Make sure that a version is what the audit log says of it.

    Raises:
        NotApproved: naming what of it somebody has changed past `maemae config`.
    """
    found = first_forged([config] if config else (), work.audit.of(PROPOSE, APPROVE))
    if found:
        expected = (
            "the version that the audit log knows: maemae audit verify, maemae config rollback"
        )
        raise NotApproved(f"configs version {found.version}", found.forgery.value, expected)


def changes_of(stores: Stores, file: ChannelSettings) -> tuple[Change, ...]:
    """Give what the file would change of the version in force."""
    with stores.begin() as work:
        return differences(_document_in_force(work), file.model_dump(mode="json"))


def propose_within(
    work: UnitOfWork,
    channel: ChannelSettings,
    reason: str,
    *,
    actor: str,
    at: datetime,
    commit: str | None = None,
    returns_to: int | None = None,
) -> Proposal:
    """Make settings a version in a unit of work of the caller's, with the code in force unless `commit` is given.

    `returns_to` is the number of the version that they are the settings of.
    """
    before = _document_in_force(work)
    document = channel.model_dump(mode="json")
    changes = differences(before, document)
    if commit is None:
        commit = commit_in_force(work)
    is_new_code = commit not in _approved_code(work)
    proposed = work.configs.propose(
        document, digest=channel.digest, commit=commit, reason=reason, at=at
    )
    if proposed is None:
        newest = work.configs.newest()
        is_waiting = newest is not None and not newest.is_approved
        return Proposal(newest if is_waiting else None, changes, waits=is_waiting)
    detail: dict[str, Any] = {"version": proposed.version, "digest": proposed.digest}
    detail["commit"] = commit
    detail |= {"reason": reason, "changes": _told(changes)}
    if returns_to is not None:
        detail["returns_to"] = returns_to
    work.audit.add(AuditEntry(actor, PROPOSE, detail), at=at)
    waits = channel.channel == GUARDED_CHANNEL and (is_new_code or bool(loosening(changes)))
    if not waits:
        _approve(work, proposed, actor=f"channel:{channel.channel}", reason=reason, at=at)
    return Proposal(proposed, changes, waits)


def _approve(
    work: UnitOfWork, config: ConfigVersion, *, actor: str, reason: str, at: datetime
) -> None:
    work.configs.approve(config.version, at=at)
    detail = {"version": config.version, "digest": config.digest, "reason": reason}
    work.audit.add(AuditEntry(actor, APPROVE, detail), at=at)


def _document_in_force(work: UnitOfWork) -> Mapping[str, Any]:
    """Give the document in force with today's defaults, as it lies there when it cannot be read any more."""
    current = work.configs.in_force()
    if current is None:
        return {}
    try:
        return read_version(current).model_dump(mode="json")
    except BadInput:
        return current.document


def commit_in_force(work: UnitOfWork) -> str:
    """Give the code that goes with the version in force, "" where nobody can tell."""
    current = work.configs.in_force()
    return current.commit if current else ""


def _approved_code(work: UnitOfWork) -> frozenset[str]:
    """Give the commit of every version that was ever in force, the unknown one only while no other is.

    What somebody has written past `maemae config` approves nothing.
    """
    acts = work.audit.of(PROPOSE, APPROVE)
    approved = frozenset(
        config.commit
        for config in work.configs.all()
        if config.is_approved and not first_forged([config], acts)
    )
    return approved - {""} or approved


def _take_up_code(work: UnitOfWork, commit: str, *, at: datetime) -> None:
    """Make the first start of other code a version, so that it can be returned to."""
    current = work.configs.in_force()
    if current is not None and commit not in {"", current.commit}:
        channel = read_version(current)
        actor = f"channel:{channel.channel}"
        propose_within(
            work, channel, f"{FIRST_START}: {commit[:12]}", actor=actor, at=at, commit=commit
        )


def _require_known_code(work: UnitOfWork, commit: str) -> None:
    """Let only code trade that was approved; where no version names any, nobody has promoted yet."""
    approved = _approved_code(work)
    if approved and commit not in approved:
        expected = "code of an approved version: maemae promote on paper, or maemae rollback"
        raise NotApproved("commit", commit[:12] or None, expected)


def _require_promotion(work: UnitOfWork, config: ConfigVersion, *, needs_code: bool) -> None:
    """Let code that was never in force in only after it has passed the gate to this channel."""
    is_known = config.commit in _approved_code(work)
    if config.commit and not is_known:
        promoted = work.audit.latest(PROMOTED)
        is_known = promoted is not None and promoted[1].detail.get("commit") == config.commit
    elif not config.commit:
        is_known = not needs_code
    if not is_known:
        expected = "code that has passed maemae promote on paper"
        raise BadInput("commit", config.commit[:12] or None, expected)


def _earlier(work: UnitOfWork, version: int | None) -> ConfigVersion:
    approved = [config for config in work.configs.all() if config.is_approved]
    found = work.configs.get(version) if version is not None else None
    if version is None and len(approved) > 1:
        found = approved[-2]
    if found is None or not found.is_approved:
        numbers = ", ".join(str(config.version) for config in approved[:-1])
        raise BadInput("version", version, f"one of the versions once in force: {numbers or '-'}")
    return found


def _told(changes: tuple[Change, ...]) -> list[dict[str, Any]]:
    return [
        {"path": c.path, "before": c.before, "after": c.after, "loosens": c.loosens}
        for c in changes
    ]


def _what_waits(newest: ConfigVersion | None) -> str:
    waits = newest is not None and not newest.is_approved
    return f"the version that waits: {newest.version if newest and waits else '-'}"


def require_reason(reason: str) -> None:
    """Insist on a reason.

    Raises:
        BadInput: without one.
    """
    if not reason.strip():
        raise BadInput("--reason", reason, "a few words why, for the audit log")
