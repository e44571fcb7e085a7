"""This is the test of the gate: all rules, all breaches, never open by accident, fast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import permutations
from time import thread_time

import pytest

from risk.gate import RiskRule, check, largest_quantity, passed
from risk.limits import RiskLimits
from risk.rules import rules_for
from risk.rules.cash import Cash
from risk.rules.halted import Halted
from risk.rules.maximum_holdings import MaximumHoldings
from risk.rules.maximum_quantity import MaximumQuantity
from risk.views import RiskView
from tests.builders import A_DAY, LG_CHEM, an_order
from tests.risk_views import CASH, NOW, PRICES, a_ledger, a_quote, a_view, buy
from trading.decisions import Breach
from trading.halts import Halt, TradingState
from trading.instruments import Instrument, Symbol
from trading.ledger import CashFlow, Ledger
from trading.orders import OrderIntent
from trading.positions import Position


@dataclass(frozen=True)
class Broken:
    """A rule with a defect."""

    error: Exception
    rule_id: str = "BROKEN"

    def check(self, _intent: OrderIntent, _view: RiskView) -> Breach | None:
        """Raise, whatever is asked."""
        raise self.error

    def figures(self, _intent: OrderIntent, _view: RiskView) -> Mapping[str, str]:
        """Raise, whatever is looked for."""
        raise self.error


HOPELESS = a_view(
    ledger=a_ledger(0),
    halts=(Halt("operator", TradingState.HALTED, "rehearsal", NOW),),
)


def test_an_order_within_all_limits_is_approved() -> None:
    decision = check(buy(1), a_view(), rules_for(RiskLimits()))
    assert decision.is_approved
    assert decision.breaches == ()


def test_every_breach_is_kept_and_not_only_the_first() -> None:
    rules = (Halted(), MaximumQuantity(5), Cash())
    decision = check(buy(6), HOPELESS, rules)
    assert [b.rule_id for b in decision.breaches] == ["HALTED", "MAXIMUM_QUANTITY", "CASH"]


def test_the_order_of_the_rules_changes_nothing() -> None:
    rules: tuple[RiskRule, ...] = (Halted(), MaximumQuantity(5), Cash(), Broken(KeyError("x")))
    verdicts = {
        frozenset((b.rule_id, b.message) for b in check(buy(6), HOPELESS, order).breaches)
        for order in permutations(rules)
    }
    assert len(verdicts) == 1
    assert len(verdicts.pop()) == 4


@pytest.mark.parametrize("error", [KeyError("051910"), ValueError("naive"), ZeroDivisionError()])
def test_a_rule_that_raises_refuses(error: Exception) -> None:
    decision = check(buy(1), a_view(), (Broken(error), MaximumHoldings(9)))
    (breach,) = decision.breaches
    assert breach.rule_id == "BROKEN"
    assert breach.figures["error"] == type(error).__name__


def test_every_rule_that_let_an_order_pass_tells_its_figures() -> None:
    rules = rules_for(RiskLimits())
    view = a_view(ledger=a_ledger(CASH // 2))
    decision = check(buy(60), view, rules)
    told = {each.rule_id: each.figures for each in passed(buy(60), view, rules, decision)}
    assert [breach.rule_id for breach in decision.breaches] == [
        "DAILY_LOSS",
        "DRAWDOWN",
        "MAXIMUM_WEIGHT",
    ]
    asked = {rule.rule_id for rule in rules} - {
        "DAILY_LOSS",
        "DRAWDOWN",
        "MAXIMUM_WEIGHT",
        "SELLABLE",
    }
    assert told.keys() == asked
    assert told["CASH"] == {
        "need": "24003600",
        "available": "50000000",
        "cash": "50000000",
        "settled": "50000000",
        "open_buys": "0",
        "buyable": "none",
    }
    assert told["STALE_DATA"]["oldest_age"] == "0"


def test_figures_that_cannot_be_told_keep_no_order_here() -> None:
    rules = (Broken(KeyError("x")),)
    (told,) = passed(buy(1), a_view(), rules, check(buy(1), a_view(), ()))
    assert told.figures["error"] == "KeyError"


@pytest.mark.parametrize(("ordered", "largest"), [(100, 49), (50, 49), (49, 49), (1, 1)])
def test_the_largest_quantity_that_would_pass_is_found(ordered: int, largest: int) -> None:
    # 20 % of 100,000,000 less the commission are 49 shares of 400,000, not 50
    assert largest_quantity(buy(ordered), a_view(), rules_for(RiskLimits())) == largest


def test_of_a_refusal_that_no_quantity_helps_nothing_would_pass() -> None:
    assert largest_quantity(buy(100), HOPELESS, rules_for(RiskLimits())) == 0


def test_a_naive_time_closes_the_gate_and_does_not_open_it() -> None:
    """Incident 24: one naive timestamp made every safety check pass for 16 hours."""
    naive = datetime(2018, 1, 16, 10, 0)  # noqa: DTZ001 - the defect itself
    view = a_view(quotes={LG_CHEM: a_quote(at=naive)})
    decision = check(buy(1), view, rules_for(RiskLimits()))
    assert [b.rule_id for b in decision.breaches] == ["STALE_DATA"]


def test_a_holding_without_a_price_counts_as_unknown_and_not_as_nothing() -> None:
    view = a_view(ledger=a_ledger(_005930=10), quotes={LG_CHEM: a_quote()})
    refused = {b.rule_id for b in check(buy(1), view, rules_for(RiskLimits())).breaches}
    assert refused == {"STALE_DATA", "DAILY_LOSS", "DRAWDOWN", "MAXIMUM_WEIGHT"}


def test_the_same_question_has_the_same_answer() -> None:
    view = a_view(ledger=a_ledger(CASH // 2))
    answers = [check(buy(60), view, rules_for(RiskLimits())) for _ in range(2)]
    assert answers[0] == answers[1]


def fifty_holdings() -> RiskView:
    """Give an account of 50 holdings, 20 open buys and 2,000 settled flows."""
    symbols = [Symbol(f"{n:06d}") for n in range(1, 51)]
    ledger = Ledger(
        "a",
        tuple(CashFlow(A_DAY, 1_000_000) for _ in range(2_000)),
        {s: Position(s, quantity=10, cost=1_000_000) for s in symbols},
    )
    orders = tuple(
        an_order(client_order_id=f"o{n}", symbol=symbols[n], quantity=10, limit_price=100_000)
        for n in range(20)
    )
    open_orders = tuple(order.submit(at=NOW) for order in orders)
    everything = [*symbols, *PRICES]
    return replace(
        a_view(open_orders=open_orders, day_orders=open_orders, ledger=ledger),
        quotes={s: a_quote(s, last=PRICES.get(s, 100_000)) for s in everything},
        instruments={s: Instrument(s, s) for s in everything},
        equity_opening=2_050_000_000,
    )


def test_the_whole_gate_costs_under_a_millisecond_for_50_holdings() -> None:
    view, rules = fifty_holdings(), rules_for(RiskLimits(maximum_holdings=60))
    assert check(buy(1), view, rules).is_approved
    seconds = []
    for _ in range(50):
        fresh = replace(view)  # nothing worked out yet
        started = thread_time()
        check(buy(1), fresh, rules)
        seconds.append(thread_time() - started)
    assert min(seconds) < 0.001, f"fastest of 50: {min(seconds) * 1e6:.0f} microseconds"
