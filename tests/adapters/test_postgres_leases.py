"""This is what only real processes can show of the lease: killed, stopped and woken, many at once, cut off."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from adapters.events import order_new
from adapters.postgres import PostgresStores, embedded, engine
from adapters.postgres.engine import open_engine
from adapters.postgres.leases import Place, PostgresLease, hold_lease
from adapters.postgres.locks import Sessions
from adapters.postgres.migrations import migrate
from adapters.postgres.scope import Scope
from adapters.stores import UnitOfWork
from tasks.projecting import take_in
from tests.builders import ACCOUNT, an_order
from tests.database_servers import FOR_SPEED
from tests.lease_holders import Holder, holders
from tests.store_samples import a_risk_event
from trading.errors import LeaseLost, StoreUnavailable

SECONDS = 1.0
"""How long a holder may be silent here."""


@pytest.fixture
def impatient(postgres_url: str) -> Iterator[PostgresStores]:
    """Stores that take a lease over after a moment."""
    opened = PostgresStores(postgres_url, channel="dev", account=ACCOUNT, lease_seconds=SECONDS)
    yield opened
    opened.close()


@contextmanager
def taken_soon(stores: PostgresStores) -> Iterator[PostgresLease]:
    """Try until the lease can be had."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        with stores.lease("orders") as lease:
            if lease:
                yield lease
                return
        time.sleep(0.02)
    raise AssertionError("nobody gets the lease")


def is_written(stores: PostgresStores, client_order_id: str) -> bool:
    with stores.begin() as work:
        return work.orders.get(client_order_id) is not None


def add_order(lease: PostgresLease, client_order_id: str) -> None:
    with lease.begin() as work:
        work.orders.add(an_order(client_order_id=client_order_id))


def test_a_killed_holder_frees_the_lease_and_leaves_a_recovery(
    stores: PostgresStores, postgres_url: str
) -> None:
    with holders(postgres_url) as (holder,):
        assert holder.ask("take") == "1 False"
        assert holder.ask("write before") == "written"
        with stores.lease("orders") as lease:
            assert lease is None
        holder.kill()
        with taken_soon(stores) as lease:
            assert (lease.token, lease.needs_recovery) == (2, True)
            assert is_written(stores, "before")


def test_a_holder_killed_inside_a_unit_of_work_wrote_nothing(
    stores: PostgresStores, postgres_url: str
) -> None:
    with holders(postgres_url) as (holder,):
        holder.ask("take")
        assert holder.ask("open half") == "inside"
        holder.kill()
        with taken_soon(stores) as lease:
            assert lease.needs_recovery
            assert not is_written(stores, "half")


def test_a_stopped_holder_is_taken_over_and_wakes_up_to_nothing(
    impatient: PostgresStores, postgres_url: str
) -> None:
    """Incident 47: a lock whose holder hung kept every order back for three days."""
    with holders(postgres_url, seconds=SECONDS) as (holder,):
        assert holder.ask("take") == "1 False"
        assert holder.ask("write before") == "written"
        holder.stop()
        with impatient.lease("orders") as lease:
            assert lease is None
        time.sleep(SECONDS * 1.2)
        with impatient.lease("orders") as lease:
            assert lease
            assert (lease.token, lease.needs_recovery) == (2, True)
            holder.wake()
            assert [holder.ask("check") for _ in range(2)] == ["LeaseLost"] * 2
            assert holder.ask("write after") == "LeaseLost"
            assert holder.ask("return") == "returned"
            lease.check()
            add_order(lease, "ours")
        assert is_written(impatient, "before")
        assert is_written(impatient, "ours")
        assert not is_written(impatient, "after")


def test_a_holder_stopped_inside_a_unit_of_work_cannot_commit_it(
    impatient: PostgresStores, postgres_url: str
) -> None:
    with holders(postgres_url, seconds=SECONDS) as (holder,):
        holder.ask("take")
        assert holder.ask("open half") == "inside"
        holder.stop()
        with taken_soon(impatient) as lease:
            holder.wake()
            assert holder.ask("on") == "LeaseLost"
            assert holder.ask("check") == "LeaseLost"
            add_order(lease, "ours")
        assert not is_written(impatient, "half")


def test_a_holder_that_shows_life_keeps_it(impatient: PostgresStores, postgres_url: str) -> None:
    with holders(postgres_url, seconds=SECONDS) as (holder,):
        holder.ask("take")
        for number in range(12):
            words = ("check", "held") if number % 2 else (f"write {number}", "written")
            assert holder.ask(words[0]) == words[1]
            time.sleep(SECONDS / 4)
            with impatient.lease("orders") as lease:
                assert lease is None


