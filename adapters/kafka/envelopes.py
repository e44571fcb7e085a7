"""This is an event as bytes: Avro's record behind what names its schema.

That is its fingerprint (Avro's single-object encoding, C3 01) or, where a registry is set, its number there
(Confluent's framing, 00). Both are read wherever they lie, so that a topic may hold both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final

from fastavro.schema import fingerprint, to_parsing_canonical_form

from adapters.event_logs import Undecodable
from adapters.event_stores import OutboxEvent, WrittenEvent
from adapters.events import TOPICS
from adapters.kafka.records import FAULTS, Records, number_of, records_of


class UnknownSchema(Undecodable):
    """An event of a schema that this version of maemae does not have."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a registry calls our schemas: the number by fingerprint, and the fingerprint by number."""

    given: Mapping[tuple[str, bytes], int]
    known: Mapping[tuple[str, int], bytes]


NO_NUMBERS: Final = Numbers({}, {})
MARK: Final = b"\xc3\x01"
HEADER: Final = len(MARK) + 8
NUMBERED: Final = b"\0"
NUMBERED_HEADER: Final = len(NUMBERED) + 4
NUMBER: Final = "event_id"
"""The first field of every schema, and the only one that is not known before the database gives it."""
_UNNUMBERED: Final = len(number_of(0))
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def encode(event: OutboxEvent, owner: Mapping[str, str], numbers: Numbers = NO_NUMBERS) -> bytes:
    """Write an event of `owner` (channel and account) with the newest schema of its topic.

    With `numbers` of a registry in Confluent's framing.

    Raises:
        Undecodable: when the payload is not what the schema says, nothing without a default left out and nothing besides.
    """
    body = body_of(event, owner)
    return complete(WrittenEvent(event.topic, event.key, event.event_id, body), numbers)


def body_of(event: OutboxEvent, owner: Mapping[str, str]) -> bytes:
    """Write all of an event of `owner` but its number: the mark of its schema, and what follows the number there.

    Raises:
        Undecodable: as `encode` does.
    """
    records, mark = _writer(event.topic)
    told_at = (event.at - _EPOCH) // _MICROSECOND
    record = {**event.payload, **owner, NUMBER: 0, "told_at": told_at}
    try:
        return mark + records.write(record)[_UNNUMBERED:]
    except FAULTS as error:
        raise Undecodable(f"{event.topic} {event.event_id}: {error}") from error


def complete(event: WrittenEvent, numbers: Numbers = NO_NUMBERS) -> bytes:
    """Number an event, and frame it as `encode` does; its schema stays the one that its body was written with."""
    header, rest = event.body[:HEADER], event.body[HEADER:]
    given = numbers.given.get((event.topic, header[len(MARK) :]))
    if given is not None:
        header = NUMBERED + given.to_bytes(4)
    return b"".join((header, number_of(event.event_id), rest))


def decode(topic: str, key: bytes, value: bytes, numbers: Numbers = NO_NUMBERS) -> OutboxEvent:
    """Read an event that any version of its topic's schema was used for, as the newest one says it.

    Raises:
        Undecodable: for another mark, an unknown schema, or bytes that are not of that schema.
    """
    written, newest = schema_of(topic, value, numbers), _writer(topic)[0]
    body = value[NUMBERED_HEADER if value[:1] == NUMBERED else HEADER :]
    try:
        record, end, words = written.read(body, newest)
        symbol, event_id = key.decode(), record.pop(NUMBER)
        at = _EPOCH + timedelta(0, 0, record.pop("told_at"))
    except FAULTS as error:
        raise Undecodable(f"{topic}: bytes that are not of their schema ({error!r})") from error
    if end < len(body):
        raise Undecodable(f"{topic}: more bytes than its schema describes")
    if not symbol or "\0" in symbol or "\0" in words:
        raise Undecodable(f"{topic} {event_id}: without a key, or with NUL in its text")
    return OutboxEvent(topic, symbol, record, at, event_id)


def schema_of(topic: str, value: bytes, numbers: Numbers = NO_NUMBERS) -> Records:
    """Find the schema that these bytes were written with.

    Raises:
        Undecodable: when they carry none, or one that this version does not know.
    """
    if value[:1] == NUMBERED and len(value) >= NUMBERED_HEADER:
        number = int.from_bytes(value[len(NUMBERED) : NUMBERED_HEADER])
        mark, name = numbers.known.get((topic, number), b""), f"number {number} of the registry"
    elif value[: len(MARK)] == MARK and len(value) >= HEADER:
        mark = value[len(MARK) : HEADER]
        name = mark.hex()
    else:
        raise Undecodable(f"{topic}: no Avro event (it begins with {value[:4].hex() or 'nothing'})")
    found = _by_fingerprint(topic).get(mark)
    if found is None:
        raise UnknownSchema(
            f"{topic}: schema {name} is unknown here; a newer version of maemae wrote it"
        )
    return found


@cache
def versions_of(topic: str) -> tuple[dict[str, Any], ...]:
    """Give every schema of a topic as it stands in its file, oldest first; none for an unknown topic."""
    found: list[dict[str, Any]] = []
    folder = files("adapters.kafka.schemas")
    while (file := folder.joinpath(f"{topic}.{len(found) + 1}.avsc")).is_file():
        found.append(json.loads(file.read_text("utf-8")))
    return tuple(found)


def read_schemas() -> None:
    """Read all schemas now, and not when the first event is written."""
    for topic in TOPICS:
        _writer(topic)


def fingerprint_of(schema: Any) -> bytes:
    """Give a schema's CRC-64-AVRO in the order of the wire."""
    return bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))


@cache
def _writer(topic: str) -> tuple[Records, bytes]:
    versions = versions_of(topic)
    if not versions:
        raise Undecodable(f"{topic}: a topic without a schema")
    mark = fingerprint_of(versions[-1])
    return _by_fingerprint(topic)[mark], MARK + mark


@cache
def _by_fingerprint(topic: str) -> dict[bytes, Records]:
    return {fingerprint_of(schema): records_of(schema) for schema in versions_of(topic)}
