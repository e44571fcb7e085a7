"""This is whose shares were whose: what the owner sells by hand beyond his own, a strategy has lost, as in the session."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from strategies.attribution import attributed
from trading.executions import Execution, standing
from trading.instruments import Symbol
from trading.manual_orders import MANUAL


def shares_of(fills: Iterable[Execution]) -> Counter[Symbol]:
    """Add up what fills leave of each symbol."""
    found: Counter[Symbol] = Counter()
    for fill in fills:
        found[fill.symbol] += fill.share_change
    return found


def owned(fills: Iterable[Execution], adopted: Mapping[Symbol, int]) -> tuple[Execution, ...]:
    """Give those of all `fills` that stand after them, each sale under the strategies whose shares it took.

    `adopted` are the shares that no fill brought. Says what `tasks.holdings` said at that moment.
    """
    found = standing(fills)
    if all(fill.strategy_id != MANUAL for fill in found):
        return found
    return under_holders(found, adopted)


def under_holders(
    fills: tuple[Execution, ...], adopted: Mapping[Symbol, int]
) -> tuple[Execution, ...]:
    """Give the fills so that each sale is under those whose shares left."""
    held = shares_of(fills)
    return attributed(fills, {symbol: held[symbol] + adopted.get(symbol, 0) for symbol in held})