def test_of_five_processes_at_once_exactly_one_holds(postgres_url: str) -> None:
    tokens = []
    with holders(postgres_url, count=5) as five:
        for _ in range(20):
            for each in five:
                each.tell("take")
            answers = {each: each.hear() for each in five}
            (winner,) = (each for each, answer in answers.items() if answer != "nothing")
            tokens.append(int(answers[winner].removesuffix(" False")))
            assert winner.ask("check") == "held"
            winner.tell("return")
            assert [each.hear() for each in five] == ["returned"] * 5
    assert tokens == list(range(1, 21))


def test_of_five_processes_that_take_over_exactly_one_holds(postgres_url: str) -> None:
    with holders(postgres_url, count=6, seconds=SECONDS) as (silent, *five):
        assert silent.ask("take") == "1 False"
        time.sleep(SECONDS * 1.2)
        for each in five:
            each.tell("take")
        answers = [each.hear() for each in five]
        assert sorted(answers) == ["2 True", *["nothing"] * 4]
        assert silent.ask("check") == "LeaseLost"
        winner: Holder = five[answers.index("2 True")]
        assert winner.ask("check") == "held"


def test_a_cut_connection_loses_the_lease_though_nobody_takes_it(
    stores: PostgresStores, postgres_url: str
) -> None:
    with stores.lease("orders") as lease:
        assert lease
        cut(postgres_url)
        with pytest.raises(LeaseLost, match="token 1"):
            lease.check()
        with pytest.raises(LeaseLost, match="token 1"):
            add_order(lease, "after")
    with stores.lease("orders") as lease:
        assert lease
        assert (lease.token, lease.needs_recovery) == (2, True)
        assert not is_written(stores, "after")


