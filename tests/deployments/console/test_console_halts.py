"""This is the proof that the kill switch works from a terminal, whatever else is down."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.clock import SystemClock
from adapters.halt_files import HaltFile
from adapters.postgres import PostgresStores
from flows.desk import open_desk
from tasks.versions import approve
from tests.builders import A_DAY, ACCOUNT, SAMSUNG, an_intent, looks_good, seoul
from tests.consoles import NOWHERE, Answer, Console, run_process
from trading.halts import Halt, TradingState
from trading.ledger import CashFlow
from trading.orders import OrderStatus


def halts_on_disk(home: Path) -> list[tuple[str, TradingState, str, str]]:
    """Give source, state, strategy and reason of every halt in the file."""
    halts = HaltFile(home / "halt.json").read(at=SystemClock().now())
    return [(halt.source, halt.state, halt.strategy_id, halt.reason) for halt in halts]


@pytest.mark.parametrize(
    "variables",
    [
        {"MAEMAE_KIS__ENVIRONMENT": "moon"},
        {"MAEMAE_CHANNEL": "prod"},
        {"MAEMAE_DATABASE_URL": "sqlite:///x"},
    ],
    ids=["broken keys", "broken settings", "no database at all"],
)
def test_trading_stops_on_disk_when_nothing_else_works(
    console: Console, home: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    answer = console("halt", "--reason", "smoke", "--cancel-open")
    assert answer.code == 3
    assert halts_on_disk(home) == [("operator", TradingState.HALTED, "", "smoke")]
    assert "Database and message: " in answer.err
    assert "Canceling: " in answer.err
    assert "Everything: " in answer.out


def test_an_owner_who_cannot_be_obeyed_is_told_so(
    console: Console, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.write_text("a file where the folder should be")
    monkeypatch.setenv("MAEMAE_CHANNEL", "prod")
    answer = console("halt")
    assert answer.code == 1
    assert "NOT stopped" in answer.err


@pytest.mark.usefixtures("at_simulator", "database")
def test_halt_and_resume_leave_row_file_audit_and_messages(
    console: Console, home: Path, stores: PostgresStores
) -> None:
    stopped = console("halt", "--level", "reducing", "--reason", "too hot")
    assert stopped.code == 0, stopped
    assert halts_on_disk(home) == [("operator", TradingState.REDUCING, "", "too hot")]
    assert row_halts(stores) == [("operator", TradingState.REDUCING)]
    assert console("status", "--json").document["trading_state"] == "REDUCING"

    resumed = console("resume", "--reason", "cooled down")
    assert resumed.code == 0, resumed
    assert halts_on_disk(home) == []
    assert row_halts(stores) == []
    with stores.begin() as work:
        acts = [entry.action for _, entry in work.audit.last()]
    assert [act for act in acts if not act.startswith("config ")] == ["resume", "halt"]
    lines = (home / "inbox.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["text"] for line in lines][-2:] == ["too hot", "cooled down"]


@pytest.mark.usefixtures("at_simulator", "database")
def test_one_strategy_is_stopped_and_goes_on_alone(
    console: Console, home: Path, stores: PostgresStores
) -> None:
    assert console("halt", "--strategy", "trend-20-40").code == 0
    assert console("halt").code == 0
    answer = console("resume", "--reason", "why not", "--strategy", "trend-20-40")
    assert answer.code == 3  # everything is still stopped
    assert halts_on_disk(home) == [("operator", TradingState.HALTED, "", "operator")]
    assert len(row_halts(stores)) == 1


@pytest.mark.usefixtures("at_simulator", "database")
def test_resuming_names_what_still_stops(console: Console, stores: PostgresStores) -> None:
    paused = Halt("prefect:place-orders", TradingState.HALTED, "paused", seoul(A_DAY, "09:00"))
    with stores.begin() as work:
        work.halts.put(paused)
    answer = console("resume", "--reason", "why not")
    assert answer.code == 3
    assert "prefect:place-orders" in answer.out
    assert row_halts(stores) == [("prefect:place-orders", TradingState.HALTED)]


@pytest.mark.usefixtures("at_simulator")
def test_nothing_is_resumed_without_the_database(
    console: Console, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAEMAE_DATABASE_URL", NOWHERE)
    assert console("halt").code == 3
    answer = console("resume", "--reason", "why not")
    assert (answer.code, len(answer.err.splitlines())) == (2, 1)
    assert halts_on_disk(home) == [("operator", TradingState.HALTED, "", "operator")]


def test_open_orders_are_canceled_at_the_broker_while_the_database_is_down(
    at_simulator: dict[str, Any], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAEMAE_DATABASE_URL", NOWHERE)
    number = asyncio.run(_place_below_the_market(at_simulator))
    answer: Answer = run_process("halt", "--cancel-open")
    assert answer.code == 3
    assert f"1 canceled {number}" in answer.out
    assert "127.0.0.1:1/nowhere" in answer.err
    assert halts_on_disk(home) == [("operator", TradingState.HALTED, "", "operator")]
    assert asyncio.run(_status_of(number)) is OrderStatus.CANCELED


@pytest.mark.usefixtures("database")
def test_open_orders_are_canceled_while_the_channels_file_is_being_written(
    at_simulator: dict[str, Any], console: Console
) -> None:
    """The settings in force are in the database, and a file with a slip stops no kill switch."""
    asyncio.run(_start())
    number = asyncio.run(_place_below_the_market(at_simulator))
    file = Path(os.environ["MAEMAE_CHANNELS"]) / "dev.yaml"
    whole = file.read_text("utf-8")
    file.write_text("risk: [", "utf-8")
    answer = console("halt", "--cancel-open")
    file.write_text(whole, "utf-8")
    assert (answer.code, f"1 canceled {number}" in answer.out) == (0, True)
    assert asyncio.run(_status_of(number)) is OrderStatus.CANCELED


@pytest.mark.usefixtures("at_simulator", "database")
def test_one_symbol_is_stopped_and_goes_on_alone(
    console: Console, home: Path, stores: PostgresStores
) -> None:
    stopped = console("halt", "--symbol", "005930", "--reason", "a rumour")
    assert (stopped.code, "005930: " in stopped.out) == (0, True)
    (on_disk,) = HaltFile(home / "halt.json").read(at=SystemClock().now())
    with stores.begin() as work:
        assert work.halts.in_force() == (on_disk,)
    assert (on_disk.symbol, on_disk.concerns("any", "000660")) == ("005930", False)
    assert console("resume", "--reason", "none", "--symbol", "005930").code == 0
    assert halts_on_disk(home) == []
    assert row_halts(stores) == []


def test_a_symbol_that_is_none_stops_nothing(console: Console, home: Path) -> None:
    assert console("halt", "--symbol", "samsung").code == 2
    assert halts_on_disk(home) == []


@pytest.mark.usefixtures("at_simulator")
def test_status_shows_a_halt_once_and_where_it_stands(
    console: Console, database: str, stores: PostgresStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    console("halt", "--strategy", "trend-20-40")
    monkeypatch.setenv("MAEMAE_DATABASE_URL", NOWHERE)
    console("halt")
    monkeypatch.setenv("MAEMAE_DATABASE_URL", database)
    with stores.begin() as work:
        work.halts.put(Halt("trip:clock", TradingState.HALTED, "late", seoul(A_DAY, "09:00")))
    rows = console("status", "--json").document["halts"]
    assert [(row["source"], row["strategy_id"], row["place"]) for row in rows] == [
        ("operator", "trend-20-40", "both"),
        ("operator", "", "disk"),
        ("trip:clock", "", "database"),
    ]
    shown = console("status").out
    assert shown.count("trend-20-40") == 1


@pytest.mark.usefixtures("at_simulator", "database")
def test_a_resume_lifts_trips_and_a_touched_file_too(
    console: Console, home: Path, stores: PostgresStores
) -> None:
    trip = Halt("trip:rejects", TradingState.HALTED, "5 in a row", seoul(A_DAY, "09:00"))
    HaltFile(home / "halt.json").put(trip)
    with stores.begin() as work:
        work.halts.put(trip)
    (home / "halt.json").touch()
    answer = console("resume", "--reason", "the key was renewed")
    assert answer.code == 0, answer
    assert halts_on_disk(home) == []
    assert row_halts(stores) == []
    with stores.begin() as work:
        audit = work.audit.latest("resume", actor="trip:rejects")
    assert audit is not None
    assert audit[1].detail["reason"] == "the key was renewed"


@pytest.mark.usefixtures("at_simulator", "database")
def test_nothing_is_resumed_while_the_books_disagree_about_cash(
    console: Console, home: Path, stores: PostgresStores
) -> None:
    console("halt")
    assert console("resume", "--reason", "to open the book").code == 0
    console("halt")
    with stores.begin() as work:
        flow = CashFlow(A_DAY, 1)
        work.ledger.deposit(flow, reason="nobody knows", at=seoul(A_DAY, "08:00"))
    refused = console("resume", "--reason", "why not")
    assert refused.code == 2
    assert "Cash D+2: ours 100000001, broker 100000000" in refused.err
    assert len(halts_on_disk(home)) == 1
    assert console("resume", "--reason", "a dividend", "--accept-differences").code == 0
    assert halts_on_disk(home) == []


@pytest.fixture(params=["dev", "paper"])
def rehearsing(
    request: pytest.FixtureRequest, database: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PostgresStores]:
    """The stores of a channel on which stopping may be rehearsed; the simulator speaks paper too."""
    monkeypatch.setenv("MAEMAE_CHANNEL", request.param)
    if request.param == "paper":
        channels = Path(os.environ["MAEMAE_CHANNELS"])
        text = (channels / "dev.yaml").read_text("utf-8").replace("channel: dev", "channel: paper")
        (channels / "paper.yaml").write_text(text, "utf-8")
        monkeypatch.setenv("MAEMAE_KIS__ENVIRONMENT", "paper")
        monkeypatch.setenv("MAEMAE_KIS__CALLS_PER_SECOND", "100")
    with closing(PostgresStores(database, channel=request.param, account=ACCOUNT)) as stores:
        yield stores


def test_a_rehearsal_proves_every_level_and_is_recorded(
    console: Console,
    at_simulator: dict[str, Any],
    home: Path,
    rehearsing: PostgresStores,
) -> None:
    stores = rehearsing
    asyncio.run(_come_into_the_session(at_simulator))
    before = asyncio.run(_book(at_simulator))
    answer = console("halt", "--rehearse")
    assert answer.code == 0, answer
    assert [line[0] for line in answer.out.splitlines()[:5]] == ["✓"] * 5
    order, cancel = asyncio.run(_book(at_simulator))[len(before) :]
    assert (order["quantity"], order["is_canceled"], cancel["act"]) == (1, True, "CANCEL")
    assert halts_on_disk(home) == []
    assert row_halts(stores) == []
    with stores.begin() as work:
        found = work.audit.latest("halt.rehearsed")
        assert len(work.audit.of("halt.rehearsed")) == 1
        (booked,) = [o for o in work.orders.of_day(A_DAY) if o.intent.strategy_id == "rehearsal"]
    assert found is not None
    assert found[1].detail["is_passed"] is True
    levels = [trial["level"] for trial in found[1].detail["trials"]]
    assert levels == ["strategy", "symbol", "reducing", "halted"]
    assert all(trial["milliseconds"] < 1_000 for trial in found[1].detail["trials"])
    assert booked.status is OrderStatus.CANCELED
    shown = console("status", "--json").document["rehearsed_at"]
    assert shown.startswith(A_DAY.isoformat())


@pytest.mark.usefixtures("database")
def test_a_rehearsal_finds_a_switch_that_does_not_hold(
    console: Console, at_simulator: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last look is taken away: the rehearsal must see that nothing holds the order, and send none."""
    asyncio.run(_come_into_the_session(at_simulator))
    before = asyncio.run(_book(at_simulator))
    monkeypatch.setattr("tasks.rehearsals.last_look", lambda *_, **__: None)
    answer = console("halt", "--rehearse")
    assert answer.code == 1
    assert "FAILED" in answer.out
    made = asyncio.run(_book(at_simulator))[len(before) :]
    assert not [order for order in made if order["open_quantity"]]
    assert [order["act"] for order in made] == [
        "NEW",
        "CANCEL",
    ]  # the one that rested, and its cancel


