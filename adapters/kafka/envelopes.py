"""This is an event as bytes: Avro's single-object encoding, C3 01, the schema's fingerprint, the record."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Any, Final

from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.schema import fingerprint, to_parsing_canonical_form

from adapters.event_logs import Undecodable
from adapters.event_stores import OutboxEvent


class UnknownSchema(Undecodable):
    """An event of a schema that this version of maemae does not have."""


MARK: Final = b"\xc3\x01"
HEADER: Final = len(MARK) + 8
_OWN: Final = ("event_id", "told_at")
"""The fields that are the event's own; the others are its payload."""


def encode(event: OutboxEvent, owner: Mapping[str, str]) -> bytes:
    """Write an event of `owner` (channel and account) with the newest schema of its topic.

    Raises:
        Undecodable: when the payload is not what the schema says, nothing without a default left out and nothing besides.
    """
    schema, header = _writer(event.topic)
    record = {**event.payload, **owner, "event_id": event.event_id, "told_at": event.at}
    buffer = BytesIO()
    try:
        schemaless_writer(buffer, schema, record, strict_allow_default=True)
    except (ValueError, TypeError, KeyError, struct.error, AttributeError, OverflowError) as error:
        raise Undecodable(f"{event.topic} {event.event_id}: {error}") from error
    return header + buffer.getvalue()


def decode(topic: str, key: bytes, value: bytes) -> OutboxEvent:
    """Read an event that any version of its topic's schema was used for, as the newest one says it.

    Raises:
        Undecodable: for another mark, an unknown fingerprint, or bytes that are not of that schema.
    """
    written = schema_of(topic, value)
    body = BytesIO(value[HEADER:])
    try:
        record = _as_record(schemaless_reader(body, written, _writer(topic)[0]))
        symbol = key.decode()
    except (ValueError, EOFError, IndexError, KeyError, struct.error, OverflowError) as error:
        raise Undecodable(f"{topic}: bytes that are not of their schema ({error!r})") from error
    if body.read(1):
        raise Undecodable(f"{topic}: more bytes than its schema describes")
    event_id, at = (record.pop(name) for name in _OWN)
    if not isinstance(at, datetime) or not symbol or _has_nul(record):
        raise Undecodable(f"{topic} {event_id}: without a time or a key, or with NUL in its text")
    return OutboxEvent(topic, symbol, record, at, event_id)


def schema_of(topic: str, value: bytes) -> Any:
    """Find the schema that these bytes were written with.

    Raises:
        Undecodable: when they carry none, or one that this version does not know.
    """
    if value[: len(MARK)] != MARK or len(value) < HEADER:
        raise Undecodable(f"{topic}: no Avro event (it begins with {value[:4].hex() or 'nothing'})")
    mark = value[len(MARK) : HEADER]
    found = _by_fingerprint(topic).get(mark)
    if found is None:
        raise UnknownSchema(
            f"{topic}: schema {mark.hex()} is unknown here; a newer version of maemae wrote it"
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


def fingerprint_of(schema: Any) -> bytes:
    """Give a schema's CRC-64-AVRO in the order of the wire."""
    return bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))


@cache
def _writer(topic: str) -> tuple[Any, bytes]:
    versions = versions_of(topic)
    if not versions:
        raise Undecodable(f"{topic}: a topic without a schema")
    return parse_schema(versions[-1]), MARK + fingerprint_of(versions[-1])


@cache
def _by_fingerprint(topic: str) -> dict[bytes, Any]:
    return {fingerprint_of(schema): parse_schema(schema) for schema in versions_of(topic)}


def _has_nul(record: Mapping[str, Any]) -> bool:
    """Tell whether PostgreSQL would refuse a text of it."""
    return any("\0" in value for value in record.values() if isinstance(value, str))


def _as_record(read: Any) -> dict[str, Any]:
    if not isinstance(read, dict):
        raise TypeError("a record was expected")
    return read
