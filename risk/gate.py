"""This is the gate: every rule is asked about every order, and every refusal is kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from risk.views import RiskView
from trading.decisions import Breach, RiskDecision
from trading.orders import OrderIntent


class RiskRule(Protocol):
    """One reason to refuse an order. Pure: same intent and view, same answer."""

    @property
    def rule_id(self) -> str:
        """The name in risk_events, never to be changed."""
        ...

    def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
        """Give the breach, None when this rule has nothing against the order."""
        ...


def check(intent: OrderIntent, view: RiskView, rules: Iterable[RiskRule]) -> RiskDecision:
    """Ask all rules. One that cannot answer refuses, so that a defect never opens the gate."""
    answers = (_ask(rule, intent, view) for rule in rules)
    return RiskDecision(tuple(answer for answer in answers if answer is not None))


def _ask(rule: RiskRule, intent: OrderIntent, view: RiskView) -> Breach | None:
    try:
        return rule.check(intent, view)
    except Exception as error:  # noqa: BLE001 - whatever it is, the order must not pass
        figures = {"error": type(error).__name__, "detail": str(error)}
        return Breach(rule.rule_id, f"cannot be judged: {type(error).__name__}: {error}", figures)
