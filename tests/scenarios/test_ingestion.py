"""This is price history as days go by: provisional, final, missing, impossible, re-scaled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tasks.bars import Ingestion, ingest_daily_bars, require_complete, symbols_to_keep
from tests.builders import A_DAY, LG_CHEM, NAVER, SAMSUNG
from tests.desks import Floor, a_close, a_floor
from trading.bar_faults import Fault
from trading.bars import Bar, Interval
from trading.errors import Unavailable
from trading.instruments import Symbol

DAYS = (date(2018, 1, 10), date(2018, 1, 11), date(2018, 1, 12), date(2018, 1, 15))


def a_bar(symbol: Symbol, day: date, price: int) -> Bar:
    """Give a day that moved, unlike the one before it."""
    return replace(
        a_close(symbol, day, price), high=price + 500, low=price - 500, volume=100_000 + day.day
    )


def history(symbol: Symbol = LG_CHEM, days: Iterable[date] = DAYS) -> list[Bar]:
    return [a_bar(symbol, day, 400_000 + 1_000 * day.day) for day in days]


async def ingest(floor: Floor, *symbols: Symbol) -> tuple[Ingestion, ...]:
    return await ingest_daily_bars.fn(floor.desk, symbols or (LG_CHEM,))


def stored(floor: Floor, symbol: Symbol = LG_CHEM) -> tuple[Bar, ...]:
    with floor.stores.begin() as work:
        return work.bars.last(symbol, Interval.DAY, count=100, until=date(2018, 12, 31))


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    floor = a_floor(tmp_path)
    floor.market.load(history())
    return floor


async def test_history_is_stored_once(floor: Floor) -> None:
    (first,) = await ingest(floor)
    (second,) = await ingest(floor)
    assert [bar.trading_day for bar in stored(floor)] == list(DAYS)
    assert (first.gaps, first.refused, second.written) == (0, 0, 0)


def told(floor: Floor) -> list[str]:
    """Give the days of the bars that were told."""
    with floor.stores.begin() as work:
        events = [event for event in work.outbox.after(0) if event.topic == "market.bar"]
    return [event.payload["trading_day"] for event in events]


async def test_a_bar_is_told_when_it_is_new_and_when_it_was_corrected(floor: Floor) -> None:
    long_ago = a_bar(LG_CHEM, date(2017, 12, 28), 400_000)
    floor.market.load([long_ago])
    await ingest(floor)
    assert sorted(told(floor)) == [str(day) for day in DAYS]
    await ingest(floor)
    assert len(told(floor)) == len(DAYS)
    floor.market.load([replace(a_bar(LG_CHEM, DAYS[-1], 415_000), volume=7)])
    await ingest(floor)
    assert told(floor)[len(DAYS) :] == [str(DAYS[-1])]


async def test_what_is_held_is_kept_beside_the_watch_list(floor: Floor) -> None:
    """Shares from before maemae: without their prices neither opening equity nor report can be told."""
    floor.market.set_base(NAVER, 180_000)
    floor.broker.hand_over(NAVER, 10, 1_800_000)
    await floor.open()
    assert symbols_to_keep(floor.desk) == (*floor.desk.channel.symbols, NAVER)


async def test_a_symbol_that_the_broker_does_not_know_stops_no_other(floor: Floor) -> None:
    unknown, known = await ingest(floor, NAVER, LG_CHEM)
    assert (unknown.instrument.symbol, unknown.review) == (NAVER, None)
    assert known.written == len(stored(floor))
    with pytest.raises(Unavailable, match=NAVER):
        require_complete((unknown, known))


async def test_a_closing_bar_is_provisional_until_it_is_read_again(floor: Floor) -> None:
    await ingest(floor)
    closing = a_bar(LG_CHEM, A_DAY, 420_000)
    floor.at("15:45")
    floor.market.load([closing])
    await ingest(floor)
    assert stored(floor)[-1].is_provisional
    floor.at("08:10", date(2018, 1, 17))
    floor.market.load([replace(closing, volume=closing.volume + 777)])
    await ingest(floor)
    assert not stored(floor)[-1].is_provisional
    assert stored(floor)[-1].volume == closing.volume + 777


async def test_a_hole_is_named_and_closed_when_the_bar_comes(floor: Floor) -> None:
    """Incident 38: one failure must not become a permanent hole."""
    late = a_bar(SAMSUNG, DAYS[1], 50_500)
    floor.market.load(a_bar(SAMSUNG, day, 50_000 + 100 * day.day) for day in DAYS if day != DAYS[1])
    (report,) = await ingest(floor, SAMSUNG)
    assert report.gaps == 1
    with floor.stores.begin() as work:
        assert [gap.trading_day for gap in work.bars.gaps(SAMSUNG)] == [DAYS[1]]
    floor.market.load([late])
    (again,) = await ingest(floor, SAMSUNG)
    assert again.gaps == 0
    assert len(stored(floor, SAMSUNG)) == len(DAYS)


async def test_an_impossible_bar_is_refused_and_its_day_missing(floor: Floor) -> None:
    """Incident 41."""
    floor.market.load([replace(history()[2], high=1)])
    (report,) = await ingest(floor)
    assert report.review is not None
    assert [refused.fault for refused in report.review.refused] == [Fault.OUT_OF_RANGE]
    assert [gap.trading_day for gap in report.review.gaps] == [DAYS[2]]


async def test_a_rescaled_history_is_read_again_as_a_whole(floor: Floor) -> None:
    await ingest(floor)
    halves = [
        replace(
            b,
            open=b.open // 2,
            high=b.high // 2,
            low=b.low // 2,
            close=b.close // 2,
            volume=b.volume * 2,
        )
        for b in history()
    ]
    floor.market.load(halves)
    (report,) = await ingest(floor)
    assert report.review is not None
    assert report.review.is_readjusted
    assert [bar.close for bar in stored(floor)] == [bar.close for bar in halves]
    assert report.row(floor.desk.wording)["Reason"].startswith("history was re-scaled")


async def test_one_symbol_that_fails_fails_the_run_after_the_others_were_stored(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = floor.market.daily_bars

    async def unreliable(symbol: Symbol, *, first: date, last: date) -> tuple[Bar, ...]:
        if symbol == SAMSUNG:
            raise Unavailable("no answer")
        return await read(symbol, first=first, last=last)

    monkeypatch.setattr(floor.market, "daily_bars", unreliable)
    reports = await ingest(floor, SAMSUNG, LG_CHEM)
    assert len(stored(floor)) == len(DAYS)
    with pytest.raises(Unavailable, match="005930: no answer"):
        require_complete(reports)


async def test_todays_forming_bar_is_no_bar(floor: Floor) -> None:
    floor.at("11:00")
    floor.market.load([a_bar(LG_CHEM, A_DAY, 420_000)])
    (report,) = await ingest(floor)
    assert report.refused == 0
    assert stored(floor)[-1].trading_day == DAYS[-1]


def halved(bar: Bar) -> Bar:
    """Give a bar as it is shown after one share became two."""
    prices = {name: getattr(bar, name) // 2 for name in ("open", "high", "low", "close")}
    return replace(bar, volume=bar.volume * 2, **prices)


async def test_after_a_split_raw_prices_stay_and_factors_make_the_series_that_is_stored(
    floor: Floor,
) -> None:
    await ingest(floor)
    await ingest(floor)  # nothing new, no other version
    floor.market.load_raw(history())
    floor.market.load([*map(halved, history()), a_bar(LG_CHEM, A_DAY, 208_000)])
    floor.at("15:45")
    await ingest(floor)
    with floor.stores.begin() as work:
        raw = work.adjustments.raw(LG_CHEM, first=DAYS[0], last=A_DAY)
        before, after = (work.adjustments.get(LG_CHEM, version) for version in (1, 2))
        assert work.adjustments.get(LG_CHEM) == after
    assert before is not None
    assert after is not None
    assert [bar.close for bar in raw] == [*(bar.close for bar in history()), 208_000]
    assert [after.adjust(bar).close for bar in raw] == [bar.close for bar in stored(floor)]
    assert [(factor.since, str(factor.ratio)) for factor in after.factors] == [
        (DAYS[0], "1/2"),
        (A_DAY, "1"),
    ]
    # the series as it was before the split can still be made
    assert [before.adjust(bar).close for bar in raw[:-1]] == [bar.close for bar in history()]


async def test_without_raw_prices_the_adjusted_ones_are_stored_all_the_same(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(symbol: Symbol, *, first: date, last: date) -> tuple[Bar, ...]:
        raise Unavailable(f"{symbol}: no raw prices from {first} to {last}")

    monkeypatch.setattr(floor.market, "raw_daily_bars", refused)
    reports = await ingest(floor)
    require_complete(reports)
    assert len(stored(floor)) == len(DAYS)
    assert "no raw prices" in reports[0].row(floor.desk.wording)["Reason"]
