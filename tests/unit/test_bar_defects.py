"""This is every known fault of Korean price data, with the figures as published where a figure matters.

The numbers 1 to 18 are those of the list of defects that was kept while the data were gathered.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from adapters.memory.stores import MemoryStores
from tests.bar_samples import CALENDAR, a_bar, a_minute, faults, flat, missing, review
from tests.builders import SAMSUNG, seoul
from trading.bar_faults import Fault, fault_of, minute_ends, off_session_volume
from trading.bar_reviews import NO_ROW, Readjustment
from trading.bars import Interval
from trading.errors import InvalidBar, InvalidSymbol
from trading.instruments import Instrument, Market, Symbol
from trading.sessions import session_of


def test_defect_01_a_halted_day_of_zeros_is_a_bar_without_trading() -> None:
    halted = a_bar("2025-01-20", (0, 0, 0, 2110), 0)
    found = review([halted, a_bar("2025-01-21", (0, 0, 0, 2110), 0)])
    assert (found.refused, found.gaps) == ((), ())
    assert all(bar.is_halted for bar in found.accepted)


def test_defect_02_a_flat_halted_day_is_one_too_and_a_missing_row_is_named() -> None:
    before = a_bar("2025-10-29", (1_835_265, 1_848_511, 1_780_810, 1_797_000), 191_382)
    halted = a_bar("2025-10-30", flat(1_797_000), 0)
    after = a_bar("2025-11-03", flat(1_797_000), 0)
    found = review([before, halted, after])
    assert [bar.is_halted for bar in found.accepted] == [False, True, True]
    assert missing(found) == [("2025-10-31", NO_ROW)]
    assert found.jumps == ()


def test_defect_02_a_symbol_that_is_halted_now_misses_no_rows_at_the_end() -> None:
    """Days of a halt that count as failures drown the real ones."""
    bar = a_bar("2025-10-29", (100, 100, 100, 100), 5)
    halted = Instrument(SAMSUNG, "삼성전자", is_halted=True)
    assert missing(review([bar], last=date(2025, 11, 3), instrument=halted)) == []
    assert len(missing(review([bar], last=date(2025, 11, 3)))) == 3


@pytest.mark.parametrize(
    ("day", "close", "volume"),
    [("2020-01-28", 829, 401), ("2019-02-11", 3100, 28_633), ("2021-10-14", 3525, 59)],
)
def test_defect_03_zero_prices_with_volume_are_refused_and_leave_a_gap(
    day: str, close: int, volume: int
) -> None:
    found = review([a_bar(day, (0, 0, 0, close), volume)])
    assert (found.accepted, faults(found)) == ((), [Fault.NO_PRICE])
    assert missing(found) == [(day, "NO_PRICE")]


def test_defect_04_rounding_may_put_adjusted_prices_out_of_order_by_a_won_and_only_there() -> None:
    adjusted = a_bar("2021-03-19", (3750, 3880, 3721, 3881), 431_904)
    assert review([adjusted]).accepted == (adjusted,)
    assert faults(review([replace(adjusted, is_adjusted=False)])) == [Fault.OUT_OF_RANGE]
    below = a_bar("2021-03-19", (3720, 3880, 3721, 3800), 431_904)
    assert review([below]).accepted == (below,)
    assert faults(review([replace(below, is_adjusted=False)])) == [Fault.OUT_OF_RANGE]


def test_defect_04_a_reverse_split_multiplies_the_won_that_rounding_lost() -> None:
    scaled = a_bar("2019-03-25", (5501, 5559, 5383, 5563), 10_000)  # 4 won above its high
    assert fault_of(scaled) is None
    assert fault_of(replace(scaled, high=5501, close=5563)) is Fault.OUT_OF_RANGE


def test_defect_05_history_that_was_rescaled_since_is_noticed() -> None:
    stored = [
        a_bar("2025-06-12", (55_000, 55_000, 53_200, 54_000), 40_763),
        a_bar("2025-06-13", (54_300, 54_900, 51_600, 51_800), 62_089),
    ]
    read = [
        a_bar("2025-06-12", (11_000, 11_000, 10_640, 10_800), 203_815),
        a_bar("2025-06-13", (10_860, 10_980, 10_320, 10_360), 310_445),
    ]
    found = review(read, stored=stored)
    assert found.is_readjusted
    assert found.readjustment == Readjustment(
        date(2025, 6, 12), price=Decimal("0.2"), volume=Decimal(203_815) / 40_763
    )
    assert not review(read, stored=read).is_readjusted


def test_defect_05_a_won_of_rounding_or_a_provisional_bar_is_no_new_scale() -> None:
    read = a_bar("2025-06-12", (1_100, 1_110, 1_090, 1_101), 10)
    assert not review([read], stored=[replace(read, close=1_100)]).is_readjusted
    early = replace(read, close=1_050, is_provisional=True)
    assert not review([read], stored=[early]).is_readjusted


def test_defect_06_two_vendors_disagree_and_are_never_compared_or_mixed() -> None:
    """One calls the split-off of 2025 a factor of 1.000, the other 1.0447 (and earlier ones differ too)."""
    ours = a_bar("2025-06-12", (1_038_000, 1_042_000, 1_025_000, 1_029_000), 96_797)
    theirs = a_bar(
        "2025-06-12", (1_527_670, 1_533_557, 1_508_538, 1_514_425), 65_770, source="naver"
    )
    assert not review([theirs], stored=[ours]).is_readjusted
    assert faults(review([ours, theirs])) == [Fault.STRANGER]


def test_defect_07_a_scale_that_left_the_volumes_alone_is_told() -> None:
    """A rights issue: the vendor divided the prices before it by 1.29 and no volume."""
    stored = [a_bar("2021-01-21", (31_750, 33_300, 31_400, 33_050), 3_679_028)]
    read = [a_bar("2021-01-21", (24_618, 25_820, 24_347, 25_627), 3_679_028)]
    found = review(read, stored=stored).readjustment
    assert found is not None
    assert found.volume == 1
    assert round(1 / found.price, 2) == Decimal("1.29")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # A reverse merge after a long halt.
        (("2024-08-20", (0, 0, 0, 188), 0), ("2024-08-21", (1880, 2150, 1326, 1577), 3_677_952)),
        # A move from KONEX to KOSDAQ.
        (
            ("2021-01-29", (0, 0, 0, 379_700), 0),
            ("2021-02-01", (41_950, 41_950, 32_850, 32_850), 3),
        ),
    ],
)
def test_defect_08_a_jump_that_no_trading_explains_is_taken_and_told(
    before: tuple[Any, ...], after: tuple[Any, ...]
) -> None:
    found = review([a_bar(*before), a_bar(*after)])
    assert len(found.accepted) == 2
    assert [bar.trading_day.isoformat() for bar in found.jumps] == [after[0]]
    assert review([a_bar(*after)], stored=[a_bar(*before)]).jumps == found.jumps


def test_defect_09_prices_half_a_tick_off_the_grid_are_real() -> None:
    """The grid is 100 won here; orders at the mid-point exist since March 2025."""
    bars = [
        a_bar("2026-03-27", (172_100, 181_700, 172_000, 179_700), 29_138_966, is_adjusted=False),
        a_bar("2026-03-30", (171_000, 176_650, 170_600, 176_300), 22_269_147, is_adjusted=False),
    ]
    assert review(bars).accepted == tuple(bars)


def test_defect_10_a_bar_read_on_its_own_day_is_provisional_until_it_is_read_again() -> None:
    day = date(2026, 3, 9)
    early = a_bar("2026-03-09", (173_500, 175_500, 167_300, 173_500), 42_999_541)
    late = replace(early, volume=43_066_020)
    (provisional,) = review([early], at=seoul(day, "15:40")).accepted
    assert provisional == replace(early, is_provisional=True)
    (evening,) = review([early], at=seoul(day, "20:00")).accepted
    assert evening.is_provisional, "at 17:30 more than a thousand volumes were still growing"
    (final,) = review([late], at=seoul(date(2026, 3, 10), "08:00")).accepted
    assert final == late
    stores = MemoryStores(channel="dev", account="1")
    with stores.begin() as work:
        work.bars.upsert([provisional])
        assert work.bars.provisional_days(SAMSUNG, Interval.DAY) == (day,)
        work.bars.upsert([final])
        assert work.bars.last(SAMSUNG, Interval.DAY, count=1, until=day) == (late,)
        assert work.bars.provisional_days(SAMSUNG, Interval.DAY) == ()


def test_defect_11_before_the_opening_there_is_no_bar_of_the_day() -> None:
    day = date(2026, 3, 10)
    no_close = a_bar("2026-03-10", (0, 0, 0, 0), 0)
    assert faults(review([no_close], at=seoul(day, "09:11"))) == [Fault.UNFINISHED]
    assert faults(review([no_close])) == [Fault.NO_PRICE]


def test_defect_11_yesterday_repeated_under_todays_date_is_refused() -> None:
    friday = a_bar("2026-03-06", (186_100, 189_700, 181_000, 188_200), 29_522_650)
    repeated = a_bar("2026-03-09", (186_100, 189_700, 181_000, 188_200), 29_522_650)
    assert faults(review([friday, repeated])) == [Fault.REPEATED]
    assert faults(review([repeated], stored=[friday])) == [Fault.REPEATED]
    assert missing(review([repeated], stored=[friday])) == [("2026-03-09", "REPEATED")]
    at_night = seoul(date(2026, 3, 9), "01:22")
    assert faults(review([repeated], at=at_night)) == [Fault.UNFINISHED]


def test_defect_11_a_quiet_symbol_may_trade_one_share_at_one_price_twice() -> None:
    quiet = [a_bar(day, flat(32_850), 1) for day in ("2021-02-02", "2021-02-03")]
    assert len(review(quiet).accepted) == 2


@pytest.mark.parametrize("day", ["2021-01-22", "2025-09-19"])
def test_defect_12_a_session_that_a_source_leaves_out_is_a_gap(day: str) -> None:
    missed = date.fromisoformat(day)
    around = (CALENDAR.previous_trading_day(missed), CALENDAR.next_trading_day(missed))
    bars = [a_bar(each.isoformat(), (100, 101 + n, 99, 100), 5) for n, each in enumerate(around)]
    assert missing(review(bars)) == [(day, NO_ROW)]
    assert missing(review(bars, stored=[a_bar(day, (100, 102, 99, 100), 5)])) == []


def test_defect_12_a_row_sent_twice_counts_once_and_two_that_differ_count_not_at_all() -> None:
    bar = a_bar("2009-09-15", (785_000, 790_000, 781_000, 788_000), 300_000)
    assert review([bar, bar]).accepted == (bar,)
    found = review([bar, replace(bar, close=789_000)])
    assert (found.accepted, faults(found)) == ((), [Fault.CONFLICTING] * 2)
    assert missing(found) == [("2009-09-15", "CONFLICTING")]


@pytest.mark.parametrize("code", ["0126Z0", "0041B0", "0009K0", "00088K", "33637L"])
def test_defect_13_codes_have_letters(code: str) -> None:
    bar = a_bar("2022-01-03", (16_000, 16_250, 16_000, 16_200), 48_464, symbol=Symbol(code))
    assert review([bar]).accepted == (bar,)


@pytest.mark.parametrize("code", ["5930", "0126z0", "A005930", "00593O ", "", 593_000])
def test_defect_13_what_is_no_code_is_refused(code: Any) -> None:
    with pytest.raises(InvalidSymbol, match="symbol"):
        Symbol(code)


def test_defect_14_a_new_name_or_market_continues_the_same_series() -> None:
    bars = [
        a_bar("2022-01-03", (100, 101, 99, 100), 5),
        a_bar("2022-01-04", (100, 102, 99, 100), 5),
    ]
    old = Instrument(SAMSUNG, "기아차", Market.KONEX)
    assert review(bars, instrument=old) == review(bars, instrument=replace(old, name="기아"))
    moved = review(bars, instrument=replace(old, market=Market.KOSDAQ))
    assert (moved.gaps, moved.refused, moved.jumps) == ((), (), ())


def test_defect_15_liquidation_trading_and_the_listing_day_have_no_limits() -> None:
    bars = [
        a_bar("2025-02-11", (0, 0, 0, 2110), 0, is_adjusted=False),
        a_bar("2025-02-12", flat(86), 1_000_000, is_adjusted=False),
    ]
    assert len(review(bars).jumps) == 1
    leaving = Instrument(SAMSUNG, "국보", is_liquidation=True)
    assert review(bars, instrument=leaving).jumps == ()
    listed = Instrument(SAMSUNG, "국보", listed_on=date(2025, 2, 12))
    assert review(bars, instrument=listed).jumps == ()


def test_defect_15_a_split_in_a_raw_series_is_told_for_its_base_is_not_the_close_before() -> None:
    raw = [
        a_bar("2022-01-14", (41_250, 43_150, 40_550, 41_700), 153_311, is_adjusted=False),
        a_bar("2022-01-17", (21_000, 22_100, 19_250, 20_750), 218_560, is_adjusted=False),
        a_bar("2022-01-18", (20_850, 20_900, 19_850, 20_600), 130_364, is_adjusted=False),
    ]
    found = review(raw, instrument=Instrument(SAMSUNG, "엠로", Market.KOSDAQ))
    assert [bar.trading_day for bar in found.jumps] == [date(2022, 1, 17)]
    assert len(found.accepted) == 3


def test_defect_15_nothing_is_missing_before_the_listing() -> None:
    bar = a_bar("2023-01-19", (13_975, 16_450, 13_100, 14_050), 10_753_100)
    listed = Instrument(SAMSUNG, "새내기", listed_on=date(2023, 1, 19))
    assert missing(review([bar], first=date(2023, 1, 2), instrument=listed)) == []
    assert len(missing(review([bar], first=date(2023, 1, 2)))) == 13


def test_defect_16_minute_bars_carry_their_end_and_stop_for_the_closing_auction() -> None:
    day = date(2018, 2, 13)
    good = [
        a_minute(day, "09:01", (2_370_000, 2_380_000, 2_370_000, 2_379_000), 900),
        a_minute(day, "15:20", (2_377_000, 2_377_000, 2_374_000, 2_376_000), 476),
        a_minute(day, "15:30", flat(2_377_000), 17_795),
    ]
    bad = [a_minute(day, clock, flat(2_377_000), 5) for clock in ("09:00", "15:21", "15:29")]
    found = review([*bad, *good])
    assert found.accepted == tuple(good)
    assert faults(found) == [Fault.OFF_SESSION] * 3
    assert found.gaps == (), "a minute without a trade has no bar"
    assert len(minute_ends(session_of(day))) == 6 * 60 + 20 + 1
    exam_day = session_of(date(2018, 11, 15))  # everything an hour later
    assert seoul(date(2018, 11, 15), "09:30") not in minute_ends(exam_day)
    assert seoul(date(2018, 11, 15), "16:30") in minute_ends(exam_day)


def test_defect_16_the_day_has_more_volume_than_its_minutes_and_never_less() -> None:
    day = a_bar("2018-02-13", (2_370_000, 2_380_000, 2_370_000, 2_377_000), 19_400)
    minutes = [a_minute(day.trading_day, "09:01", flat(2_377_000), n) for n in (900, 17_795)]
    assert off_session_volume(day, minutes) == 705
    with pytest.raises(InvalidBar, match="18695"):
        off_session_volume(replace(day, volume=18_694), minutes)


def test_defect_17_a_fall_to_the_limit_is_real() -> None:
    """The index lost 7, then 12 %, then won 10 %: nothing of that is a fault."""
    bars = [
        a_bar("2026-03-03", (209_500, 212_500, 195_100, 195_100), 54_879_010, is_adjusted=False),
        a_bar("2026-03-04", (184_200, 195_900, 171_900, 172_200), 89_427_954, is_adjusted=False),
        a_bar("2026-03-05", (195_000, 199_700, 188_100, 191_600), 53_959_129, is_adjusted=False),
    ]
    found = review(bars)
    assert (found.accepted, found.jumps, found.refused) == (tuple(bars), (), ())
    at_the_limit = replace(bars[1], low=136_600, close=136_600)
    assert review([bars[0], at_the_limit]).jumps == ()
    below_it = replace(at_the_limit, low=136_300, close=136_300)
    assert review([bars[0], below_it]).jumps == (below_it,)


def test_defect_18_a_series_that_ends_early_is_told() -> None:
    """Histories of delisted symbols simply stop; only the days without a row show it."""
    bar = a_bar("2022-01-03", (100, 101, 99, 100), 5)
    found = review([bar], last=date(2022, 1, 6))
    assert missing(found) == [(f"2022-01-0{day}", NO_ROW) for day in (4, 5, 6)]
