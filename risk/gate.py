"""This is the gate: every rule is asked about every order, and every refusal is kept."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import replace
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

    def figures(self, intent: OrderIntent, view: RiskView) -> Mapping[str, str]:
        """Give what the rule looks at, as text, whether it refuses or not; empty when it has nothing to say."""
        ...


def check(intent: OrderIntent, view: RiskView, rules: Iterable[RiskRule]) -> RiskDecision:
    """Ask all rules. One that cannot answer refuses, so that a defect never opens the gate."""
    answers = (_ask(rule, intent, view) for rule in rules)
    return RiskDecision(tuple(answer for answer in answers if answer is not None))


def passed(
    intent: OrderIntent, view: RiskView, rules: Iterable[RiskRule], decision: RiskDecision
) -> tuple[Breach, ...]:
    """Give the figures of every rule that has something to say and did not refuse, without words."""
    refusing = {breach.rule_id for breach in decision.breaches}
    answers = ((rule.rule_id, _look(rule, intent, view)) for rule in rules)
    return tuple(
        Breach(rule_id, "", figures)
        for rule_id, figures in answers
        if figures and rule_id not in refusing
    )


def largest_quantity(intent: OrderIntent, view: RiskView, rules: Iterable[RiskRule]) -> int:
    """Give the largest quantity up to the order's that every rule lets pass, 0 when there is none."""
    asked = tuple(rules)

    def is_refused(quantity: int) -> bool:
        return not check(replace(intent, quantity=quantity), view, asked).is_approved

    return bisect_left(range(1, intent.quantity + 1), True, key=is_refused)  # noqa: FBT003 - the sought answer


def _ask(rule: RiskRule, intent: OrderIntent, view: RiskView) -> Breach | None:
    try:
        return rule.check(intent, view)
    except Exception as error:  # noqa: BLE001 - whatever it is, the order must not pass
        message = f"cannot be judged: {type(error).__name__}: {error}"
        return Breach(rule.rule_id, message, _told(error))


def _look(rule: RiskRule, intent: OrderIntent, view: RiskView) -> Mapping[str, str]:
    try:
        return rule.figures(intent, view)
    except Exception as error:  # noqa: BLE001 - a figure that cannot be told must not keep a stop here
        return _told(error)


def _told(error: Exception) -> Mapping[str, str]:
    return {"error": type(error).__name__, "detail": str(error)}
