"""While a stop is on its way no processor sleeps, where the machine lets us ask for that."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasks import processors
from tasks.processors import LATENCY, awake

NOW = bytes(4)
"""No microsecond to wake up in."""


def test_the_wish_is_written_for_the_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = tmp_path / "cpu_dma_latency"
    device.touch()
    monkeypatch.setattr(processors, "LATENCY", device)
    with awake():
        assert device.read_bytes() == NOW


def test_where_there_is_no_such_file_nothing_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processors, "LATENCY", tmp_path / "cpu_dma_latency")
    with awake():
        pass
    assert not list(tmp_path.iterdir())


def test_what_fails_in_the_block_ends_the_wish_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = tmp_path / "cpu_dma_latency"
    device.touch()
    monkeypatch.setattr(processors, "LATENCY", device)
    before = open_files()
    with pytest.raises(ZeroDivisionError):
        _fail_awake(before)
    assert open_files() == before


@pytest.mark.skipif(not os.access(LATENCY, os.R_OK | os.W_OK), reason="not ours to write")
def test_the_machine_itself_hears_it() -> None:
    with awake():
        assert _wanted() == NOW
    assert _wanted() != NOW


def open_files() -> int:
    """Count what this process has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def _fail_awake(before: int) -> None:
    with awake():
        assert open_files() == before + 1
        raise ZeroDivisionError


def _wanted() -> bytes:
    """Read what the machine grants now, of all wishes the shortest."""
    device = os.open(LATENCY, os.O_RDONLY)
    try:
        return os.read(device, 4)
    finally:
        os.close(device)
