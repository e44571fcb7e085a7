"""A backtest's page holds everything itself, says what is missing, and shows what the figures say."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.reports.tear_sheets import (
    METRICS,
    MOST_SYMBOLS,
    CostRow,
    TearSheet,
    keep_tear_sheet,
    render_tear_sheet,
    write_tear_sheet,
)
from adapters.wording import Wording
from adapters.wording.figures import MINUS
from backtest.results import metrics_of
from tests.builders import LG_CHEM, SAMSUNG, an_execution
from tests.price_bars import some_bars, weekdays
from trading.equity import EquityPoint, monthly_returns
from trading.indices import Benchmark
from trading.instruments import Symbol
from trading.orders import Side

KO, EN = Wording("ko"), Wording("en")
DAYS = weekdays(400)
VALUES = [100_000_000 + 50_000 * (i % 40) - 30_000 * (i % 7) for i in range(401)]
CURVE = [
    EquityPoint(day, before, after)
    for day, before, after in zip(DAYS, VALUES[:-1], VALUES[1:], strict=True)
]
FILLS = (
    an_execution(DAYS[3], Side.BUY, 400_000, quantity=10),
    an_execution(DAYS[200], Side.SELL, 410_000, quantity=10),
)


def a_sheet(**changes: Any) -> TearSheet:
    """Give a page about 400 days of one symbol."""
    invested = [4_000_000] * 400
    metrics = metrics_of(CURVE, invested, FILLS)
    fields: dict[str, Any] = {
        "title": "trend-20-60",
        "first": DAYS[0],
        "last": DAYS[-1],
        "facts": [("전략", "fast=20")],
        "metrics": {"final_equity": VALUES[-1]}
        | {name: getattr(metrics, name) for name, _ in METRICS},
        "equity": CURVE,
        "invested": invested,
        "executions": FILLS,
        "bars": {LG_CHEM: some_bars(LG_CHEM, 400)},
        "names": {LG_CHEM: "LG화학"},
        "suspicions": ["한 <번>의 거래가 이익을 만들었습니다."],
        "costs": [CostRow(Decimal(2), 99_000_000, Decimal("-0.01"), None, 12_345)],
    }
    return TearSheet(**fields | changes)


def index(*levels: int, first: int = -1) -> Benchmark:
    """Give an index with a level on each day from `first` on, the last one for the rest."""
    days = [DAYS[0] + timedelta(days=first + i) for i in range(len(levels))]
    return Benchmark("KOSPI", [(d, Decimal(n)) for d, n in zip(days, levels, strict=True)])


@pytest.mark.parametrize("wording", [KO, EN])
def test_the_page_loads_nothing_from_outside(wording: Wording) -> None:
    page = render_tear_sheet(a_sheet(benchmark=index(2_000, 2_100)), wording)
    without_names = page.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|//[a-z]|\bsrc=|@import|url\(|<script|<link", without_names)
    assert page.count("<svg") == 4  # equity wide and narrow, exposure, one symbol


@pytest.mark.parametrize("wording", [KO, EN])
def test_every_word_is_there_in_both_languages(wording: Wording) -> None:
    for sheet in (a_sheet(), a_sheet(benchmark=index(1)), a_sheet(suspicions=(), costs=())):
        assert not re.search(r"backtest\.|console\.|report\.", render_tear_sheet(sheet, wording))


def test_every_figure_of_the_metrics_is_on_the_page() -> None:
    page = render_tear_sheet(a_sheet(), KO)
    for name, _ in METRICS:
        assert page.count(KO.text(f"console.column.{name}")) >= 2, "the figure and its formula"
        assert KO.text(f"backtest.formula.{name}") in page.replace("&#39;", "'")


def test_what_a_sentence_says_is_escaped() -> None:
    assert "한 &lt;번&gt;의 거래가" in render_tear_sheet(a_sheet(), KO)


def test_a_missing_index_is_said() -> None:
    page = render_tear_sheet(a_sheet(), KO)
    assert "비교할 지수 자료가 없습니다" in page
    assert 'class="benchmark-line"' not in page


def test_an_index_that_begins_too_late_is_said_and_not_drawn() -> None:
    page = render_tear_sheet(a_sheet(benchmark=index(2_000, first=5)), KO)
    assert "기간 전체에 있지 않아" in page
    assert 'class="benchmark-line"' not in page


def test_the_index_is_held_against_the_account_over_the_same_days() -> None:
    # 2,000 the evening before, 2,500 on the first day, 2,200 ever after: +10 %, 12 % below its peak
    page = render_tear_sheet(a_sheet(benchmark=index(2_000, 2_500, 2_200)), KO)
    assert f"KOSPI: +10.00%, 최대 낙폭 {MINUS}12.00%" in page
    assert page.count('class="benchmark-line"') == 2


def test_a_trade_stands_on_its_day_at_its_price() -> None:
    page = render_tear_sheet(a_sheet(), KO)
    assert page.count('class="mark buy"') == page.count('class="mark sell"') == 1
    assert "매수 10 @ 400,000" in page


def test_a_result_without_a_day_is_a_page_too() -> None:
    metrics = dict.fromkeys([name for name, _ in METRICS]) | {"final_equity": 1_000}
    empty = a_sheet(equity=(), invested=(), executions=(), metrics=metrics)
    page = render_tear_sheet(empty, KO)
    assert "<svg" not in page
    assert "1,000" in page


def test_only_the_symbols_traded_most_get_a_chart() -> None:
    symbols = [Symbol(f"{n:06d}") for n in range(1, MOST_SYMBOLS + 3)]
    bars = a_sheet().bars[LG_CHEM]
    fills = [an_execution(DAYS[n], Side.BUY, 100 + n, symbol=s) for s in symbols for n in (1, 2)]
    rarest = an_execution(DAYS[1], Side.BUY, 100, symbol=SAMSUNG)
    sheet = a_sheet(executions=[*fills, rarest], bars=dict.fromkeys([*symbols, SAMSUNG], bars))
    assert render_tear_sheet(sheet, KO).count("<figure>") == MOST_SYMBOLS
    assert f">{SAMSUNG}<" not in render_tear_sheet(sheet, KO)


def test_months_compound_and_years_hold_them() -> None:
    returns = monthly_returns(CURVE)
    years = {year for year, month in returns if month == 0}
    for year in years:
        growth = Decimal(1)
        for (own, month), part in returns.items():
            growth *= 1 + part if own == year and month else 1
        assert abs(growth - 1 - returns[year, 0]) < Decimal("1e-20")
    assert set(returns) >= {(DAYS[0].year, DAYS[0].month), (DAYS[-1].year, DAYS[-1].month)}


def test_another_page_of_the_same_days_has_another_name(tmp_path: Path) -> None:
    one, other = (
        keep_tear_sheet(sheet, tmp_path, "trend", KO)
        for sheet in (a_sheet(), replace(a_sheet(), facts=[("trend", "fast=7")]))
    )
    assert one != other
    assert keep_tear_sheet(a_sheet(), tmp_path, "trend", KO) == one
    assert set(tmp_path.iterdir()) == {one, other}


def test_the_file_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "sheet.html"
    write_tear_sheet(a_sheet(), path, KO)
    assert path.read_text("utf-8").rstrip().endswith("</html>")
    assert list(path.parent.iterdir()) == [path]
