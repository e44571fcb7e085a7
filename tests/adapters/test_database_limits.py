"""This is a database at its limits, for real: no connection left, no room on its disk, no way to it."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest

from adapters.events import signal_out
from adapters.postgres import PostgresStores, crowds, engine
from adapters.postgres.engine import POOL_SIZE, open_engine
from adapters.postgres.locks import open_session
from tests.builders import ACCOUNT, a_signal
from tests.database_servers import DatabaseServer
from tests.full_disks import a_full_disk
from trading.errors import DiskFull, StoreFull, StoreUnavailable

IN_ALL = 2 * POOL_SIZE
SERVER_TAKES = 30


def opened(url: str, told: list[str]) -> PostgresStores:
    """Open stores that tell us."""
    return PostgresStores(url, channel="dev", account=ACCOUNT, on_crowd=told.append)


def test_whoever_comes_when_the_pool_is_empty_waits_and_is_served(postgres_url: str) -> None:
    """Ten units of work are open; the eleventh waits for one to end, and the owner hears of it once."""
    told: list[str] = []
    seconds: list[float] = []

    def come() -> None:
        began = time.monotonic()
        with stores.begin() as work:
            work.signals.add(a_signal())
        seconds.append(time.monotonic() - began)

    with closing(opened(postgres_url, told)) as stores:
        with ExitStack() as others:
            for _ in range(IN_ALL - 1):
                others.enter_context(stores.begin())
            with stores.begin():
                assert told == []
                late = [threading.Thread(target=come) for _ in range(2)]
                for thread in late:
                    thread.start()
                time.sleep(0.5)
                assert seconds == []
        for thread in late:
            thread.join()
        with stores.begin() as work:
            assert work.signals.get(a_signal().signal_id) is not None
    assert (len(seconds), min(seconds) >= 0.4) == (2, True)
    assert told == ["all 10 connections of this process are in use"]


def test_who_waits_too_long_is_told_so(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "POOL_TIMEOUT", 0.2)
    with closing(opened(postgres_url, [])) as stores, ExitStack() as others:
        for _ in range(IN_ALL):
            others.enter_context(stores.begin())
        with pytest.raises(StoreUnavailable, match=r"maemae_test: QueuePool"), stores.begin():
            pass


@pytest.mark.timed
def test_a_server_without_a_free_connection_is_waited_for(spare_server: DatabaseServer) -> None:
    told: list[str] = []
    url = spare_server.database()
    with ExitStack() as others, closing(opened(url, told)) as stores:
        held = [others.enter_context(closing(psycopg.connect(url))) for _ in range(SERVER_TAKES)]
        threading.Timer(0.7, held[0].close).start()
        began = time.monotonic()
        with stores.begin() as work:
            assert work.signals.of_day(a_signal().trading_day) == ()
        assert 0.6 <= time.monotonic() - began < 5
    assert ["too many clients" in words for words in told] == [True]


def test_a_server_that_stays_full_is_one_sentence(
    spare_server: DatabaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowds, "POOL_TIMEOUT", 0.3)
    url = spare_server.database()
    with ExitStack() as others, closing(opened(url, [])) as stores:
        for _ in range(SERVER_TAKES):
            others.enter_context(closing(psycopg.connect(url)))
        with pytest.raises(StoreUnavailable, match="too many clients"), stores.begin():
            pass


def test_a_database_whose_disk_is_full_says_so_and_goes_on_when_there_is_room(
    spare_server: DatabaseServer, open_folder: Path
) -> None:
    """The outbox, which every order writes into, lies on a disk of one megabyte."""
    url = spare_server.database()
    with a_full_disk(open_folder / "disk") as disk, closing(opened(url, [])) as stores:
        spare_server.move(url, "outbox", disk.folder / "tables")
        disk.fill()
        with pytest.raises(StoreFull, match="No space left on device") as caught:
            tell(stores)
        assert isinstance(caught.value, DiskFull)
        disk.empty()
        tell(stores)
        with stores.begin() as work:
            assert work.outbox.backlog().count == 1
        spare_server.move(url, "outbox", None)


def tell(stores: PostgresStores) -> None:
    """Write one event."""
    with stores.begin() as work:
        work.outbox.add(signal_out(a_signal()))


def test_no_connection_waits_long_for_a_machine_that_vanished(postgres_url: str) -> None:
    pool = open_engine(postgres_url)
    with pool.begin() as connection, closing(open_session(pool.url)) as session:
        for driver in (connection.connection.driver_connection, session):
            assert isinstance(driver, psycopg.Connection)
            with socket.socket(fileno=os.dup(driver.fileno())) as used:
                waits = used.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
                asks = used.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
            assert (waits, asks) == (10_000, 5)
    pool.dispose()
