"""This is what a review of bars owes whatever the source: no silence taken for success."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from tests.bar_samples import CALENDAR, a_bar, faults, missing, review
from tests.builders import SAMSUNG, seoul
from trading.bar_faults import Fault, fault_of
from trading.bar_reviews import NO_ROW, review_bars
from trading.instruments import Symbol


def test_no_answer_at_all_is_never_success() -> None:
    found = review_bars(
        SAMSUNG,
        (),
        CALENDAR,
        first=date(2025, 1, 1),
        last=date(2025, 1, 5),
        at=seoul(date(2025, 1, 6), "08:00"),
    )
    assert missing(found) == [("2025-01-02", NO_ROW), ("2025-01-03", NO_ROW)]


def test_a_day_whose_close_is_not_made_yet_is_not_missing() -> None:
    bar = a_bar("2025-01-02", (100, 101, 99, 100), 5)
    span = {"first": bar.trading_day, "last": date(2025, 1, 3)}
    day = date(2025, 1, 3)
    assert missing(review([bar], **span, at=seoul(day, "15:29"))) == []
    assert missing(review([bar], **span, at=seoul(day, "15:30"))) == [("2025-01-03", NO_ROW)]


def test_bars_of_holidays_and_other_symbols_are_refused() -> None:
    new_year = a_bar("2025-01-01", (100, 101, 99, 100), 5)
    stranger = a_bar("2025-01-03", (100, 101, 99, 100), 5, symbol=Symbol("000660"))
    misdated = a_bar("2025-01-06", (100, 101, 99, 100), 5, at=seoul(date(2025, 1, 6), "09:00"))
    good = a_bar("2025-01-02", (100, 101, 99, 100), 5)
    found = review([good, new_year, stranger, misdated])
    assert found.accepted == (good,)
    assert faults(found) == [Fault.OFF_SESSION, Fault.STRANGER, Fault.OFF_SESSION]


won = st.integers(-5, 2_000_000)


@given(
    prices=st.tuples(won, won, won, won),
    volume=st.integers(-5, 10**9),
    is_adjusted=st.booleans(),
)
def test_what_passes_can_be_traded_on(
    prices: tuple[int, int, int, int], volume: int, *, is_adjusted: bool
) -> None:
    bar = a_bar("2025-01-02", prices, volume, is_adjusted=is_adjusted)
    if fault_of(bar) is None:
        slack = max(1, bar.close // 500) if is_adjusted else 0
        assert bar.volume >= 0
        assert bar.close > 0
        assert bar.is_halted or min(prices) > 0
        assert bar.is_halted or bar.low - slack <= min(bar.open, bar.close)
        assert bar.is_halted or bar.high + slack >= max(bar.open, bar.close)
