"""This is the kill switch on disk: it works when everything else is down.

Once used, the file is always there, sealed with a checksum and a time of change of its own, and a marker beside
it remembers that it was. What is missing after that, torn, touched, written by hand or cannot be read at all
stops everything: `touch` and `rm` are ways to halt.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Final

from trading.halts import Halt, TradingState, tightened

SEAL: Final = 1_000_000_000
"""The file's time of change in seconds, always this one: whoever touches the file breaks the seal."""
PATIENCE_SECONDS: Final = 0.5
"""How long a halt waits for another writer whom somebody has stopped."""
LONGEST_PATIENCE_SECONDS: Final = 5.0
"""How long it waits for one who runs, on a machine so busy that writing takes long."""


class HaltFile:
    """Halts in one JSON file, replaced atomically and flushed to disk before anybody goes on."""

    def __init__(self, path: Path) -> None:
        """Take the file's place; it need not exist."""
        self.path = path
        self._marker = path.with_suffix(".known")
        self._lock = path.with_suffix(".lock")

    def read(self, *, at: datetime) -> tuple[Halt, ...]:
        """Give every halt in the file; anything that is not as we left it is one HALTED, noticed `at`."""
        try:
            content = self._content()
        except OSError as error:
            return (_broken(type(error).__name__, at),)
        if content is None:
            return (_broken("missing", at),) if _exists(self._marker) else ()
        try:
            return _parse(content)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it stops trading
            return (_broken(str(error) or type(error).__name__, at),)

    def put(self, halt: Halt) -> None:
        """Add one halt; over one of the same source, strategy and symbol it never loosens.

        Where it cannot be written (a full disk) the file is taken away, which stops everything.

        Raises:
            OSError: when the disk refused; trading is stopped all the same if the folder is there.
        """
        try:
            with self._only_writer(is_urgent=True):
                self._change(lambda known: _with(known, halt), at=halt.at)
        except OSError:
            with suppress(OSError):
                self._remember()  # an empty marker finds room on a full disk, and without it missing is normal
            with suppress(OSError):
                self.path.unlink(missing_ok=True)
                _flush(self.path.parent)
            raise

    def lift(self, source: str, *, strategy_id: str = "", symbol: str = "", at: datetime) -> bool:
        """Remove one halt, False when there was none; source "file" is a file that cannot be read.

        Raises:
            OSError: when the disk refused or another writer stands in the way; nothing is lifted then.
        """
        key = (source, strategy_id, symbol)
        if key not in {halt.key for halt in self.read(at=at)}:
            return False
        with self._only_writer(is_urgent=False):
            self._change(lambda known: [halt for halt in known if halt.key != key], at=at)
        return True

    def write_draft(self, halts: Iterable[Halt]) -> Path:
        """Write a draft that is ready to take the file's place; give where it lies."""
        draft = self.path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.draft")
        with draft.open("wb") as file:
            file.write(_render(halts))
            file.flush()
            os.utime(file.fileno(), (SEAL, SEAL))
            os.fsync(file.fileno())
        return draft

    def _change(
        self, change: Callable[[tuple[Halt, ...]], Iterable[Halt]], *, at: datetime
    ) -> None:
        """Replace the content; again when somebody who did not wait for us has replaced it meanwhile."""
        while True:
            seen, known = self._seen(), self.read(at=at)
            self._remember()
            draft = self.write_draft(change(known))
            if self._seen() == seen:
                draft.replace(self.path)
                _flush(self.path.parent)
                return

    def _remember(self) -> None:
        """Mark that there is a file, before there is one: a crash in between stops everything."""
        if not _exists(self._marker):
            self._marker.touch()
            _flush(self._marker.parent)

    @contextmanager
    def _only_writer(self, *, is_urgent: bool) -> Iterator[None]:
        """Wait for the other writer; an urgent one goes ahead when that takes too long."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock.open("a+b") as file:  # closing it gives the lock back, and so does dying
            is_ours = _locks(file.fileno())
            if not is_ours and not is_urgent:
                raise TimeoutError(f"{self._lock}: another process is writing")
            yield
            if is_ours:
                file.truncate(0)

    def _content(self) -> bytes | None:
        """Read the file, None when there is none; b"" when its seal is broken."""
        try:
            with self.path.open("rb") as file:
                is_sealed = os.fstat(file.fileno()).st_mtime == SEAL
                return file.read() if is_sealed else b""
        except FileNotFoundError:
            return None

    def _seen(self) -> tuple[int, int] | None:
        """Tell one version of the file from another, whatever is in it."""
        try:
            state = self.path.lstat()
        except FileNotFoundError:
            return None
        return state.st_ino, state.st_ctime_ns


def _with(known: tuple[Halt, ...], halt: Halt) -> list[Halt]:
    return [*(other for other in known if other.key != halt.key), tightened(halt, known)]


def _locks(descriptor: int) -> bool:
    """Take the lock and leave our number in it; False when its holder is stopped or takes very long."""
    began = time.monotonic()
    while (waited := time.monotonic() - began) < LONGEST_PATIENCE_SECONDS:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waited > PATIENCE_SECONDS and _is_stopped(os.pread(descriptor, 20, 0)):
                return False
            time.sleep(0.001)
        else:
            os.ftruncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
            return True
    return False


def _is_stopped(holder: bytes) -> bool:
    """Tell whether somebody has stopped the process of that number.

    No number, or that of one who is gone, is what a lock has that changes hands at this moment: nobody is stopped.
    """
    try:
        state = Path(f"/proc/{int(holder)}/stat").read_bytes().rpartition(b") ")[2][:1]
    except (OSError, ValueError):
        return False
    return state in {b"T", b"t"}


def _broken(why: str, at: datetime) -> Halt:
    return Halt("file", TradingState.HALTED, f"halt file: {why}", at)


def _parse(content: bytes) -> tuple[Halt, ...]:
    """Read what `_render` wrote, to the byte.

    Raises:
        ValueError: when it is anything else.
    """
    if not content:
        raise ValueError("empty or touched")
    halts = tuple(_halt(row) for row in json.loads(content)["halts"])
    if content != _render(halts):
        raise ValueError("wrong checksum")
    return halts


def _render(halts: Iterable[Halt]) -> bytes:
    rows = [{**asdict(halt), "at": halt.at.isoformat()} for halt in halts]
    digest = hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()
    text = json.dumps({"halts": rows, "sha256": digest}, ensure_ascii=False, indent=1)
    return text.encode(errors="backslashreplace")  # which JSON reads as what it was


def _halt(row: dict[str, str]) -> Halt:
    state, at = TradingState(row["state"]), datetime.fromisoformat(row["at"])
    return Halt(**{**row, "state": state, "at": at})  # type: ignore[arg-type]  # the others are texts


def _exists(path: Path) -> bool:
    """Tell whether something is there, or whether nobody can tell."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
