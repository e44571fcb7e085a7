"""This is what every scenario starts from: a desk on memory at seven in the morning."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks import streaming
from tasks.streaming import StreamSession
from tests.desks import Floor, a_floor


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    """A desk with 100,000,000 won on 2018-01-16, nothing held, nothing ordered."""
    return a_floor(tmp_path)


@pytest.fixture
def session(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> StreamSession:
    """A session on the floor's desk, without pauses between inquiries and refreshes."""
    monkeypatch.setattr(streaming, "INQUIRY_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(streaming, "REFRESH_SECONDS", 0.0)
    return StreamSession(floor.desk)
