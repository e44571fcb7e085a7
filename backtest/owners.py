"""This is whose shares were whose: what the owner sells by hand beyond his own, a strategy has lost, as in the session."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from strategies.attribution import attributed
from trading.executions import Execution
from trading.instruments import Symbol
from trading.manual_orders import MANUAL
from trading.orders import Side


def shares_of(fills: Iterable[Execution]) -> Counter[Symbol]:
    """Add up what fills leave of each symbol."""
    found: Counter[Symbol] = Counter()
    for fill in fills:
        found[fill.symbol] += _signed(fill)
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


def standing(fills: Iterable[Execution]) -> tuple[Execution, ...]:
    """Give the fills since each strategy's holding of each symbol was last flat."""
    fills = tuple(fills)
    held: Counter[tuple[str, Symbol]] = Counter()
    since: defaultdict[tuple[str, Symbol], int] = defaultdict(int)
    for place, fill in enumerate(fills):
        holding = (fill.strategy_id, fill.symbol)
        held[holding] += _signed(fill)
        if not held[holding]:
            since[holding] = place + 1
    return tuple(
        fill for place, fill in enumerate(fills) if place >= since[fill.strategy_id, fill.symbol]
    )


def _signed(fill: Execution) -> int:
    return fill.quantity if fill.side is Side.BUY else -fill.quantity
