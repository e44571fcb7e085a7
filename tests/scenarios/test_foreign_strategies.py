"""This is a trading day with strategies that are not ours beside those that are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from adapters.notifier import Severity
from plugins.settings import LONGEST_REASON
from risk.changes import Change
from strategies.evaluation import Evaluation
from tasks.channels import ChannelSettings
from tasks.orders import trade
from tasks.registrations import plugged, register, unregistered
from tasks.signals import evaluate_bars, exits_at
from tests.builders import LG_CHEM, a_signal
from tests.desks import PRICES, Floor, a_channel, a_close, a_floor
from tests.hostile_strategies import HOSTILE
from tests.plugin_files import EXAMPLES, WAITS_SECONDS, a_strategy_file, a_universe, approved
from trading.errors import PluginFault
from trading.orders import OrderStatus

SPARE_SECONDS = 1.0
BREAKOUT = f"{EXAMPLES / 'breakout.py'}:Breakout"
CLOSES = (380_000, 370_000, 360_000, 400_000)
"""Of LG Chem, yesterday's last: the averages of our own strategies cross, and it is a new high."""


def settings_with(source: str, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
    """Give channel settings with a foreign strategy between two of ours."""
    plugin = approved(source, limits={"timeout_seconds": WAITS_SECONDS}).model_dump(mode="json")
    foreign = {"id": "foreign", "kind": "plugin:tried", "symbols": list(PRICES)}
    ours = a_channel().model_dump(mode="json")["strategies"]
    strategies = [ours[0], {**foreign, "parameters": parameters or {}}, ours[1]]
    return {"strategies": strategies, "plugins": [plugin]}


def a_floor_with(folder: Path, source: str, parameters: dict[str, Any] | None = None) -> Floor:
    """Open a floor at 08:30 on which everybody may decide."""
    floor = a_floor(folder, **settings_with(source, parameters))
    channel = floor.desk.channel
    for strategy in unregistered(floor.stores, channel):
        plugin = channel.plugins_by_id[strategy.plugin]
        register(floor.stores, strategy, plugin, bars=100, at=floor.desk.now())
    floor.at("08:30")
    day = floor.desk.today()
    with floor.stores.begin() as work:
        for close in reversed(CLOSES):
            day = floor.desk.calendar.previous_trading_day(day)
            work.bars.upsert([a_close(LG_CHEM, day, close)])
    return floor


def decided(floor: Floor) -> tuple[Evaluation, ...]:
    """Let everybody decide."""
    with plugged(floor.desk) as desk:
        return evaluate_bars.fn(desk)


def who_signals(found: tuple[Evaluation, ...]) -> list[str]:
    """Name the strategies that gave a signal."""
    return [signal.strategy_id for each in found for signal in each.signals]


def test_a_foreign_strategy_decides_like_one_of_ours(tmp_path: Path) -> None:
    floor = a_floor_with(tmp_path, BREAKOUT, {"days": 3})
    found = decided(floor)
    assert who_signals(found) == ["trend", "foreign", "swing"]
    with floor.stores.begin() as work:
        (signal,) = (
            s for s in work.signals.of_day(floor.desk.today()) if s.strategy_id == "foreign"
        )
    assert signal.config_version == floor.desk.version
    assert signal.parameter_hash == floor.desk.channel.strategies[1].parameter_hash
    assert signal.indicators["highest"] == "380000.00"
    assert floor.titles(Severity.WARNING) == ()


async def orders_of_the_others(floor: Floor) -> set[tuple[str, OrderStatus]]:
    """Trade what was signalled, and tell whose orders the broker has."""
    await floor.open()
    with floor.stores.begin() as work:
        signals = work.signals.of_day(floor.desk.today())
    return {(o.intent.strategy_id, o.status) for o in await trade.fn(floor.desk, signals)}


OTHERS_TRADE = {("trend", OrderStatus.ACCEPTED), ("swing", OrderStatus.ACCEPTED)}


@pytest.mark.timed
@pytest.mark.parametrize("name", HOSTILE)
async def test_the_others_trade_on_while_one_is_held(name: str, tmp_path: Path) -> None:
    evaluate, reason = HOSTILE[name]
    floor = a_floor_with(tmp_path, f"{a_strategy_file(tmp_path, evaluate)}:Tried")
    with plugged(floor.desk) as desk:
        assert desk.channel.strategies[1].strategy.warm_up == 3
        began = monotonic()
        found = evaluate_bars.fn(desk)
        assert monotonic() - began < WAITS_SECONDS + SPARE_SECONDS
        with pytest.raises(PluginFault) as fault:  # it stays over
            desk.channel.strategies[1].strategy.evaluate_all(a_universe())
    assert reason in fault.value.reason
    assert len(fault.value.reason) <= LONGEST_REASON
    assert who_signals(found) == ["trend", "swing"]
    notices = {each.notice for each in found if each.strategy_id == "foreign"}
    assert notices == {floor.desk.wording.fault(fault.value)}
    assert floor.titles(Severity.WARNING) == ("The foreign strategy foreign could not decide",)
    assert await orders_of_the_others(floor) == OTHERS_TRADE


@pytest.mark.timed
@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("return self", "return  self", "plugins.tried.files.tried.py"),
        ("INTERFACE = 1", "INTERFACE = 0", "say `INTERFACE = 1` at the top of the module"),
    ],
    ids=["a changed file after approval", "an old interface"],
)
async def test_one_that_is_not_let_in_stops_nobody_else(
    old: str, new: str, reason: str, tmp_path: Path
) -> None:
    path = a_strategy_file(tmp_path, "return self.quiet(columns)")
    text = path.read_text("utf-8")
    if "INTERFACE" in old:  # it is approved as it is
        path.write_text(text.replace(old, new), "utf-8")
    floor = a_floor_with(tmp_path, f"{path}:Tried")
    path.write_text(text.replace(old, new), "utf-8")
    began = monotonic()
    found = decided(floor)
    assert monotonic() - began < WAITS_SECONDS + SPARE_SECONDS
    assert who_signals(found) == ["trend", "swing"]
    (notice,) = {each.notice for each in found if each.strategy_id == "foreign"}
    assert reason in notice
    assert await orders_of_the_others(floor) == OTHERS_TRADE


