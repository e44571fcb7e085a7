"""This is the test of what the risk section may say: every limit at both ends of its range, and past them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from annotated_types import Ge, Gt, Le

from risk.limits import RiskLimits
from tasks.channels import parse_channel
from tests.desks import a_channel
from trading.errors import InvalidSetting

FIELDS = RiskLimits.model_fields
LEAST = Decimal("0.0001")
"""By how much a fraction is moved past its range; a count by one."""


def ends() -> Iterator[tuple[str, Decimal, Decimal]]:
    """Give each limit with the last value that is right, and the first that is wrong, at each end."""
    for name, limit in FIELDS.items():
        step = LEAST if limit.annotation is Decimal else Decimal(1)
        for end in limit.metadata:
            match end:
                case Ge(ge=least):
                    yield name, _number(least), _number(least) - step
                case Gt(gt=below):
                    yield name, _number(below) + step, _number(below)
                case Le(le=most):
                    yield name, _number(most), _number(most) + step


def _number(end: object) -> Decimal:
    return Decimal(str(end))


def parsed(**risk: Any) -> RiskLimits:
    """Read a channel file with these limits; the size of an entry fits whatever they are."""
    small = {"target_weight": "0.0001", "limit_offset": 0}
    document = a_channel().model_dump(mode="json") | {"risk": risk, "sizing": small}
    return parse_channel(document, origin="dev.yaml").risk


@pytest.mark.parametrize(("name", "right", "wrong"), list(ends()))
def test_a_limit_may_reach_the_end_of_its_range_and_not_pass_it(
    name: str, right: Decimal, wrong: Decimal
) -> None:
    assert getattr(parsed(**{name: str(right)}), name) == right
    with pytest.raises(InvalidSetting) as refusal:
        parsed(**{name: str(wrong)})
    said = str(refusal.value)
    assert said.startswith(f"dev.yaml: risk.{name}='{wrong}': Input should be ")


def test_every_limit_has_a_range_and_says_what_it_counts() -> None:
    assert {name for name, _, _ in ends()} == set(FIELDS)
    units = [
        "fraction",
        "won",
        "shares",
        "symbols",
        "orders",
        "days",
        "trades",
        "minutes",
        "seconds",
        "sessions",
    ]
    for name, limit in FIELDS.items():
        assert limit.description, name
        assert any(unit in limit.description for unit in units), name


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("maximum_wait", 1, "dev.yaml: risk.maximum_wait=1: no such setting"),
        ("maximum_holdings", "many", "dev.yaml: risk.maximum_holdings='many': Input should be"),
        ("maximum_holdings", 1.5, "dev.yaml: risk.maximum_holdings=1.5: Input should be"),
        ("daily_loss", "NaN", "dev.yaml: risk.daily_loss='NaN': Input should be"),
        ("daily_loss", None, "dev.yaml: risk.daily_loss=None: Decimal input should be"),
    ],
)
def test_what_cannot_be_a_limit_is_refused_with_field_value_and_what_would_be_right(
    name: str, value: Any, words: str
) -> None:
    with pytest.raises(InvalidSetting) as refusal:
        parsed(**{name: value})
    assert str(refusal.value).startswith(words)
