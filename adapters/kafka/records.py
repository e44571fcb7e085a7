"""This is an event's record in Avro: its texts and whole numbers straight into bytes and back, all else by fastavro.

fastavro finds out anew for every field of every record of what type it is, which is most of what an event costs. Of our
records nearly every field is a text or a whole number, and both are written as one number in a Kafka record's own way
(zigzag, seven bits a byte), a text's being its length. Whatever does not go straight is fastavro's to write, read or refuse.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from operator import index
from typing import Any, Final

from aiokafka.record.util import decode_varint, encode_varint
from fastavro import parse_schema, schemaless_reader, schemaless_writer

type _Field = tuple[str, bool, bool]
"""Its name, whether it is a text (else a whole number), whether it may be null."""

_STRAIGHT: Final = {"string": True, "long": False}
_NULL, _GIVEN = b"\0", b"\2"
"""Which branch of a union with null follows."""
_LARGE: Final = 128
"""From here on a number takes more than one byte."""
_NOT_STRAIGHT: Final = (KeyError, IndexError, TypeError, AttributeError, ValueError, OverflowError)
FAULTS: Final = (*_NOT_STRAIGHT, EOFError, struct.error)
"""What fastavro raises for a record or bytes that are not of their schema."""


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """Records of one schema. Times are whole numbers here, as they are written."""

    schema: Any
    fields: tuple[_Field, ...]
    """None at all where one is of another type."""

    def write(self, record: Mapping[str, Any]) -> bytes:
        """Give the bytes of a record; what it leaves out has a default.

        Raises:
            FAULTS: when it is not what the schema says.
        """
        if len(record) == len(self.fields):
            try:
                return _write(record, self.fields)
            except _NOT_STRAIGHT:
                pass
        buffer = BytesIO()
        schemaless_writer(buffer, self.schema, record, strict_allow_default=True)
        return buffer.getvalue()

    def read(self, body: bytes, reader: Records) -> tuple[dict[str, Any], int]:
        """Give the record that these bytes begin with, as `reader` says it, and how many they are.

        Raises:
            FAULTS: when the bytes are not of this schema.
        """
        if self is reader and self.fields:
            try:
                record, end = _read(body, self.fields)
            except _NOT_STRAIGHT:
                pass
            else:
                if end <= len(body):
                    return record, end
        buffer = BytesIO(body)
        read = schemaless_reader(buffer, self.schema, None if self is reader else reader.schema)
        if not isinstance(read, dict):
            raise TypeError("a record was expected")
        return read, buffer.tell()


def records_of(schema: Mapping[str, Any]) -> Records:
    """Prepare to write and read records of a schema as it stands in its file."""
    plain = {**schema, "fields": [{**f, "type": _as_written(f["type"])} for f in schema["fields"]]}
    straight = [_straight(field) for field in plain["fields"]]
    fields = tuple(field for field in straight if field is not None)
    return Records(parse_schema(plain), fields if len(fields) == len(straight) else ())


def _as_written(kind: Any) -> Any:
    """Give a type without what it stands for: a time is a whole number."""
    return kind["type"] if isinstance(kind, dict) and "logicalType" in kind else kind


def _straight(field: Mapping[str, Any]) -> _Field | None:
    match field["type"]:
        case str(kind) | ["null", str(kind)] if kind in _STRAIGHT:
            return field["name"], _STRAIGHT[kind], kind != field["type"]
    return None


def _write(record: Mapping[str, Any], fields: tuple[_Field, ...]) -> bytes:
    pieces: list[bytes] = []
    put = pieces.append
    for name, is_text, is_optional in fields:
        value = record[name]
        if is_optional:
            if value is None:
                put(_NULL)
                continue
            put(_GIVEN)
        if is_text:
            written = value.encode()
            put(_number(len(written)))
            put(written)
        else:
            put(_number(value))
    return b"".join(pieces)


@lru_cache(maxsize=4096)
def _number(value: int) -> bytes:
    written = bytearray()
    encode_varint(index(value), written.append)
    return bytes(written)


def _read(body: bytes, fields: tuple[_Field, ...]) -> tuple[dict[str, Any], int]:
    """Read every field; give the record and where it ends, which is behind `body` where that is cut off."""
    record: dict[str, Any] = {}
    end = 0
    for name, is_text, is_optional in fields:
        number, end = body[end], end + 1
        if is_optional:
            if not number:
                record[name] = None
                continue
            if number != _GIVEN[0]:
                raise ValueError(name)
            number, end = body[end], end + 1
        if number < _LARGE:
            number = number >> 1 ^ -(number & 1)
        else:  # it looks for no end, and finds at the latest the zero behind all bytes
            number, end = decode_varint(body, end - 1)
        if is_text:
            begin, end = end, end + number
            if number < 0:
                raise ValueError(name)
            record[name] = body[begin:end].decode()
        else:
            record[name] = number
    return record, end
