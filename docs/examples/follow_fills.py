"""Follow the fills: a consumer of its own that knows of maemae only the topic and the schema files.

    python follow_fills.py 127.0.0.1:9092 adapters/kafka/schemas positions.sqlite

It needs aiokafka and fastavro. Its offsets lie beside what it builds, in the same transaction, and every event counts
once by its number: however often it is killed, its positions are right. It prints them and ends when nothing has
come for a second; a service would go on.
"""

import asyncio
import json
import sqlite3
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer
from fastavro import parse_schema, schemaless_reader
from fastavro.schema import fingerprint, to_parsing_canonical_form

TOPIC = "execution.fill"
TABLES = """
    CREATE TABLE IF NOT EXISTS offsets (partition INTEGER PRIMARY KEY, next INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS seen (event_id INTEGER PRIMARY KEY);
    CREATE TABLE IF NOT EXISTS positions (symbol TEXT PRIMARY KEY, quantity INTEGER NOT NULL);
"""


def read_schemas(folder: Path) -> dict[bytes, Any]:
    """Give every version of the topic's schema by the fingerprint that its messages carry."""
    found = (json.loads(file.read_text("utf-8")) for file in folder.glob(f"{TOPIC}.*.avsc"))
    return {print_of(schema): parse_schema(schema) for schema in found}


def print_of(schema: Any) -> bytes:
    """Give a schema's fingerprint in the order of the wire."""
    return bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))


def take_in(book: sqlite3.Connection, schemas: dict[bytes, Any], record: Any) -> None:
    """Book one fill and move the offset behind it: both or neither. A message is C3 01, fingerprint, record."""
    fill: Any = schemaless_reader(BytesIO(record.value[10:]), schemas[record.value[2:10]], None)
    quantity = fill["quantity"] if fill["side"] == "BUY" else -fill["quantity"]
    with book:
        if book.execute("INSERT OR IGNORE INTO seen VALUES (?)", (fill["event_id"],)).rowcount:
            add = "INSERT INTO positions VALUES (?, ?) ON CONFLICT DO UPDATE SET quantity = quantity + ?"
            book.execute(add, (fill["symbol"], quantity, quantity))
        place = (record.partition, record.offset + 1)
        book.execute("INSERT OR REPLACE INTO offsets VALUES (?, ?)", place)


async def follow(bootstrap: str, schemas: dict[bytes, Any], book: sqlite3.Connection) -> None:
    """Read every partition from where the book ends."""
    consumer = AIOKafkaConsumer(TOPIC, bootstrap_servers=bootstrap, group_id=None)
    await consumer.start()
    try:
        known = dict(book.execute("SELECT partition, next FROM offsets"))
        for partition in consumer.assignment():
            consumer.seek(partition, known.get(partition.partition, 0))
        while batch := await consumer.getmany(timeout_ms=1000):
            for records in batch.values():
                for record in records:
                    take_in(book, schemas, record)
    finally:
        await consumer.stop()


if __name__ == "__main__":
    address, folder, file = sys.argv[1:]
    book = sqlite3.connect(file)
    book.executescript(TABLES)
    asyncio.run(follow(address, read_schemas(Path(folder)), book))
    positions = dict(book.execute("SELECT symbol, quantity FROM positions ORDER BY symbol"))
    sys.stdout.write(f"{json.dumps(positions)}\n")
    book.close()
