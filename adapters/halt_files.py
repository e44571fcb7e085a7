"""This is the kill switch on disk: it works when everything else is down.

While the file exists something is stopped. What cannot be read stops everything: an empty file made by
`touch`, a torn write and a directory in its place all mean HALTED.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from trading.halts import Halt, TradingState


class HaltFile:
    """Halts in one JSON file, replaced atomically and flushed to disk."""

    def __init__(self, path: Path) -> None:
        """Take the file's place; it need not exist."""
        self.path = path

    def read(self, *, at: datetime) -> tuple[Halt, ...]:
        """Give every halt in the file; anything unreadable is one HALTED, noticed `at`."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ()
        except OSError as error:
            return (_unreadable(type(error).__name__, at),)
        try:
            return tuple(_halt(row) for row in json.loads(text)) or (_unreadable("empty", at),)
        except (ValueError, TypeError, KeyError, AttributeError):
            return (_unreadable("not a list of halts", at),)

    def write(self, halts: Iterable[Halt]) -> None:
        """Replace the content; no halts at all removes the file."""
        rows = [_row(halt) for halt in halts]
        if not rows:
            self.path.unlink(missing_ok=True)
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".draft")
        with draft.open("w", encoding="utf-8") as file:
            json.dump(rows, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)
        _flush_directory(self.path.parent)

    def put(self, halt: Halt) -> None:
        """Add one halt, replacing that of the same source and strategy."""
        others = [h for h in self.read(at=halt.at) if _key(h) != _key(halt)]
        self.write([*others, halt])

    def lift(self, source: str, *, strategy_id: str = "", at: datetime) -> bool:
        """Remove one halt, and with it an unreadable file; False when there was nothing to lift."""
        halts = self.read(at=at)
        self.write(h for h in halts if _key(h) != (source, strategy_id) and h.source != "file")
        return bool(halts)


def _key(halt: Halt) -> tuple[str, str]:
    return halt.source, halt.strategy_id


def _unreadable(why: str, at: datetime) -> Halt:
    return Halt("file", TradingState.HALTED, f"halt file: {why}", at)


def _row(halt: Halt) -> dict[str, str]:
    return {**asdict(halt), "state": halt.state.value, "at": halt.at.isoformat()}


def _halt(row: dict[str, str]) -> Halt:
    return Halt(
        source=row["source"],
        state=TradingState(row["state"]),
        reason=row["reason"],
        at=datetime.fromisoformat(row["at"]),
        strategy_id=row.get("strategy_id", ""),
    )


def _flush_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
