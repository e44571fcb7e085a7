"""This is zipline-reloaded at the work: bars from tables in memory, orders from `handle_data`.

It fills at the close of the next bar; a model of slippage of ours gives it the opening. Stop and target hang on the
fill, which is known at that close: they begin on the day after, are looked at on closes and filled at them, as it
does. Commission and tax are in whole won. Its start is measured with it, as nobody can go without.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, time
from typing import Any, Final

import numpy as np
import pandas as pd
from exchange_calendars import ExchangeCalendar
from sqlalchemy import create_engine
from zipline.algorithm import TradingAlgorithm
from zipline.assets import AssetDBWriter, AssetFinder
from zipline.data.data_portal import DataPortal
from zipline.data.in_memory_daily_bars import InMemoryDailyBarReader
from zipline.finance.commission import EquityCommissionModel
from zipline.finance.slippage import EquitySlippageModel
from zipline.finance.trading import SimulationParameters

from bench.peers.whole_won import cash_of, charges, levels
from bench.peers.works import (
    CLOSE,
    HIGH,
    LOW,
    OPEN,
    SHARES,
    VOLUME,
    Flags,
    Integers,
    Work,
    run,
    signals,
)

ALL: Final = 0.9998
FIRST: Final = pd.Timestamp("2016-01-04")
_ROWS: Final = {"open": OPEN, "high": HIGH, "low": LOW, "close": CLOSE, "volume": VOLUME}


class Weekdays(ExchangeCalendar):
    """A session on each of them."""

    name = "weekdays"
    tz = UTC
    open_times = ((None, time(9)),)
    close_times = ((None, time(15, 30)),)


class Bars(InMemoryDailyBarReader):
    """Tables whose figures are found by place; its own look-up and last day fail."""

    @property
    def last_available_dt(self) -> Any:
        """Give the last day."""
        return self._sessions[-1]

    @property
    def first_trading_day(self) -> Any:
        """Give the first day."""
        return self._sessions[0]

    def get_value(self, sid: int, dt: pd.Timestamp, field: str) -> float:
        """Give one figure."""
        return float(self._values[field][self._sessions.get_loc(dt), sid])

    def get_last_traded_dt(self, asset: Any, dt: pd.Timestamp) -> pd.Timestamp:  # noqa: ARG002 - theirs
        """Every day has a bar."""
        return dt


class Openings(EquitySlippageModel):
    """Fills market orders at the opening and all others where they are seen, at the close."""

    @staticmethod
    def process_order(data: Any, order: Any) -> tuple[float, int]:
        """Give price and shares."""
        is_market = order.stop is None and order.limit is None
        return data.current(order.asset, "open" if is_market else "close"), order.amount


class Charges(EquityCommissionModel):
    """Commission and tax in whole won, or nothing."""

    def __init__(self, *, is_free: bool) -> None:
        """Take whether the work is plain."""
        self._is_free = is_free

    def calculate(self, order: Any, transaction: Any) -> float:  # noqa: ARG002 - theirs
        """Give what a fill costs."""
        return 0.0 if self._is_free else float(charges(transaction.amount, transaction.price))


class Cross:
    """Trades decisions that are made for all bars at once."""

    def __init__(self, entries: Flags, exits: Flags, work: Work) -> None:
        """Take what is decided at each bar."""
        self._entries, self._exits, self._work = entries.tolist(), exits.tolist(), work
        self._bar = -1
        self._waiting: list[Any] = []
        self.worth = 0.0

    def begin(self, context: TradingAlgorithm) -> None:
        """Say how orders fill and what they cost."""
        context.set_slippage(us_equities=Openings())
        context.set_commission(us_equities=Charges(is_free=self._work.is_plain))
        self._asset = context.sid(0)

    def look(self, context: TradingAlgorithm, data: Any) -> None:
        """Order what this close decides."""
        self._bar += 1
        position = context.portfolio.positions.get(self._asset)
        held = position.amount if position else 0
        if self._bar == len(self._entries) - 1:  # after the run its book is gone
            self.worth = context.portfolio.cash + held * data.current(self._asset, "close")
        if not held:
            self._forget(context)
            if self._entries[self._bar]:
                context.order(self._asset, self._shares(context, data))
        elif self._exits[self._bar]:
            self._forget(context)
            context.order(self._asset, -held)
        elif not (self._waiting or self._work.is_plain):
            stop, target = levels(round(position.cost_basis))
            self._waiting = [
                context.order(self._asset, -held, stop_price=stop),
                context.order(self._asset, -held, limit_price=target),
            ]

    def _shares(self, context: TradingAlgorithm, data: Any) -> int:
        if self._work.is_plain:
            return SHARES
        return int(context.portfolio.cash * ALL / data.current(self._asset, "close"))

    def _forget(self, context: TradingAlgorithm) -> None:
        for order in self._waiting:
            context.cancel_order(order)
        self._waiting = []


def trade(bars: Integers, work: Work) -> Sequence[float]:
    """Trade every symbol by every pair."""
    warnings.simplefilter("ignore")
    return list(_ends(bars, work))


def _ends(bars: Integers, work: Work) -> Iterator[float]:
    days = pd.bdate_range(FIRST, periods=bars.shape[1])
    calendar = Weekdays(FIRST, days[-1] + pd.Timedelta(days=7), side="right")
    finder = _finder(days)
    for pair in work.pairs:
        entries, exits = signals(bars, pair)
        for k in range(bars.shape[2]):
            frames = {n: pd.DataFrame(bars[row, :, [k]].T, days, [0]) for n, row in _ROWS.items()}
            cross = Cross(entries[:, k], exits[:, k], work)
            yield _end(frames, cross, calendar, finder, cash_of(work))


def _finder(days: pd.DatetimeIndex) -> AssetFinder:
    engine = create_engine("sqlite://")
    listed = {"symbol": "000001", "start_date": days[0], "end_date": days[-1], "exchange": "XKRX"}
    AssetDBWriter(engine).write(
        equities=pd.DataFrame([listed], index=[0]),
        exchanges=pd.DataFrame([{"exchange": "XKRX", "country_code": "US"}]),
    )
    return AssetFinder(engine)


def _end(
    frames: Mapping[str, pd.DataFrame], cross: Cross, calendar: Any, finder: AssetFinder, cash: int
) -> float:
    """Trade one symbol; give what its book is worth at the last close."""
    days = frames["close"].index
    bars = Bars(dict(frames), calendar, pd.Series(["USD"], index=[0]), verify_indices=False)
    algorithm = TradingAlgorithm(
        sim_params=SimulationParameters(
            days[0], days[-1], calendar, capital_base=cash, data_frequency="daily"
        ),
        data_portal=DataPortal(finder, calendar, days[0], equity_daily_reader=bars),
        asset_finder=finder,
        initialize=cross.begin,
        handle_data=cross.look,
        metrics_set="none",
        benchmark_returns=pd.Series(np.zeros(len(days)), index=days),
    )
    algorithm.run()
    return float(cross.worth)


if __name__ == "__main__":
    run(trade)
