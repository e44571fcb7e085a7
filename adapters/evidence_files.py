"""This is evidence that is made where no database runs: one file per kind and commit, beside the code."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Final

from trading.evidence import Evidence, EvidenceKind

FOLDER: Final = ".evidence"


class EvidenceFolder:
    """What test runs leave in the project for the promotion that asks for it."""

    def __init__(self, project: Path) -> None:
        self._folder = project / FOLDER

    def keep(self, evidence: Evidence) -> Path:
        """Write, in place of an older one of the same kind and commit."""
        folder = self._folder / evidence.commit
        folder.mkdir(parents=True, exist_ok=True)
        document = asdict(evidence) | {"made_at": evidence.made_at.isoformat()}
        file = folder / f"{evidence.kind}.json"
        draft = file.with_suffix(".draft")
        draft.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
        return draft.replace(file)

    def of(self, commit: str) -> tuple[Evidence, ...]:
        """Give what there is of a commit; what cannot be read is none."""
        files = sorted((self._folder / commit).glob("*.json")) if commit else []
        return tuple(evidence for file in files if (evidence := _read(file)) is not None)


def _read(file: Path) -> Evidence | None:
    try:
        document = json.loads(file.read_text("utf-8"))
        kind, at = EvidenceKind(document["kind"]), datetime.fromisoformat(document["made_at"])
        return Evidence(**document | {"kind": kind, "made_at": at})
    except (OSError, ValueError, KeyError, TypeError):
        return None
