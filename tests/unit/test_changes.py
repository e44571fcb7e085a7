"""This is which changes of the settings count as less safe, parameter by parameter."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from risk.changes import SAFER_WORDS, TIGHTER, Change, Tighter, differences, loosening
from risk.limits import RiskLimits
from risk.sizing import SizingSettings
from risk.trips import TripLimits

LIMITS = sorted(TIGHTER)


@pytest.mark.parametrize("place", LIMITS)
@pytest.mark.parametrize("step", [-1, 0, 1])
@pytest.mark.parametrize("base", ["0.02", 60])
def test_each_limit_loosens_in_one_direction_only(place: str, step: int, base: str | int) -> None:
    path = place.replace("*", "trend-50-200")
    small = Decimal(step) / 1000 if isinstance(base, str) else step
    change = Change(path, base, str(Decimal(base) + small))
    loose = 1 if TIGHTER[place] is Tighter.LOWER else -1
    assert change.loosens is (step == loose)


@pytest.mark.parametrize("place", LIMITS)
def test_no_limit_at_all_is_the_loosest(place: str) -> None:
    path = place.replace("*", "trend")
    assert Change(path, 5, None).loosens
    assert not Change(path, None, 5).loosens


@pytest.mark.parametrize("setting", sorted(SAFER_WORDS))
def test_words_loosen_towards_the_less_careful(setting: str) -> None:
    loose, careful = SAFER_WORDS[setting]
    assert Change(setting, careful, loose).loosens
    assert not Change(setting, loose, careful).loosens
    assert Change(setting, careful, "something new").loosens


@pytest.mark.parametrize(
    "change",
    [
        Change("risk.something_new", 5, 4),
        Change("risk.something_new", 4, 5),
        Change("costs.commission_rate", "0.1", "0.2"),
        Change("risk.daily_loss", "0.02", "much"),
        Change("risk.daily_loss", "0.02", True),  # noqa: FBT003 - the odd value that is meant
        Change("risk.daily_loss", "0.02", "NaN"),
        Change("strategies.trend.parameters.fast", 50, 49),
        Change("strategies.trend.symbols", ["005930"], []),
        Change("strategies.trend.exits.take_profit", "0.1", "0.05"),
        Change("watch_list", ["005930"], ["005930", "005380"]),
        Change("clock", "system", "simulator"),
        Change("late_match", ["cancel"], {"keep": 1}),
    ],
)
def test_what_nobody_knows_loosens(change: Change) -> None:
    assert change.loosens


@pytest.mark.parametrize(
    ("section", "settings"),
    [("risk", RiskLimits), ("trips", TripLimits), ("sizing", SizingSettings)],
)
def test_every_figure_of_the_risk_settings_has_a_direction(section: str, settings: Any) -> None:
    without = {"sizing.exit_type"}  # a word; unknown on purpose
    fields = {f"{section}.{name}" for name in settings.model_fields} - without
    assert fields <= set(TIGHTER)


def a_document(**changes: Any) -> dict[str, Any]:
    """Give a small document with two strategies."""
    strategies = [
        {"id": "one", "symbols": ["005930"], "exits": {"stop_loss": "0.05"}},
        {"id": "two", "symbols": ["005930"], "exits": {"stop_loss": None}},
    ]
    return {
        "risk": {"daily_loss": "0.02"},
        "strategies": strategies,
        "manual_orders": "adopt",
    } | changes


def test_documents_that_say_the_same_do_not_differ() -> None:
    document = a_document()
    turned = a_document(strategies=document["strategies"][::-1], risk={"daily_loss": "0.020"})
    assert differences(document, turned) == ()


def test_each_setting_that_differs_is_named_with_both_values() -> None:
    after = a_document(risk={"daily_loss": "0.03"}, manual_orders="quarantine")
    found = differences(a_document(), after)
    assert found == (
        Change("manual_orders", "adopt", "quarantine"),
        Change("risk.daily_loss", "0.02", "0.03"),
    )
    assert loosening(found) == (found[1],)


def test_a_new_strategy_and_one_that_is_gone_loosen() -> None:
    one, two = a_document()["strategies"]
    for before, after in (([one], [one, two]), ([one, two], [one])):
        found = differences(a_document(strategies=before), a_document(strategies=after))
        assert [change.path for change in found] == [
            "strategies.two.exits.stop_loss",
            "strategies.two.id",
            "strategies.two.symbols",
        ][-len(found) :]
        assert loosening(found)


def test_everything_is_new_to_nothing() -> None:
    empty: Mapping[str, Any] = {}
    assert loosening(differences(empty, a_document()))
