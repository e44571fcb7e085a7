"""This is judging one order: what every rule says, and the rows by which that is kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Self

from risk.gate import RiskRule, check, largest_quantity, passed
from risk.inputs import Inputs
from risk.rules.halted import Halted
from risk.views import RiskView
from trading.decisions import Breach, RiskDecision, RiskEvent, Verdict
from trading.halts import Halt
from trading.orders import OrderIntent
from trading.signals import Signal

LARGEST_QUANTITY: Final = "LARGEST_QUANTITY"
"""The rule id under which it is kept how many shares of a refused order every rule would have let pass."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The decision about an order, and the figures of every rule that let it pass.

    After a refusal they say too how many shares every rule would have let pass.
    """

    intent: OrderIntent
    view: RiskView
    decision: RiskDecision
    figures: tuple[Breach, ...]
    owned: int | None = None

    @classmethod
    def of(
        cls,
        intent: OrderIntent,
        view: RiskView,
        rules: Iterable[RiskRule],
        *,
        owned: int | None = None,
    ) -> Self:
        """Ask every rule."""
        asked = tuple(rules)
        decision = check(intent, view, asked)
        figures = passed(intent, view, asked, decision)
        if not decision.is_approved:
            largest = {"largest": str(largest_quantity(intent, view, asked))}
            figures = (*figures, Breach(LARGEST_QUANTITY, "", largest))
        return cls(intent, view, decision, figures, owned)

    def at_commit(self, halts: Iterable[Halt]) -> tuple[Self, Inputs]:
        """Look at the halts once more, where nothing refused yet; give what it all was decided from, too."""
        latest = tuple(halts)
        inputs = Inputs(self.view, self.owned, latest)
        if not self.decision.is_approved:
            return self, inputs
        view = replace(self.view, halts=latest)
        return replace(self, decision=check(self.intent, view, (Halted(),))), inputs

    def events(self, *, at: datetime, beside: tuple[Breach, ...] = ()) -> tuple[RiskEvent, ...]:
        """Give the rows to keep, the refusals first."""
        refusals = (
            _event(self.intent, breach, Verdict.DENIED, at) for breach in self.decision.breaches
        )
        others = (
            _event(self.intent, breach, Verdict.PASSED, at) for breach in (*self.figures, *beside)
        )
        return (*refusals, *others)


def _event(intent: OrderIntent, breach: Breach, verdict: Verdict, at: datetime) -> RiskEvent:
    return RiskEvent(
        client_order_id=intent.client_order_id,
        strategy_id=intent.strategy_id,
        symbol=intent.symbol,
        breach=breach,
        at=at,
        trading_day=intent.trading_day,
        verdict=verdict,
    )


def unsized(
    signal: Signal, view: RiskView, breach: Breach, *, owned: int | None
) -> tuple[RiskEvent, ...]:
    """Give the rows that keep why a signal could not even be sized; they are under the signal's own id."""
    kept = ((Verdict.DENIED, breach), (Verdict.PASSED, Inputs(view, owned).breach()))
    return tuple(
        RiskEvent(
            client_order_id=signal.signal_id,
            strategy_id=signal.strategy_id,
            symbol=signal.symbol,
            breach=each,
            at=view.at,
            trading_day=view.trading_day,
            verdict=verdict,
        )
        for verdict, each in kept
    )
