"""This is the proof of `maemae lookahead`: our strategies are clean, and one that is not is told in plain sentences."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from adapters.wording import Language, Wording
from backtest.lookahead import LeakKind, LookaheadReport, Supply, examine
from deployments.examinations import bundled_bars, examine_settings, sentences, supply_of
from deployments.minute_samples import drawn_minutes
from strategies.base import BarColumns, Decisions, Integers, Strategy
from strategies.registry import STRATEGIES
from strategies.settings import StrategySettings
from tasks.channels import ChannelSettings, parse_channel
from tests.builders import LG_CHEM
from tests.consoles import PROJECT, Console
from tests.planted_strategies import CLEAN, LEAKS, Decide, Planted, cheat, enter
from trading.bars import Interval

TRIED = 90
"""Decisions about each symbol in CI. `maemae lookahead` tries all of them."""


def channel(name: str) -> ChannelSettings:
    """Read a channel file of the repository."""
    path = PROJECT / f"deployments/channels/{name}.yaml"
    return parse_channel(yaml.safe_load(path.read_text(encoding="utf-8")), origin=path.name)


CHANNELS = [channel(name) for name in ("dev", "paper", "live")]
DAILY = [strategy for strategy in STRATEGIES.values() if strategy.interval is Interval.DAY]
OURS: dict[str, Strategy] = {strategy.kind: strategy() for strategy in DAILY} | {
    settings.id: settings.strategy for each in CHANNELS for settings in each.strategies
}


@pytest.mark.parametrize("strategy", OURS.values(), ids=OURS.keys())
def test_our_strategies_look_at_nothing_later_than_they_may(strategy: Strategy) -> None:
    bars = bundled_bars()
    count = strategy.warm_up + TRIED - 1
    histories = {symbol: BarColumns.of(found).first(count) for symbol, found in bars.items()}
    report = examine(strategy, histories, supply=supply_of(CHANNELS[-1], bars))
    assert report.leaks == ()
    assert report.bars == len(histories) * TRIED


def test_a_strategy_of_minute_bars_is_tried_on_minutes_drawn_from_the_days() -> None:
    settings = StrategySettings(id="morning", kind="opening_range_breakout", symbols=(LG_CHEM,))
    days = {LG_CHEM: bundled_bars()[LG_CHEM][-2:]}
    minutes = drawn_minutes(days[LG_CHEM])
    report = examine_settings(settings, CHANNELS[0], days)
    assert report.leaks == ()
    assert report.bars == len(minutes) - report.warm_up + 1 > 300


def of_the_day(columns: BarColumns, of: np.ufunc, values: Integers) -> Integers:
    """Give each minute a figure of its whole day, which nobody knows before the close."""
    starts = np.flatnonzero(np.diff(columns.days, prepend=0))
    lengths = np.diff(np.append(starts, len(columns)))
    return np.repeat(of.reduceat(values, starts), lengths)


MINUTE_LEAKS: dict[str, Decide] = {
    "next minute": lambda c: enter(np.append(c.close[1:], 0) > c.close),
    "high of the day": lambda c: enter(c.close * 100 >= of_the_day(c, np.maximum, c.high) * 99),
    "last minute of the day": lambda c: enter(of_the_day(c, np.maximum, c.minutes) == c.minutes),
    "volume of the day": lambda c: enter(c.volume * 300 > of_the_day(c, np.add, c.volume)),
}
"""What the past of a minute does not hold, though its day does."""


@pytest.mark.parametrize("name", MINUTE_LEAKS)
def test_a_strategy_of_minute_bars_that_knows_the_rest_of_the_day_is_found(name: str) -> None:
    days = bundled_bars()[LG_CHEM][-2:]
    columns = BarColumns.of(drawn_minutes(days)).first(420)  # of the second day, too
    planted = Planted(decide=MINUTE_LEAKS[name], needed=341)
    report = examine(planted, {LG_CHEM: columns}, supply=Supply(kept=420))
    found = {leak.kind for leak in report.leaks}
    assert found & {LeakKind.FUTURE_ADDED, LeakKind.FUTURE_SHUFFLED}
    assert report.bars == 80


def knows_the_next_opening(columns: BarColumns) -> Decisions:
    """Enter when the next day opens above this close."""
    days = np.unique(columns.days)
    opened = columns.open[np.searchsorted(columns.days, days)]
    following = np.append(opened[1:], 0)[np.searchsorted(days, columns.days)]
    return enter(following > columns.close)


def test_a_strategy_of_minute_bars_that_knows_the_next_day_is_found() -> None:
    morning = StrategySettings(id="morning", kind="opening_range_breakout", symbols=(LG_CHEM,))
    settings = morning.run_by(Planted(decide=knows_the_next_opening, needed=391))
    report = examine_settings(settings, CHANNELS[0], bundled_bars())
    assert LeakKind.FUTURE_ADDED in [leak.kind for leak in report.leaks]


@pytest.mark.parametrize("each", CHANNELS, ids=lambda each: each.channel)
def test_every_channel_keeps_bars_enough_for_its_strategies(each: ChannelSettings) -> None:
    supply = supply_of(each, bundled_bars())
    assert all(supply.kept >= settings.strategy.warm_up for settings in each.strategies)


@pytest.fixture
def data(tmp_path: Path) -> str:
    """A file of 100 daily bars of LG Chem."""
    rows = [
        f"{LG_CHEM},{bar.trading_day},{bar.open},{bar.high},{bar.low},{bar.close},{bar.volume}"
        for bar in bundled_bars()[LG_CHEM][:100]
    ]
    path = tmp_path / "bars.csv"
    path.write_text("\n".join(("symbol,date,open,high,low,close,volume", *rows)))
    return str(path)


def test_a_clean_strategy_ends_with_0(console: Console, data: str) -> None:
    answer = console("lookahead", "trend-20-60", "--data", data)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("trend-20-60: clean. 40 bars tried")  # the 61st is the first


def test_what_the_channel_does_not_keep_is_told_and_ends_with_3(
    console: Console, data: str
) -> None:
    path = Path(os.environ["MAEMAE_CHANNELS"]) / "dev.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub("history_days: [0-9]+", "history_days: 60", text), encoding="utf-8")
    answer = console("lookahead", "trend-20-60", "--data", data)
    assert answer.code == 3
    assert "it needs 61 bars before it decides; history_days keeps 4" in answer.out
    (row,) = console("lookahead", "trend-20-60", "--data", data, "--json").document["strategies"]
    assert (row["strategy_id"], row["is_clean"], row["warm_up"]) == ("trend-20-60", False, 61)
    assert [leak["kind"] for leak in row["leaks"]] == ["out_of_reach"]


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_kind_of_leak_has_its_sentence(language: Language) -> None:
    told = {kind: sentences(report, Wording(language)) for kind, report in _each_kind().items()}
    assert set(told) == set(LeakKind)
    for words in told.values():
        assert words
        assert not any("lookahead." in sentence or "{" in sentence for sentence in words)


def test_a_leak_is_told_with_its_day_and_both_answers() -> None:
    settings = CHANNELS[0].strategies[0].run_by(cheat("out on the last bar"))
    bars = {LG_CHEM: bundled_bars()[LG_CHEM][:60]}
    report = examine_settings(settings, CHANNELS[0], bars)
    words, *_ = sentences(report, Wording("en"))
    # 30 bars from the 30th to the 59th were once the last; the 30th bar of 2016 is 17 February.
    assert words == (
        "051910: when the next bars come, 30 of 31 past bars change, first 2016-02-17 (Wed): "
        "entry was false and becomes true. It looks into the future"
    )


def _each_kind() -> dict[LeakKind, LookaheadReport]:
    """Give a report for each kind of leak."""
    history = BarColumns.of(bundled_bars()[LG_CHEM]).first(80)
    asked = {
        **{kind: cheat(name) for name, (_, kind) in LEAKS.items()},
        LeakKind.TOO_SHORT: Planted(decide=lambda c: enter(np.zeros(len(c))), needed=80),
        LeakKind.OUT_OF_REACH: CLEAN["an exponential cross with past enough"],
    }
    reports = {
        kind: examine(strategy, {LG_CHEM: history}, supply=Supply(kept=50))
        for kind, strategy in asked.items()
    }
    for kind, report in reports.items():
        assert kind in [leak.kind for leak in report.leaks]
    return reports
