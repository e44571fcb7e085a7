"""This is whole trading days: prefect.yaml's runs on their times against simulator and PostgreSQL, to the won."""

from __future__ import annotations

import asyncio
import csv
import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.flows import Flow, load_flow_from_entrypoint

from adapters.kis_sim.histories import BUNDLED
from deployments.entries import read_entries
from deployments.register import register
from deployments.timetables import Firing, firings_of
from flows.eod_report import eod_report
from tests.builders import LG_CHEM
from tests.flow_worlds import (
    STREAM_IS_UP,
    Market,
    World,
    a_market,
    carry_out,
    entered,
    wait_until,
)
from tests.sim_clients import minute_file
from trading.bars import Interval
from trading.executions import Execution, ExecutionSource
from trading.orders import OrderStatus
from trading.sessions import KST

TUESDAY, WEDNESDAY, THURSDAY = (date(2018, 1, day) for day in (16, 17, 18))
MONDAY = date(2018, 1, 22)
FIRST_READ = date(2017, 6, 30)

MINUTES = (
    ("2018-01-16 09:00", 438_000, 440_500, 438_000, 439_500, 60_000),
    ("2018-01-16 12:00", 431_000, 431_000, 429_000, 430_000, 70_000),
    ("2018-01-16 15:30", 431_500, 431_500, 431_500, 431_500, 14_682),
    ("2018-01-17 09:00", 430_500, 435_000, 430_500, 434_000, 80_000),
    ("2018-01-17 13:00", 425_000, 425_000, 420_500, 421_000, 80_000),
    ("2018-01-17 15:30", 420_500, 420_500, 420_500, 420_500, 18_216),
    ("2018-01-18 09:00", 420_500, 423_500, 420_500, 422_000, 60_000),
    ("2018-01-18 10:00", 416_500, 416_500, 416_000, 416_000, 40_000),
    ("2018-01-18 13:00", 416_000, 416_000, 415_500, 415_500, 40_000),
    ("2018-01-18 15:30", 417_000, 417_000, 417_000, 417_000, 21_817),
)
"""How 051910 came to its real bars of the three days: minutes made up, opens, highs, lows, closes, volumes not."""

TIMETABLE = [
    ("07:50", "refresh-token"),
    ("08:10", "ingest-bars"),
    ("08:40", "generate-signals"),
    ("08:45", "stream-fills"),
    ("08:50", "place-orders"),
    ("09:10", "reconcile-fills"),
    ("12:00", "reconcile-fills"),
    ("14:50", "generate-signals"),
    ("14:55", "place-orders"),
    ("15:35", "reconcile-fills"),
    ("15:45", "ingest-bars"),
    ("15:50", "eod-report"),
]


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Market]:
    """A simulator of the test's own, early on Tuesday, whose clock it moves."""
    with a_market("paper", "--data", str(played_data(tmp_path))) as market:
        yield market


@pytest.fixture
def world(market: Market, tmp_path: Path, postgres_url: str) -> Iterator[World]:
    """100,000,000 won, nothing held, nothing known."""
    with entered(market, "50012345-01", tmp_path / "home", postgres_url) as world:
        yield world


def played_data(folder: Path) -> Path:
    """Write the real bars as minutes: each day one, but 051910 on the days of the test."""
    with gzip.open(BUNDLED, "rt", encoding="utf-8", newline="") as file:
        bars = [_minute(bar) for bar in csv.DictReader(file) if _is_played(bar)]
    return minute_file(folder, [*bars, *((LG_CHEM, *minute) for minute in MINUTES)])


def _is_played(bar: Mapping[str, str]) -> bool:
    day = date.fromisoformat(bar["ts"])
    by_hand = bar["symbol"] == LG_CHEM and day >= TUESDAY
    return FIRST_READ <= day <= THURSDAY and not by_hand


def _minute(bar: Mapping[str, str]) -> tuple[str, str, int, int, int, int, int]:
    prices = (int(bar[name]) for name in ("open", "high", "low", "close", "volume"))
    first, high, low, last, volume = prices
    return bar["symbol"], f"{bar['ts']} 09:00", first, high, low, last, volume


class Ended(NamedTuple):
    """How the run of a deployment ended that was due at `clock`."""

    clock: str
    name: str
    state: str
    sentence: str


