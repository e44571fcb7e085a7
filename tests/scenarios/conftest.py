"""This is what every scenario starts from: a desk on memory at seven in the morning."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.desks import Floor, a_floor


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    """A desk with 100,000,000 won on 2018-01-16, nothing held, nothing ordered."""
    return a_floor(tmp_path)
