"""This is what trading costs: the account's commission and the dated tax on sells, in whole won."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

from trading.errors import BadInput
from trading.instruments import InstrumentKind, Market
from trading.orders import Side


@dataclass(frozen=True, slots=True)
class TaxRates:
    """The two parts of the sell tax (증권거래세, 농어촌특별세) as fractions of the value."""

    securities: Decimal
    rural: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        """Both parts together, the rate that brokers quote."""
        return self.securities + self.rural


def _rates(securities: str, rural: str = "0") -> TaxRates:
    return TaxRates(Decimal(securities), Decimal(rural))


UNTAXED: Final = _rates("0")

SELL_TAX: Final[dict[Market, tuple[tuple[date, TaxRates], ...]]] = {
    Market.KOSPI: (
        (date(1996, 4, 1), _rates("0.0015", "0.0015")),
        (date(2019, 6, 3), _rates("0.0010", "0.0015")),
        (date(2021, 1, 1), _rates("0.0008", "0.0015")),
        (date(2023, 1, 1), _rates("0.0005", "0.0015")),
        (date(2024, 1, 1), _rates("0.0003", "0.0015")),
        (date(2025, 1, 1), _rates("0", "0.0015")),
        (date(2026, 1, 1), _rates("0.0005", "0.0015")),
    ),
    Market.KOSDAQ: (
        (date(1996, 4, 1), _rates("0.0030")),
        (date(2019, 6, 3), _rates("0.0025")),
        (date(2021, 1, 1), _rates("0.0023")),
        (date(2023, 1, 1), _rates("0.0020")),
        (date(2024, 1, 1), _rates("0.0018")),
        (date(2025, 1, 1), _rates("0.0015")),
        (date(2026, 1, 1), _rates("0.0020")),
    ),
    Market.KONEX: (
        (date(2013, 7, 1), _rates("0.0030")),
        (date(2019, 6, 3), _rates("0.0010")),
    ),
}
"""Rates by the SETTLEMENT day from which they apply: the law taxes the transfer (양도), not the trade.

From the enforcement decree of the Securities Transaction Tax Act (증권거래세법 시행령) and the depository's
notices: the cut of 3 June 2019 reached trades from 30 May, and sells of a year's last two trading days carry
the next year's rate.
"""


def tax_rates(market: Market, kind: InstrumentKind, settles_on: date) -> TaxRates:
    """Return the parts of the sell tax for shares that change hands on `settles_on`.

    ETF, ETN and ELW pay none.

    Raises:
        BadInput: for a day before the table begins, rather than a guess.
    """
    if kind is not InstrumentKind.STOCK:
        return UNTAXED
    for since, rates in reversed(SELL_TAX[market]):
        if settles_on >= since:
            return rates
    first = SELL_TAX[market][0][0]
    raise BadInput(
        "settles_on", settles_on.isoformat(), f"{first.isoformat()} or later for {market}"
    )


def tax_rate(market: Market, kind: InstrumentKind, settles_on: date) -> Decimal:
    """Return the whole sell tax as a fraction of the value, e.g. `Decimal("0.0020")`."""
    return tax_rates(market, kind, settles_on).total


@dataclass(frozen=True, slots=True)
class Charges:
    """What one fill costs on top of its value, in whole won."""

    commission: int
    tax: int

    @property
    def total(self) -> int:
        """Commission and tax together."""
        return self.commission + self.tax


@dataclass(frozen=True, slots=True)
class CostSchedule:
    """What one account pays. The commission rate is a fraction of the value and includes the exchange's fees.

    The default 0.015 % is a cautious estimate for a branch-less account; set the account's own. `tax_rate` is one
    rate for all sells instead of the dated ones of the market; those are multiplied by `tax_factor`. Amounts are in won, or in parts of it: `unit` says how
    many of them make the won that charges are floored to.
    """

    commission_rate: Decimal = Decimal("0.00015")
    tax_rate: Decimal | None = None
    unit: int = 1
    tax_factor: Decimal = Decimal(1)

    def __post_init__(self) -> None:
        """Refuse a rate that was surely given in percent, or is negative."""
        if not 0 <= self.commission_rate < Decimal("0.05"):
            raise BadInput(
                "commission_rate", self.commission_rate, "a fraction below 0.05, 0.00015 is 0.015 %"
            )

    def times(self, factor: Decimal) -> CostSchedule:
        """Give the schedule of somebody who pays `factor` times as much."""
        is_dated = self.tax_rate is None
        return replace(
            self,
            commission_rate=self.commission_rate * factor,
            tax_rate=None if self.tax_rate is None else self.tax_rate * factor,
            tax_factor=self.tax_factor * factor if is_dated else self.tax_factor,
        )

    def charges(
        self,
        side: Side,
        *,
        market: Market,
        kind: InstrumentKind,
        price: int,
        quantity: int,
        settles_on: date,
    ) -> Charges:
        """Return the charges of `quantity` shares at `price` won."""
        return self.charges_on(
            price * quantity, side, market=market, kind=kind, settles_on=settles_on
        )

    def charges_on(
        self,
        value: int,
        side: Side,
        *,
        market: Market,
        kind: InstrumentKind,
        settles_on: date,
        before: int = 0,
    ) -> Charges:
        """Return the charges of a fill worth `value` won, on an order that was filled for `before` won already.

        Commission and each part of the tax are floored to whole won by themselves (원 미만 절사), as broker
        statements show them, once for the whole order: however its fills are cut into pieces, they sum up to
        the same. Brokers may floor once per day and symbol instead, so a day of several orders may show up to
        one won per order and part less here; the broker's settled figure is the authority.
        """
        commission = self._added(before, value, self.commission_rate)
        if side is Side.BUY:
            return Charges(commission, tax=0)
        rates = self._tax_rates(market, kind, settles_on)
        return Charges(commission, sum(self._added(before, value, rate) for rate in rates))

    def _tax_rates(
        self, market: Market, kind: InstrumentKind, settles_on: date
    ) -> tuple[Decimal, ...]:
        if self.tax_rate is not None:
            return (self.tax_rate,)
        rates = tax_rates(market, kind, settles_on)
        return rates.securities * self.tax_factor, rates.rural * self.tax_factor

    def _added(self, before: int, value: int, rate: Decimal) -> int:
        already = self._whole_won(before, rate) if before else 0
        return self._whole_won(before + value, rate) - already

    def _whole_won(self, value: int, rate: Decimal) -> int:
        """Floor exactly, whatever the decimal context's precision (a large value must not be rounded up)."""
        numerator, denominator = rate.as_integer_ratio()
        return value * numerator // (denominator * self.unit) * self.unit
