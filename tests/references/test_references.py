"""This is the proof that our strategies do today what was written down of them, to the last digit."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from adapters.wording import Language, Wording
from strategies.registry import STRATEGIES
from strategies.settings import StrategySettings
from tests.references.runs import RESULTS, examples, result_of, told
from trading.signals import Direction, Signal

LANGUAGES: tuple[Language, ...] = ("ko", "en")
EXAMPLES = examples()
RECORDED = json.loads(RESULTS.read_text(encoding="utf-8"))


def test_there_is_an_example_and_a_result_of_every_kind() -> None:
    kinds = [settings.kind for settings in EXAMPLES]
    assert sorted(kinds) == sorted(STRATEGIES) == sorted(RECORDED)


@pytest.mark.parametrize("settings", EXAMPLES, ids=lambda settings: str(settings.kind))
def test_a_strategy_does_what_was_written_down(settings: StrategySettings) -> None:
    """After a change that is meant, `make references` writes the new result; say why in its commit."""
    result = result_of(settings)
    assert told(result) == RECORDED[settings.kind]
    assert {signal.direction for signal in result.signals} == set(Direction)
    for language in LANGUAGES:
        _have_sentences(language, {s.direction: s for s in result.signals}.values())


def _have_sentences(language: Language, signals: Iterable[Signal]) -> None:
    wording = Wording(language)
    for signal in signals:
        sentence = wording.reason(signal)
        assert sentence != signal.reason
        assert wording.reason(signal.reason) == sentence  # as stored, too
