"""This is the proof that a day has one fingerprint: on every Python here, in every time zone, with every hash seed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.day_stories import the_day
from trading.day_stories import digest_of

PROJECT = Path(__file__).resolve().parents[2]
SAID = """
from tests.day_stories import story_of, the_day
from trading.day_stories import digest_of, retell
print(digest_of(retell(story_of(the_day()))))
"""


def interpreters() -> list[str]:
    """Give this Python, and a 3.12 and a 3.13 where they are installed; trading needs nothing beside them."""
    named = (f"python3.{minor}" for minor in (12, 13))
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = {shutil.which(name) or "" for name in named}
    found |= {str(path) for path in pyenv.glob("3.1[23].*/bin/python")}
    working = {path for path in found if path and _version(path) in {"3.12", "3.13"}}
    return sorted(working | {sys.executable})


def _version(python: str) -> str:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    return _said(python, code)


def _said(python: str, code: str, **variables: str) -> str:
    path = {"PYTHONPATH": str(PROJECT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(  # noqa: S603 - our own words
        (python, "-c", code), capture_output=True, text=True, env=path | variables, check=False
    )
    return done.stdout.strip()


PLACES = {
    "Seoul": {"TZ": "Asia/Seoul", "PYTHONHASHSEED": "0"},
    "New York": {"TZ": "America/New_York", "PYTHONHASHSEED": "1"},
    "Kiritimati": {"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "4294967295"},
}


@pytest.mark.parametrize("place", PLACES)
def test_a_day_has_one_fingerprint_everywhere(place: str) -> None:
    expected = digest_of(the_day())
    assert {_said(python, SAID, **PLACES[place]) for python in interpreters()} == {expected}


def test_a_312_is_asked_where_there_is_one() -> None:
    versions = {_version(python) for python in interpreters()}
    assert f"{sys.version_info.major}.{sys.version_info.minor}" in versions
    if "3.12" not in versions:
        pytest.skip("no Python 3.12 is installed here")
