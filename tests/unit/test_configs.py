"""This is how a version of the settings is held against the audit rows that made it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from trading.audits import AuditEntry
from trading.configs import (
    APPROVE,
    PROPOSE,
    ConfigVersion,
    ForgedVersion,
    Forgery,
    TimedAct,
    digest_of,
    first_forged,
)

AT = datetime(2026, 11, 20, 0, 30, tzinfo=UTC)
LATER = AT + timedelta(minutes=10)
DOCUMENT = {"risk": {"maximum_weight": "0.2", "maximum_holdings": 5}, "name": "매매", "pace": 0.1}


def a_version(number: int = 2, *, is_approved: bool = True) -> ConfigVersion:
    """Give a version as `maemae config` makes it."""
    at = LATER if is_approved else None
    return ConfigVersion(number, digest_of(DOCUMENT), DOCUMENT, "calmer", AT, at, "c" * 40)


def the_acts(config: ConfigVersion) -> list[TimedAct]:
    """Give the rows that its two steps leave."""
    detail: dict[str, Any] = {"version": config.version, "digest": config.digest}
    proposal = {**detail, "commit": config.commit, "reason": config.reason}
    acts = [(AT, AuditEntry("operator", PROPOSE, proposal))]
    approval = AuditEntry("operator", APPROVE, {**detail, "reason": "looked at"})
    return [*acts, (LATER, approval)] if config.is_approved else acts


def test_a_version_that_was_proposed_and_approved_fits() -> None:
    waiting = a_version(3, is_approved=False)
    acts = [*the_acts(a_version()), *the_acts(waiting)]
    assert first_forged([waiting, a_version()], acts) is None


def test_names_in_another_order_are_the_same_settings() -> None:
    turned = dict(reversed(DOCUMENT.items()))
    assert first_forged([replace(a_version(), document=turned)], the_acts(a_version())) is None


@pytest.mark.parametrize(
    ("changes", "forgery"),
    [
        ({"document": {**DOCUMENT, "pace": 0.2}}, Forgery.DOCUMENT),
        ({"document": {**DOCUMENT, "pace": 0.2}, "digest": None}, Forgery.PROPOSAL),
        ({"commit": "d" * 40}, Forgery.PROPOSAL),
        ({"reason": "wilder"}, Forgery.PROPOSAL),
        ({"version": 3}, Forgery.PROPOSAL),
        ({"at": AT - timedelta(minutes=10)}, Forgery.PROPOSAL),  # to be approved without its wait
        ({"approved_at": AT}, Forgery.APPROVAL),
    ],
)
def test_what_was_changed_is_named(changes: dict[str, Any], forgery: Forgery) -> None:
    if changes.get("digest", "") is None:
        changes = {**changes, "digest": digest_of(changes["document"])}
    forged = replace(a_version(), **changes)
    assert first_forged([forged], the_acts(a_version())) == ForgedVersion(forged.version, forgery)


def test_what_nobody_approved_is_not_in_force() -> None:
    acts = the_acts(a_version(is_approved=False))
    assert first_forged([a_version()], acts) == ForgedVersion(2, Forgery.APPROVAL)


def test_the_first_of_several_is_named() -> None:
    forged = [replace(a_version(number), commit="d" * 40) for number in (4, 3)]
    acts = [act for number in (2, 3, 4) for act in the_acts(a_version(number))]
    found = first_forged([*forged, a_version()], acts)
    assert found == ForgedVersion(3, Forgery.PROPOSAL)


def test_versions_from_before_the_log_are_held_against_their_digest_alone() -> None:
    early = a_version(1)
    assert first_forged([early], the_acts(a_version())) is None
    forged = replace(early, document={})
    assert first_forged([forged], the_acts(a_version())) == ForgedVersion(1, Forgery.DOCUMENT)


def test_an_early_row_that_names_no_code_fits_any() -> None:
    early = AuditEntry("channel", PROPOSE, {"version": 2, "digest": digest_of(DOCUMENT)})
    assert first_forged([a_version(is_approved=False)], [(AT, early)]) is None
