"""This is small git repositories for tests."""

from __future__ import annotations

import subprocess
from pathlib import Path


def git(folder: Path, *words: str) -> str:
    """Run git without the settings of whoever runs the tests."""
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(  # noqa: S603 - our own words
        ("git", "-C", str(folder), *who, *words),  # noqa: S607
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def commit(folder: Path) -> str:
    """Commit everything; give the hash."""
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "Change")
    return git(folder, "rev-parse", "HEAD")
