"""This is several processes on one account: the real database decides who acts, and each act happens once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.postgres import PostgresStores
from adapters.stores import UnitOfWork
from tests.builders import ACCOUNT, HYUNDAI, SAMSUNG, a_signal
from tests.desks import CASH, Floor, a_floor, an_exit, check_book
from trading.orders import OrderStatus

PROCESSES = 4


class WatchedPostgres(PostgresStores):
    """The database, with the book checked at the end of every unit of work."""

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        """Open a transaction; a broken invariant fails it."""
        with super().begin() as work:
            yield work
            check_book(work)


@pytest.fixture
def floor(tmp_path: Path, postgres_url: str) -> Iterator[Floor]:
    """A desk on a real database."""
    stores = WatchedPostgres(postgres_url, channel="dev", account=ACCOUNT)
    yield a_floor(tmp_path, stores=stores)
    stores.close()


def at_once[T](act: Callable[[], Coroutine[Any, Any, T]]) -> list[T]:
    """Do the same in several threads, each with an event loop and connections of its own."""
    with ThreadPoolExecutor(PROCESSES) as pool:
        return list(pool.map(lambda _: asyncio.run(act()), range(PROCESSES)))


def test_the_opening_balance_is_taken_over_by_one_of_them(floor: Floor) -> None:
    floor.broker.hand_over(SAMSUNG, 100, 5_500_000)
    floor.at("08:50")
    done = at_once(floor.reconcile)
    assert sorted(len(each.adopted) for each in done) == [0, 0, 0, 2]
    assert (floor.ledger.cash, floor.ledger.position(SAMSUNG).quantity) == (CASH, 100)


def test_the_same_signals_give_one_order_each(floor: Floor) -> None:
    """Incidents 14 and 15."""
    asyncio.run(floor.open())
    signals = (a_signal(), a_signal(symbol=HYUNDAI))
    placed = at_once(lambda: floor.trade(*signals))
    assert sum(map(len, placed)) == len(floor.broker.sent) == len(floor.broker.book) == 2


def test_notices_and_inquiries_at_once_book_each_fill_once(floor: Floor) -> None:
    asyncio.run(floor.open())
    asyncio.run(floor.trade(a_signal()))
    floor.at("09:00")
    notices = floor.print(401_000, auction=True)

    async def book() -> None:
        floor.hear(*notices)
        await floor.reconcile()

    at_once(book)
    assert [fill.quantity for fill in floor.executions] == [24]
    floor.assert_books_agree()


def test_a_day_on_the_real_database(floor: Floor) -> None:
    async def day() -> None:
        entry = await floor.hold()
        await floor.trade(an_exit(entry))
        floor.hear(*floor.print(380_000))
        floor.at("15:50")
        assert (await floor.reconcile()).is_clean

    asyncio.run(day())
    assert [order.status for order in floor.orders] == [OrderStatus.FILLED] * 2
    # As in memory: bought for 9,624,000 and 1,443, sold for 9,120,000 less 1,368 and 27,360.
    assert floor.ledger.cash == CASH - 9_624_000 - 1_443 + 9_120_000 - 1_368 - 27_360
    floor.assert_books_agree()
