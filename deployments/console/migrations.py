"""This is the command `migrate`: bring the database to the newest schema."""

from __future__ import annotations

from adapters.postgres.engine import parse_url
from adapters.postgres.migrations import migrate as bring_up_to_date
from deployments.console.speech import say
from deployments.console.tables import paper
from flows.settings import load_settings
from flows.sources import database_url


def migrate() -> None:
    """Apply every step that the database has not seen; doing it again changes nothing."""
    url = database_url(load_settings())
    bring_up_to_date(url)
    place = parse_url(url).set(password=None).render_as_string()
    paper().print(say("migrated", place=place))