def test_nothing_is_rehearsed_on_live_nor_while_something_stops(
    console: Console, database: str, at_simulator: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(_come_into_the_session(at_simulator))
    assert console("halt").code == 0
    stopped = console("halt", "--rehearse")
    assert (stopped.code, "resume" in stopped.err) == (2, True)
    channels = Path(os.environ["MAEMAE_CHANNELS"])
    text = (channels / "dev.yaml").read_text("utf-8").replace("channel: dev", "channel: live")
    (channels / "live.yaml").write_text(text, "utf-8")
    monkeypatch.setenv("MAEMAE_CHANNEL", "live")
    before = asyncio.run(_book(at_simulator))
    unapproved = console("halt", "--rehearse")
    assert (unapproved.code, "approve" in unapproved.err) == (2, True)
    opened = PostgresStores(database, channel="live", account=ACCOUNT)
    with closing(opened) as stores:
        approve(stores, 1, reason="yes", at=seoul(A_DAY, "15:30"), delay=timedelta())
    live = console("halt", "--rehearse")
    assert (live.code, "dev or paper" in live.err) == (2, True)
    assert asyncio.run(_book(at_simulator)) == before


async def _come_into_the_session(simulator: dict[str, Any]) -> None:
    async with httpx.AsyncClient(base_url=simulator["http"], timeout=60) as http:
        until = seoul(A_DAY, "09:30").isoformat()
        (await http.post("/sim/clock", json={"advance_to": until})).raise_for_status()


async def _book(simulator: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the orders in the simulator's own book."""
    async with httpx.AsyncClient(base_url=simulator["http"], timeout=60) as http:
        book = (await http.get("/sim/book")).raise_for_status().json()
    (account,) = book["accounts"]
    return list(account["orders"])


async def _start() -> None:
    """Put what the channel's file says in force."""
    async with open_desk():
        pass


async def _place_below_the_market(simulator: dict[str, Any]) -> str:
    """Bring the simulator into the session and leave a buy there that nobody sells to; give its number."""
    await _come_into_the_session(simulator)
    async with open_desk(needs_database=False) as desk:
        quote = await desk.market_data.quote(SAMSUNG)
        intent = an_intent(symbol=SAMSUNG, quantity=1, limit_price=quote.lower_limit)
        return (await desk.broker.place(intent, last_look=looks_good)).broker_order_id


async def _status_of(number: str) -> OrderStatus:
    async with open_desk(needs_database=False) as desk:
        rows = await desk.broker.orders_of_day(A_DAY)
    (row,) = [row for row in rows if row.broker_order_id == number]
    return row.status


@pytest.mark.usefixtures("home")
def test_help_and_the_halt_file_wait_for_nothing_heavy() -> None:
    heavy = "{'prefect', 'pandas', 'matplotlib', 'sqlalchemy', 'alembic', 'numpy', 'pydantic'}"
    code = (
        "import sys; from deployments.cli import main; main(['--help']);"
        f"import deployments.console.halts; print(sorted({heavy} & sys.modules.keys()))"
    )
    answer = run_process(code=code)
    assert answer.out.splitlines()[-1] == "[]"


def row_halts(stores: PostgresStores) -> list[tuple[str, TradingState]]:
    """Give source and state of every halt in the database."""
    with stores.begin() as work:
        return [(halt.source, halt.state) for halt in work.halts.in_force()]


def test_a_broken_installation_still_stops_trading(
    console: Console, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # None makes the import fail
    monkeypatch.setitem(sys.modules, "deployments.console.interventions", None)
    answer = console("halt")
    assert answer.code == 3
    assert halts_on_disk(home) == [("operator", TradingState.HALTED, "", "operator")]
    assert "ModuleNotFoundError" in answer.err
