"""This is the bytes of events: every one that we make fits its schema, comes back as it was, and so will old ones."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from io import BytesIO
from typing import Any, Final

import pytest
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.utils import generate_one
from hypothesis import given
from hypothesis import strategies as some

from adapters.event_logs import Undecodable
from adapters.event_stores import WrittenEvent
from adapters.events import (
    TOPICS,
    execution_fill,
    market_bar,
    order_new,
    order_state,
    risk_event,
    signal_out,
)
from adapters.kafka.envelopes import (
    HEADER,
    MARK,
    NUMBER,
    NUMBERED,
    NUMBERED_HEADER,
    Numbers,
    body_of,
    complete,
    decode,
    encode,
    fingerprint_of,
    versions_of,
)
from adapters.kafka.evolution import faults
from adapters.stores import OutboxEvent
from tests.builders import ACCOUNT, a_fill, a_signal, an_accepted_order, an_order
from tests.store_samples import AT, a_bar, a_risk_event

LANDED: Final = {
    "market.bar": ["2ad95d933293abba"],
    "signal.out": ["6145406fb0656fbf", "a93bc211dcdecc15"],
    "order.new": ["c2a0f4875e1aa17a"],
    "order.state": ["a8ba3129fb782967"],
    "execution.fill": ["9823cf792f95ac40"],
    "risk.event": ["4e7aad46ba2845aa"],
}
"""Every schema that events were ever written with; this list only grows. A landed file is never edited: what it
says differently is the next version."""
OWNER: Final = {"channel": "dev", "account": ACCOUNT}
EVENTS: Final = (
    market_bar(a_bar(), at=AT),
    market_bar(a_bar(value=None), at=AT),
    signal_out(replace(a_signal(), indicators={"sma20": "1.5"})),
    signal_out(a_signal(target_weight=Decimal("0.0950"))),
    order_new(an_order()),
    order_state(an_accepted_order(), detail="접수"),
    execution_fill(a_fill(an_accepted_order(), quantity=3, price=428_000, at=AT)),
    risk_event(a_risk_event()),
)


@pytest.mark.parametrize(
    "event", EVENTS, ids=[f"{number} {event.topic}" for number, event in enumerate(EVENTS)]
)
def test_an_event_comes_back_as_it_was_told(event: OutboxEvent) -> None:
    told = replace(event, event_id=7)
    value = encode(told, OWNER)
    assert decode(told.topic, told.key.encode(), value) == replace(
        told, payload={**told.payload, **OWNER}
    )


@pytest.mark.parametrize("topic", TOPICS)
def test_every_schema_names_the_number_first(topic: str) -> None:
    assert {schema["fields"][0]["name"] for schema in versions_of(topic)} == {NUMBER}


@pytest.mark.parametrize("number", [1, 63, 64, 2**40])
def test_what_was_written_before_its_number_is_the_same(number: int) -> None:
    for event in EVENTS:
        written = WrittenEvent(event.topic, event.key, number, body_of(event, OWNER))
        assert complete(written) == encode(replace(event, event_id=number), OWNER)


def test_what_an_older_version_wrote_keeps_its_schema() -> None:
    event = signal_out(a_signal())
    first, second = versions_of("signal.out")
    told = {**event.payload, **OWNER, NUMBER: 0, "told_at": event.at}
    buffer = BytesIO()
    schemaless_writer(buffer, parse_schema(deepcopy(first)), told)
    mark = fingerprint_of(first)
    body = MARK + mark + buffer.getvalue()[1:]
    numbers = Numbers(
        {("signal.out", mark): 4, ("signal.out", fingerprint_of(second)): 5},
        {("signal.out", 4): mark},
    )
    value = complete(WrittenEvent("signal.out", event.key, 7, body), numbers)
    assert value[:NUMBERED_HEADER] == NUMBERED + (4).to_bytes(4)
    told_again = decode("signal.out", event.key.encode(), value, numbers)
    assert told_again == replace(event, event_id=7, payload={**event.payload, **OWNER})


def test_every_topic_has_an_event_here_and_a_schema() -> None:
    assert {event.topic for event in EVENTS} == set(TOPICS)
    assert all(versions_of(topic) for topic in TOPICS)


def test_landed_schemas_are_never_edited() -> None:
    found = {topic: [fingerprint_of(s).hex() for s in versions_of(topic)] for topic in TOPICS}
    assert found == LANDED


def test_an_event_that_waited_while_maemae_was_renewed_is_told_with_the_defaults() -> None:
    event = replace(signal_out(a_signal()), event_id=1)
    waited = {name: value for name, value in event.payload.items() if name != "target_weight"}
    value = encode(replace(event, payload=waited), OWNER)
    assert decode("signal.out", b"051910", value).payload["target_weight"] is None


@pytest.mark.parametrize("topic", TOPICS)
def test_every_version_reads_what_every_other_wrote(topic: str) -> None:
    versions = versions_of(topic)
    assert [list(faults(r, w)) for r in versions for w in versions] == [[]] * len(versions) ** 2


def _without(schema: Any) -> None:
    del schema["fields"][-1]


def _with(schema: Any) -> None:
    schema["fields"].append({"name": "venue", "type": "string"})


def _with_default(schema: Any) -> None:
    schema["fields"].append({"name": "venue", "type": "string", "default": "KRX"})


def _as_text(schema: Any) -> None:
    schema["fields"][0]["type"] = "string"


def _as_number(schema: Any) -> None:
    schema["fields"][0]["type"] = "double"


def _nullable(schema: Any) -> None:
    schema["fields"][0]["type"] = ["null", "long"]


def _renamed(schema: Any) -> None:
    schema["name"] = "Other"


CHANGES: Final[dict[Callable[[Any], None], tuple[bool, bool]]] = {
    _without: (False, True),
    _with: (True, False),
    _with_default: (True, True),
    _as_text: (False, False),
    _as_number: (False, True),
    _nullable: (False, True),
}
"""Whether an old reader reads the changed schema, and the changed one what was written before."""


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_that_an_old_reader_cannot_read_is_found(change: Callable[[Any], None]) -> None:
    old = versions_of("risk.event")[-1]
    new = deepcopy(old)
    change(new)
    assert (not list(faults(old, new)), not list(faults(new, old))) == CHANGES[change]
    assert (_reads(old, new), _reads(new, old)) == CHANGES[change]


def test_a_record_of_another_name_is_found() -> None:
    old = versions_of("risk.event")[-1]
    new = deepcopy(old)
    _renamed(new)
    assert list(faults(old, new)) == [": RiskEvent does not read Other"]


def _reads(reader: Any, writer: Any) -> bool:
    """Ask fastavro itself."""
    written, buffer = parse_schema(writer), BytesIO()
    record = generate_one(written)
    if isinstance(record["event_id"], int | None) and "null" in writer["fields"][0]["type"]:
        record["event_id"] = None  # the branch that an old reader has no word for
    schemaless_writer(buffer, written, record)
    buffer.seek(0)
    try:
        schemaless_reader(buffer, written, parse_schema(reader))
    except Exception:  # noqa: BLE001 - whatever fastavro says to it, it is no
        return False
    return True


GOOD: Final = encode(replace(order_new(an_order()), event_id=1), OWNER)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (b"", "begins with nothing"),
        (b"{}", "no Avro event"),
        (MARK + bytes(8) + GOOD[HEADER:], "schema 0000000000000000 is unknown here"),
        (GOOD[:-1], "not of their schema"),
        (GOOD + b"\0", "more bytes"),
    ],
)
def test_bytes_that_are_no_event_are_named(value: bytes, words: str) -> None:
    with pytest.raises(Undecodable, match=words):
        decode("order.new", b"051910", value)


@pytest.mark.parametrize("key", [b"", b"05191\0"])
def test_a_key_that_no_consumer_can_store_is_refused(key: bytes) -> None:
    """PostgreSQL takes no NUL in a text; a consumer of somebody else's would fall over its insert."""
    with pytest.raises(Undecodable, match=r"order\.new 1: without a key, or with NUL"):
        decode("order.new", key, GOOD)


@given(some.binary(max_size=300))
def test_no_bytes_whatever_get_past_the_reader_but_as_an_event(body: bytes) -> None:
    for value in (body, GOOD[:HEADER] + body):
        with suppress(Undecodable):
            assert isinstance(decode("order.new", b"051910", value), OutboxEvent)


@pytest.mark.parametrize("changes", [{"venue": "KRX"}, {"quantity": "x"}, {"quantity": 2**70}])
def test_an_event_that_does_not_fit_its_schema_is_refused(changes: dict[str, Any]) -> None:
    event = order_new(an_order())
    with pytest.raises(Undecodable, match=r"order\.new 0"):
        encode(replace(event, payload={**event.payload, **changes}), OWNER)
