"""This is where tests get another Python from, with the packages that deciding and judging need."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).resolve().parents[1]
PACKAGES: Final = (
    "annotated-types",
    "holidays",
    "numpy",
    "pydantic",
    "pydantic-core",
    "python-dateutil",
    "six",
    "typing-extensions",
    "typing-inspection",
    "tzdata",
)
"""All that a replay imports; other versions than those of the lock might decide otherwise."""


@cache
def python_of(version: str) -> str | None:
    """Give a Python of this version (3.12) that can replay, None where the machine has none.

    Raises:
        CalledProcessError: when there is one, and its packages cannot be had.
    """
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    found = _found(version)
    return found and _prepared(version, found)


def _found(version: str) -> str | None:
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    paths = [
        shutil.which(f"python{version}"),
        *map(str, sorted(pyenv.glob(f"{version}.*/bin/python"))),
    ]
    return next((path for path in paths if path and _version(path) == version), None)


def _version(python: str) -> str:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run(  # noqa: S603 - our own words
        (python, "-c", code), capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def _prepared(version: str, base: str) -> str:
    """Make an environment beside ours once, as the peers of the benchmarks have theirs."""
    folder = PROJECT / ".peers" / f"python{version}"
    python, stamp = folder / "bin" / "python", folder / "pins"
    pins = _pins()
    if not stamp.exists() or stamp.read_text("utf-8") != "\n".join(pins):
        _fill(folder, python, base, pins)
        stamp.write_text("\n".join(pins), "utf-8")
    return str(python)


def _fill(folder: Path, python: Path, base: str, pins: list[str]) -> None:
    """Install with the bootstrap's uv, which takes a second; pip, where there is none, takes half a minute."""
    uv = shutil.which("uv") or str(PROJECT / ".uv" / "bin" / "uv")
    if Path(uv).exists():
        _run(uv, "venv", "--quiet", "--clear", "--python", base, str(folder))
        _run(uv, "pip", "install", "--quiet", "--no-deps", "--python", str(python), *pins)
    else:
        _run(base, "-m", "venv", "--clear", str(folder))
        _run(str(python), "-m", "pip", "install", "--quiet", "--no-deps", *pins)


def _pins() -> list[str]:
    lock = (PROJECT / "requirements.lock").read_text("utf-8")
    return [re.search(rf"^{name}==[^\s;]+", lock, re.MULTILINE)[0] for name in PACKAGES]  # type: ignore[index]  # all are there


def _run(*words: str) -> None:
    subprocess.run(words, check=True)  # noqa: S603 - our own words
