"""This is what would be right, in the owner's language: the errors themselves speak English."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from adapters.wording.catalogues import catalogue
from deployments.console.speech import language

_PREFIX: Final = "console.expected."


def in_own_words(expected: str) -> str:
    """Say an expectation in the owner's language if there is a sentence for it, else as it is.

    `console.expected.<name>` holds two texts: `match`, a pattern of the English words, and `say`.
    """
    for pattern, sentence in _sentences(language()):
        if found := pattern.fullmatch(expected):
            return sentence.format(**found.groupdict())
    return expected


def needed(field: str, expected: str) -> str:
    """Say what is needed where `field` is missing: its own sentence `console.needed.<field>` if there is one."""
    return catalogue(language()).get(f"console.needed.{field}") or in_own_words(expected)


@cache
def _sentences(chosen: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    texts = {
        k.removeprefix(_PREFIX): t for k, t in catalogue(chosen).items() if k.startswith(_PREFIX)
    }
    names = {key.rpartition(".")[0] for key in texts}
    return tuple((re.compile(texts[f"{n}.match"]), texts[f"{n}.say"]) for n in sorted(names))
