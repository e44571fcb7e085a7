"""A split over the simulator: the prices that were traded stay, the adjusted ones change, and factors tell how."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from adapters.kis_sim.histories import read_history
from tests.broker_worlds import KisWorld, a_kis_world
from tests.builders import A_DAY, SAMSUNG
from tests.kis_worlds import opened_on, success
from trading.adjustments import Adjustment, find_factors
from trading.bars import Bar

DAYS = [date(2018, 1, day) for day in (8, 9, 10, 11, 12, 15)]
FIRST = DAYS[0]


def a_split(folder: Path) -> Path:
    """Write prices as they were traded: 2,500,000 won until yesterday, fifty shares for one today."""
    closes = [2_500_000, 2_512_000, 2_488_000, 2_540_000, 2_537_000, 2_550_000]
    rows = [
        f"005930,{day},{close - 9_000},{close + 12_000},{close - 15_000},{close},2000,"
        for day, close in zip(DAYS, closes, strict=True)
    ]
    rows.append(f"005930,{A_DAY},51100,51700,50500,51400,150000,50")
    file = folder / "split.csv"
    head = "symbol,date,open,high,low,close,volume,split"
    file.write_text("\n".join([head, *rows]) + "\n", "utf-8")
    return file


async def both(world: KisWorld) -> tuple[tuple[Bar, ...], tuple[Bar, ...]]:
    """Read the raw and the adjusted bars of all days so far."""
    raw = await world.market_data.raw_daily_bars(SAMSUNG, first=FIRST, last=A_DAY)
    return raw, await world.market_data.daily_bars(SAMSUNG, first=FIRST, last=A_DAY)


async def test_raw_times_factor_is_the_adjusted_series_before_and_after_a_split(
    tmp_path: Path,
) -> None:
    async with a_kis_world(tmp_path, data=a_split(tmp_path)) as world:
        quote = await world.market_data.quote(SAMSUNG)
        await world.move_to("15:45")
        raw, adjusted = await both(world)
    assert quote.base_price == 51_000  # yesterday's 2,550,000 in fifty
    assert [bar.close for bar in raw[-2:]] == [2_550_000, 51_400]
    assert [bar.close for bar in adjusted[-2:]] == [51_000, 51_400]
    assert [
        (bar.is_adjusted, other.is_adjusted) for bar, other in zip(raw, adjusted, strict=True)
    ] == [(False, True)] * 7
    factors = find_factors(raw, adjusted)
    assert [(factor.since, factor.ratio) for factor in factors] == [
        (FIRST, Fraction(1, 50)),
        (A_DAY, Fraction(1)),
    ]
    made = Adjustment(1, factors)
    for bar, other in zip(raw, adjusted, strict=True):
        again = made.adjust(bar)
        assert (again.open, again.high, again.low, again.close) == (
            other.open, other.high, other.low, other.close,
        )  # fmt: skip


def test_before_a_split_nothing_is_adjusted(tmp_path: Path) -> None:
    history = read_history(a_split(tmp_path))
    bars = history.before(SAMSUNG, A_DAY)
    assert history.adjusted(SAMSUNG, bars, DAYS[-1]) == bars
    after = history.adjusted(SAMSUNG, bars, A_DAY)
    assert [bar.close for bar in after] == [bar.close // 50 for bar in bars]
    assert [bar.volume for bar in after] == [100_000] * 6


@pytest.mark.parametrize(("name", "flag"), [("daily_bars", "0"), ("raw_daily_bars", "1")])
async def test_kis_is_asked_for_the_series_by_its_flag(
    tmp_path: Path, name: str, flag: str
) -> None:
    chart = success(output1={"stck_prpr": "1", "hts_kor_isnm": "x"}, output2=[])
    async with opened_on("itemchartprice", chart, home=tmp_path) as (kis, server):
        assert await getattr(kis.market_data, name)(SAMSUNG, first=FIRST, last=A_DAY) == ()
        assert f"FID_ORG_ADJ_PRC={flag}" in server.requests[-1].path
