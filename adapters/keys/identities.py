"""This is the identity that opens the encrypted files: from systemd, from a file that is named, or from the home."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from pyrage import IdentityError
from pyrage.x25519 import Identity

from adapters.kis.files import create_once, make_private_folder
from trading.errors import InvalidSetting

CREDENTIAL: Final = "maemae_identity"
"""The name under which systemd hands it over (LoadCredentialEncrypted=)."""
_FILE: Final = "identity"
_OTHERS: Final = 0o077
_MARK: Final = "AGE-SECRET-KEY-"
_EXPECTED: Final = "a readable file with an age identity (AGE-SECRET-KEY-…)"


def find_identity(folder: Path, named: Path | None = None) -> Identity:
    """Read the identity; the first of systemd's credential, `named` and `<folder>/identity` that there is.

    Raises:
        InvalidSetting: when it is missing, no age identity, or readable by others.
    """
    credential = _credential()
    if credential is not None:
        return _read(credential, is_guarded=True)
    return _read(named or folder / _FILE)


def make_identity(folder: Path, named: Path | None = None) -> Identity:
    """Read the identity; where none is named and none is there, make one in `folder`, mode 0600.

    Raises:
        InvalidSetting: when the one that is named is missing or wrong.
    """
    if named is None and _credential() is None:
        text = f"{Identity.generate()}\n"
        create_once(make_private_folder(folder) / _FILE, text.encode())
    return find_identity(folder, named)


def _credential() -> Path | None:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    file = Path(folder) / CREDENTIAL if folder else None
    return file if file is not None and file.is_file() else None


def _read(file: Path, *, is_guarded: bool = False) -> Identity:
    """Read one; what systemd hands over it guards itself."""
    try:
        if not is_guarded and file.stat().st_mode & _OTHERS:
            raise InvalidSetting(
                str(file), oct(file.stat().st_mode & 0o777), "mode 0600 (chmod 600)"
            )
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise InvalidSetting("MAEMAE_KEYS__IDENTITY", str(file), _EXPECTED) from None
    try:
        return Identity.from_str(next(line.strip() for line in lines if line.startswith(_MARK)))
    except (StopIteration, IdentityError):
        raise InvalidSetting("MAEMAE_KEYS__IDENTITY", str(file), _EXPECTED) from None
