"""This is what a backtest assumes, by name: when decisions fill, what they cost, how large they are.

Within one day, in this order, each step for symbols in ascending order and each with what the step before left:

- `next-open`: what the last bar's close decided, exits then entries, at the opening; then stops and targets of
  everything held, bought at this opening included; then the close decides for the symbol's next bar.
- `next-close`: stops and targets of everything held; then what the last bar's close decided, exits then entries, at
  the close; then the close decides for the symbol's next bar.
- `signal-close`: stops and targets of everything held; then the close decides, and exits then entries fill at it.

An exit counts for what is held when it is decided, an entry only when nothing of the symbol is; nothing is kept for
later: an entry without a free place or without cash is lost. A stop lies at floor(cost * (1 - stop_loss)) of the
average cost, a target at ceil(cost * (1 + take_profit)); an opening at or beyond one fills at the opening, else the
low comes before the high. What is bought at a close can be stopped from the next bar on. An account is marked at the
last closes. Decisions of the close before the first day are traded on it.

With market rules `krx` a decision is for the exchange's next trading day and dies when the symbol does not trade on
it; stops, targets and slippage land on the grid (the first price at or beyond them) and within the day's limits; nothing
is bought on a day locked at its upper limit or sold on one locked at its lower. Without (`none`) prices are as they
are, the next bar counts however many days away it is, and a trade settles on its own day, which dates its tax.

The curve has a point for each day on which anything of the universe traded, from the first on which a decision can
fill; accounts are added up. A record lists the fills by day and symbol, those of one symbol as they happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from trading.errors import BadInput


class FillConvention(StrEnum):
    """When the decision of a close is filled."""

    NEXT_OPEN = "next-open"
    SIGNAL_CLOSE = "signal-close"
    NEXT_CLOSE = "next-close"


class MarketRules(StrEnum):
    """Whether the exchange's grid, limits, halts and trading days hold, or prices are taken as they are."""

    KRX = "krx"
    NONE = "none"


class CashSplit(StrEnum):
    """Whether one account trades all symbols, or each has one of its own with the same cash."""

    SHARED = "shared"
    EACH = "each"


class SizingKind(StrEnum):
    """How large an entry is, commission included.

    ALL_CASH and WEIGHT buy the largest whole quantity, WEIGHT for floor(equity at the deciding close * weight) and
    no more than the cash. A fixed QUANTITY that the cash does not pay is refused whole.
    """

    ALL_CASH = "all-cash"
    QUANTITY = "quantity"
    WEIGHT = "weight"


_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)
_HIGHEST_RATE: Final = Decimal("0.05")
_HIGHEST_PROFIT: Final = Decimal(10)
MOST: Final = 10**15
"""No cash and no count is beyond it: thousands of such accounts still add up in 64 bits."""


@dataclass(frozen=True, slots=True)
class BacktestOptions:
    """What both engines obey. Rates are fractions; `cash` is won, of each account.

    `stop_loss` and `take_profit` None: no such exit. `tax_rate` None: the dated one of the market. Commission and tax
    are floored to whole won, each by itself. `slippage` is the part of the price that a fill is worse,
    rounded against us to whole won. `participation` is the part of a bar's volume that one order may fill; what is left dies. None: all of
    the volume with market rules `krx`, as much as is wanted without.
    Prices in the data are won times `price_scale`; so are all amounts that come out.
    """

    fill: FillConvention = FillConvention.NEXT_OPEN
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    commission_rate: Decimal = Decimal("0.00015")
    tax_rate: Decimal | None = None
    slippage: Decimal = _ZERO
    participation: Decimal | None = None
    cash: int = 10_000_000
    cash_split: CashSplit = CashSplit.SHARED
    sizing: SizingKind = SizingKind.ALL_CASH
    quantity: int | None = None
    weight: Decimal | None = None
    maximum_holdings: int | None = None
    market: MarketRules = MarketRules.KRX
    price_scale: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            BadInput: naming the first option that is wrong, its value and what would be right.
        """
        _require_counts(self)
        _require_rates(self)
        _require_sizing(self)
        if self.market is MarketRules.KRX and self.price_scale != 1:
            expected = "1 with market rules krx, whose grid is in won"
            raise BadInput("price_scale", self.price_scale, expected)
        if self.maximum_holdings is not None and self.cash_split is CashSplit.EACH:
            expected = "none where each symbol has cash of its own"
            raise BadInput("maximum_holdings", self.maximum_holdings, expected)


def _require_counts(options: BacktestOptions) -> None:
    for name in ("cash", "price_scale", "quantity", "maximum_holdings"):
        value = getattr(options, name)
        if value is not None and not 1 <= value <= MOST:
            raise BadInput(name, value, f"a whole number above 0 and up to {MOST}")
    if options.cash * options.price_scale > MOST:
        most = MOST // options.cash
        raise BadInput(
            "price_scale", options.price_scale, f"a whole number above 0 and up to {most}"
        )


def _require_rates(options: BacktestOptions) -> None:
    if not _ZERO <= options.commission_rate < _HIGHEST_RATE:
        raise BadInput(
            "commission_rate", options.commission_rate, "a fraction below 0.05, 0.00015 is 0.015 %"
        )
    if options.tax_rate is not None and not _ZERO <= options.tax_rate < _HIGHEST_RATE:
        raise BadInput("tax_rate", options.tax_rate, "a fraction below 0.05, 0.002 is 0.2 %")
    if not _ZERO <= options.slippage < _HIGHEST_RATE:
        raise BadInput("slippage", options.slippage, "a fraction below 0.05, 0.001 is 0.1 %")
    highest = {
        "stop_loss": _ONE - Decimal("1e-9"),
        "take_profit": _HIGHEST_PROFIT,
        "participation": _ONE,
        "weight": _ONE,
    }
    for name, most in highest.items():
        value = getattr(options, name)
        if value is not None and not _ZERO < value <= most:
            raise BadInput(name, value, f"a fraction above 0 and up to {most:f}")


def _require_sizing(options: BacktestOptions) -> None:
    needed = {SizingKind.QUANTITY: "quantity", SizingKind.WEIGHT: "weight"}
    for kind, name in needed.items():
        value = getattr(options, name)
        if (options.sizing is kind) != (value is not None):
            expected = f"given with sizing {kind}, and only with it"
            raise BadInput(name, value, expected)


CHANNEL: Final = "channel"
"""The convention of live trading: sizing, limits, exits and costs of the channel (see `backtest.replay`)."""

CONVENTIONS: Final[Mapping[str, BacktestOptions | None]] = {
    CHANNEL: None,
    "next-open": BacktestOptions(fill=FillConvention.NEXT_OPEN),
    "signal-close": BacktestOptions(fill=FillConvention.SIGNAL_CLOSE),
    "next-close": BacktestOptions(fill=FillConvention.NEXT_CLOSE),
    "krx-daily": BacktestOptions(
        fill=FillConvention.NEXT_OPEN,
        stop_loss=Decimal("0.05"),
        take_profit=Decimal("0.10"),
        commission_rate=Decimal("0.000140527"),
        tax_rate=Decimal("0.002"),
        cash_split=CashSplit.EACH,
        market=MarketRules.NONE,
    ),
}
"""Named sets of options, each to be changed with `dataclasses.replace`; `channel` has none."""


def convention(name: str) -> BacktestOptions | None:
    """Give the options of a convention, None for `channel`.

    Raises:
        BadInput: naming the conventions that there are.
    """
    if name not in CONVENTIONS:
        raise BadInput("convention", name, f"one of {', '.join(CONVENTIONS)}")
    return CONVENTIONS[name]
