"""This is what would be right, in the owner's language: the errors themselves speak English."""

from __future__ import annotations

from adapters.wording.catalogues import catalogue
from deployments.console.speech import language, wording


def needed(field: str, expected: str) -> str:
    """Say what is needed where `field` is missing: its own sentence `console.needed.<field>` if there is one."""
    return catalogue(language()).get(f"console.needed.{field}") or wording().own_words(expected)
