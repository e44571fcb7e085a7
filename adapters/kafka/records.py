"""This is an event's record in Avro: its texts and whole numbers straight into bytes and back, all else by fastavro.

fastavro finds out anew for every field of every record of what type it is, which is most of what an event costs. Of our
records nearly every field is a text or a whole number, and both are written as one number in a Kafka record's own way
(zigzag, seven bits a byte), a text's being its length. So each schema gets two functions that name its fields one after
the other, as one would write them by hand. Whatever does not go straight is fastavro's to write, read or refuse.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from itertools import starmap
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
    straight: Mapping[str, Callable[..., Any]]
    """How to `write` and `read` these fields."""

    def write(self, record: Mapping[str, Any]) -> bytes:
        """Give the bytes of a record; what it leaves out has a default.

        Raises:
            FAULTS: when it is not what the schema says.
        """
        if len(record) == len(self.fields):
            try:
                written: bytes = self.straight["write"](record)
            except _NOT_STRAIGHT:
                pass
            else:
                return written
        buffer = BytesIO()
        schemaless_writer(buffer, self.schema, record, strict_allow_default=True)
        return buffer.getvalue()

    def read(self, body: bytes, reader: Records) -> tuple[dict[str, Any], int, str]:
        """Give the record that these bytes begin with, as `reader` says it, how many they are, and all its texts as one.

        Raises:
            FAULTS: when the bytes are not of this schema.
        """
        if self is reader and self.fields:
            try:
                return self._read(body)
            except _NOT_STRAIGHT:
                pass
        buffer = BytesIO(body)
        read = schemaless_reader(buffer, self.schema, None if self is reader else reader.schema)
        if not isinstance(read, dict):
            raise TypeError("a record was expected")
        return read, buffer.tell(), "".join(map(str, read.values()))

    def _read(self, body: bytes) -> tuple[dict[str, Any], int, str]:
        record, end, words = self.straight["read"](body)
        if end > len(body):
            raise ValueError(end)
        if not words.isascii():
            for name, is_text, _ in self.fields:
                if is_text and record[name]:
                    record[name] = record[name].encode("latin-1").decode()
        return record, end, words


def records_of(schema: Mapping[str, Any]) -> Records:
    """Prepare to write and read records of a schema as it stands in its file."""
    plain = {**schema, "fields": [{**f, "type": _as_written(f["type"])} for f in schema["fields"]]}
    straight = [_straight(field) for field in plain["fields"]]
    fields = tuple(field for field in straight if field is not None)
    fields = fields if len(fields) == len(straight) else ()
    return Records(parse_schema(plain), fields, _functions_of(fields))


def _as_written(kind: Any) -> Any:
    """Give a type without what it stands for: a time is a whole number."""
    return kind["type"] if isinstance(kind, dict) and "logicalType" in kind else kind


def _straight(field: Mapping[str, Any]) -> _Field | None:
    match field["type"]:
        case str(kind) | ["null", str(kind)] if kind in _STRAIGHT:
            return field["name"], _STRAIGHT[kind], kind != field["type"]
    return None


def _functions_of(fields: Sequence[_Field]) -> dict[str, Any]:
    """Make the functions of these fields; what they read is Latin-1 until it is known to be more than ASCII."""
    texts = "".join(f"{{v{n}}}" for n, (_, is_text, _) in enumerate(fields) if is_text)
    record = ", ".join(f"{name!r}: v{n}" for n, (name, *_) in enumerate(fields))
    source = [
        "def write(record):",
        *(f" v{n} = record[{name!r}]" for n, (name, *_) in enumerate(fields)),
        f" return b''.join(({''.join(starmap(_piece, enumerate(fields)))}))",
        "def read(body):",
        " words, end = body.decode('latin-1'), 0",
        *(line for n, field in enumerate(fields) for line in _lines(n, field)),
        f" return {{{record}}}, end, f'{texts}'",
    ]
    names: dict[str, Any] = {"number": number_of, "sizes": _SIZES, "text": _text}
    names |= {"decode": decode_varint, "size_at": _size_at}
    exec("\n".join(source), names)  # noqa: S102 - our own schemas, as `dataclass` does it
    return names


def _piece(n: int, field: _Field) -> str:
    """Write what gives the bytes of `v<n>`."""
    _, is_text, is_optional = field
    if is_optional:
        return (
            f"{_NULL!r} if v{n} is None else {_GIVEN!r} + {'text' if is_text else 'number'}(v{n}), "
        )
    return f"sizes[len(v{n} := v{n}.encode())], v{n}, " if is_text else f"number(v{n}), "


def _lines(n: int, field: _Field) -> Iterator[str]:
    """Write what reads `v<n>` from `end` on, and moves `end` behind it."""
    _, is_text, is_optional = field
    if is_optional:
        yield f" v{n}, branch, end = None, body[end], end + 1"
        yield f" if branch not in {_NULL + _GIVEN!r}: raise ValueError(branch)"
    indent = "  " if is_optional else " "
    if is_optional:
        yield " if branch:"
    yield f"{indent}number, end = body[end], end + 1"
    if is_text:
        yield f"{indent}if number & {1 | _LARGE}: number, end = size_at(body, end - 1)"
        yield f"{indent}else: number >>= 1"
        yield f"{indent}v{n} = words[end:(end := end + number)]"
    else:
        yield f"{indent}if number < {_LARGE}: v{n} = number >> 1 ^ -(number & 1)"
        yield f"{indent}else: v{n}, end = decode(body, end - 1)"


def _size_at(body: bytes, begin: int) -> tuple[int, int]:
    """Read a large size; it looks for no end, and finds at the latest the zero behind all bytes."""
    size, end = decode_varint(body, begin)
    if size < 0:
        raise ValueError(size)
    return size, end


def _text(words: str) -> bytes:
    written = words.encode()
    return _SIZES[len(written)] + written


@lru_cache(maxsize=4096)
def number_of(value: int) -> bytes:
    """Write a whole number."""
    written = bytearray()
    encode_varint(index(value), written.append)
    return bytes(written)


_SIZES: Final = tuple(map(number_of, range(4096)))
