"""This is which databases may be spoken to: those on this machine, and others by TLS with a certificate that is checked."""

from __future__ import annotations

from typing import Any, Final

from psycopg import ProgrammingError, pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from adapters.addresses import is_loopback

CHECKED: Final = frozenset({"verify-ca", "verify-full"})
"""The values of sslmode that look at the certificate; `require` would believe whoever stands in between."""

DATABASE_TLS: Final = (
    "TLS towards another machine, with its certificate checked: ?sslmode=verify-full at the end"
)


def is_safe_database(url: str) -> bool:
    """Tell whether what is sent to a PostgreSQL address cannot be read on the way.

    It is read as it will be when it is used, by SQLAlchemy and by libpq, which fills in from the environment and
    the service file (PGHOSTADDR, PGSERVICE) what the address leaves open. A service that it names itself counts
    as another machine.
    """
    try:
        found = _as_used(make_url(url))
    except (ArgumentError, ValueError):
        return True  # it is no address, and nothing can be sent there
    except (ProgrammingError, TypeError):
        return False
    hosts = f"{found.get('host', '')},{found.get('hostaddr', '')}".split(",")
    return found.get("sslmode") in CHECKED or all(_is_here(host) for host in hosts if host)


def _as_used(url: URL) -> dict[str, Any]:
    ours = url.set(drivername="postgresql+psycopg")
    _, words = ours.get_dialect()().create_connect_args(ours)
    given = conninfo_to_dict(make_conninfo(**words))
    if "service" in given:
        raise ProgrammingError("a service may name any machine")
    open_words = (each for each in pq.Conninfo.get_defaults() if each.val)
    return {each.keyword.decode(): (each.val or b"").decode() for each in open_words} | given


def _is_here(host: str) -> bool:
    return host.startswith("/") or is_loopback(host)
