"""This is the command `events`: what waits to be told, what was taken in, and building that anew."""

from __future__ import annotations

from typing import Annotated, Any, Final

from cyclopts import App

from deployments.console.accounts import market_time, open_account
from deployments.console.halts import DONE, NOT_ALL_DONE
from deployments.console.speech import option, say
from deployments.console.tables import Column, paper, print_facts, print_json
from flows.sources import note
from tasks.projecting import CONSUMER, begin_anew, differences, rebuild
from trading.audits import OPERATOR, AuditEntry

FACTS: Final = (
    Column("kafka"),
    Column("waiting", "count"),
    Column("oldest_seconds", "count"),
    Column("taken_in", "count"),
    Column("told_otherwise", "count"),
)


def show(*, as_json: Annotated[bool, option("json", name="--json")] = False) -> int:
    """Show the backlog, and hold what the events add up to against the book; give 3 when the two differ."""
    with open_account() as account, account.stores.begin() as work:
        backlog, taken = work.outbox.backlog(), work.consumptions.offsets(CONSUMER)
        other = differences(work) if taken or work.projection.orders() else ()
    row: dict[str, Any] = {
        "kafka": account.settings.kafka_bootstrap or say("nothing"),
        "waiting": backlog.count,
        "oldest_seconds": int(backlog.age.total_seconds()),
        "taken_in": sum(taken.values()),
        "told_otherwise": len(other),
    }
    if as_json:
        print_json({**row, "kafka": account.settings.kafka_bootstrap})
    else:
        print_facts(say("title.events"), FACTS, row)
    return NOT_ALL_DONE if other and not backlog.count else DONE


def build_anew() -> None:
    """Build orders and holdings anew: from the outbox, or with Kafka from the topics, which the relay does."""
    with open_account() as account:
        at = market_time(account.settings)
        note(account.settings, AuditEntry(OPERATOR, "events rebuild"), at=at)
        if account.settings.has_kafka:
            with account.stores.begin() as work:
                begin_anew(work)
            paper().print(say("events.begun"))
        else:
            paper().print(say("events.rebuilt", count=rebuild(account.stores)))


def _app() -> App:
    app = App(name="events", help=say("help.events"))
    app.default(show)
    app.command(build_anew, name="rebuild", help=say("help.events_rebuild"))
    return app


events: Final = _app()
