"""This is what the owner is told when trading stops, goes on, and has rehearsed stopping."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.notifier import Message, Severity
from adapters.wording import Wording
from trading.audits import OPERATOR
from trading.halts import Halt


def trading_halted(halt: Halt, wording: Wording) -> Message:
    """Tell that trading stopped, who stopped it and why."""
    fields = {wording.text("field.source"): _source(halt, wording)} | _scope(halt, wording)
    title = wording.text("halt.halted.title", state=halt.state)
    return Message(Severity.CRITICAL, title, _reason(halt, wording), fields)


def trading_resumed(reason: str, lifted: Halt, left: Sequence[Halt], wording: Wording) -> Message:
    """Tell that what stopped like `lifted` is lifted, and what stops still."""
    lines = [halt_line(halt, wording) for halt in left]
    title = wording.text("halt.partly.title" if left else "halt.resumed.title")
    return Message(Severity.WARNING, title, "\n".join([reason, *lines]), _scope(lifted, wording))


def rehearsal_told(lines: Sequence[str], wording: Wording, *, is_passed: bool) -> Message:
    """Tell how a rehearsal of the kill switch went, level by level."""
    severity = Severity.INFO if is_passed else Severity.CRITICAL
    title = wording.text("rehearsal.passed" if is_passed else "rehearsal.failed")
    return Message(severity, title, "\n".join(lines))


def halt_line(halt: Halt, wording: Wording) -> str:
    """Tell a halt that is in force in one line."""
    scope = " ".join(part for part in (halt.strategy_id, halt.symbol) if part)
    return wording.text(
        "halt.left",
        source=_source(halt, wording),
        scope=scope or wording.text("field.all_strategies"),
        state=halt.state,
        reason=_reason(halt, wording),
    )


def _source(halt: Halt, wording: Wording) -> str:
    return wording.text("halt.operator") if halt.source == OPERATOR else halt.source


def _reason(halt: Halt, wording: Wording) -> str:
    """Give the reason; that of an operator who gave none is "operator" too."""
    return wording.text("halt.no_reason") if halt.reason in {"", OPERATOR} else halt.reason


def _scope(halt: Halt, wording: Wording) -> dict[str, str]:
    strategy = halt.strategy_id or wording.text("field.all_strategies")
    symbol = {wording.text("field.symbol"): halt.symbol} if halt.symbol else {}
    return {wording.text("field.strategy"): strategy} | symbol
