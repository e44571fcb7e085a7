"""This is the proof that docs/strategies.md says of every strategy what the code does, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from strategies.registry import STRATEGIES
from strategies.settings import StrategySettings
from tests.references.runs import examples

DOCS = Path(__file__).parents[2] / "docs"
LANGUAGES = pytest.mark.parametrize("page", ["strategies.md", "strategies.ko.md"])


def section(page: str, kind: str) -> str:
    """Give what a page says of one kind."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.search(rf"^## {kind}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    assert found, kind
    return found[1]


@LANGUAGES
@pytest.mark.parametrize("kind", STRATEGIES)
def test_every_parameter_stands_there_with_its_default_and_range(page: str, kind: str) -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", section(page, kind), re.MULTILINE))
    schema = STRATEGIES[kind].model_json_schema()["properties"]
    assert rows.keys() == schema.keys()
    for name, field in schema.items():
        default, _, limits = (part.strip() for part in rows[name].split(" | "))
        assert default == str(field["default"]).lower(), name
        bounds = field.get("anyOf", [field])[0]
        told = {float(n.replace(",", "")) for n in re.findall(r"\d[\d,.]*", limits)}
        for bound in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
            assert bound not in bounds or float(bounds[bound]) in told, (name, bound)


@LANGUAGES
@pytest.mark.parametrize("kind", STRATEGIES)
def test_every_example_is_one_and_the_same_as_the_files(page: str, kind: str) -> None:
    written = re.search(r"```yaml\n(.*?)```", section(page, kind), re.DOTALL)
    assert written
    (document,) = yaml.safe_load(written[1])
    settings = StrategySettings.model_validate(document)
    (in_the_file,) = (each for each in examples() if each.kind == kind)
    assert settings.strategy == in_the_file.strategy
    assert (settings.id, settings.exits) == (in_the_file.id, in_the_file.exits)


@LANGUAGES
def test_the_table_names_bars_and_who_compares(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| \[`(\w+)`\]\(#\w+\) \| (.*) \|$", text, re.MULTILINE))
    assert rows.keys() == STRATEGIES.keys()
    for kind, strategy in STRATEGIES.items():
        _, bars, compares = (part.strip() for part in rows[kind].split(" | "))
        assert (bars in {"daily", "일봉"}) is (strategy.interval == "1d"), kind
        assert (compares in {"yes", "예"}) is ("evaluate_all" in vars(strategy)), kind
