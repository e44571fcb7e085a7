"""This is what the database could not take: notices and prints in a file, flushed to disk, in the order they came."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import structlog

from trading.errors import DiskFull
from trading.instruments import Symbol
from trading.notices import Notice, NoticeKind
from trading.orders import OrderType, Side
from trading.ticks import TradePrint

type Heard = Notice | TradePrint

_LOG: Final = structlog.get_logger(__name__)
LARGEST: Final = 128 * 1024 * 1024
"""Bytes of prints: an hour of 500 a second."""
RESERVE: Final = 16 * 1024 * 1024
"""Bytes more for notices alone: 40,000 of them."""


class Spool:
    """Lines of JSON at `path`, for the owner's eyes only. One process writes; a crash tears the last line at most."""

    def __init__(self, path: Path, *, largest: int = LARGEST, reserve: int = RESERVE) -> None:
        """Take the file's place; it is made with the first line."""
        self.path = path
        self._limits = {TradePrint: largest, Notice: largest + reserve}

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._size()

    def keep(self, heard: Sequence[Heard], *, trading_day: date) -> int:
        """Append and flush to disk; give how many found no room below the bound, prints before notices.

        Raises:
            DiskFull: when the disk does not take it; what was heard is not kept.
        """
        size, lines, refused = self._size(), list[bytes](), 0
        for each in heard:
            line = _line(each, trading_day)
            if size + len(line) > self._limits[type(each)]:
                refused += 1
                continue
            lines.append(line)
            size += len(line)
        if lines:
            self._append(b"".join(lines))
        return refused

    def notices(self) -> Iterator[tuple[date, Notice]]:
        """Give the notices that wait with their trading day, oldest first; a torn line is logged and left out."""
        return self._read(b"notice", _notice)

    def prints(self) -> Iterator[tuple[date, TradePrint]]:
        """Give the prints likewise."""
        return self._read(b"print", _print)

    def clear(self) -> None:
        """Let go of everything: it is in the database now."""
        self.path.unlink(missing_ok=True)

    def _read[T](
        self, kind: bytes, read: Callable[[dict[str, Any]], T]
    ) -> Iterator[tuple[date, T]]:
        if self.is_empty:
            return
        with self.path.open("rb") as file:
            for line in file:
                if not line.startswith(b'{"' + kind):
                    continue  # there may be a million prints beside a few notices
                try:
                    row = json.loads(line)
                    yield date.fromisoformat(row["day"]), read(row[kind.decode()])
                except (ValueError, KeyError, TypeError):
                    _LOG.warning("a line of the spool cannot be read", line=line[:200])

    def _size(self) -> int:
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def _append(self, content: bytes) -> None:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                _write(descriptor, _after_a_tear(descriptor) + content)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise DiskFull(f"{self.path}: {error.strerror}") from error


def _write(descriptor: int, content: bytes) -> None:
    """Write all of it: a disk that is nearly full takes a part first."""
    while content:
        content = content[os.write(descriptor, content) :]


def _after_a_tear(descriptor: int) -> bytes:
    """Give what a line must begin with: its own line, whatever a crash left before it."""
    size = os.fstat(descriptor).st_size
    return b"\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else b""


def _line(heard: Heard, trading_day: date) -> bytes:
    kind = "notice" if isinstance(heard, Notice) else "print"
    row = {kind: asdict(heard), "day": trading_day.isoformat()}
    return json.dumps(row, default=datetime.isoformat, separators=(",", ":")).encode() + b"\n"


def _notice(row: dict[str, Any]) -> Notice:
    named = {
        "kind": NoticeKind(row["kind"]),
        "symbol": Symbol(row["symbol"]),
        "side": Side(row["side"]),
        "order_type": OrderType(row["order_type"]),
        "received_at": datetime.fromisoformat(row["received_at"]),
    }
    return Notice(**row | named)


def _print(row: dict[str, Any]) -> TradePrint:
    at = datetime.fromisoformat(row["at"])
    return TradePrint(**row | {"symbol": Symbol(row["symbol"]), "at": at})
