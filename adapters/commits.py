"""This is which code runs: the newest commit that changed any of it, read from git."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

CODE: Final = ("--", ".", ":!deployments/channels", ":!docs", ":!*.md")
"""Settings have versions of their own, and words change nothing."""
_PATIENCE: Final = 20


def commit_of(project: Path) -> str:
    """Give the full hash of the newest commit that changed the code in `project`.

    "" where nobody can tell: no git, no clone, or code that differs from what is committed.
    """
    changes = ask_git(project, "status", "--porcelain", *CODE)
    if changes is None or changes:
        return ""
    return ask_git(project, "log", "-1", "--format=%H", *CODE) or ""


def check_out(project: Path, commit: str) -> bool:
    """Put the code of a commit in place, what is not committed kept; tell whether git did."""
    return ask_git(project, "checkout", "--quiet", "--detach", commit) is not None


def can_check_out(project: Path, commit: str) -> bool:
    """Tell whether the commit is there, and the code in place lies in another one."""
    is_there = ask_git(project, "cat-file", "-e", f"{commit}^{{commit}}") is not None
    return is_there and bool(commit_of(project))


def ask_git(project: Path, *words: str) -> str | None:
    """Give what git says, None when it refuses, is missing or takes too long."""
    try:
        said = subprocess.run(  # noqa: S603 - our own words
            ("git", "-C", str(project), *words),  # noqa: S607 - whichever git the owner has
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return said.stdout.strip() if said.returncode == 0 else None
