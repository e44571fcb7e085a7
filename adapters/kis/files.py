"""This is the small state that processes share through files: locks that die with their holder, whole writes."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

_PRIVATE_FILE = 0o600
_PRIVATE_FOLDER = 0o700


def shared_name(*parts: str) -> str:
    """Name a shared file after what it belongs to, so that the name gives no key away."""
    return sha256("\n".join(parts).encode()).hexdigest()[:16]


def make_private_folder(folder: Path) -> Path:
    """Create `folder` for the owner alone."""
    folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    return folder


@contextmanager
def try_lock(path: Path) -> Iterator[int | None]:
    """Hold the file's lock, giving its descriptor; None at once when another holds it.

    The kernel frees the lock with its holder, however that dies.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE_FILE)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield descriptor
    finally:
        os.close(descriptor)


def write_whole(path: Path, content: bytes) -> None:
    """Replace the file in one step, readable by the owner alone and durable; a reader never sees a part."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        _write_new(draft, content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def create_once(path: Path, content: bytes) -> bytes:
    """Give the file's content, writing `content` first if there is no file; the first of several wins."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    if not path.exists():
        try:
            _write_new(draft, content)
            with suppress(FileExistsError):
                path.hardlink_to(draft)
        finally:
            draft.unlink(missing_ok=True)
    return path.read_bytes()


def _write_new(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
