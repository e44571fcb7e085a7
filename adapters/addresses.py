"""This is which addresses may be spoken to without TLS: this machine's own, and no other."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(host: str | None) -> bool:
    """Tell whether `host`, as it stands in an address, can only be this machine."""
    if not host:
        return False
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def is_own_address(host: str) -> bool:
    """Tell whether a server of this machine can listen at an IPv4 address, so that what is sent there stays here."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
    return True


def is_safe_url(url: str) -> bool:
    """Tell whether what is sent to `url` cannot be read on the way: https, or http on this machine."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
    )
