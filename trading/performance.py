"""This is how well it went: each metric with its formula, on daily returns, closed trades or equity.

Decimal fractions throughout (0.05 is 5 %); None where a metric has no meaning, such as a Sharpe ratio of two
equal days. The formulas and the 252 days a year are those of the empyrical library without a risk-free rate.
The caller gives the active window: days before the first evaluation (idle warm-up) would thin every figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Final

from trading.errors import BadInput

DAYS_PER_YEAR: Final = Decimal(252)
"""The usual convention; KRX has about 245 sessions."""

_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)


def daily_returns(equity: Sequence[int], paid_in: Sequence[int] = ()) -> tuple[Decimal, ...]:
    """Return r[i] = (equity[i] - paid_in[i]) / equity[i-1] - 1, one fewer than `equity` (won at each close).

    `paid_in` are deposits minus withdrawals of the same days, taken as booked at the close: never profit.

    Raises:
        BadInput: for equity of nothing before a later day, or lists of different length.
    """
    flows = paid_in or (0,) * len(equity)
    if len(flows) != len(equity):
        raise BadInput("paid_in", len(flows), f"{len(equity)} values, one per day of equity")
    if any(value <= 0 for value in equity[:-1]):
        raise BadInput("equity", min(equity), "above 0 won on every day but the last")
    steps = zip(pairwise(equity), flows[1:], strict=True)
    return tuple(Decimal(now - flow) / before - _ONE for (before, now), flow in steps)


def total_return(returns: Sequence[Decimal]) -> Decimal | None:
    """Return prod(1 + r) - 1."""
    return _growth(returns) - _ONE if returns else None


def cagr(returns: Sequence[Decimal]) -> Decimal | None:
    """Return the compound annual growth, prod(1 + r) ** (252 / days) - 1; -1 after a total loss."""
    if not returns:
        return None
    growth = _growth(returns)
    return growth ** (DAYS_PER_YEAR / len(returns)) - _ONE if growth > 0 else -_ONE


def volatility(returns: Sequence[Decimal]) -> Decimal | None:
    """Return the annual volatility, stdev(r) * sqrt(252) with n - 1 in the denominator."""
    deviation = _deviation(returns)
    return None if deviation is None else deviation * DAYS_PER_YEAR.sqrt()


def sharpe(returns: Sequence[Decimal]) -> Decimal | None:
    """Return mean(r) / stdev(r) * sqrt(252); None without variance."""
    deviation = _deviation(returns)
    return mean(returns) / deviation * DAYS_PER_YEAR.sqrt() if deviation else None


def sortino(returns: Sequence[Decimal]) -> Decimal | None:
    """Return mean(r) * 252 / (sqrt(mean(min(r, 0) ** 2)) * sqrt(252)); None without a losing day."""
    if not any(r < 0 for r in returns):
        return None
    downside = mean([min(r, _ZERO) ** 2 for r in returns]).sqrt()
    return mean(returns) / downside * DAYS_PER_YEAR.sqrt()


def drawdowns(returns: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """Return w[i] / max(w[0..i]) - 1 for the wealth w from 1 on: one per return, 0 at a peak, never above.

    The peak is that of equity with open positions at market, not of realised profit.
    """
    wealth = peak = _ONE
    depths = []
    for r in returns:
        wealth *= _ONE + r
        peak = max(peak, wealth)
        depths.append(wealth / peak - _ONE)
    return tuple(depths)


def max_drawdown(returns: Sequence[Decimal]) -> Decimal | None:
    """Return the deepest of `drawdowns`, 0 or negative."""
    return min(drawdowns(returns), default=None)


def calmar(returns: Sequence[Decimal]) -> Decimal | None:
    """Return cagr / |max drawdown|; None without a drawdown."""
    growth, depth = cagr(returns), max_drawdown(returns)
    return growth / -depth if growth is not None and depth else None


def profit_factor(results: Sequence[int]) -> Decimal | None:
    """Return sum of gains / |sum of losses| over closed trades, each net of charges in won; None without a loss."""
    lost = -sum(result for result in results if result < 0)
    return Decimal(sum(result for result in results if result > 0)) / lost if lost else None


def win_rate(results: Sequence[int]) -> Decimal | None:
    """Return closed trades with a gain after charges / all closed trades; breaking even is no win."""
    return Decimal(sum(result > 0 for result in results)) / len(results) if results else None


def exposure(invested: Sequence[int], equity: Sequence[int]) -> Decimal | None:
    """Return mean(market value of positions / equity) over the closes of the window, both in won."""
    if not equity:
        return None
    pairs = zip(invested, equity, strict=True)
    return mean([Decimal(value) / whole for value, whole in pairs])


def turnover(equity: Sequence[int], *, bought: int, sold: int) -> Decimal | None:
    """Return (bought + sold) / 2 / mean(equity) over the window, in won and not annualised.

    1 means that the whole account was replaced once.
    """
    return Decimal(bought + sold) / 2 / mean(equity) if equity else None


def mean(values: Sequence[Decimal] | Sequence[int]) -> Decimal:
    """Return sum(x) / n of at least one value."""
    return sum(map(Decimal, values), _ZERO) / len(values)


def _growth(returns: Sequence[Decimal]) -> Decimal:
    growth = _ONE
    for r in returns:
        growth *= _ONE + r
    return growth


def _deviation(returns: Sequence[Decimal]) -> Decimal | None:
    """Return sqrt(sum((r - mean) ** 2) / (n - 1)): exactly 0 for equal returns, None below two of them."""
    degrees = len(returns) - 1
    if degrees < 1:
        return None
    # The rounded mean of equal thirds is not a third: rounding must not pass for variance.
    if len(set(returns)) == 1:
        return _ZERO
    centre = mean(returns)
    squares = sum(((r - centre) ** 2 for r in returns), _ZERO)
    return (squares / degrees).sqrt()
