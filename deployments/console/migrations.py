"""This is the command `migrate`: bring the database to the newest schema."""

from __future__ import annotations

from contextlib import suppress

from adapters.clock import SystemClock
from adapters.postgres.engine import parse_url
from adapters.postgres.migrations import migrate as bring_up_to_date
from adapters.stores import AuditEntry
from deployments.console.speech import say
from deployments.console.tables import paper
from flows.settings import load_settings
from flows.sources import database_url, note
from trading.audits import OPERATOR
from trading.errors import InvalidSetting


def migrate() -> None:
    """Apply every step that the database has not seen; doing it again changes nothing."""
    settings = load_settings()
    url = database_url(settings)
    bring_up_to_date(url)
    with suppress(InvalidSetting):  # without keys there is no account whose act it could be
        note(settings, AuditEntry(OPERATOR, "migrate"), at=SystemClock().now())
    place = parse_url(url).set(password=None).render_as_string()
    paper().print(say("migrated", place=place))
