"""This is what the code says in English about what is wrong, said again where a language has words for it."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from adapters.wording.catalogues import catalogue

_PREFIX: Final = "console.expected."


def in_own_words(words: str, language: str) -> str:
    """Say an expectation in `language` if there is a sentence for it, else as it is.

    `console.expected.<name>` holds two texts: `match`, a pattern of the English words, and `say`.
    """
    for pattern, sentence in _sentences(language):
        if found := pattern.fullmatch(words):
            return sentence.format(**found.groupdict())
    return words


@cache
def _sentences(language: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    texts = {
        k.removeprefix(_PREFIX): t for k, t in catalogue(language).items() if k.startswith(_PREFIX)
    }
    names = {key.rpartition(".")[0] for key in texts}
    return tuple((re.compile(texts[f"{n}.match"]), texts[f"{n}.say"]) for n in sorted(names))
