"""This is the demo's story worked out by hand: the dev channel over its bundled real prices."""

from __future__ import annotations

import csv
import gzip
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
import yaml

from adapters.calendars import XkrxCalendar
from backtest.plans import ReplayPlan
from backtest.replay import run_replay
from backtest.results import ReplayResult
from tasks.channels import ChannelSettings, parse_channel
from tests.bar_columns import a_bar
from tests.builders import LG_CHEM
from trading.bars import Bar
from trading.instruments import Symbol
from trading.orders import OrderStatus, Side

PROJECT = Path(__file__).parents[2]
PRICES = PROJECT / "adapters/kis_sim/data/mit_daily_ohlcv_2016_2019.csv.gz"
COLUMNS = ("open", "high", "low", "close", "volume")
FIRST, LAST = date(2018, 1, 16), date(2018, 1, 18)


def channel(name: str) -> ChannelSettings:
    """Read a channel file of the repository."""
    path = PROJECT / f"deployments/channels/{name}.yaml"
    return parse_channel(yaml.safe_load(path.read_text(encoding="utf-8")), origin=path.name)


@cache
def bundled_bars() -> dict[Symbol, list[Bar]]:
    """Read the bundled prices."""
    bars: dict[Symbol, list[Bar]] = {}
    with gzip.open(PRICES, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            symbol = Symbol(row["symbol"])
            figures = {name: int(row[name]) for name in COLUMNS}
            bar = a_bar(date.fromisoformat(row["ts"]), symbol=symbol, **figures)
            bars.setdefault(symbol, []).append(bar)
    return bars


def story(first: date, last: date) -> ReplayResult:
    """Replay the dev channel with 100,000,000 won."""
    dev = channel("dev")
    plan = ReplayPlan(
        strategies=dev.strategies,
        limits=dev.risk,
        sizing=dev.sizing,
        costs=dev.costs.schedule,
        cash=100_000_000,
        first=first,
        last=last,
    )
    return run_replay(bundled_bars(), plan, XkrxCalendar())


def test_three_days_hold_a_buy_a_denial_and_a_stop() -> None:
    # 16th: the 20-day average rose above the 60-day one at the close of the 15th (437,000).
    #   budget 15 % of 100,000,000; limit 437,000 + 1 % = 441,370, on the grid 441,000
    #   34 x 441,000 = 14,994,000 and 2,249 commission fit, 35 do not; bought at the opening, 438,000
    #   14,892,000 and floor(2,233.8) commission: cash 85,105,767
    # 18th: the 20/40 cross of the 17th wants 35 more at up to 424,500 (420,500 + 1 %): 14,857,500 beside
    #   34 x 420,500 = 14,297,000 would be 29.4 % of the account
    #   the low of 415,500 is below the stop of floor(438,000 x 0.95) = 416,100: sold at 416,000, the tick below
    #   14,144,000 - floor(2,121.6) - 2 x floor(21,216.0) tax: cash 99,205,214
    result = story(FIRST, LAST)
    bought, denied, stopped = result.orders
    assert [(o.symbol, o.intent.trading_day.day) for o in result.orders] == [
        (LG_CHEM, 16),
        (LG_CHEM, 18),
        (LG_CHEM, 18),
    ]
    assert (bought.quantity, bought.intent.limit_price) == (34, 441_000)
    assert (bought.average_price, bought.status) == (Decimal(438_000), OrderStatus.FILLED)
    assert (denied.quantity, denied.intent.limit_price) == (35, 424_500)
    assert denied.status is OrderStatus.DENIED
    assert denied.error_message.startswith("MAXIMUM_WEIGHT: 29,154,500 of ")
    assert (stopped.side, stopped.average_price) == (Side.SELL, Decimal(416_000))
    assert [(e.commission, e.tax) for e in result.executions] == [(2_233, 0), (2_121, 42_432)]
    assert result.ledger.cash == 99_205_214
    assert [point.closing for point in result.equity] == [
        85_105_767 + 34 * 431_500,
        85_105_767 + 34 * 420_500,
        99_205_214,
    ]


def test_the_days_before_the_demo_leave_nothing_to_it() -> None:
    """The demo starts with an empty account, so its first day must not depend on the days before."""
    assert story(date(2018, 1, 15), LAST).executions[-2:] == story(FIRST, LAST).executions


@pytest.mark.parametrize("name", ["dev", "paper", "live"])
def test_every_channel_can_pass_its_own_gate(name: str) -> None:
    settings = channel(name)
    settings.sizing.require_within(settings.risk)


def test_the_live_channel_is_stricter_than_paper() -> None:
    live, paper = channel("live"), channel("paper")
    assert live.sizing.target_weight < paper.sizing.target_weight
    assert set(paper.risk.looser_than(live.risk)) == set(type(live.risk).model_fields)
    assert live.risk.looser_than(paper.risk) == ()


def test_paper_and_live_use_the_strategys_own_defaults() -> None:
    for name in ("paper", "live"):
        for settings in channel(name).strategies:
            assert settings.strategy == type(settings.strategy)()
