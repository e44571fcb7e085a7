"""This is what a check of `doctor` found, in words and with what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from deployments.console.faults import sentence_of
from deployments.console.speech import say


class Health(StrEnum):
    """How well a thing stands; declared from the best to the worst."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the examination; `advice` is "" where all is well."""

    check: str
    health: Health
    words: str
    advice: str = ""

    def row(self) -> dict[str, Any]:
        """Tell it as a row."""
        return {
            "check": self.check,
            "health": self.health,
            "message": self.words,
            "advice": self.advice,
        }


def found(check: str, variant: str, health: Health = Health.OK, **figures: Any) -> Finding:
    """Word a finding by `check.<check>.<variant>` and, where something is to be done, `advice.<check>.<variant>`."""
    words = say(f"check.{check}.{variant}", **figures)
    advice = "" if health is Health.OK else say(f"advice.{check}.{variant}", **figures)
    return Finding(check, health, words, advice)


def examine(check: str, look: Callable[[], Finding]) -> Finding:
    """Look; whatever goes wrong is the finding."""
    try:
        return look()
    except Exception as error:  # noqa: BLE001 - an examination must come to its end
        return Finding(check, Health.FAIL, sentence_of(error), say(f"advice.{check}.error"))
