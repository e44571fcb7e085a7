"""This is what happened before a split within some days, on the scale of the last of them.

Daily bars are on that scale, and so is what a replay trades. A fill of before is stored as it was paid: for the same
won as many more shares as a split made of them. Minute bars are as they were traded, and so is what looks at them.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Final

from backtest.recordings import Recording
from trading.executions import Execution
from trading.manual_orders import MANUAL
from trading.orders import Order
from trading.signals import Signal

_HALF: Final = Fraction(1, 2)


def repriced(recording: Recording, fill: Execution) -> Execution:
    """Give a fill as if paid on the new scale, as many shares as there were: what its strategy knows that it holds."""
    scale = recording.scale(fill.strategy_id, fill.symbol, fill.trading_day)
    return fill if scale == 1 else replace(fill, value=max(1, _whole(fill.value * scale)))


def recounted(recording: Recording, fill: Execution) -> Execution:
    """Give a fill with the shares that it is now, for the same won; what was done by hand stays as it was."""
    scale = recording.scale(fill.strategy_id, fill.symbol, fill.trading_day)
    if scale == 1 or fill.strategy_id == MANUAL:
        return fill
    return replace(fill, quantity=max(1, _whole(fill.quantity / scale)))


def wanted(recording: Recording, order: Order) -> int:
    """Give the shares of an order as they are now."""
    intent = order.intent
    return _whole(
        order.quantity / recording.scale(intent.strategy_id, order.symbol, intent.trading_day)
    )


def prices_of(recording: Recording, signal: Signal) -> tuple[int, int]:
    """Give the price that a signal refers to and the highest one that it names, 0 for none, on the new scale."""
    scale = recording.scale(signal.strategy_id, signal.symbol, signal.trading_day)
    highest = int(signal.indicators.get("highest", 0))
    return max(1, _whole(signal.reference_price * scale)), _whole(highest * scale)


def _whole(amount: Fraction | int) -> int:
    return int(amount + _HALF)
