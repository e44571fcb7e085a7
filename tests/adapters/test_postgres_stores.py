"""This is what only the database can show: what it refuses, who sees what, and what a death releases."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from importlib.resources import files
from threading import Event

import psycopg
import pytest
from sqlalchemy import inspect, text

from adapters.postgres import PostgresStores, engine
from adapters.postgres.engine import open_engine
from adapters.postgres.outbox import PostgresOutbox
from adapters.postgres.scope import Scope
from adapters.postgres.tables import metadata
from tests.builders import (
    A_DAY,
    ACCOUNT,
    LG_CHEM,
    a_fill,
    a_signal,
    an_accepted_order,
    an_order,
    seoul,
)
from trading.bars import Bar, Interval
from trading.decisions import Breach, RiskEvent
from trading.equity import EquityPoint
from trading.errors import StoreUnavailable
from trading.instruments import Instrument

AT = seoul(A_DAY, "09:00")

HOLD_LOCK = """
import sys, time
from adapters.postgres import PostgresStores
stores = PostgresStores(sys.argv[1], channel="dev", account="50012345-01")
with stores.lock("place-orders") as is_ours:
    print(is_ours, flush=True)
    time.sleep(60)
"""
HOLD_ACCOUNT = HOLD_LOCK.replace(
    'stores.lock("place-orders") as is_ours', "stores.begin() as work"
).replace("print(is_ours", "print(work.orders.open()")


def start_process(story: str, url: str) -> subprocess.Popen[str]:
    """Run Python in another process until it has said one line."""
    command = [sys.executable, "-c", story, url]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our words
    assert process.stdout
    assert process.stdout.readline().strip()
    return process


def test_tables_and_migrations_name_the_same_columns(postgres_url: str) -> None:
    pool = engine.open_engine(postgres_url)
    with pool.connect() as connection:
        database = inspect(connection)
        for table in metadata.sorted_tables:
            ours = {(c.name, bool(c.nullable)) for c in table.columns}
            theirs = {(c["name"], c["nullable"]) for c in database.get_columns(table.name)}
            assert ours == theirs, table.name
        known = set(metadata.tables) | {"alembic_version"}
        assert known == {name for name in database.get_table_names() if "bars_2" not in name}
    pool.dispose()


def test_other_accounts_and_channels_do_not_exist_for_each_other(
    stores: PostgresStores, postgres_url: str
) -> None:
    others = [
        PostgresStores(postgres_url, channel="dev", account="99999999-01"),
        PostgresStores(postgres_url, channel="live", account=ACCOUNT),
    ]
    with stores.begin() as work:
        work.orders.add(an_accepted_order())
        work.signals.add(a_signal())
        work.equity.put(EquityPoint(A_DAY, 1, 2))
        work.bars.upsert([a_bar()])
    for other in others:
        with other.begin() as work:
            assert work.orders.of_day(A_DAY) == ()
            assert work.orders.by_broker_id(A_DAY, "0000000101") is None
            assert work.signals.of_day(A_DAY) == ()
            assert work.equity.all() == ()
            assert work.outbox.pending() == ()
            assert work.ledger.load().holds == {}
    with others[1].begin() as work:
        assert work.bars.last(LG_CHEM, Interval.DAY, count=1, until=A_DAY) == ()
    for other in others:
        with other.lock("place-orders") as is_theirs, stores.lock("place-orders") as is_ours:
            assert is_theirs
            assert is_ours
        other.close()


def a_bar(day: date = A_DAY) -> Bar:
    return Bar(LG_CHEM, Interval.DAY, day, seoul(day, "00:00"), 1, 3, 1, 2, 100)


def test_a_killed_process_frees_its_lock(stores: PostgresStores, postgres_url: str) -> None:
    with start_process(HOLD_LOCK, postgres_url) as process:
        with stores.lock("place-orders") as is_ours:
            assert not is_ours
        process.kill()
    wait_for_lock(stores)


def test_a_lock_that_its_connection_lost_is_kept_unless_another_was_quicker(
    stores: PostgresStores, postgres_url: str
) -> None:
    with stores.lock("relay") as ours, stores.lock("relay") as theirs:
        end_holders(postgres_url)
        assert (ours.keep(), theirs.keep()) == (True, False)
        end_holders(postgres_url)
        assert (theirs.keep(), ours.keep()) == (True, False)
        assert (bool(theirs), bool(ours)) == (True, False)
    with stores.lock("relay") as next_one:
        assert next_one


def end_holders(url: str) -> None:
    """End the connections that hold a lock, as a restart of the database does to all."""
    end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    with psycopg.connect(url) as connection:
        connection.execute(end.encode())


def wait_for_lock(stores: PostgresStores) -> None:
    deadline = time.monotonic() + 5
    while True:
        with stores.lock("place-orders") as is_ours:
            if is_ours:
                return
        assert time.monotonic() < deadline, "the dead process still holds the lock"
        time.sleep(0.02)


def test_a_killed_process_frees_the_account(stores: PostgresStores, postgres_url: str) -> None:
    with start_process(HOLD_ACCOUNT, postgres_url) as process, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(add_order, stores)
        time.sleep(0.2)
        assert not waiting.done()
        process.kill()
        assert waiting.result(timeout=5)


def add_order(stores: PostgresStores) -> bool:
    with stores.begin() as work:
        return work.orders.add(an_order())


def test_a_read_in_one_unit_of_work_is_not_overwritten_by_another(stores: PostgresStores) -> None:
    """A fill that commits between the reading and the saving of an order would be lost."""
    order = an_accepted_order()
    with stores.begin() as work:
        work.orders.add(order)
    is_read = Event()

    def expire() -> None:
        with stores.begin() as work:
            (known,) = work.orders.of_day(A_DAY)
            is_read.set()
            time.sleep(0.2)
            work.orders.save(known.expire(at=AT))

    def fill() -> None:
        is_read.wait()
        with stores.begin() as work:
            known = work.orders.by_broker_id(A_DAY, "0000000101")
            assert known is not None
            work.orders.save(known.fill(3, 3 * 428_000, at=AT))

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(expire), pool.submit(fill)]:
            done.result()
    with stores.begin() as work:
        after = work.orders.get(order.client_order_id)
        assert after is not None
        assert after.filled_quantity == 3


def test_a_database_that_goes_away_is_one_sentence(postgres_url: str) -> None:
    stores = PostgresStores(postgres_url, channel="dev", account=ACCOUNT)
    with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:\d+/maemae_test.*administrator"):
        terminate_inside(stores, postgres_url)
    with stores.begin() as work:  # the next unit of work gets a new connection
        assert work.orders.open() == ()
    stores.close()


def terminate_inside(stores: PostgresStores, url: str) -> None:
    with stores.begin() as work:
        work.orders.add(an_order())
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        work.orders.open()


def test_connections_that_the_server_ended_are_replaced(
    stores: PostgresStores, postgres_url: str
) -> None:
    with stores.begin(), stores.begin():
        pass
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    for _ in range(2):
        with stores.begin() as first, stores.begin() as second:
            assert first.orders.open() == ()
            assert second.halts.in_force() == ()


def test_an_unreachable_database_is_one_sentence() -> None:
    stores = PostgresStores("postgresql://u:geheim@127.0.0.1:1/x", channel="dev", account="1")
    with pytest.raises(StoreUnavailable) as caught, stores.begin():
        pass
    assert str(caught.value).startswith("database 127.0.0.1:1/x: ")
    assert "geheim" not in str(caught.value)
    with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:1/x"), stores.lock("a"):
        pass


@pytest.fixture
def impatient(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresStores]:
    """Stores whose database waits a moment only."""
    options = engine.SESSION.replace("15s", "200ms").replace("30s", "200ms")
    monkeypatch.setitem(engine.CONNECT, "options", options)
    opened = PostgresStores(postgres_url, channel="dev", account=ACCOUNT)
    yield opened
    opened.close()


def test_waiting_for_the_account_ends_in_one_sentence(
    stores: PostgresStores, impatient: PostgresStores
) -> None:
    with stores.begin() as work:
        work.orders.open()
        with pytest.raises(StoreUnavailable, match=r"maemae_test: .*lock timeout"):
            add_order(impatient)


def fall_asleep(stores: PostgresStores) -> None:
    with stores.begin() as work:
        work.orders.add(an_order(client_order_id="asleep"))
        time.sleep(0.6)


def test_who_sleeps_inside_a_unit_of_work_cannot_commit_it(
    stores: PostgresStores, impatient: PostgresStores
) -> None:
    """A process that was paused wakes up into a world where others have gone on."""
    with pytest.raises(StoreUnavailable, match="idle-in-transaction"):
        fall_asleep(impatient)
    assert add_order(stores)
    with stores.begin() as work:
        assert work.orders.get("asleep") is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE orders SET filled_quantity = quantity + 1",
        "UPDATE orders SET status = 'SENT'",
        "UPDATE orders SET limit_price = NULL",
        "UPDATE orders SET symbol = '5930'",
        "UPDATE executions SET quantity = 0, value = 1",
        "UPDATE executions SET value = 0",
        "UPDATE executions SET client_order_id = 'nobody'",
        "UPDATE positions SET quantity = -1",
        "UPDATE ledger_entries SET execution_id = NULL",
        "DELETE FROM executions",
        "DELETE FROM orders",
    ],
)
def test_the_database_itself_refuses_what_cannot_be(
    stores: PostgresStores, postgres_url: str, statement: str
) -> None:
    order = an_accepted_order()
    fill = a_fill(order, quantity=3, price=428_000, at=AT)
    with stores.begin() as work:
        work.orders.add(order)
        work.executions.add(fill)
        work.ledger.post(fill)
    with psycopg.connect(postgres_url) as connection, pytest.raises(psycopg.IntegrityError):
        connection.execute(statement.encode())


def test_bars_lie_in_the_partition_of_their_month(
    stores: PostgresStores, postgres_url: str
) -> None:
    days = [date(2017, 12, 29), date(2018, 1, 2), date(2018, 2, 1)]
    with stores.begin() as work:
        work.bars.upsert([a_bar(day) for day in days])
    with psycopg.connect(postgres_url) as connection:
        rows = connection.execute(
            "SELECT tableoid::regclass::text, trading_day FROM market_bars ORDER BY 2"
        ).fetchall()
    assert rows == [
        ("market_bars_2017_12", days[0]),
        ("market_bars_2018_01", days[1]),
        ("market_bars_2018_01", days[2]),  # midnight in Seoul is still January in UTC
    ]


def test_two_writers_of_a_new_month_both_succeed(stores: PostgresStores) -> None:
    def write(day: date) -> int:
        with stores.begin() as work:
            return work.bars.upsert([a_bar(day)])

    days = [date(2019, month, 5 + n) for month in range(1, 7) for n in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(write, days)) == [1] * len(days)


def test_the_days_questions_are_answered(stores: PostgresStores) -> None:
    signal = a_signal()
    order = an_accepted_order(signal_id=signal.signal_id)
    fill = a_fill(order, quantity=3, price=428_000, at=AT)
    denied = an_order(client_order_id="denied").deny("WEIGHT", at=AT)
    breach = Breach("WEIGHT", "21 % of 20 %", {"weight": "0.21"})
    with stores.begin() as work:
        work.instruments.upsert([Instrument(LG_CHEM, "LG화학")])
        work.signals.add(signal)
        work.orders.add(order)
        work.orders.add(denied)
        work.executions.add(fill)
        work.orders.save(order.fill(3, fill.value, at=AT))
        work.risk_events.add([RiskEvent("denied", "trend", LG_CHEM, breach, AT, A_DAY)])
        work.equity.put(EquityPoint(A_DAY, 10_000_000, 10_100_000))
        work.equity.put(EquityPoint(A_DAY + timedelta(1), 10_100_000, 11_090_000, 1_000_000))
    orders = stores.ask("day_orders", trading_day=A_DAY)
    assert [(row["name"], row["status"]) for row in orders] == [
        ("LG화학", "PARTIALLY_FILLED"),
        ("LG화학", "DENIED"),
    ]
    assert orders[0]["average_price"] == 428_000
    assert orders[1]["average_price"] is None
    (execution,) = stores.ask("day_executions", trading_day=A_DAY)
    assert (execution["price"], execution["commission"]) == (428_000, fill.commission)
    (denial,) = stores.ask("denials", trading_day=A_DAY)
    assert (denial["quantity"], denial["figures"]) == (23, {"weight": "0.21"})
    (latency,) = stores.ask("latency", trading_day=A_DAY)
    assert (latency["until_sent"], latency["until_accepted"]) == (1_000, 200)
    assert latency["since_signal"] == 601_200  # 08:40:00 to 08:50:01.2
    first, second = stores.ask("equity_curve")
    assert (first["profit"], second["profit"]) == (100_000, -10_000)
    assert first["drawdown"] == 0
    assert round(second["drawdown"], 6) == round(Decimal(10_090_000) / 10_100_000 - 1, 6)
    (day,) = stores.ask("funnel", first=A_DAY, last=A_DAY + timedelta(3))
    assert {k: day[k] for k in ("signals", "orders", "denied", "filled")} == {
        "signals": 1,
        "orders": 2,
        "denied": 1,
        "filled": 1,
    }


def test_every_question_can_be_asked_of_an_empty_book(stores: PostgresStores) -> None:
    names = [file.name for file in files("sql").joinpath("queries").iterdir()]
    questions = [name.removesuffix(".sql") for name in names if name.endswith(".sql")]
    assert len(questions) >= 6
    for question in questions:
        span = {"trading_day": A_DAY, "first": A_DAY, "last": A_DAY}
        assert stores.ask(question, **span) == ()


def test_that_events_were_sent_waits_for_no_disk(postgres_url: str) -> None:
    """What a crash of the database forgets is sent again, and counts once."""
    opened = open_engine(postgres_url)
    with opened.begin() as connection:
        connection.execute(text("SET LOCAL synchronous_commit TO on"))
        PostgresOutbox(Scope(connection, "dev", ACCOUNT)).sent([])
        assert connection.scalar(text("SHOW synchronous_commit")) == "off"
    opened.dispose()
