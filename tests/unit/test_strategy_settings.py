"""This is the test of strategy settings: what they accept, how they refuse, what identifies them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from strategies.exits import ExitParameters
from strategies.faults import first_fault
from strategies.moving_average import MovingAverageCross
from strategies.registry import STRATEGIES, build_strategy, strategy_class
from strategies.settings import StrategySettings, parameter_hash
from tests.builders import LG_CHEM
from trading.errors import InvalidSetting


def settings(**changes: Any) -> StrategySettings:
    """Read settings of a 20/60 cross on LG Chem from a document."""
    document = {
        "id": "trend",
        "kind": "moving_average_cross",
        "parameters": {"fast": 20, "slow": 60},
        "symbols": ["051910"],
    }
    return StrategySettings.model_validate(document | changes)


def test_a_document_becomes_a_strategy() -> None:
    read = settings(parameters={"fast": 20, "slow": 60, "volume_ratio": 1.5})
    assert read.strategy == MovingAverageCross.model_validate(
        {"fast": 20, "slow": 60, "volume_ratio": "1.5"}
    )
    assert read.symbols == (LG_CHEM,)


def test_parameters_left_out_take_their_defaults() -> None:
    assert settings(parameters={}).strategy == MovingAverageCross()


FAULTS = {
    "unknown kind": ({"kind": "moon"}, "kind='moon': one of breakout, momentum, moving"),
    "fast not faster": (
        {"parameters": {"fast": 60, "slow": 60}},
        "parameters.fast=60: fewer days than slow=60",
    ),
    "out of range": ({"parameters": {"fast": 0}}, "parameters.fast=0: Input should be greater"),
    "not a whole number": ({"parameters": {"slow": 60.5}}, "parameters.slow=60.5"),
    "misspelt parameter": ({"parameters": {"fas": 5}}, "parameters.fas=5: no such setting"),
    "misspelt setting": ({"exit": {}}, "exit={}: no such setting"),
    "symbol without quotes": ({"symbols": [7152]}, "symbols.0=7152: six characters in quotes"),
    "impossible symbol": ({"symbols": ["05191"]}, "symbols.0='05191': six characters"),
    "no symbols": ({"symbols": []}, "symbols=[]"),
    "stop of five hundred per cent": ({"exits": {"stop_loss": 5}}, "exits.stop_loss=5"),
    "id with capitals": ({"id": "Trend 1"}, "id='Trend 1'"),
}


@pytest.mark.parametrize(("change", "sentence"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_told_with_field_value_and_what_would_be_right(
    change: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**change)
    told = str(first_fault(caught.value, origin="dev.yaml"))
    assert told.startswith(f"dev.yaml: {sentence}")


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(ValidationError) as caught:
        StrategySettings.model_validate({"kind": "moving_average_cross", "symbols": ["051910"]})
    assert str(first_fault(caught.value)).startswith("id=")


def test_an_unknown_kind_lists_the_known_ones() -> None:
    with pytest.raises(InvalidSetting, match="one of breakout, momentum, moving_average_cross"):
        strategy_class("moon")


@pytest.mark.parametrize("kind", STRATEGIES)
def test_every_kind_builds_with_its_defaults_and_names_itself(kind: str) -> None:
    strategy = build_strategy(kind, {})
    assert strategy.kind == kind
    assert strategy.warm_up > 0


def test_the_hash_is_stable_across_releases() -> None:
    # Stored with every signal and order: a change here cuts history off and needs a migration.
    assert settings().parameter_hash == "bb75743c1ea7ff7f"


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        ("rsi_reversal", "5d8b97cda202b632"),
        ("breakout", "31193b3abe3c4d98"),
        ("momentum", "32ef941f5f246ddf"),
        ("volatility_target", "80d28428b7bf98ac"),
        ("opening_range_breakout", "7bd207d8b7694f77"),
    ],
)
def test_a_default_is_never_changed_in_silence(kind: str, stored: str) -> None:
    assert parameter_hash(build_strategy(kind, {}), ExitParameters()) == stored


def test_the_hash_does_not_depend_on_spelling_or_on_what_does_not_decide() -> None:
    spelt_out = {"slow": 60, "fast": 20, "volume_window": 20, "volume_ratio": "1.00"}
    other = settings(
        id="other",
        symbols=["005930"],
        parameters=spelt_out,
        exits={"stop_loss": "0.050", "take_profit": 0.1},
    )
    assert other.parameter_hash == settings().parameter_hash


@pytest.mark.parametrize(
    "change",
    [
        {"parameters": {"fast": 21, "slow": 60}},
        {"parameters": {"fast": 20, "slow": 60, "volume_ratio": None}},
        {"exits": {"stop_loss": 0.06}},
        {"exits": {"take_profit": None}},
    ],
)
def test_whatever_decides_changes_the_hash(change: dict[str, Any]) -> None:
    assert settings(**change).parameter_hash != settings().parameter_hash


def test_a_copy_with_other_figures_has_a_fingerprint_of_its_own() -> None:
    known = settings()
    before = known.parameter_hash
    wider = known.model_copy(update={"exits": ExitParameters(stop_loss=Decimal("0.2"))})
    slower = known.model_copy(update={"parameters": {"fast": 30, "slow": 90}})
    assert wider.parameter_hash == parameter_hash(known.strategy, wider.exits)
    assert slower.strategy == build_strategy(slower.kind, {"fast": 30, "slow": 90})
    assert len({before, wider.parameter_hash, slower.parameter_hash}) == 3
    assert known.model_copy().parameter_hash == before == known.parameter_hash


def test_a_copy_with_other_parameters_is_not_run_by_what_ran_the_old_ones() -> None:
    running = build_strategy("moving_average_cross", {"fast": 2, "slow": 3})
    known = settings().run_by(running)
    assert known.model_copy(update={"symbols": (LG_CHEM,)}).strategy is running
    slower = known.model_copy(update={"parameters": {"fast": 30, "slow": 90}})
    assert slower.strategy == build_strategy(slower.kind, {"fast": 30, "slow": 90})
