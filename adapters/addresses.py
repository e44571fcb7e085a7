"""This is which addresses may be spoken to without TLS: this machine's own, and no other."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

ENCRYPTED: Final = frozenset({"require", "verify-ca", "verify-full"})
"""The values of PostgreSQL's sslmode that never fall back to plain text."""

DATABASE_TLS: Final = "TLS towards another machine: ?sslmode=verify-full at the end (or require)"


def is_loopback(host: str | None) -> bool:
    """Tell whether `host`, as it stands in an address, can only be this machine."""
    if not host:
        return False
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def is_safe_url(url: str) -> bool:
    """Tell whether what is sent to `url` cannot be read on the way: https, or http on this machine."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
    )


def is_safe_database(url: str) -> bool:
    """Tell the same of a PostgreSQL address: this machine, a socket file, or an sslmode that insists on TLS.

    Several hosts, and a service file that may name any, count as another machine.
    """
    parts = urlsplit(_without_credentials(url))
    given = parse_qs(parts.query)
    modes = given.get("sslmode", [])
    if len(modes) == 1 and modes[0] in ENCRYPTED:
        return True
    return "service" not in given and all(_is_here(host) for host in _hosts(parts, given))


def _without_credentials(url: str) -> str:
    """Leave out what stands before the first @, as SQLAlchemy does: a password may look like anything."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.partition('@')[2] or rest}"


def _hosts(parts: SplitResult, given: dict[str, list[str]]) -> list[str]:
    ours = parts.netloc if "," in parts.netloc else parts.hostname or ""
    return [host for host in (ours, *given.get("host", []), *given.get("hostaddr", [])) if host]


def _is_here(host: str) -> bool:
    return unquote(host).startswith("/") or is_loopback(host)
