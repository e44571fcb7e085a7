"""This is what every memory promises about prices and instruments; it runs on each of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from adapters.stores import Stores
from tests.builders import A_DAY, LG_CHEM, NAVER, SAMSUNG, seoul
from tests.store_samples import NEXT_DAY, a_bar, in_one
from trading.adjustments import Adjustment, Factor
from trading.bars import BarGap, Interval
from trading.indices import Index, IndexBar
from trading.instruments import Instrument, InstrumentKind, Market, Symbol


class TestBars:
    def test_a_bar_comes_back_as_it_was_written(self, memory: Stores) -> None:
        minute = a_bar(interval=Interval.MINUTE, at=seoul(A_DAY, "09:01"), value=None)
        assert in_one(memory, lambda work: work.bars.upsert([a_bar(), minute])) == 2
        with memory.begin() as work:
            assert work.bars.last(LG_CHEM, Interval.DAY, count=5, until=A_DAY) == (a_bar(),)
            assert work.bars.last(LG_CHEM, Interval.MINUTE, count=5, until=A_DAY) == (minute,)

    def test_equal_bars_again_change_nothing(self, memory: Stores) -> None:
        bars = [a_bar(), a_bar(NEXT_DAY)]
        assert in_one(memory, lambda work: work.bars.upsert(bars)) == 2
        assert in_one(memory, lambda work: work.bars.upsert(bars)) == 0
        assert in_one(memory, lambda work: work.bars.upsert([])) == 0

    def test_a_changed_bar_replaces_the_stored_one(self, memory: Stores) -> None:
        in_one(memory, lambda work: work.bars.upsert([a_bar()]))
        changed = a_bar(volume=260_000, value=None)
        assert in_one(memory, lambda work: work.bars.upsert([changed, a_bar(NEXT_DAY)])) == 2
        with memory.begin() as work:
            assert work.bars.last(LG_CHEM, Interval.DAY, count=1, until=A_DAY) == (changed,)

    def test_the_last_of_two_equal_keys_in_one_batch_counts(self, memory: Stores) -> None:
        assert in_one(memory, lambda work: work.bars.upsert([a_bar(), a_bar(close=1)])) == 1
        with memory.begin() as work:
            assert work.bars.last(LG_CHEM, Interval.DAY, count=9, until=A_DAY)[0].close == 1

    def test_a_final_bar_replaces_a_provisional_one_and_never_the_reverse(
        self, memory: Stores
    ) -> None:
        provisional = a_bar(volume=240_000, is_provisional=True)
        with memory.begin() as work:
            work.bars.upsert([provisional])
            assert work.bars.provisional_days(LG_CHEM, Interval.DAY) == (A_DAY,)
            assert work.bars.upsert([a_bar()]) == 1
            assert work.bars.provisional_days(LG_CHEM, Interval.DAY) == ()
            assert work.bars.upsert([provisional]) == 0
            assert work.bars.last(LG_CHEM, Interval.DAY, count=1, until=A_DAY) == (a_bar(),)

    def test_the_last_bars_come_oldest_first_and_not_beyond_the_day(self, memory: Stores) -> None:
        days = [A_DAY + timedelta(days=n) for n in range(-40, 40)]  # over five months' partitions
        in_one(memory, lambda work: work.bars.upsert([a_bar(day) for day in reversed(days)]))
        in_one(memory, lambda work: work.bars.upsert([a_bar(A_DAY, symbol=SAMSUNG)]))
        with memory.begin() as work:
            last = work.bars.last(LG_CHEM, Interval.DAY, count=50, until=A_DAY)
            between = work.bars.between(LG_CHEM, Interval.DAY, first=days[5], last=days[7])
        assert [bar.trading_day for bar in last] == days[:41]
        assert [bar.trading_day for bar in between] == days[5:8]

    def test_only_one_of_two_sources_is_given_for_a_bar(self, memory: Stores) -> None:
        other = a_bar(source="naver", close=424_500)
        rest = [a_bar(NEXT_DAY, is_provisional=True), a_bar(NEXT_DAY, source="naver")]
        in_one(memory, lambda work: work.bars.upsert([other, a_bar(), *rest]))
        with memory.begin() as work:
            last = work.bars.last(LG_CHEM, Interval.DAY, count=9, until=NEXT_DAY)
            between = work.bars.between(LG_CHEM, Interval.DAY, first=A_DAY, last=NEXT_DAY)
        assert last == between == (a_bar(), rest[1])

    def test_a_gap_stays_until_its_bar_comes(self, memory: Stores) -> None:
        gaps = [BarGap(LG_CHEM, NEXT_DAY, "no row"), BarGap(LG_CHEM, A_DAY, "time-out")]
        with memory.begin() as work:
            work.bars.put_gaps([*gaps, BarGap(SAMSUNG, A_DAY, "no row")])
            work.bars.put_gaps([replace(gaps[0], reason="no row again")])
        with memory.begin() as work:
            assert [gap.reason for gap in work.bars.gaps(LG_CHEM)] == ["time-out", "no row again"]
            work.bars.upsert([a_bar(interval=Interval.MINUTE)])
            assert len(work.bars.gaps()) == 3
            work.bars.upsert([a_bar()])
            assert [gap.trading_day for gap in work.bars.gaps()] == [A_DAY, NEXT_DAY]


class TestAdjustments:
    def test_raw_bars_replace_what_differs(self, memory: Stores) -> None:
        bars = [replace(a_bar(day), is_adjusted=False) for day in (A_DAY, NEXT_DAY)]
        assert in_one(memory, lambda work: work.adjustments.put_raw(bars)) == 2
        changed = replace(bars[1], volume=7, value=None)
        assert in_one(memory, lambda work: work.adjustments.put_raw([bars[0], changed])) == 1
        assert in_one(memory, lambda work: work.adjustments.put_raw([])) == 0
        with memory.begin() as work:
            told = work.adjustments.raw(LG_CHEM, first=A_DAY, last=NEXT_DAY)
            assert told == (bars[0], changed)
            assert work.adjustments.raw(LG_CHEM, first=NEXT_DAY, last=NEXT_DAY) == (changed,)
            assert work.adjustments.raw(SAMSUNG, first=A_DAY, last=NEXT_DAY) == ()

    def test_a_version_of_factors_stays_when_another_comes(self, memory: Stores) -> None:
        first, second = (
            [Factor(A_DAY, Fraction(1))],
            [
                Factor(A_DAY, Fraction(1, 50)),
                Factor(NEXT_DAY, Fraction(100, 129)),
            ],
        )
        at = seoul(A_DAY, "15:45")
        with memory.begin() as work:
            assert work.adjustments.get(LG_CHEM) is None
            assert work.adjustments.add(LG_CHEM, first, at=at).version == 1
            work.adjustments.add(SAMSUNG, first, at=at)
            work.adjustments.add(LG_CHEM, second, at=at)
        with memory.begin() as work:
            assert work.adjustments.get(LG_CHEM) == Adjustment(2, tuple(second))
            assert work.adjustments.get(LG_CHEM, 1) == Adjustment(1, tuple(first))
            assert work.adjustments.get(LG_CHEM, 3) is None


class TestIndices:
    def test_days_come_back_with_their_decimals_and_replace_what_differs(
        self, memory: Stores
    ) -> None:
        first, second = (an_index_day(day, "2497.52") for day in (A_DAY, NEXT_DAY))
        corrected = an_index_day(NEXT_DAY, "2497.50")
        assert in_one(memory, lambda work: work.indices.upsert([second, first])) == 2
        assert in_one(memory, lambda work: work.indices.upsert([first, corrected])) == 1
        assert in_one(memory, lambda work: work.indices.upsert([])) == 0
        with memory.begin() as work:
            assert work.indices.between(Index.KOSPI, first=A_DAY, last=NEXT_DAY) == (
                first,
                corrected,
            )
            (told,) = work.indices.between(Index.KOSPI, first=NEXT_DAY, last=date(2100, 1, 1))
        assert str(told.close) == "2497.50"


def an_index_day(day: date, close: str) -> IndexBar:
    """Give a day of KOSPI around a close."""
    level = Decimal(close)
    return IndexBar(Index.KOSPI, day, level - 3, level + 5, level - 7, level)


class TestInstruments:
    def test_a_new_name_or_market_replaces_the_old_one(self, memory: Stores) -> None:
        kia = Instrument(Symbol("000270"), "기아차", listed_on=date(1973, 7, 21))
        fund = Instrument(
            Symbol("0009K0"), "ETF", Market.KOSDAQ, InstrumentKind.ETF, is_halted=True
        )
        renamed = replace(
            kia,
            name="기아",
            is_administrative=True,
            is_liquidation=True,
            delisted_on=date(2026, 12, 1),
        )
        with memory.begin() as work:
            work.instruments.upsert([fund, kia])
            work.instruments.upsert([renamed])
        with memory.begin() as work:
            assert work.instruments.get(kia.symbol) == renamed
            assert work.instruments.all() == (renamed, fund)
            assert work.instruments.get(NAVER) is None
