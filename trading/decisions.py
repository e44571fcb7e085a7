"""This is the risk gate's verdict: a value with all its reasons, never an exception."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from trading.instruments import Symbol


@dataclass(frozen=True, slots=True)
class Breach:
    """One rule that refuses, with the figures it looked at (as text, for risk_events)."""

    rule_id: str
    message: str
    figures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RiskDecision:
    """Every breach of one check; none means approved."""

    breaches: tuple[Breach, ...] = ()

    @property
    def is_approved(self) -> bool:
        """Whether no rule refused."""
        return not self.breaches

    @property
    def reason(self) -> str:
        """All messages in one line."""
        return "; ".join(f"{b.rule_id}: {b.message}" for b in self.breaches)


class Verdict(StrEnum):
    """What a rule said."""

    DENIED = "DENIED"
    PASSED = "PASSED"


@dataclass(frozen=True, slots=True)
class RiskEvent:
    """One verdict of one rule about one order, with the figures it looked at.

    The `breach` of a rule that passed has figures and no message.
    """

    client_order_id: str
    strategy_id: str
    symbol: Symbol
    breach: Breach
    at: datetime
    trading_day: date
    verdict: Verdict = Verdict.DENIED