def backend_of(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT backend_pid FROM leases").fetchone()
    assert row
    return int(row[0])


def cut(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("SELECT pg_terminate_backend(backend_pid, 5000) FROM leases")


def test_a_taking_waits_for_the_unit_of_work_before_it(
    stores: PostgresStores, postgres_url: str
) -> None:
    """What a holder has begun to commit belongs to the time before the next token."""
    with holders(postgres_url, count=2) as (first, second):
        first.ask("take")
        assert first.ask("open half") == "inside"
        cut(postgres_url)
        second.tell("take")
        assert second.is_silent(seconds=0.5)
        assert first.ask("on") == "written"
        assert second.hear() == "2 True"
        assert first.ask("write after") == "LeaseLost"
    assert is_written(stores, "half")
    assert not is_written(stores, "after")


def test_who_is_overtaken_between_check_and_transaction_writes_nothing(
    stores: PostgresStores, postgres_url: str
) -> None:
    pool = open_engine(postgres_url)

    @contextmanager
    def late_scope() -> Iterator[Scope]:
        cut(postgres_url)
        with stores.lease("orders") as theirs:
            assert theirs
        with pool.begin() as connection:
            yield Scope(connection, "dev", ACCOUNT)

    place = Place(pool.url, "dev", ACCOUNT, "orders")
    sessions = Sessions(pool.url)
    with hold_lease(place, sessions, late_scope, seconds=60) as lease:
        assert lease
        with pytest.raises(LeaseLost):
            add_order(lease, "late")
    sessions.close()
    assert not is_written(stores, "late")
    pool.dispose()


def test_one_connection_serves_lease_after_lease_and_the_one_before_is_over(
    stores: PostgresStores, postgres_url: str
) -> None:
    with stores.lease("orders") as first:
        assert first
        served_first = backend_of(postgres_url)
    with stores.lease("orders") as second:
        assert second
        assert backend_of(postgres_url) == served_first
        assert (second.token, second.needs_recovery) == (first.token + 1, False)
        with pytest.raises(LeaseLost):
            first.check()
        with pytest.raises(LeaseLost):
            add_order(first, "late")
        add_order(second, "ours")
    assert not is_written(stores, "late")


def test_a_kept_connection_that_was_cut_is_replaced(
    stores: PostgresStores, postgres_url: str
) -> None:
    with stores.lease("orders"):
        served_first = backend_of(postgres_url)
    cut(postgres_url)
    with stores.lease("orders") as lease:
        assert lease
        assert backend_of(postgres_url) != served_first
        lease.check()


def test_who_commits_under_a_lease_puts_its_taking_on_disk(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The taking itself waits for no disk: nobody has acted on one that a crash of the database forgets."""
    as_a_real_one = f"{engine.SESSION} -c synchronous_commit=on"
    monkeypatch.setitem(engine.CONNECT, "options", as_a_real_one)
    stores = PostgresStores(postgres_url, channel="dev", account=ACCOUNT)
    with closing(stores), psycopg.connect(postgres_url, autocommit=True) as asking:
        for number in range(5):
            with stores.lease("orders") as lease:
                assert lease
                taken = asking.execute("SELECT pg_current_wal_insert_lsn()").fetchone()
                add_order(lease, f"order-{number}")
                on_disk = asking.execute("SELECT pg_current_wal_flush_lsn() >= %s", taken)
                assert on_disk.fetchone() == (True,)


def test_a_block_that_failed_keeps_no_connection(stores: PostgresStores, postgres_url: str) -> None:
    with pytest.raises(ZeroDivisionError), stores.lease("orders"):
        1 // 0  # noqa: B018 - it is what fails
    served_first = backend_of(postgres_url)
    with stores.lease("orders") as lease:
        assert lease
        assert lease.needs_recovery
        assert backend_of(postgres_url) != served_first


def test_a_connection_that_is_kept_remembers_nothing(postgres_url: str) -> None:
    """A taking must survive a crash of the database: the session before did not wait for its signs of life."""
    sessions, waits = Sessions(open_engine(postgres_url).url), "SHOW synchronous_commit"
    with sessions.one() as session:
        usual, number = session.execute(waits).fetchone(), session.info.backend_pid
        session.execute("SET synchronous_commit = local")
        session.execute("SELECT pg_advisory_lock(1)")
    with sessions.one() as session:
        held = session.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        assert session.info.backend_pid == number
        assert session.execute(waits).fetchone() == usual
        assert held.fetchone() == (0,)
    sessions.close()


def place(work: UnitOfWork) -> None:
    """Write all that goes with an order."""
    work.orders.add(an_order())
    work.risk_events.add([a_risk_event(), a_risk_event(), a_risk_event()])


def take_in_some(work: UnitOfWork) -> None:
    """Write what several orders' events add up to."""
    work.orders.add(an_order())
    orders = [an_order(client_order_id=f"order-{number}") for number in range(3)]
    take_in(work, [replace(order_new(o), event_id=n) for n, o in enumerate(orders, start=1)])


def idle_before_the_commit(stores: PostgresStores, write: Callable[[UnitOfWork], None]) -> None:
    """Write, and stop as long as the database lets a transaction idle."""
    with stores.begin() as work:
        write(work)
        time.sleep(SECONDS)


@pytest.mark.parametrize("write", [place, take_in_some])
def test_who_idles_right_before_a_commit_is_cut_off(
    stores: PostgresStores,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
    write: Callable[[UnitOfWork], None],
) -> None:
    """Chaos found it: after a batch in a pipeline PostgreSQL lets a stopped process keep the account for ever."""
    impatience = engine.SESSION.replace("=30s", f"={int(SECONDS * 300)}ms")
    monkeypatch.setitem(engine.CONNECT, "options", impatience)
    stopped = PostgresStores(postgres_url, channel="dev", account=ACCOUNT)
    with pytest.raises(StoreUnavailable):
        idle_before_the_commit(stopped, write)
    stopped.close()
    assert not is_written(stores, an_order().client_order_id)


def test_other_accounts_and_channels_have_leases_of_their_own(
    stores: PostgresStores, postgres_url: str
) -> None:
    others = [
        PostgresStores(postgres_url, channel="dev", account="99999999-01"),
        PostgresStores(postgres_url, channel="live", account=ACCOUNT),
    ]
    with stores.lease("orders") as ours:
        assert ours
        for other in others:
            with other.lease("orders") as theirs:
                assert theirs
                assert theirs.token == 1
            other.close()
        ours.check()


def test_a_database_that_is_away_or_empty_is_one_sentence(postgres_url: str) -> None:
    for url, sentence in {
        "postgresql://u:geheim@127.0.0.1:1/x": r"127\.0\.0\.1:1/x: ",
        postgres_url.replace("maemae_test", "postgres"): "run `maemae migrate`",
    }.items():
        stores = PostgresStores(url, channel="dev", account=ACCOUNT)
        with pytest.raises(StoreUnavailable, match=sentence), stores.lease("orders"):
            pass


def test_a_restart_of_the_database_loses_the_lease(open_folder: Path) -> None:
    home = open_folder / "restarted"
    server = embedded.start(home, settings=FOR_SPEED)
    try:
        stores = PostgresStores(migrated(server.url), channel="dev", account=ACCOUNT)
        with stores.lease("orders") as lease:
            assert lease
            embedded.stop(home)
            for act in (lease.check, lambda: add_order(lease, "away")):
                with pytest.raises(StoreUnavailable):
                    act()
            embedded.start(home, settings=FOR_SPEED)
            for act in (lease.check, lambda: add_order(lease, "back")):
                with pytest.raises(LeaseLost):
                    act()
        with stores.lease("orders") as lease:
            assert lease
            assert (lease.token, lease.needs_recovery) == (2, True)
        assert not any(is_written(stores, name) for name in ("away", "back"))
        stores.close()
    finally:
        embedded.stop(home)


def migrated(url: str) -> str:
    migrate(url)
    return url
