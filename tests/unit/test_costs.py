"""This is what a trade costs, worked by hand and held against the dated tax table."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.costs import Charges, CostSchedule, tax_rate
from trading.errors import BadInput
from trading.instruments import InstrumentKind, Market
from trading.orders import Side

STOCK = InstrumentKind.STOCK
IN_2026 = date(2026, 1, 2)

values = st.integers(min_value=1, max_value=10**14)
days = st.dates(min_value=date(2014, 1, 1), max_value=date(2030, 12, 31))
markets = st.sampled_from(Market)
sides = st.sampled_from(Side)


@pytest.mark.parametrize(
    ("market", "last_old_day", "old", "new"),
    [
        (Market.KOSPI, date(2019, 6, 2), "0.0030", "0.0025"),
        (Market.KOSPI, date(2020, 12, 31), "0.0025", "0.0023"),
        (Market.KOSPI, date(2022, 12, 31), "0.0023", "0.0020"),
        (Market.KOSPI, date(2023, 12, 31), "0.0020", "0.0018"),
        (Market.KOSPI, date(2024, 12, 31), "0.0018", "0.0015"),
        (Market.KOSPI, date(2025, 12, 31), "0.0015", "0.0020"),
        (Market.KOSDAQ, date(2019, 6, 2), "0.0030", "0.0025"),
        (Market.KOSDAQ, date(2020, 12, 31), "0.0025", "0.0023"),
        (Market.KOSDAQ, date(2022, 12, 31), "0.0023", "0.0020"),
        (Market.KOSDAQ, date(2023, 12, 31), "0.0020", "0.0018"),
        (Market.KOSDAQ, date(2024, 12, 31), "0.0018", "0.0015"),
        (Market.KOSDAQ, date(2025, 12, 31), "0.0015", "0.0020"),
        (Market.KONEX, date(2019, 6, 2), "0.0030", "0.0010"),
    ],
)
def test_the_tax_changes_with_the_settlement_day(
    market: Market, last_old_day: date, old: str, new: str
) -> None:
    next_day = date.fromordinal(last_old_day.toordinal() + 1)
    assert tax_rate(market, STOCK, last_old_day) == Decimal(old)
    assert tax_rate(market, STOCK, next_day) == Decimal(new)


def test_konex_kept_its_rate_when_the_others_moved() -> None:
    assert tax_rate(Market.KONEX, STOCK, IN_2026) == Decimal("0.0010")


def test_each_part_of_the_tax_drops_its_own_fraction() -> None:
    # 10 x 65,050 = 650,500: securities 325.25, rural 975.75, commission 97.575. Together 1,301 would be wrong.
    charges = CostSchedule().charges(
        Side.SELL, market=Market.KOSPI, kind=STOCK, price=65_050, quantity=10, settles_on=IN_2026
    )
    assert charges == Charges(commission=97, tax=325 + 975)
    assert charges.total == 1_397


def test_kosdaq_has_one_part_only() -> None:
    charges = CostSchedule().charges(
        Side.SELL, market=Market.KOSDAQ, kind=STOCK, price=65_050, quantity=10, settles_on=IN_2026
    )
    assert charges == Charges(commission=97, tax=1_301)


def test_kospi_sells_of_2025_paid_the_rural_part_alone() -> None:
    charges = CostSchedule().charges_on(
        1_000_999, Side.SELL, market=Market.KOSPI, kind=STOCK, settles_on=date(2025, 6, 2)
    )
    assert charges == Charges(commission=150, tax=1_501)


def test_a_commission_seen_on_a_real_account_is_reproduced() -> None:
    schedule = CostSchedule(commission_rate=Decimal("0.000042"))
    charges = schedule.charges_on(
        1_672_500, Side.BUY, market=Market.KOSPI, kind=STOCK, settles_on=IN_2026
    )
    assert charges == Charges(commission=70, tax=0)


@pytest.mark.parametrize("kind", [InstrumentKind.ETF, InstrumentKind.ETN, InstrumentKind.ELW])
def test_funds_notes_and_warrants_pay_no_tax(kind: InstrumentKind) -> None:
    charges = CostSchedule().charges_on(
        1_000_000, Side.SELL, market=Market.KOSPI, kind=kind, settles_on=IN_2026
    )
    assert charges == Charges(commission=150, tax=0)


@given(values, days, markets)
def test_a_buy_pays_no_tax(value: int, day: date, market: Market) -> None:
    charges = CostSchedule().charges_on(value, Side.BUY, market=market, kind=STOCK, settles_on=day)
    assert charges.tax == 0


@given(values, days, markets)
def test_the_tax_is_the_rate_less_a_fraction_of_a_won_per_part(
    value: int, day: date, market: Market
) -> None:
    charges = CostSchedule().charges_on(value, Side.SELL, market=market, kind=STOCK, settles_on=day)
    exact = value * Fraction(tax_rate(market, STOCK, day))
    assert 0 <= exact - charges.tax < 2


@given(values, st.decimals(min_value=0, max_value="0.04", places=9))
def test_the_commission_is_the_exact_product_without_its_fraction(
    value: int, rate: Decimal
) -> None:
    charges = CostSchedule(commission_rate=rate).charges_on(
        value, Side.BUY, market=Market.KOSPI, kind=STOCK, settles_on=IN_2026
    )
    assert 0 <= value * Fraction(rate) - charges.commission < 1


@given(values, values, sides, days, markets)
def test_pieces_cost_at_most_three_won_less_than_the_whole(
    one: int, other: int, side: Side, day: date, market: Market
) -> None:
    def total(value: int) -> int:
        return (
            CostSchedule().charges_on(value, side, market=market, kind=STOCK, settles_on=day).total
        )

    assert 0 <= total(one + other) - total(one) - total(other) <= 3


@given(st.lists(values, min_size=1, max_size=6), sides, days, markets)
def test_the_fills_of_one_order_cost_what_the_whole_costs_however_they_are_cut(
    pieces: list[int], side: Side, day: date, market: Market
) -> None:
    def charges(value: int, before: int = 0) -> Charges:
        return CostSchedule().charges_on(
            value, side, market=market, kind=STOCK, settles_on=day, before=before
        )

    parts = [charges(piece, sum(pieces[:i])) for i, piece in enumerate(pieces)]
    assert min(part.commission for part in parts) >= 0
    assert min(part.tax for part in parts) >= 0
    whole = charges(sum(pieces))
    assert sum(part.commission for part in parts) == whole.commission
    assert sum(part.tax for part in parts) == whole.tax


@given(values, values, sides, days, markets)
def test_a_larger_trade_never_costs_less(
    one: int, other: int, side: Side, day: date, market: Market
) -> None:
    low, high = sorted((one, other))
    schedule = CostSchedule()
    cheap = schedule.charges_on(low, side, market=market, kind=STOCK, settles_on=day)
    dear = schedule.charges_on(high, side, market=market, kind=STOCK, settles_on=day)
    assert cheap.commission <= dear.commission
    assert cheap.tax <= dear.tax


@pytest.mark.parametrize("rate", ["-0.0001", "0.05", "0.15"])
def test_a_rate_in_percent_or_below_zero_is_refused(rate: str) -> None:
    with pytest.raises(BadInput, match="commission_rate"):
        CostSchedule(commission_rate=Decimal(rate))


def test_a_day_before_the_table_is_refused_rather_than_guessed() -> None:
    with pytest.raises(BadInput, match="2013-07-01"):
        tax_rate(Market.KONEX, STOCK, date(2013, 6, 28))
