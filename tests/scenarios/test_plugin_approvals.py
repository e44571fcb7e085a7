"""This is a plug-in whose file changes on the live channel: refused, approved in two steps, and traded with again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from plugins.settings import PluginGroup
from tasks.channels import ChannelSettings
from tasks.orders import trade
from tasks.registrations import plugged, register, unregistered
from tasks.signals import evaluate_bars
from tasks.versions import approve, follow, propose
from tests.builders import ACCOUNT, LG_CHEM, a_signal
from tests.desks import Floor, WatchedStores, a_channel, a_close, a_floor, on
from tests.plugin_files import a_strategy_file, approved
from tests.versions import DELAY
from trading.decisions import Verdict
from trading.errors import BadInput
from trading.orders import Order, OrderStatus

ENTERS = """
    entry = np.zeros(len(columns), dtype=np.bool_)
    entry[-1] = True
    return Decisions(entry, np.zeros(len(columns), dtype=np.bool_), {})
"""
RULE = """
from trading.decisions import Breach
INTERFACE = 1
class Tried:
    rule_id = 'TRIED'
    def check(self, intent, view):
        return None
    def figures(self, intent, view):
        return {'asked': 'yes'}
"""
MOMENT = timedelta(microseconds=1)


def a_file(source: str, group: PluginGroup = PluginGroup.STRATEGY) -> ChannelSettings:
    """Give the live channel's file with a plug-in as it is now, and who uses it."""
    plugin = approved(source, group).model_dump(mode="json")
    own = a_channel().model_dump(mode="json")["strategies"][0]
    foreign = {"id": "foreign", "kind": "plugin:tried", "symbols": [LG_CHEM]}
    strategies = [foreign] if group is PluginGroup.STRATEGY else [own]
    return a_channel(channel="live", strategies=strategies, plugins=[plugin])


def a_live_floor(folder: Path, file: ChannelSettings) -> Floor:
    """Open a live floor whose first version is that file, approved; it is 08:40."""
    stores = WatchedStores(channel="live", account=ACCOUNT)
    floor = a_floor(folder, stores=stores, **file.model_dump(mode="json"))
    floor.at("08:20")
    come_into_force(floor, file, version=1)
    floor.at("08:40")
    day = floor.desk.today()
    with floor.stores.begin() as work:
        for _ in range(5):
            day = floor.desk.calendar.previous_trading_day(day)
            work.bars.upsert([a_close(LG_CHEM, day)])
    return floor


def come_into_force(floor: Floor, file: ChannelSettings, *, version: int) -> tuple[str, ...]:
    """Take both steps, too early by a moment first; give the settings that loosened."""
    proposed_at = floor.desk.now()
    assert propose(floor.stores, file, reason="new", at=proposed_at).waits
    for strategy in unregistered(floor.stores, file):
        plugin = file.plugins_by_id[strategy.plugin]
        register(floor.stores, strategy, plugin, bars=100, at=proposed_at)
    step: dict[str, Any] = {"reason": "looked at", "delay": DELAY}
    with pytest.raises(BadInput, match="waited 10 minutes"):
        approve(floor.stores, version, at=proposed_at + DELAY - MOMENT, **step)
    with floor.stores.begin() as work:
        current = work.configs.in_force()
    assert (current.version if current else 0) == version - 1
    changes = approve(floor.stores, version, at=proposed_at + DELAY, **step)
    return tuple(change.path for change in changes if change.loosens)


def decided(floor: Floor) -> list[str]:
    """Let the strategies decide; give what is told of the foreign one, "" for a signal."""
    with plugged(floor.desk) as desk:
        found = evaluate_bars.fn(desk)
    return [str(each.notice) if not each.signals else "" for each in found]


async def traded(floor: Floor) -> list[Order]:
    """Trade what was signalled, and give the orders."""
    await floor.reconcile()
    with floor.stores.begin() as work:
        signals = work.signals.of_day(floor.desk.today())
    return list(await trade.fn(floor.desk, signals))


async def test_a_changed_strategy_decides_again_once_it_was_approved_in_two_steps(
    tmp_path: Path,
) -> None:
    path = a_strategy_file(tmp_path, ENTERS)
    floor = a_live_floor(tmp_path, a_file(f"{path}:Tried"))
    assert decided(floor) == [""]
    (first,) = await traded(floor)
    assert (first.status, first.intent.config_version) == (OrderStatus.ACCEPTED, 1)

    path.write_text(path.read_text("utf-8") + "# better\n", "utf-8")
    (refusal,) = decided(floor)
    assert "plugins.tried.files.tried.py" in refusal
    changed = a_file(f"{path}:Tried")
    loosened = come_into_force(floor, changed, version=2)
    assert loosened == ("plugins.tried.files.tried.py",)

    floor.night()
    floor.desk = follow(floor.desk)
    floor.at("08:40")
    assert (floor.desk.version, decided(floor)) == (2, [""])
    (second,) = await traded(floor)
    assert (second.status, second.intent.config_version) == (OrderStatus.ACCEPTED, 2)
    assert second.intent.strategy_id == "foreign"


async def test_a_changed_rule_lets_orders_pass_again_once_it_was_approved_in_two_steps(
    tmp_path: Path,
) -> None:
    path = tmp_path / "tried.py"
    path.write_text(RULE, "utf-8")
    floor = a_live_floor(tmp_path, a_file(f"{path}:Tried", PluginGroup.RULE))
    await floor.open()
    (first,) = await floor.trade(a_signal())
    assert first.status is OrderStatus.ACCEPTED

    path.write_text(RULE.replace("yes", "again"), "utf-8")
    loosened = come_into_force(floor, a_file(f"{path}:Tried", PluginGroup.RULE), version=2)
    assert loosened == ("plugins.tried.files.tried.py",)
    day = floor.night()
    floor.desk = follow(floor.desk)
    await floor.open()
    (second,) = await floor.trade(on(day, a_signal()))
    assert (second.status, second.intent.config_version) == (OrderStatus.ACCEPTED, 2)
    with floor.stores.begin() as work:
        events = work.risk_events.of_order(second.client_order_id, floor.desk.today())
    (kept,) = (event for event in events if event.breach.rule_id == "PLUGIN_TRIED")
    assert (kept.verdict, kept.breach.figures) == (Verdict.PASSED, {"asked": "again"})
