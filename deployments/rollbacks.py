"""This is putting earlier code in place on this machine, and starting it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from adapters.commits import can_check_out, check_out
from adapters.postgres import embedded
from deployments.background import stop_from_outside
from deployments.processes import StartFailed
from deployments.state import is_running
from flows.settings import Settings
from trading.errors import BadInput

_INSTALLED: Final = ("requirements.lock", "pyproject.toml")
_BOOTSTRAP: Final = "deployments/bootstrap.sh"
_CONSOLE: Final = "import sys; from deployments.cli import main; sys.exit(main())"


@contextmanager
def reachable(settings: Settings) -> Iterator[Settings]:
    """Give settings whose database answers: the embedded one is started for the block if its stack is not."""
    if settings.database_url is not None:
        yield settings
        return
    url = embedded.start(settings.home).url
    try:
        yield settings.model_copy(update={"database_url": SecretStr(url)})
    finally:
        embedded.stop(settings.home)


def require_movable(project: Path, commit: str) -> None:
    """Make sure that earlier code can be put in place.

    Raises:
        BadInput: when nothing here knows that commit, or uncommitted changes would be lost sight of.
    """
    if not can_check_out(project, commit):
        expected = (
            "a clone that has this commit and no uncommitted code; of images start the one of it"
        )
        raise BadInput("commit", commit[:12], expected)


def replace_code(project: Path, home: Path, commit: str) -> None:
    """Stop the stack, put the commit in place, and install what its lock wants if that is something else.

    Raises:
        StartFailed: when the stack does not stop, or the code cannot be had.
    """
    if is_running(home) and not stop_from_outside(home):
        raise StartFailed("maemae down")
    before = _wanted(project)
    if not check_out(project, commit):
        raise StartFailed(f"git checkout {commit[:12]}")
    if _wanted(project) != before:
        subprocess.run(("bash", _BOOTSTRAP), cwd=project, check=True)  # noqa: S603, S607 - our own words


def run_console(project: Path, *words: str) -> int:
    """Run a command of the code that is in place now; give what it gives."""
    program = (sys.executable, "-c", _CONSOLE, *words)
    return subprocess.run(program, cwd=project, check=False).returncode  # noqa: S603 - our own words


def _wanted(project: Path) -> list[bytes]:
    return [(project / name).read_bytes() for name in _INSTALLED]
