"""This is the fence around the unit tests: whoever opens a connection fails."""

import socket
from typing import Never

import pytest


@pytest.fixture(autouse=True)
def _no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse to connect anywhere, on this machine or beyond."""

    def refuse(*_: object) -> Never:
        pytest.fail("a unit test opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
