"""This is nautilus_trader at the work: bars through its event engine, market orders, brackets for stop and target.

A market order of a closed bar fills at that close, so its plain work is that of `signal-close`. It knows no floored
commission and no tax on sells alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import KRW
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import Equity
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.persistence.wranglers import BarDataWrangler
from nautilus_trader.trading.strategy import Strategy

from bench.peers.works import (
    CASH,
    CLOSE,
    COMMISSION,
    HIGH,
    LOW,
    OPEN,
    SHARES,
    STOP,
    TARGET,
    VOLUME,
    Flags,
    Integers,
    Work,
    run,
    signals,
)

XKRX: Final = Venue("XKRX")
ALL: Final = 0.9998
_ROWS: Final = {"open": OPEN, "high": HIGH, "low": LOW, "close": CLOSE, "volume": VOLUME}


class Cross(Strategy):
    """Trades decisions that are made for all bars at once."""

    def __init__(self, bar_type: BarType, entries: Flags, exits: Flags, work: Work) -> None:
        """Take what is decided at each bar."""
        super().__init__()
        self._bar_type, self._work = bar_type, work
        self._entries, self._exits = entries.tolist(), exits.tolist()
        self._bar = -1

    def on_start(self) -> None:
        """Listen to the bars."""
        self.subscribe_bars(self._bar_type)

    def on_bar(self, bar: Bar) -> None:
        """Order what this close decides."""
        self._bar += 1
        instrument = self._bar_type.instrument_id
        is_flat = self.portfolio.is_flat(instrument)
        if is_flat and self._entries[self._bar]:
            self._enter(instrument, int(bar.close))
        elif not is_flat and self._exits[self._bar]:
            self.cancel_all_orders(instrument)
            self.close_all_positions(instrument)

    def _enter(self, instrument: InstrumentId, close: int) -> None:
        if self._work.is_plain:
            quantity = Quantity.from_int(SHARES)
            self.submit_order(self.order_factory.market(instrument, OrderSide.BUY, quantity))
            return
        cash = self.portfolio.account(XKRX).balance_free(KRW).as_double()
        shares = int(cash * ALL / close)
        if shares:
            orders = self.order_factory.bracket(
                instrument_id=instrument,
                order_side=OrderSide.BUY,
                quantity=Quantity.from_int(shares),
                sl_trigger_price=Price(int(close * (1 - STOP)), 0),
                tp_price=Price(int(close * (1 + TARGET)), 0),
            )
            self.submit_order_list(orders)


def trade(bars: Integers, work: Work) -> Sequence[float]:
    """Trade every symbol by every pair."""
    return list(_ends(bars, work))


def _ends(bars: Integers, work: Work) -> Iterator[float]:
    days = pd.bdate_range("2016-01-04", periods=bars.shape[1], tz="UTC")
    for pair in work.pairs:
        entries, exits = signals(bars, pair)
        for k in range(bars.shape[2]):
            table = pd.DataFrame({n: bars[row, :, k].astype(float) for n, row in _ROWS.items()})
            yield _end(table.set_index(days), entries[:, k], exits[:, k], work)


def _end(table: pd.DataFrame, entries: Flags, exits: Flags, work: Work) -> float:
    """Trade one symbol; give cash and holding at the last close."""
    quiet = LoggingConfig(bypass_logging=True)
    engine = BacktestEngine(BacktestEngineConfig(logging=quiet, run_analysis=False))
    cash = CASH * 100 if work.is_plain else CASH
    engine.add_venue(
        venue=XKRX,
        oms_type=OmsType.NETTING,
        account_type=AccountType.CASH,
        base_currency=KRW,
        starting_balances=[Money(cash, KRW)],
    )
    instrument = _instrument(Decimal(0) if work.is_plain else Decimal(str(COMMISSION)))
    bar_type = BarType.from_str(f"{instrument.id}-1-DAY-LAST-EXTERNAL")
    engine.add_instrument(instrument)
    engine.add_data(BarDataWrangler(bar_type, instrument).process(table))
    engine.add_strategy(Cross(bar_type, entries, exits, work))
    engine.run()
    shares = sum(float(position.quantity) for position in engine.cache.positions_open())
    left = engine.portfolio.account(XKRX).balance_total(KRW).as_double()
    engine.dispose()
    return float(left + shares * table["close"].iloc[-1])


def _instrument(fee: Decimal) -> Any:
    return Equity(
        instrument_id=InstrumentId(Symbol("000001"), XKRX),
        raw_symbol=Symbol("000001"),
        currency=KRW,
        price_precision=0,
        price_increment=Price(1, 0),
        lot_size=Quantity.from_int(1),
        ts_event=0,
        ts_init=0,
        maker_fee=fee,
        taker_fee=fee,
    )


if __name__ == "__main__":
    run(trade)
