"""This is what may come back from a foreign strategy, field by field; no process is needed to refuse it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from plugins.universes import (
    WrongSchema,
    largest_answer,
    read_decisions,
    read_universe,
    told_decisions,
    told_universe,
)
from strategies.moving_average import MovingAverageCross
from strategies.volatility_target import VolatilityTarget
from tests.plugin_files import a_universe
from trading.instruments import Symbol

DAYS = 60
UNIVERSE = a_universe(3, DAYS)
LENGTHS = {str(symbol): DAYS for symbol in UNIVERSE}
QUIET = bytes(2 * 3 * DAYS)
WARM_UP = 10


def figures(**changes: float) -> bytes:
    """Give one indicator that is 1 everywhere but at the named bars (`at_7=inf`) of the first symbol."""
    values = np.ones(3 * DAYS)
    for name, value in changes.items():
        values[int(name.removeprefix("at_"))] = value
    return values.tobytes() + QUIET


def test_bars_and_decisions_cross_unchanged() -> None:
    head, block = told_universe(UNIVERSE)
    there = read_universe(head, memoryview(bytes(block)))
    strategy = MovingAverageCross(fast=3, slow=9, volume_window=5)
    decided = strategy.evaluate_all(there)
    told, back = told_decisions(there, decided)
    found = read_decisions(UNIVERSE, told, memoryview(bytes(back)), warm_up=strategy.warm_up)
    assert any(d.entry.any() for d in found.values())
    for symbol, expected in strategy.evaluate_all(UNIVERSE).items():
        assert (found[symbol].entry == expected.entry).all()
        assert (found[symbol].exit == expected.exit).all()
        for name, values in expected.indicators.items():
            np.testing.assert_array_equal(found[symbol].indicators[name], values)
    assert len(back) <= largest_answer(UNIVERSE)


def test_weights_cross_unchanged_beside_figures_and_flags() -> None:
    strategy = VolatilityTarget(window=5, trend=10)
    decided = strategy.evaluate_all(UNIVERSE)
    told, back = told_decisions(UNIVERSE, decided)
    found = read_decisions(UNIVERSE, told, memoryview(bytes(back)), warm_up=strategy.warm_up)
    for symbol, expected in decided.items():
        assert expected.weight is not None
        assert np.nanmax(expected.weight) > 0
        np.testing.assert_array_equal(found[symbol].weight, expected.weight)
        np.testing.assert_array_equal(
            found[symbol].indicators["volatility"], expected.indicators["volatility"]
        )
        assert not found[symbol].entry.any()


@pytest.mark.parametrize(
    ("weight", "is_fine"),
    [(0.0, True), (1.0, True), (np.nan, True), (-1e-9, False), (1.0001, False), (np.inf, False)],
)
def test_a_weight_is_a_part_of_equity_or_nothing_new(weight: float, *, is_fine: bool) -> None:
    head = {"symbols": LENGTHS, "indicators": [], "has_weights": True}
    block = memoryview(figures(at_9=weight))
    if is_fine:
        found = read_decisions(UNIVERSE, head, block, warm_up=WARM_UP)
        assert all(decided.weight is not None for decided in found.values())
    else:
        with pytest.raises(WrongSchema, match="neither NaN nor from 0 to 1"):
            read_decisions(UNIVERSE, head, block, warm_up=WARM_UP)


def test_weights_of_some_symbols_only_are_told_to_their_author() -> None:
    decided = dict(VolatilityTarget(window=5, trend=10).evaluate_all(UNIVERSE))
    first = next(iter(decided))
    decided[first] = replace(decided[first], weight=None)
    with pytest.raises(WrongSchema, match=f"{first} weight"):
        told_decisions(UNIVERSE, decided)


def test_decisions_are_told_in_the_order_of_the_question() -> None:
    decided = MovingAverageCross(fast=3, slow=9, volume_window=5).evaluate_all(UNIVERSE)
    turned = dict(reversed(list(decided.items())))
    assert told_decisions(UNIVERSE, turned) == told_decisions(UNIVERSE, decided)


def test_a_decision_about_a_symbol_outside_the_universe_is_told_to_its_author() -> None:
    decided = MovingAverageCross(fast=3, slow=9, volume_window=5).evaluate_all(UNIVERSE)
    more = {**decided, Symbol("999999"): next(iter(decided.values()))}
    fewer = dict(list(decided.items())[1:])
    for wrong in (more, fewer):
        with pytest.raises(WrongSchema, match="other symbols"):
            told_decisions(UNIVERSE, wrong)


@pytest.mark.parametrize(
    ("symbols", "indicators", "block", "reason"),
    [
        ({"999999": 3 * DAYS}, [], QUIET, "other symbols or days"),
        (LENGTHS | {"999999": DAYS}, [], QUIET, "other symbols or days"),
        (dict(list(LENGTHS.items())[:2]), [], QUIET, "other symbols or days"),
        (LENGTHS | {"000001": DAYS - 1}, [], QUIET, "other symbols or days"),
        (None, [], QUIET, "other symbols or days"),
        (LENGTHS, [], QUIET[:-1], "do not fit"),
        (LENGTHS, [], QUIET + b"\0", "do not fit"),
        (LENGTHS, ["level"], QUIET, "do not fit"),
        (LENGTHS, [], b"\2" + QUIET[1:], "neither true nor false"),
        (LENGTHS, [], QUIET[1:] + b"\xff", "neither true nor false"),
        (LENGTHS, None, QUIET, "short names"),
        (LENGTHS, "level", QUIET, "short names"),
        (LENGTHS, [7], QUIET, "short names"),
        (LENGTHS, ["<script>"], figures(), "short names"),
        (LENGTHS, ["a" * 61], figures(), "short names"),
        (LENGTHS, [f"level_{n}" for n in range(17)], QUIET, "short names"),
        (LENGTHS, ["level"], figures(at_9=np.nan), "NaN where there are enough bars"),
        (LENGTHS, ["level"], figures(at_0=np.inf), "infinite"),
        (LENGTHS, ["level"], figures(at_59=-np.inf), "infinite"),
    ],
)
def test_what_is_not_a_decision_about_what_was_asked_is_refused(
    symbols: Any, indicators: Any, block: bytes, reason: str
) -> None:
    head = {"symbols": symbols, "indicators": indicators}
    with pytest.raises(WrongSchema, match=reason):
        read_decisions(UNIVERSE, head, memoryview(block), warm_up=WARM_UP)


@pytest.mark.parametrize("block", [figures(), figures(at_8=np.nan), figures(at_0=np.nan)])
def test_a_figure_may_be_missing_before_there_are_enough_bars(block: bytes) -> None:
    head = {"symbols": LENGTHS, "indicators": ["a" * 60]}
    found = read_decisions(UNIVERSE, head, memoryview(block), warm_up=WARM_UP)
    assert list(found) == list(UNIVERSE)
