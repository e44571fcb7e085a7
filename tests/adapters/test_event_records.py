"""This is records as bytes: whatever goes straight is what fastavro makes of it, to the last byte."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any, Final

import pytest
from fastavro import schemaless_reader, schemaless_writer
from hypothesis import given, settings
from hypothesis import strategies as some

from adapters.events import TOPICS
from adapters.kafka.envelopes import versions_of
from adapters.kafka.records import FAULTS, Records, records_of

ORDERS: Final = records_of(versions_of("order.new")[-1])
NAMED: Final = {
    f"{topic}.{number}": records_of(schema)
    for topic in TOPICS
    for number, schema in enumerate(versions_of(topic), start=1)
}
TEXTS: Final = some.text("aZ0 \0가😀", max_size=70)
NUMBERS: Final = some.integers(-(2**63), 2**63 - 1)
OF_A_TYPE: Final[dict[str, some.SearchStrategy[Any]]] = {
    "string": TEXTS,
    "long": NUMBERS,
    "boolean": some.booleans(),
    "map": some.dictionaries(TEXTS, TEXTS, max_size=2),
}
ANYTHING: Final = TEXTS | some.none() | NUMBERS | some.integers() | some.floats() | some.binary()


def of_a_type(kind: Any) -> some.SearchStrategy[Any]:
    """Give values of a field's type."""
    if isinstance(kind, list):
        return some.none() | of_a_type(kind[1])
    return OF_A_TYPE[kind["type"] if isinstance(kind, dict) else kind]


def records(of: Records) -> some.SearchStrategy[dict[str, Any]]:
    """Give records of a schema."""
    return some.fixed_dictionaries({f["name"]: of_a_type(f["type"]) for f in of.schema["fields"]})


def by_fastavro(of: Records, record: dict[str, Any]) -> bytes:
    """Write a record as fastavro does."""
    buffer = BytesIO()
    schemaless_writer(buffer, of.schema, record, strict_allow_default=True)
    return buffer.getvalue()


def read_by_fastavro(of: Records, body: bytes) -> tuple[Any, int]:
    """Read a record as fastavro does."""
    buffer = BytesIO(body)
    return schemaless_reader(buffer, of.schema, None), buffer.tell()


def read(of: Records, body: bytes) -> tuple[Any, int]:
    """Read a record as we do; its texts hold a NUL wherever it does."""
    record, end, texts = of.read(body, of)
    assert ("\0" in texts) == ("\0" in "".join(map(str, record.values())))
    return record, end


def outcome(act: Callable[..., object], *given: Any) -> object:
    """Give what comes of it, None for a refusal."""
    try:
        return act(*given)
    except FAULTS:
        return None


def test_orders_and_fills_go_straight() -> None:
    assert {name.split(".")[0] for name, each in NAMED.items() if each.fields} == {
        "order",
        "execution",
    }


@pytest.mark.parametrize("name", NAMED)
@settings(max_examples=20)
@given(data=some.data())
def test_a_record_is_written_and_read_as_fastavro_does(name: str, data: some.DataObject) -> None:
    of = NAMED[name]
    record = data.draw(records(of))
    body = of.write(record)
    assert body == by_fastavro(of, record)
    assert read(of, body) == (record, len(body)) == read_by_fastavro(of, body)
    cut = body[: data.draw(some.integers(0, len(body) - 1))]
    assert outcome(read, of, cut) is None


@settings(max_examples=40)
@given(records(ORDERS), some.integers(0, 27), ANYTHING)
def test_a_field_that_is_something_else_is_fastavros_to_judge(
    record: dict[str, Any], place: int, value: object
) -> None:
    changed = record | {list(record)[place]: value}
    assert outcome(ORDERS.write, changed) == outcome(by_fastavro, ORDERS, changed)


@settings(max_examples=40)
@given(records(ORDERS), some.data())
def test_other_bytes_are_read_or_refused_as_fastavro_does(
    record: dict[str, Any], data: some.DataObject
) -> None:
    body = ORDERS.write(record)
    place = data.draw(some.integers(0, len(body) - 1))
    changed = body[:place] + data.draw(some.binary(max_size=12)) + body[place + 1 :]
    assert outcome(read, ORDERS, changed) == outcome(read_by_fastavro, ORDERS, changed)
