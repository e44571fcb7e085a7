"""This is risk rules that are not ours, at the real gate: what they may say, and what counts as a breach instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters.wording import Wording
from plugins.rules import foreign_rules
from plugins.settings import PluginGroup, PluginSettings
from risk.gate import check, passed
from tests.builders import LG_CHEM, a_signal
from tests.desks import a_floor
from tests.plugin_files import EXAMPLES, approved
from tests.risk_views import a_view, buy, sell
from trading.orders import OrderStatus

QUIET_HOUR = f"{EXAMPLES / 'quiet_hour.py'}:QuietHour"
RULE = """
from trading.decisions import Breach
INTERFACE = 1
class Tried:
    rule_id = 'DAILY_LOSS'
    def check(self, intent, view):
        {check}
    def figures(self, intent, view):
        return {figures}
"""


def a_rule(folder: Path, check: str, figures: str = "{}", **settings: Any) -> PluginSettings:
    """Put a rule on the whitelist."""
    path = folder / "tried.py"
    path.write_text(RULE.format(check=check, figures=figures), encoding="utf-8")
    return approved(f"{path}:Tried", PluginGroup.RULE, **settings)


@pytest.mark.parametrize(
    ("check_text", "reason"),
    [
        ("raise ValueError('on purpose')", "ValueError: on purpose"),
        ("raise SystemExit", "tried to end maemae"),
        ("return True", "a Breach or None expected, not bool"),
        ("return Breach('X', None)", "a Breach or None expected"),
        ("return Breach('X', 'so', {'figure': float('nan')})", "a figure is no text"),
        ("return Breach('X', 'so', [-1])", "texts by name expected, not list"),
        ("intent.quantity = -5", "FrozenInstanceError"),
        ("view.ledger.positions['x'] = 1", "TypeError"),
    ],
)
def test_a_rule_that_breaks_its_contract_refuses(
    check_text: str, reason: str, tmp_path: Path
) -> None:
    rules = foreign_rules([a_rule(tmp_path, check_text)])
    decision = check(buy(1), a_view(), rules)
    assert [breach.rule_id for breach in decision.breaches] == ["PLUGIN_TRIED"]
    assert reason in decision.reason


def test_a_rule_is_asked_under_a_name_of_its_own(tmp_path: Path) -> None:
    """None can speak in the name of another."""
    plugin = a_rule(tmp_path, "return Breach('DAILY_LOSS', 'a' * 9999, {'n': '7'})", id="my-rule")
    (breach,) = check(buy(1), a_view(), foreign_rules([plugin])).breaches
    assert (breach.rule_id, len(breach.message), breach.figures) == (
        "PLUGIN_MY_RULE",
        500,
        {"n": "7"},
    )
    assert "aaa" in Wording("ko").breach(breach)
    assert "aaa" in Wording("en").breach(breach)


def test_a_rule_that_passes_leaves_its_figures(tmp_path: Path) -> None:
    rules = foreign_rules([a_rule(tmp_path, "return None", "{'limit': '7'}")])
    decision = check(buy(1), a_view(), rules)
    assert decision.is_approved
    assert [(b.rule_id, b.figures) for b in passed(buy(1), a_view(), rules, decision)] == [
        ("PLUGIN_TRIED", {"limit": "7"})
    ]


def test_a_changed_rule_refuses_and_is_not_run(tmp_path: Path) -> None:
    plugin = a_rule(tmp_path, "return None")
    path, witness = tmp_path / "tried.py", tmp_path / "witness"
    path.write_text(path.read_text() + f"\nopen({str(witness)!r}, 'w')\n", encoding="utf-8")
    decision = check(buy(1), a_view(), foreign_rules([plugin]))
    assert "what was approved" in decision.reason
    assert not witness.exists()


@pytest.mark.parametrize("parameters", [{"minute": 5}, {"minutes": 5, "more": 1}])
def test_a_rule_that_cannot_be_made_refuses(parameters: dict[str, Any]) -> None:
    plugin = approved(QUIET_HOUR, PluginGroup.RULE, parameters=parameters)
    assert "unexpected keyword argument" in check(buy(1), a_view(), foreign_rules([plugin])).reason


async def test_the_rule_of_the_handbook_refuses_until_its_minutes_are_over(tmp_path: Path) -> None:
    plugin = approved(QUIET_HOUR, PluginGroup.RULE, parameters={"minutes": 10}, id="quiet-hour")
    floor = a_floor(tmp_path, plugins=[plugin.model_dump(mode="json")])
    await floor.open()
    floor.at("09:00")
    floor.print(400_000)
    floor.at("09:09:59")
    (early,) = await floor.trade(a_signal())
    assert early.status is OrderStatus.DENIED
    assert floor.breaches == ("PLUGIN_QUIET_HOUR",)
    floor.at("09:10")
    (late,) = await floor.trade(a_signal(trigger="later"))
    assert late.status is OrderStatus.ACCEPTED
    assert check(sell(1, symbol=LG_CHEM), a_view(), foreign_rules([plugin])).is_approved
