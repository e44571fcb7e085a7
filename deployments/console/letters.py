"""This is the command `dlq`: the dead letters, one of them whole, and putting one back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Final

from cyclopts import App

from adapters.event_logs import DeadLetter, Record
from adapters.event_stores import OutboxEvent
from adapters.kafka.readers import read_letters
from adapters.kafka.settings import EXAMPLE
from adapters.kafka.writers import KafkaWriter
from adapters.stores import AuditEntry
from deployments.console.accounts import market_time, open_account
from deployments.console.speech import option, say
from deployments.console.tables import Column, paper, print_facts, print_json, print_table
from flows.relays import open_writer
from flows.settings import Settings, load_settings
from flows.sources import note
from trading.audits import OPERATOR
from trading.errors import BadInput, InvalidSetting

REPLAYED: Final = "dlq replay"
ROWS: Final = (
    Column("letter"),
    Column("topic"),
    Column("offset", "count"),
    Column("symbol"),
    Column("reason"),
)

type Place = Annotated[str, option("letter")]
type AsJson = Annotated[bool, option("json", name="--json")]


def list_letters(*, as_json: AsJson = False) -> None:
    """Show every dead letter: where it lies, where it came from, why, and whether it was put back."""
    settings = _settings()
    with open_account() as account, account.stores.begin() as work:
        acts = [
            entry.detail for _, entry in work.audit.last(count=10_000) if entry.action == REPLAYED
        ]
    replayed = {str(detail["letter"]) for detail in acts}
    rows = [
        {**_row(*found), "is_replayed": found[0].place in replayed} for found in _read(settings)
    ]
    if as_json:
        print_json({"letters": rows})
    else:
        print_table(say("title.letters"), (*ROWS, Column("is_replayed", "@flag")), rows)


def show(letter: Place, /, *, as_json: AsJson = False) -> None:
    """Show one dead letter with its bytes."""
    place, found = _find(_settings(), letter)
    value = found.record.value
    row = {**_row(place, found), "bytes": value.hex(" ") if is_written(found) else value.decode()}
    if as_json:
        print_json(row)
    else:
        print_facts(say("title.letters"), (*ROWS, Column("bytes")), row)


def replay(letter: Place, /) -> None:
    """Put one dead letter back into its topic; consumers that know the event take it for what it is."""
    settings = _settings()
    place, found = _find(settings, letter)
    at = market_time(settings)
    asyncio.run(_with_writer(settings, lambda writer: _put_back(writer, found)))
    detail = {"letter": place.place, "topic": found.record.topic}
    note(settings, AuditEntry(OPERATOR, REPLAYED, detail), at=at)
    paper().print(say("letters.replayed", letter=place.place, topic=found.record.topic))


def is_written(letter: DeadLetter) -> bool:
    """Tell whether it lay in its topic; else it is an event that could not be encoded, as JSON."""
    return letter.record.offset >= 0


async def _put_back(writer: KafkaWriter, letter: DeadLetter) -> None:
    """Write the bytes as they are; an event that never had any is encoded again, with today's schemas."""
    record = letter.record
    if is_written(letter):
        await writer.put_back([record])
        return
    told = json.loads(record.value)
    at, number = datetime.fromisoformat(told["at"]), told["event_id"]
    event = OutboxEvent(record.topic, record.key.decode(), told["payload"], at, number)
    for refused in await writer.publish([event]):
        raise BadInput("letter", record.topic, refused.reason)


async def _with_writer(settings: Settings, act: Callable[[KafkaWriter], Awaitable[None]]) -> None:
    async with open_writer(settings) as writer:
        await act(writer)


def _read(settings: Settings) -> list[tuple[Record, DeadLetter]]:
    return asyncio.run(read_letters(settings))


def _find(settings: Settings, letter: str) -> tuple[Record, DeadLetter]:
    for place, found in _read(settings):
        if place.place == letter:
            return place, found
    raise BadInput("letter", letter, "a letter of `maemae dlq list`, such as order.state.dlq:0:3")


def _settings() -> Settings:
    settings = load_settings()
    if not settings.has_kafka:
        raise InvalidSetting("MAEMAE_KAFKA_BOOTSTRAP", None, EXAMPLE)
    return settings


def _row(place: Record, letter: DeadLetter) -> dict[str, Any]:
    record = letter.record
    return {
        "letter": place.place,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "symbol": record.key.decode("utf-8", "replace"),
        "reason": letter.reason,
    }


def _app() -> App:
    app = App(name="dlq", help=say("help.dlq"))
    app.command(list_letters, name="list", help=say("help.dlq_list"))
    app.command(show, name="show", help=say("help.dlq_show"))
    app.command(replay, name="replay", help=say("help.dlq_replay"))
    return app


dlq: Final = _app()
