"""This is the test of target weights over days: compared symbols, sells before buys, and parity of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import ClassVar

import numpy as np

from backtest.decisions import Why
from backtest.parity import compare
from backtest.recordings import Recording
from risk.limits import RiskLimits
from strategies.base import BarColumns, Decisions, Strategy
from strategies.exits import ExitParameters
from tests.builders import HYUNDAI, LG_CHEM
from tests.recordings import CALENDAR, DAYS, a_recording, account, bars_of, trend
from trading.instruments import Symbol
from trading.orders import Side
from trading.signals import Direction

STRONG, WEAK = 0.6, 0.3


class Turns(Strategy):
    """Wants 60 % of what stands highest and 30 % of the others, at the third and the fifth bar."""

    kind: ClassVar[str] = "turns"

    @property
    def warm_up(self) -> int:
        """One bar."""
        return 1

    def evaluate(self, columns: BarColumns) -> Decisions:
        """Refuse: a symbol alone cannot be compared."""
        raise NotImplementedError

    def evaluate_all(self, universe: Mapping[Symbol, BarColumns]) -> Mapping[Symbol, Decisions]:
        """Compare the closes."""
        highest = np.max([columns.close for columns in universe.values()], axis=0)
        return {symbol: self._of(columns, highest) for symbol, columns in universe.items()}

    def _of(self, columns: BarColumns, highest: np.ndarray) -> Decisions:
        places = np.arange(1, len(columns) + 1)
        weight = np.where(columns.close == highest, STRONG, WEAK)
        return Decisions.of_weight(np.where(np.isin(places, (3, 5)), weight, np.nan), {})


CLOSES = {
    HYUNDAI: [10_000, 10_000, 10_000, 10_000, 10_200, 10_200, 10_200],
    LG_CHEM: [10_000, 10_000, 10_100, 10_100, 10_100, 10_100, 10_100],
}
"""LG Chem is higher at the third bar, Hyundai at the fifth; each decision is traded on the day after."""


def turned() -> Recording:
    """Give the account of 10,000,000 won that did what its replay does."""
    bars = {symbol: bars_of(closes, symbol) for symbol, closes in CLOSES.items()}
    recording = a_recording(bars)
    (plan,) = recording.plans
    exits = ExitParameters(stop_loss=None, take_profit=None)
    settings = trend(*bars).model_copy(update={"exits": exits}).run_by(Turns())
    limits = RiskLimits(maximum_weight=Decimal(1), daily_loss=Decimal("0.5"))
    return account(
        replace(recording, plans=(replace(plan, strategies=(settings,), limits=limits),))
    )


def test_what_a_sell_brings_pays_for_the_buy_of_the_same_morning() -> None:
    fills = turned().actual.executions
    told = [(DAYS.index(f.trading_day), f.side, f.symbol) for f in fills]
    assert told == [
        (3, Side.BUY, HYUNDAI),
        (3, Side.BUY, LG_CHEM),
        (5, Side.SELL, LG_CHEM),  # before Hyundai, which comes first by its number
        (5, Side.BUY, HYUNDAI),
    ]
    # After the first day a tenth is left in cash: 1,000,000 alone would buy fewer than 100 shares.
    assert fills[-1].quantity > 250


def test_the_weights_are_reached() -> None:
    recording = turned()
    book = recording.actual.closing
    equity = recording.worth(book, until=DAYS[6])
    parts = [
        Decimal(book.position(symbol).quantity * CLOSES[symbol][-1]) / equity
        for symbol in (HYUNDAI, LG_CHEM)
    ]
    # A limit order reckons with 2 % more than the last price, so a little less is bought.
    assert Decimal("0.58") < parts[0] <= Decimal("0.60")
    assert Decimal("0.295") < parts[1] <= Decimal("0.305")


def test_an_account_that_did_the_same_is_equal_to_the_won() -> None:
    report = compare(turned(), CALENDAR)
    assert report.is_equal
    assert [d.direction for d in report.decisions] == [Direction.ENTRY] * 4
    assert report.money.parts == ()


def test_another_weight_is_another_decision() -> None:
    recording = turned()
    first, *others = recording.actual.signals
    changed = replace(first, target_weight=Decimal("0.1234"))
    assert changed.signal_id == first.signal_id
    actual = replace(recording.actual, signals=(changed, *others))
    report = compare(replace(recording, actual=actual), CALENDAR)
    assert [(d.symbol, d.why) for d in report.unequal] == [(first.symbol, Why.BARS)]
