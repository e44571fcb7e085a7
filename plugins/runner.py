"""This is the process that a foreign strategy lives in: confined first, then its code, then one question after the other."""

from __future__ import annotations

import os
import sys
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from pydantic import ValidationError

from plugins.confinement import confine
from plugins.frames import BrokenFrame, Frame, packed, receive_patiently
from plugins.loading import load
from plugins.settings import LONGEST_REASON, SandboxLimits
from plugins.sources import Sources
from plugins.universes import Told, read_universe, told_decisions
from strategies.base import Strategy
from strategies.faults import first_fault

QUESTIONS: Final = 0


def main() -> None:
    """Answer the questions on standard input until there are no more."""
    answers = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # whatever a plug-in prints belongs to nobody
    os.dup2(nowhere, 2)
    order, _ = receive_patiently(QUESTIONS)
    confine(SandboxLimits.model_validate(order["limits"]))
    _say(answers, {"confined": True})
    strategy = None
    try:
        strategy = _strategy(order)
        _say(answers, {"warm_up": strategy.warm_up})
        while True:
            _say(answers, *_answer(strategy, receive_patiently(QUESTIONS)))
    except BrokenFrame:
        sys.exit()
    except Exception as error:  # noqa: BLE001 - whatever foreign code raises is its answer
        _say(answers, {"error": f"{type(error).__name__}: {error}"[:LONGEST_REASON]})


def _strategy(order: Mapping[str, Any]) -> Strategy:
    files = {name: b64decode(content) for name, content in order["files"].items()}
    made = load(order["plugin"], Sources(order["module"], order["attribute"], files))
    if not (isinstance(made, type) and issubclass(made, Strategy)):
        raise TypeError(f"{order['attribute']} is no subclass of strategies.base.Strategy")
    try:
        return made.model_validate(order["parameters"])
    except ValidationError as error:
        raise first_fault(error) from None


def _answer(strategy: Strategy, question: Frame) -> Told:
    universe = read_universe(*question)
    with np.errstate(all="ignore"):
        return told_decisions(universe, strategy.evaluate_all(universe))


def _say(answers: int, head: Mapping[str, Any], block: bytes | memoryview = b"") -> None:
    for piece in packed(head, block):
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(answers, rest) :]


if __name__ == "__main__":
    main()
