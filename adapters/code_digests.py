"""This is a fingerprint of the code that decides and trades, as it lies on the disk: changed code is other results."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

_PROJECT: Final = Path(__file__).resolve().parents[1]
_DECIDING: Final = ("backtest", "risk", "strategies", "trading")


@cache
def code_digest() -> str:
    """Give SHA-256 over every module of the folders that a backtest runs through."""
    found = hashlib.sha256()
    for folder in _DECIDING:
        for path in sorted((_PROJECT / folder).rglob("*.py")):
            found.update(str(path.relative_to(_PROJECT)).encode())
            found.update(path.read_bytes())
    return found.hexdigest()
