"""This is whether a reader with one schema can read what another one wrote: Avro's rules for the types that we use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

_PROMOTIONS: Final = {
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
    "string": {"bytes"},
    "bytes": {"string"},
}
"""What a reader may make of a written type."""


def faults(reader: Any, writer: Any, *, at: str = "") -> Iterator[str]:
    """Say each reason why `reader` cannot read what `writer` wrote; none when it can."""
    if isinstance(writer, list):
        for branch in writer:
            yield from faults(reader, branch, at=at)
    elif isinstance(reader, list):
        if all(any(faults(branch, writer, at=at)) for branch in reader):
            yield f"{at}: none of {reader} reads {writer}"
    elif _kind(reader) == _kind(writer):
        yield from _inside(reader, writer, at)
    elif _kind(reader) not in _PROMOTIONS.get(_kind(writer), ()):
        yield f"{at}: {_kind(reader)} does not read {_kind(writer)}"


def _inside(reader: Any, writer: Any, at: str) -> Iterator[str]:
    match _kind(reader):
        case "record":
            yield from _fields(reader, writer, at)
        case "map":
            yield from faults(reader["values"], writer["values"], at=f"{at}.*")
        case "array":
            yield from faults(reader["items"], writer["items"], at=f"{at}[]")
        case "enum" | "fixed" as kind:
            yield f"{at}: {kind} is none of the types that we use"


def _fields(reader: Any, writer: Any, at: str) -> Iterator[str]:
    if reader["name"] != writer["name"]:
        yield f"{at}: {reader['name']} does not read {writer['name']}"
    written = {field["name"]: field["type"] for field in writer["fields"]}
    for field in reader["fields"]:
        name = f"{at}.{field['name']}".lstrip(".")
        if field["name"] in written:
            yield from faults(field["type"], written[field["name"]], at=name)
        elif "default" not in field:
            yield f"{name}: missing, and without a default"


def _kind(schema: Any) -> str:
    """Give a type's name; a logical type is what it is written as."""
    return str(schema["type"]) if isinstance(schema, dict) else str(schema)
