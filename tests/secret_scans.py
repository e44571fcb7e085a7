"""This is the search for secrets in everything that a run leaves behind: files and whole databases."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from adapters.kis_sim.options import default_credential
from adapters.kis_sim.orders import Environment
from tests.kafka_doors import PASSWORD
from tests.kis_worlds import APPKEY, APPSECRET
from tests.slack_server import HOOK, TOKEN

KEPT: Final = ("runtime.env", "keys/identity", "tokens/key", "postgres/server.json")
"""Files whose purpose is to hold what opens something; they are the owner's alone (0600)."""
_GIVEN_OUT: Final = re.compile(rb"sim\.[\w-]{32}\.[\w-]{128}")
"""An access token as the simulator gives them out."""
_MADE_UP: Final = {
    **{
        f"{name} of the {world} simulator": getattr(default_credential(world), name)
        for world in Environment
        for name in ("appkey", "appsecret")
    },
    "appkey of a broker's test": APPKEY,
    "appsecret of a broker's test": APPSECRET,
    "appkey of a console's test": "the-appkey-of-a-test",
    "appsecret of a console's test": "the-appsecret-of-a-test",
    "keys that are typed": "typed-and-never-shown",
    "keys that are kept": "nobody-may-see-this",
    "password of Kafka": PASSWORD,
    "password of Prefect's server": "long-enough-password",
    "address of Slack's webhook": HOOK,
    "token of Slack's bot": TOKEN,
}
"""What the tests work with that nobody may see, whoever of them it is."""
_TABLES: Final = """
    SELECT schemaname, tablename FROM pg_tables
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2
"""


def finds_in_files(
    home: Path, secrets: Mapping[str, str], *, beside: Iterable[str] = ()
) -> list[str]:
    """Give each file below `home` that shows a secret, with its name; `beside` are places of no interest."""
    files = (path for path in sorted(home.rglob("*")) if path.is_file())
    wanted = ((path, str(path.relative_to(home))) for path in files)
    return [
        f"{place}: {name}"
        for path, place in wanted
        if place not in KEPT and not place.startswith(tuple(beside))
        for name in _names_in(_content(path), secrets)
    ]


def finds_below(folder: Path, **further: str) -> list[str]:
    """Give each file that shows a secret of any test: those of databases as they lie there, their passwords too.

    Nothing is asked and nothing must run, so it sees what was deleted since, as far as it was not written over.
    """
    secrets = {**_MADE_UP, **dict(_passwords(folder)), **further}
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not _is_kept(path))
    return [
        f"{path.relative_to(folder)}: {name}"
        for path in files
        for name in _names_in(_seen(path), secrets)
    ]


def _passwords(folder: Path) -> Iterator[tuple[str, str]]:
    for path in folder.rglob("postgres/server.json"):
        with suppress(OSError, ValueError, KeyError):  # some tests leave what no server can use
            password = json.loads(path.read_text("utf-8"))["password"]
            yield f"password of {path.parent.parent.name}", password


def _is_kept(path: Path) -> bool:
    return path.as_posix().endswith(tuple(f"/{place}" for place in KEPT))


def finds_in_database(url: str, secrets: Mapping[str, str]) -> list[str]:
    """Give each table that shows a secret in any column of any row."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(_TABLES).fetchall()
        return [
            f"{schema}.{table}: {name}"
            for schema, table in tables
            for name in _names_in(_dump(connection, schema, table), secrets)
        ]


def _dump(connection: psycopg.Connection, schema: str, table: str) -> bytes:
    """Write a whole table as text; what is binary as what it is."""
    words = sql.SQL("COPY (SELECT * FROM {}) TO STDOUT (FORMAT BINARY)").format(
        sql.Identifier(schema, table)
    )
    with connection.cursor() as cursor, cursor.copy(words) as copy:
        return b"".join(bytes(block) for block in copy)


def _content(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


def _seen(path: Path) -> bytes:
    """Give what there is to read: a file may be gone again, nobody's to read, or no archive after all."""
    with suppress(OSError, EOFError, zlib.error):
        return _content(path)
    with suppress(OSError):
        return path.read_bytes()
    return b""


def _names_in(content: bytes, secrets: Mapping[str, str]) -> Iterator[str]:
    """Name the secrets that stand there; never their values, for this is printed when a test fails."""
    yield from (name for name, secret in secrets.items() if secret.encode() in content)
    if b"sim." in content and _GIVEN_OUT.search(content):
        yield "a token"
