"""This is what parity reads from the stores: halts, trades by hand, versions, days that can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any, Final

import pytest

from adapters.memory.stores import MemoryStores
from adapters.stores import AuditEntry
from backtest.attribution import Cause
from backtest.decisions import Why
from backtest.parity import ParityReport
from backtest.recordings import Happened
from tasks.channels import ChannelSettings
from tasks.parity import examine_parity, read_recording
from tests.builders import ACCOUNT, LG_CHEM, a_fill, a_signal, an_accepted_order, seoul
from tests.desks import a_channel
from tests.recordings import (
    CALENDAR,
    DAYS,
    FIRST,
    a_recording,
    account,
    bars_of,
    causes,
    store,
    trend,
)
from trading.adjustments import Factor
from trading.equity import EquityPoint
from trading.errors import BadInput
from trading.instruments import Symbol
from trading.manual_orders import MANUAL
from trading.orders import Side
from trading.signals import Direction

CLOSES: Final = [10_000, 10_000, 10_100, 10_200, 10_300, 10_200, 10_200, 10_200]
"""Bought on the 4th day, sold on the 7th."""
CHANNEL: Final[ChannelSettings] = a_channel(
    watch_list=[LG_CHEM],
    strategies=[trend(LG_CHEM).model_dump()],
    risk={"maximum_weight": "1"},
    sizing={"target_weight": "0.4", "limit_offset": "0.02"},
)
LAST: Final = DAYS[len(CLOSES) - 1]


def nothing_done(happened: Happened) -> Happened:
    """Let nobody have decided anything."""
    return replace(happened, signals=(), orders=(), executions=())


def stored(change: Any = lambda happened: happened) -> MemoryStores:
    """Give the stores of an account that did what its replay does, but for `change`."""
    stores = MemoryStores(channel="dev", account=ACCOUNT)
    recording = account(a_recording({LG_CHEM: bars_of(CLOSES)}), change)
    store(recording, stores, channel="dev", account=ACCOUNT)
    return stores


def examined(stores: MemoryStores) -> ParityReport:
    """Compare all of the days."""
    return examine_parity(stores, CHANNEL, CALENDAR, first=FIRST, last=LAST)


def test_what_lies_in_the_stores_is_equal_to_its_replay() -> None:
    report = examined(stored())
    assert report.is_equal
    assert len(report.decisions) == 2


PAUSE: Final = "prefect:generate-signals"


@pytest.mark.parametrize(
    ("halted", "resumed", "why"),
    [
        ({"reason": "paused"}, None, Why.HALTED),
        ({"reason": "paused", "strategy_id": "trend"}, None, Why.HALTED),
        ({"reason": "paused", "strategy_id": "swing"}, None, Why.NOT_MADE),
        ({"reason": "paused", "strategy_id": "trend"}, {"reason": "on"}, Why.NOT_MADE),
        ({"state": "HALTED", "reason": "enough"}, None, Why.HALTED),
        ({"state": "REDUCING", "reason": "enough"}, None, Why.NOT_MADE),
    ],
)
def test_a_pause_in_prefect_is_told_as_the_halt_that_it_was(
    halted: Mapping[str, str], resumed: Mapping[str, str] | None, why: Why
) -> None:
    stores = stored(nothing_done)
    with stores.begin() as work:
        work.audit.add(AuditEntry(PAUSE, "halt", halted), at=seoul(FIRST, "07:00"))
        if resumed:
            work.audit.add(AuditEntry(PAUSE, "resume", resumed), at=seoul(FIRST, "08:00"))
    (unequal,) = examined(stores).unequal
    assert unequal.why is why


UNWATCHED: Final = Symbol("000660")
"""A symbol whose bars nobody keeps."""


def traded_by_hand(stores: MemoryStores, side: Side, *, day: date, price: int) -> None:
    """Let the owner trade ten shares of it in HTS, for a commission of 15."""
    name = f"hand-{side}"
    order = an_accepted_order(
        client_order_id=name, strategy_id=MANUAL, symbol=UNWATCHED, side=side, trading_day=day
    )
    fill = a_fill(order, quantity=10, price=price, at=seoul(day, "10:00"))
    fill = replace(fill, execution_id=name, trading_day=day, commission=15, tax=0)
    with stores.begin() as work:
        work.orders.add(order)
        work.executions.add(fill)
        work.ledger.post(fill)


def test_the_fall_and_the_stop_before_the_first_day_are_read() -> None:
    stores, point = stored(), EquityPoint(DAYS[1], 10_000_000, 9_000_000)
    stopped = a_signal(
        direction=Direction.EXIT, trigger="stop", symbol=LG_CHEM, trading_day=DAYS[1]
    )
    with stores.begin() as work:
        work.equity.put(point)
        work.signals.add(stopped)
        found = read_recording(work, CHANNEL, CALENDAR, first=FIRST, last=LAST)
    (plan,) = found.plans
    assert (plan.curve, plan.stopped) == ((point,), {LG_CHEM: 2})


def test_a_weekend_ends_with_its_friday() -> None:
    stores, saturday = stored(), date(2018, 1, 6)
    report = examine_parity(stores, CHANNEL, CALENDAR, first=FIRST, last=saturday)
    assert (report.last, report.money.unexplained) == (FIRST, 0)


def test_what_was_bought_and_sold_by_hand_needs_no_bars() -> None:
    stores = stored()
    traded_by_hand(stores, Side.BUY, day=FIRST, price=70_000)
    traded_by_hand(stores, Side.SELL, day=LAST, price=71_000)
    report = examined(stores)
    assert report.is_equal
    assert causes(report) == {Cause.MANUAL: 10 * 1_000 - 30}


def test_what_is_held_without_a_price_is_named() -> None:
    stores = stored()
    traded_by_hand(stores, Side.BUY, day=FIRST, price=70_000)
    with pytest.raises(BadInput, match="bars of 000660"):
        examined(stores)


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (LAST, FIRST, "--from=.2018-01-11.: a day not after 2018-01-05"),
        (
            FIRST,
            CALENDAR.next_trading_day(LAST),
            "--to=.2018-01-12.: a day whose bars are stored, they end with 2018-01-11",
        ),
        (
            FIRST,
            date(2018, 12, 28),
            "--to=.2018-12-28.: a day whose bars are stored, they end with 2018-01-11",
        ),
        (
            date(2019, 1, 2),
            date(2019, 1, 31),
            "--to=.2019-01-31.: a day whose bars are stored, they end with 2018-01-11",
        ),
        (date(2018, 1, 6), date(2018, 1, 7), "at least one trading day"),
        (DAYS[0], DAYS[1], "since the account's book was opened"),
    ],
)
def test_days_that_cannot_be_compared_are_refused(first: date, last: date, words: str) -> None:
    stores = stored()
    with pytest.raises(BadInput, match=words):
        examine_parity(stores, CHANNEL, CALENDAR, first=first, last=last)


def split(stores: MemoryStores, closes: Sequence[int]) -> None:
    """Let every share become two on the day after those of `closes`, and everything be told on the new scale."""
    traded = bars_of(closes)
    halved = [
        replace(b, open=b.open // 2, high=b.high // 2, low=b.low // 2, close=b.close // 2)
        for b in traded
    ]
    day, half = DAYS[len(closes)], closes[-1] // 2
    new = replace(halved[-1], trading_day=day, at=seoul(day, "00:00"))
    new = replace(new, open=half, high=half, low=half, close=half)
    factors = (Factor(DAYS[0], Fraction(1, 2)), Factor(day, Fraction(1)))
    with stores.begin() as work:
        work.bars.upsert([*halved, new])
        work.adjustments.put_raw([*(replace(b, is_adjusted=False) for b in traded), new])
        work.adjustments.add(LG_CHEM, factors, at=seoul(day, "18:00"))


def test_a_split_since_then_changes_nothing_that_was() -> None:
    stores = stored()
    before = examined(stores)
    split(stores, CLOSES)
    assert examined(stores) == before


def test_a_split_within_the_days_is_no_other_decision_and_no_other_won() -> None:
    stores = stored()
    split(stores, CLOSES)
    report = examine_parity(stores, CHANNEL, CALENDAR, first=FIRST, last=DAYS[len(CLOSES)])
    assert (report.is_equal, len(report.decisions)) == (True, 2)
    assert report.money.parts == ()


def test_what_was_paid_before_a_split_is_compared_on_the_new_scale() -> None:
    """Bought at 10,100, a share of 5,150 now: no stop was reached."""
    rising = [*CLOSES[:5], 10_300, 10_300]
    stores = MemoryStores(channel="dev", account=ACCOUNT)
    recording = account(a_recording({LG_CHEM: bars_of(rising)}))
    store(recording, stores, channel="dev", account=ACCOUNT)
    split(stores, rising)
    day = DAYS[len(rising)]
    report = examine_parity(stores, CHANNEL, CALENDAR, first=day, last=day)
    assert (report.decisions, report.money.parts) == ((), ())
