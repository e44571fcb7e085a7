"""This is where a command is told to write: looked at before it works, so that hours do not end at a closed door."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryFile

from trading.errors import BadInput


def require_place(option: str, path: Path | None) -> None:
    """Check that a file can be made there, or is there to be replaced; nothing is left behind.

    Raises:
        BadInput: naming the option.
    """
    if path is None:
        return
    if path.exists() and not path.is_file():
        raise BadInput(option, str(path), "a file, or a name that is free")
    folder = next(each for each in path.absolute().parents if each.exists())
    try:
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        value = f"{path}: {error.strerror}"
        raise BadInput(option, value, "a folder in which files can be written") from None
