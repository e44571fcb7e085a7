"""This is the proof that docs/risk.md says of every rule and every limit what the code does, in both languages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from annotated_types import Ge, Gt, Le
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from risk.limits import RiskLimits
from risk.rules import rules_for
from risk.trips import STATES, TripLimits, TripRule
from tests.refusals import refusals
from tests.risk_views import a_view, sell
from trading.halts import TradingState

DOCS = Path(__file__).parents[2] / "docs"
LANGUAGES = pytest.mark.parametrize("page", ["risk.md", "risk.ko.md"])
LIMITS, RULES, TRIPS = 6, 3, 5
"""How many columns each of the tables has."""
TRIPPED_BY = {
    "reject_streak": TripRule.REJECTS,
    "orders_in_doubt": TripRule.DOUBTS,
    "silence_seconds": TripRule.SILENCE,
    "clock_seconds": TripRule.CLOCK,
    "waiting_notices": TripRule.NOTICES,
    "notice_seconds": TripRule.NOTICE_AGE,
    "unsent_events": TripRule.EVENTS,
    "unsent_seconds": TripRule.EVENT_AGE,
}
REACH = {
    ("everything", "전부"): TradingState.HALTED,
    ("buys", "매수"): TradingState.REDUCING,
    ("nothing", "없음"): None,
}
"""How far it stops by the word that says so; a warning stops nothing."""


def rows(page: str, columns: int) -> list[list[str]]:
    """Give the rows of the table with so many columns; each begins with a name of the code."""
    lines = (DOCS / page).read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [each for each in cells if len(each) == columns and each[0].startswith("`")]


def named(page: str, columns: int) -> dict[str, list[str]]:
    """Give the same rows by their names, each of which stands there once."""
    found = rows(page, columns)
    by_name = {row[0].strip("`"): row[1:] for row in found}
    assert len(by_name) == len(found)
    return by_name


def numbers(cell: str) -> list[Decimal]:
    return [Decimal(found.replace(",", "")) for found in re.findall(r"[0-9][0-9,.]*", cell)]


def ends(field: FieldInfo) -> list[Decimal]:
    """Give the lowest and the highest value."""
    found = [getattr(end, type(end).__name__.lower()) for end in field.metadata]
    return sorted(Decimal(str(end)) for end in found)


def check(model: type[BaseModel], table: Mapping[str, Sequence[str]]) -> None:
    """Compare names, ranges and defaults; `table` has a range and a default for each name."""
    assert table.keys() == model.model_fields.keys()
    for name, field in model.model_fields.items():
        span, default = table[name]
        assert {type(end) for end in field.metadata} <= {Ge, Gt, Le}
        assert numbers(span) == ends(field), name
        is_open = any(isinstance(end, Gt) for end in field.metadata)
        assert bool(re.search("over|초과", span)) is is_open, name
        told = numbers(default)
        assert told == ([] if field.default is None else [Decimal(str(field.default))]), name


@LANGUAGES
def test_every_limit_is_told_with_its_range_and_default(page: str) -> None:
    check(RiskLimits, {name: row[2:4] for name, row in named(page, LIMITS).items()})


@LANGUAGES
def test_every_rule_is_told_beside_its_limits_or_as_one_without(page: str) -> None:
    limited = {row[0].strip("`") for row in named(page, LIMITS).values()}
    free = set(named(page, RULES))
    assert not limited & free
    assert limited | free == {rule.rule_id for rule in rules_for(RiskLimits())}


@LANGUAGES
def test_a_limit_stands_beside_the_rule_that_it_changes(page: str) -> None:
    usual = {rule.rule_id: rule for rule in rules_for(RiskLimits())}
    for name, row in named(page, LIMITS).items():
        other = RiskLimits.model_validate({name: RiskLimits.model_fields[name].metadata[-1].le})
        changed = {r.rule_id for r in rules_for(other) if r != usual[r.rule_id]}
        assert changed == {row[0].strip("`")}, name


@LANGUAGES
def test_the_rules_that_may_refuse_a_sell_are_told(page: str) -> None:
    """A rule that has figures of a sell has something to say about it."""
    view = a_view()
    asked = {rule.rule_id for rule in rules_for(RiskLimits()) if rule.figures(sell(), view)}
    text = (DOCS / page).read_text(encoding="utf-8")
    told = re.search(r"- \*\*(?:Sells|매도)\*\*(.*?)\n\n", text, re.DOTALL)
    assert told is not None
    assert set(re.findall("`([A-Z_]+)`", told[1])) == asked
    assert asked <= {refusal.rule_id for refusal in refusals()}


@LANGUAGES
def test_every_trip_is_told_with_its_range_default_and_reach(page: str) -> None:
    table = named(page, TRIPS)
    check(TripLimits, {name: row[1:3] for name, row in table.items()})
    assert {TripRule.DAILY_LOSS, *TRIPPED_BY.values()} == set(TripRule)
    for name, row in table.items():
        told = next(reach for words, reach in REACH.items() if row[3].startswith(words))
        rule = TRIPPED_BY.get(name)
        assert told is (STATES[rule] if rule else None), name
