"""This is whose shares a sale took: the seller's own first, then those of nobody, then the other strategies'."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from trading.executions import Execution
from trading.instruments import Symbol
from trading.manual_orders import MANUAL
from trading.orders import Side


def attributed(
    executions: Iterable[Execution], held: Mapping[Symbol, int]
) -> tuple[Execution, ...]:
    """Give the fills so that each sale is under those whose shares left, in order of booking.

    `executions` are the standing ones, `held` what the account holds of each symbol now; what they do not explain
    was there before them and belongs to nobody. What the owner sells by hand beyond that, a strategy has lost, the
    one that has held longest first: it never gets it back from what another buys.
    """
    fills = tuple(executions)
    explained = {fill.symbol: 0 for fill in fills}
    for fill in fills:
        explained[fill.symbol] += fill.share_change
    stock = {s: {MANUAL: max(0, held.get(s, 0) - sum_)} for s, sum_ in explained.items()}
    return tuple(piece for fill in fills for piece in _pieces(fill, stock[fill.symbol]))


def _pieces(fill: Execution, stock: dict[str, int]) -> Iterator[Execution]:
    """Give a buy as it is, a sale in as many pieces as it took shares from; `stock` is kept up."""
    own = fill.strategy_id
    if fill.side is Side.BUY:
        stock[own] = stock.get(own, 0) + fill.quantity
        yield fill
        return
    left = fill.quantity
    for holder in dict.fromkeys((own, MANUAL, *stock)):
        taken = min(left, stock.get(holder, 0))
        if taken:
            left -= taken
            stock[holder] -= taken
            if not stock[holder]:
                del stock[holder]  # who buys again has held shortest
            yield _piece(fill, holder, taken)


def _piece(fill: Execution, holder: str, quantity: int) -> Execution:
    if (holder, quantity) == (fill.strategy_id, fill.quantity):
        return fill
    value = max(1, fill.value * quantity // fill.quantity)
    return replace(fill, strategy_id=holder, quantity=quantity, value=value)
