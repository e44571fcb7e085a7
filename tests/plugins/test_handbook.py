"""This is docs/plugins.md: what it shows is in the examples, and the examples do what it says."""

from __future__ import annotations

import re
from textwrap import dedent

import numpy as np
import pytest
import yaml

from backtest.lookahead import Supply, examine
from plugins.settings import PluginGroup
from plugins.sources import PROJECT, approved_sources
from strategies.settings import StrategySettings
from tests.plugin_files import EXAMPLES, a_universe, approved, runs

PAGES = [PROJECT / "docs" / name for name in ("plugins.md", "plugins.ko.md")]
BREAKOUT = f"{EXAMPLES / 'breakout.py'}:Breakout"


def lines(text: str) -> list[str]:
    """Give the lines without their margin."""
    return [line.strip() for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_the_page_shows_is_what_is_tested(page: str) -> None:
    text = PROJECT.joinpath(page).read_text(encoding="utf-8")
    shown = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    examples = ["\n".join(lines(p.read_text(encoding="utf-8"))) for p in EXAMPLES.glob("*.py")]
    assert len(shown) == 4
    for block in shown:
        assert any("\n".join(lines(block)) in example for example in examples), block
    for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL):
        (document,) = yaml.safe_load(dedent(block))
        assert StrategySettings.model_validate(document).plugin == "breakout"
    steps = re.findall(r"^(\d)\. ", text, re.MULTILINE)
    assert steps == list("123456") * 3


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_the_page_names_an_example(page: str) -> None:
    text = PROJECT.joinpath(page).read_text(encoding="utf-8")
    named = re.findall(r"plugins approve (\S+?)(?: --group (\w+))?`", text)
    assert len(named) == 3
    for source, group in named:
        sources = approved_sources(approved(source, PluginGroup(group or "strategy")))
        assert sources.attribute.encode() in sources.main


def test_the_strategy_enters_above_the_highest_close_and_leaves_below_the_lowest() -> None:
    universe = a_universe(days=200)
    with runs(approved(BREAKOUT), {"days": 20}) as settings:
        assert settings.strategy.warm_up == 21
        decided = settings.strategy.evaluate_all(universe)
    assert any(d.entry.any() for d in decided.values())
    for symbol, columns in universe.items():
        for i in range(len(columns)):
            before = columns.close[max(0, i - 20) : i]
            is_warm = i >= 20
            assert decided[symbol].entry[i] == (is_warm and columns.close[i] > before.max())
            assert decided[symbol].exit[i] == (is_warm and columns.close[i] < before.min())
        assert np.isnan(decided[symbol].indicators["highest"][:20]).all()


def test_the_strategy_looks_at_nothing_later() -> None:
    with runs(approved(BREAKOUT), {"days": 5}) as settings:
        report = examine(settings.strategy, a_universe(1, days=90), supply=Supply(kept=200))
    assert report.is_clean