async def play(
    world: World, day: date, pauses: Mapping[str, Callable[[], object]] | None = None
) -> list[Ended]:
    """Play a day and give its runs in order; at each pause the clock stands until its condition holds."""
    pauses = pauses or {}
    ends: list[Ended] = []
    async with get_client() as client, asyncio.TaskGroup() as group:
        due = await timetable(client, day)
        for clock in sorted({*due, *pauses}):
            await world.market.to(clock, day)
            if clock in pauses:
                await wait_until(pauses[clock])
            for firing in due.get(clock, ()):
                is_up = world.says_once_more(STREAM_IS_UP)
                run = group.create_task(_fire(client, firing, clock, ends))
                await (wait_until(is_up) if firing.name == "stream-fills" else run)
    return sorted(ends)


async def timetable(client: PrefectClient, day: date) -> dict[str, list[Firing]]:
    """Register prefect.yaml and give what is due on a day by HH:MM."""
    await register(client, read_entries())
    due: dict[str, list[Firing]] = {}
    for firing in await firings_of(await client.read_deployments(), day):
        due.setdefault(f"{firing.at:%H:%M}", []).append(firing)
    return due


async def _fire(client: PrefectClient, firing: Firing, clock: str, ends: list[Ended]) -> None:
    """Make a run of the deployment and carry it out here, where a worker would start a process."""
    (entry,) = (entry for entry in read_entries() if entry.name == firing.name)
    flow: Flow[..., Any] = load_flow_from_entrypoint(entry.entrypoint, use_placeholder_flow=False)
    flow_run = await client.create_flow_run_from_deployment(
        firing.deployment_id, parameters=firing.parameters
    )
    state = await carry_out(flow, flow_run, **flow_run.parameters)
    ends.append(Ended(clock, firing.name, state.name or "", state.message or ""))


def all_well(ends: Iterable[Ended]) -> bool:
    """Tell whether every run of prefect.yaml came at its time and completed."""
    return [ended[:3] for ended in ends] == [(*due, "Completed") for due in TIMETABLE]


def sentence(ends: Iterable[Ended], clock: str) -> str:
    """Give what the run of HH:MM said of itself."""
    return next(ended.sentence for ended in ends if ended.clock == clock)


def filled(world: World, day: date, quantity: int) -> Callable[[], bool]:
    """Give the condition that so many shares of the day are booked."""
    return lambda: sum(fill.quantity for fill in world.executions(day)) == quantity


def figures(fills: Iterable[Execution]) -> list[tuple[str, int, int, int, int]]:
    """Give time, shares, value, commission and tax of each fill."""
    return [(_clock(fill), fill.quantity, fill.value, fill.commission, fill.tax) for fill in fills]


def _clock(fill: Execution) -> str:
    return f"{fill.executed_at.astimezone(KST):%H:%M:%S}"


def report_of(world: World, day: date) -> dict[str, Any]:
    """Read the report of a day."""
    page = world.home / "reports" / f"{day}.json"
    report: dict[str, Any] = json.loads(page.read_text(encoding="utf-8"))
    return report


async def assert_books_agree(world: World, today: date) -> None:
    """Compare fills, cash by settlement day and positions with the simulator's, to the won."""
    book = await world.market.book()
    with world.stores.begin() as work:
        fills, ledger = work.executions.all(), work.ledger.load()
    assert [_our_fill(fill) for fill in fills] == [_their_fill(fill) for fill in book["fills"]]
    cash = book["cash"]
    assert (ledger.cash, ledger.held_cash) == (cash["after_settlement"], cash["held"])
    assert ledger.settled_cash(today) == cash["deposit"]
    assert ledger.cash - cash["deposit"] == sum(due["amount"] for due in book["settlements"])
    assert [
        {
            "symbol": symbol,
            "quantity": ledger.position(symbol).quantity,
            "cost": ledger.position(symbol).cost,
        }
        for symbol in ledger.held_symbols
    ] == book["positions"]


def _our_fill(fill: Execution) -> tuple[Any, ...]:
    charges = (fill.commission, fill.tax)
    days = (f"{fill.trading_day}", f"{fill.settles_on}")
    return fill.broker_order_id, fill.symbol, fill.side, fill.quantity, fill.value, *charges, *days


