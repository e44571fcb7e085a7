"""This is the encrypted files of one home: `<home>/keys/<scope>.age`, each readable with the identity alone.

One file per scope, so that a process that trades on paper never holds the real keys in its memory. They are
plain age files: `age -d -i identity paper.age` opens them without maemae.
"""

from __future__ import annotations

import json
from pathlib import Path

from pyrage import DecryptError, decrypt, encrypt

from adapters.keys.identities import find_identity, make_identity
from adapters.keys.scopes import Keys, Scope, parse_keys
from adapters.kis.files import make_private_folder, write_whole
from trading.errors import InvalidSetting


class KeySafe:
    """The key files below `folder`; `identity` names its file if it is not the one beside them."""

    def __init__(self, folder: Path, *, identity: Path | None = None) -> None:
        self.folder = folder
        self._identity = identity

    def file(self, scope: Scope) -> Path:
        """Name the file of a scope."""
        return self.folder / f"{scope}.age"

    def has(self, scope: Scope) -> bool:
        """Whether keys are kept for `scope`; nothing is opened."""
        return self.file(scope).exists()

    def load(self, scope: Scope) -> Keys:
        """Open the keys of `scope` and of no other.

        Raises:
            InvalidSetting: when they are missing, the identity is wrong, or the file is torn or of another scope.
        """
        file = self.file(scope)
        identity = find_identity(self.folder, self._identity)
        try:
            content = decrypt(file.read_bytes(), [identity])
        except (OSError, DecryptError):
            expected = "an age file that the identity opens; `maemae keys set` writes it"
            raise InvalidSetting(
                str(file), None if not file.exists() else "***", expected
            ) from None
        return parse_keys(content, scope, origin=str(file))

    def save(self, scope: Scope, keys: Keys) -> None:
        """Replace the keys of `scope` in one step, mode 0600; makes folder and identity if there are none."""
        recipient = make_identity(make_private_folder(self.folder), self._identity).to_public()
        content = json.dumps(keys.document()).encode()
        write_whole(self.file(scope), encrypt(content, [recipient]))