def test_nobody_decides_who_was_not_examined_as_he_is_now(tmp_path: Path) -> None:
    floor = a_floor_with(tmp_path, BREAKOUT, {"days": 3})
    assert unregistered(floor.stores, floor.desk.channel) == ()
    changed = a_channel(**settings_with(BREAKOUT, {"days": 2}))
    assert [s.id for s in unregistered(floor.stores, changed)] == ["foreign"]
    floor.desk = replace(floor.desk, channel=changed)
    found = decided(floor)
    (notice,) = {each.notice for each in found if each.strategy_id == "foreign"}
    assert "maemae plugins register" in notice
    assert who_signals(found) == ["trend", "swing"]


async def test_its_stops_hold_while_it_cannot_decide(tmp_path: Path) -> None:
    """A stop is ours, not the strategy's: it needs no process."""
    floor = a_floor(tmp_path, **settings_with(BREAKOUT))
    await floor.hold(a_signal(strategy_id="foreign"))
    (stop,) = exits_at(floor.desk, {LG_CHEM: 300_000})
    assert (stop.strategy_id, stop.trigger) == ("foreign", "stop")


def test_a_strategy_must_be_on_the_whitelist() -> None:
    document = a_channel(**settings_with(BREAKOUT)).model_dump(mode="json")
    with pytest.raises(ValueError, match="a strategy of the section plugins: -"):
        ChannelSettings.model_validate(document | {"plugins": []})
    rule = {**document["plugins"][0], "group": "rule"}
    with pytest.raises(ValueError, match="a strategy of the section plugins: -"):
        ChannelSettings.model_validate(document | {"plugins": [rule]})
    with pytest.raises(ValueError, match="each id once"):
        a_channel(**{**settings_with(BREAKOUT), "plugins": document["plugins"] * 2})


def test_a_changed_hash_is_a_change_that_loosens() -> None:
    assert Change("plugins.tried.files.tried.py", "a" * 64, "b" * 64).loosens
    assert Change("plugins.tried.limits.timeout_seconds", 5, 6).loosens