def _their_fill(fill: Mapping[str, Any]) -> tuple[Any, ...]:
    charges = (fill["commission"], fill["tax"])
    what = (fill["number"], fill["symbol"], fill["side"], fill["quantity"])
    return (
        *what,
        fill["quantity"] * fill["price"],
        *charges,
        fill["trading_day"],
        fill["settles_on"],
    )


async def test_three_days_come_out_to_the_won(world: World) -> None:
    # Tuesday. The 20-day average of 051910 rose above the 60-day one at Monday's close of 437,000, on 212,044
    #   shares, more than the usual 182,584.
    #   15 % of 100,000,000 is 15,000,000; limit 437,000 + 1 % = 441,370, on the grid of 500: 441,000
    #   34 x 441,000 = 14,994,000 and 2,249 commission fit, 35 x 441,000 = 15,435,000 does not: 34 shares
    #   bought in the opening auction at 438,000: 34 x 438,000 = 14,892,000
    #   commission 0.015 % of it: 2,233.8, without the fraction 2,233
    #   cash 100,000,000 - 14,892,000 - 2,233 = 85,105,767; the account after the close of 431,500:
    #   85,105,767 + 34 x 431,500 = 85,105,767 + 14,671,000 = 99,776,767
    # Wednesday. Nothing crosses, 420,500 is above the stop: 85,105,767 + 34 x 420,500 = 99,402,767.
    #   The other strategy's 20-day average has crossed the 40-day one by the close.
    # Thursday. It wants 15 % of 99,402,767, 14,910,415, at up to 420,500 + 1 % = 424,705, on the grid 424,500:
    #   35 x 424,500 = 14,857,500; with 34 x 420,500 = 14,297,000 held that is 29,154,500 of an account that
    #   would be worth 99,402,767 - 35 x 4,000 - 2,228 = 99,260,539: 29.37 %, more than 20 %, denied
    #   stop at 438,000 - 5 % = 416,100: the first price at or below it is 416,000, at 10:00:15
    #   sold at the best bid, which is that price: 34 x 416,000 = 14,144,000, 22,000 a share lost: -748,000
    #   commission 2,121.6, without the fraction 2,121
    #   tax 0.15 % for the state and 0.15 % for the countryside, 21,216.0 each: 42,432
    #   cash 85,105,767 + 14,144,000 - 2,121 - 42,432 = 99,205,214
    #   Tuesday's buy has settled (T+2), this sale will on Monday: 14,144,000 - 2,121 - 42,432 = 14,099,447
    tuesday = await play(world, TUESDAY, {"09:00": filled(world, TUESDAY, 34)})
    assert all_well(tuesday)
    (bought,) = world.orders(TUESDAY)
    assert (bought.status, bought.intent.strategy_id) == (OrderStatus.FILLED, "trend-20-60")
    assert (bought.side, bought.quantity, bought.intent.limit_price) == ("BUY", 34, 441_000)
    assert figures(world.executions(TUESDAY)) == [("09:00:00", 34, 14_892_000, 2_233, 0)]
    assert report_of(world, TUESDAY)["closing_equity"] == 99_776_767
    await assert_books_agree(world, TUESDAY)

    assert all_well(await play(world, WEDNESDAY))
    assert world.orders(WEDNESDAY) == ()
    assert report_of(world, WEDNESDAY)["closing_equity"] == 99_402_767

    thursday = await play(world, THURSDAY, {"10:00:15": filled(world, THURSDAY, 34)})
    assert all_well(thursday)
    story = sentence(thursday, "08:45")
    assert "2 notices" in story
    assert "1 exits" in story
    assert sentence(thursday, "08:50").startswith("1 signals: 0 orders placed, 1 denied")
    denied, sold = world.orders(THURSDAY)
    assert (denied.status, denied.quantity, denied.intent.limit_price) == ("DENIED", 35, 424_500)
    assert denied.error_message == (
        "MAXIMUM_WEIGHT: 29,154,500 of 99,260,539 won is a weight of 0.2937, limit 0.2"
    )
    assert (sold.status, sold.side, sold.intent.limit_price) == ("FILLED", "SELL", None)
    assert figures(world.executions(THURSDAY)) == [("10:00:15", 34, 14_144_000, 2_121, 42_432)]
    await assert_books_agree(world, THURSDAY)

    with world.stores.begin() as work:
        ledger, curve = work.ledger.load(), work.equity.all()
        fills = work.executions.all()
        bars = work.bars.last(LG_CHEM, Interval.DAY, count=3, until=THURSDAY)
    position = ledger.position(LG_CHEM)
    assert [fill.source for fill in fills] == [ExecutionSource.NOTICE, ExecutionSource.NOTICE]
    assert (ledger.cash, ledger.settled_cash(THURSDAY)) == (99_205_214, 85_105_767)
    assert ledger.settled_cash(MONDAY) == 99_205_214
    assert (position.quantity, position.cost) == (0, 0)
    assert (position.realized, position.charges) == (-748_000, 2_233 + 2_121 + 42_432)
    assert [(point.opening, point.paid_in, point.closing) for point in curve] == [
        (0, 100_000_000, 99_776_767),
        (99_776_767, 0, 99_402_767),
        (99_402_767, 0, 99_205_214),
    ]
    assert [(bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in bars] == [
        (438_000, 440_500, 429_000, 431_500, 144_682),
        (430_500, 435_000, 420_500, 420_500, 178_216),
        (420_500, 423_500, 415_500, 417_000, 161_817),
    ]
    assert [bar.is_provisional for bar in bars] == [False, False, True]
    report = report_of(world, THURSDAY)
    assert (report["profit"], report["realized"]) == (-197_553, -748_000)
    assert (report["commission"], report["tax"]) == (2_121, 42_432)

    was = report_of(world, TUESDAY)
    again = await carry_out(eod_report, trading_day=TUESDAY)
    assert again.name == "Completed"
    assert report_of(world, TUESDAY) == was  # whatever has been sold and paid since


async def test_an_order_filled_in_parts_comes_out_to_the_won(world: World) -> None:
    """No fill takes more than 20 shares, and on Wednesday the computer is off."""
    # Tuesday. 20 of the 34 in the opening auction at 438,000: 8,760,000
    #   the other 14 from the next trade, 440,500, at their own limit of 441,000: 6,174,000
    #   commission of the order: 0.015 % of 14,934,000 is 2,240.1, so 2,240; of the first part 1,314.0, so the
    #   second adds 926; cash 100,000,000 - 14,934,000 - 2,240 = 85,063,760
    # Thursday. Average cost 14,934,000 / 34 = 439,235.29, stop 5 % below it at 417,273.5: reached by 416,500
    #   20 at the best bid, 416,500: 8,330,000; the other 14 at the next trade, 416,000: 5,824,000
    #   commission: 0.015 % of 14,154,000 is 2,123.1, so 2,123; of the first part 1,249.5, so 1,249, then 874
    #   tax: 0.15 % of 14,154,000 is 21,231.0, twice 42,462; of the first part 12,495.0, twice 24,990, then 17,472
    #   cash 85,063,760 + 14,154,000 - 2,123 - 42,462 = 99,173,175; 14,154,000 - 14,934,000 = -780,000
    await world.market.faults(partial_fills={"max_quantity": 20})

    first, all_of_it = filled(world, TUESDAY, 20), filled(world, TUESDAY, 34)
    tuesday = await play(world, TUESDAY, {"09:00": first, "09:00:15": all_of_it})
    assert all_well(tuesday)
    with world.stores.begin() as work:
        held = work.ledger.load()
    assert figures(world.executions(TUESDAY)) == [
        ("09:00:00", 20, 8_760_000, 1_314, 0),
        ("09:00:15", 14, 6_174_000, 926, 0),
    ]
    assert (held.cash, held.position(LG_CHEM).cost) == (85_063_760, 14_934_000)

    first, all_of_it = filled(world, THURSDAY, 20), filled(world, THURSDAY, 34)
    thursday = await play(world, THURSDAY, {"10:00": first, "10:00:15": all_of_it})
    assert all_well(thursday)
    with world.stores.begin() as work:
        ledger = work.ledger.load()
    bought, _denied, sold = (*world.orders(TUESDAY), *world.orders(THURSDAY))
    assert [order.status for order in (bought, sold)] == [OrderStatus.FILLED, OrderStatus.FILLED]
    assert figures(world.executions(THURSDAY)) == [
        ("10:00:00", 20, 8_330_000, 1_249, 24_990),
        ("10:00:15", 14, 5_824_000, 874, 17_472),
    ]
    assert ledger.cash == 99_173_175
    assert ledger.position(LG_CHEM).realized == -780_000
    assert sum("partly filled" in title for title in world.titles) == 2
    await assert_books_agree(world, THURSDAY)
