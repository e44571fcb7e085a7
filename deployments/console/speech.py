"""This is the console's voice and its two settings that must be known before any other is read."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any, Final

from cyclopts import Parameter

from adapters.wording import Language, Wording

PROJECT: Final = Path(__file__).resolve().parents[2]


def variables() -> dict[str, str | None]:
    """Give the environment over `.env`, without importing what checks them."""
    return {**_written(), **os.environ}


def home() -> Path:
    """Give the folder of everything that maemae remembers on disk."""
    return Path(_variable("MAEMAE_HOME") or PROJECT / ".maemae")


def language() -> Language:
    """Give the owner's language: MAEMAE_LANGUAGE, Korean for anything but `en`."""
    return "en" if _variable("MAEMAE_LANGUAGE") == "en" else "ko"


def say(key: str, **figures: Any) -> str:
    """Say the console's sentence `key`, given without its prefix."""
    return _wording(language()).text(f"console.{key}", **figures)


def wording() -> Wording:
    """Give everything that the owner's language says."""
    return _wording(language())


def option(key: str, **choices: Any) -> Parameter:
    """Describe an option by the sentence `option.<key>`; a flag has no negative form."""
    return Parameter(help=say(f"option.{key}"), negative="", show_default=False, **choices)


def _variable(name: str) -> str | None:
    return os.environ.get(name) or _written().get(name)


@cache
def _written() -> dict[str, str | None]:
    """Read `.env` once: every sentence asks for the language."""
    file = PROJECT / ".env"
    if not file.exists():
        return {}
    from dotenv import dotenv_values  # noqa: PLC0415 - most have no such file

    return dotenv_values(file)


@cache
def _wording(chosen: Language) -> Wording:
    return Wording(chosen)
