"""This is what the owner is told when an account was held against its replay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.notifier import Message, Severity
from adapters.wording import Wording


def parity_told(document: Mapping[str, Any], wording: Wording) -> Message:
    """Tell how many decisions are equal and where the money went; `document` is `tasks.parity.parity_document`."""
    severity = Severity.INFO if document["is_equal"] else Severity.WARNING
    text = wording.text("parity.summary", **_figures(document))
    causes = {
        wording.text(f"parity.cause.{cause}"): wording.won(amount, is_signed=True)
        for cause, amount in document["causes"].items()
        if amount
    }
    unexplained = {wording.text("parity.unexplained"): wording.won(document["unexplained"])}
    title = wording.text(f"parity.{verdict_on(document)}", **_figures(document))
    return Message(severity, title, text, causes | unexplained)


def verdict_on(document: Mapping[str, Any]) -> str:
    """Name the sentence that says how it came out: `equal`, `unequal`, or `nothing` where nothing was decided."""
    if not document["is_equal"]:
        return "unequal"
    return "equal" if document["decisions"] else "nothing"


def _figures(document: Mapping[str, Any]) -> dict[str, Any]:
    """Give the figures under names that a sentence may use."""
    figures = {name: value for name, value in document.items() if name not in {"from", "to"}}
    return {**figures, "first": document["from"], "last": document["to"]}
