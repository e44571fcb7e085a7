"""This is our book against the broker's: what is booked, what is only named, what is never touched."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from adapters.notifier import Severity
from adapters.stores import UnitOfWork
from tests.builders import A_DAY, ACCOUNT, HYUNDAI, LG_CHEM, SAMSUNG, a_signal
from tests.desks import CASH, Floor, WatchedStores, a_floor, an_exit, on
from trading.broker_books import BrokerOrder
from trading.errors import StoreUnavailable, Throttled
from trading.notices import Notice
from trading.orders import OrderStatus, Side
from trading.reconciliation import DifferenceKind

THROTTLED = Throttled("초당 거래건수를 초과하였습니다.", code="EGW00201")
SEEDS = range(12)


async def test_the_opening_balance_is_taken_over_once(floor: Floor) -> None:
    floor.broker.hand_over(SAMSUNG, 100, 5_500_000)
    first = await floor.open()
    assert first.adopted == ("100000000 KRW", "005930 100")
    for _ in range(3):
        assert (await floor.reconcile()).adopted == ()
    floor.night()
    assert (await floor.open()).adopted == ()
    assert floor.ledger.cash == CASH
    assert floor.ledger.position(SAMSUNG).quantity == 100
    assert (await floor.reconcile()).is_clean


async def test_shares_without_any_cash_are_taken_over_once_too(tmp_path: Path) -> None:
    floor = a_floor(tmp_path, cash=0)
    floor.broker.hand_over(SAMSUNG, 100, 5_500_000)
    await floor.open()
    await floor.reconcile()
    assert floor.ledger.position(SAMSUNG).quantity == 100


async def test_an_old_loss_of_what_is_taken_over_is_no_loss_of_today(floor: Floor) -> None:
    """100 shares bought at 90,000 are worth 50,000: 4 % of the account, and not lost today."""
    floor.broker.hand_over(SAMSUNG, 100, 9_000_000)
    await floor.open()
    assert floor.ledger.position(SAMSUNG).cost == 5_000_000
    (order,) = await floor.trade(a_signal())
    assert order.status is OrderStatus.ACCEPTED


async def test_adopted_shares_belong_to_no_strategy(floor: Floor) -> None:
    """Incident 34: the holdings of the owner are sold by nobody."""
    floor.broker.hand_over(LG_CHEM, 100, 40_000_000)
    await floor.open()
    assert await floor.trade(an_exit(a_signal())) == ()
    assert floor.breaches == ("SIZING",)
    assert floor.broker.sent == []


async def test_a_fill_that_the_rows_hid_at_the_close_is_booked_the_next_morning(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row was late when the day was closed: what it hid is not lost."""
    await floor.open()
    await floor.trade(a_signal())
    late = floor.broker.book
    floor.at("10:00")
    floor.print(404_000, 100)

    async def orders_of_day(day: date) -> tuple[BrokerOrder, ...]:
        return late if day == A_DAY else ()

    monkeypatch.setattr(floor.broker, "orders_of_day", orders_of_day)
    floor.at("15:32")
    await floor.reconcile()
    assert (floor.order().status, floor.order().filled_quantity) == (OrderStatus.EXPIRED, 0)
    monkeypatch.undo()
    floor.night()
    done = await floor.open()
    assert [step.order.filled_quantity for step in done.booked] == [10]
    assert done.is_clean
    assert done.booked[0].order.status is OrderStatus.EXPIRED
    floor.assert_books_agree()


async def test_an_empty_answer_closes_no_order_of_yesterday_whose_shares_came(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that are empty for a while are never read as "nothing there"."""
    await floor.open()
    await floor.trade(a_signal())
    floor.at("10:00")
    floor.print(404_000, 100)
    floor.night()

    async def nothing(day: date) -> tuple[BrokerOrder, ...]:
        del day
        return ()

    monkeypatch.setattr(floor.broker, "orders_of_day", nothing)
    done = await floor.open()
    assert [d.kind for d in done.differences] == [
        DifferenceKind.ORDER_MISSING,
        DifferenceKind.POSITION,
        DifferenceKind.CASH,
    ]
    with floor.stores.begin() as work:
        assert [order.status for order in work.orders.open()] == [OrderStatus.ACCEPTED]
    monkeypatch.undo()
    done = await floor.reconcile()
    assert [step.order.filled_quantity for step in done.booked] == [10]
    assert done.is_clean


async def test_the_same_differences_are_told_once_and_new_ones_again(floor: Floor) -> None:
    """Incident 39: nobody looks at an alarm that rings at every turn."""
    await floor.open()
    await floor.broker.place_by_hand(HYUNDAI, Side.BUY, 10, 150_000)
    for _ in range(5):
        await floor.reconcile()
    assert len(floor.notifier.of(Severity.WARNING)) == 1
    await floor.broker.place_by_hand(SAMSUNG, Side.BUY, 10, 50_000)
    await floor.reconcile()
    assert len(floor.notifier.of(Severity.WARNING)) == 2


@pytest.mark.parametrize("fails", ["orders_of_day", "get_positions", "get_balance"])
async def test_an_inquiry_that_fails_changes_nothing(
    floor: Floor, fails: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Incident 51: a throttled balance was read as "no holdings"."""
    await floor.hold()
    floor.print(410_000)
    before = (floor.orders, floor.executions, floor.ledger)

    async def throttled(*_: object) -> None:
        raise THROTTLED

    monkeypatch.setattr(floor.broker, fails, throttled)
    with pytest.raises(Throttled):
        await floor.reconcile()
    assert (floor.orders, floor.executions, floor.ledger) == before
    assert floor.ledger.held_symbols == (LG_CHEM,)


async def test_a_failure_in_the_middle_leaves_no_half_written_order(tmp_path: Path) -> None:
    """Incident 13: each order is booked whole or not at all, and the next try books the rest."""
    stores = DyingStores(channel="dev", account=ACCOUNT)
    floor = a_floor(tmp_path, stores=stores)
    await floor.open()
    await floor.trade(a_signal(), a_signal(symbol=HYUNDAI))
    floor.at("09:00")
    floor.print(401_000, auction=True)
    floor.print(150_000, symbol=HYUNDAI, auction=True)
    stores.fills_left = 1
    with pytest.raises(StoreUnavailable):
        await floor.reconcile()
    stores.fills_left = 99
    assert [order.status for order in floor.orders] == [OrderStatus.FILLED, OrderStatus.ACCEPTED]
    assert [fill.symbol for fill in floor.executions] == [LG_CHEM]
    done = await floor.reconcile()
    assert [one.order.symbol for one in done.booked] == [HYUNDAI]
    assert done.is_clean
    floor.assert_books_agree()


async def test_two_reconciliations_at_once_book_everything_once(floor: Floor) -> None:
    floor.at("08:50")
    await asyncio.gather(*(floor.reconcile() for _ in range(3)))
    assert floor.ledger.cash == CASH
    await floor.trade(a_signal())
    floor.at("09:00")
    floor.print(401_000, auction=True)
    await asyncio.gather(*(floor.reconcile() for _ in range(3)))
    assert [fill.quantity for fill in floor.executions] == [24]
    floor.assert_books_agree()


async def test_the_days_end_expires_what_is_open(floor: Floor) -> None:
    await floor.open()
    await floor.trade(a_signal())
    floor.at("09:00")
    floor.hear(*floor.print(401_000, 100, auction=True))
    floor.at("15:30")
    await floor.reconcile()
    assert (
        floor.order().status is OrderStatus.PARTIALLY_FILLED
    )  # the last fills may be on their way
    floor.at("15:32")
    await floor.reconcile()
    assert (floor.order().status, floor.order().filled_quantity) == (OrderStatus.EXPIRED, 10)
    assert floor.ledger.held_cash == 0


async def test_an_order_nobody_closed_yesterday_is_closed_today(floor: Floor) -> None:
    """The machine was off from ten o'clock: the afternoon's fills are booked, the rest has died."""
    await floor.open()
    await floor.trade(a_signal(), a_signal(symbol=HYUNDAI))
    floor.at("10:00")
    floor.print(404_000, 100)
    tomorrow = floor.night()
    done = await floor.open()
    assert [one.order.filled_quantity for one in done.booked] == [10]
    with floor.stores.begin() as work:
        assert work.orders.open() == ()
        assert work.executions.of_day(tomorrow) == ()
    assert done.is_clean
    floor.assert_books_agree()
    (again,) = await floor.trade(on(tomorrow, a_signal(symbol=HYUNDAI)))
    assert again.status is OrderStatus.ACCEPTED


async def test_an_order_that_the_broker_does_not_show_is_named_and_ends_with_its_day(
    floor: Floor,
) -> None:
    """Incident 11: neither ignored nor in the way for ever."""
    await floor.open()
    await floor.trade(a_signal())
    floor.broker.forget("0000000001")
    for _ in range(2):
        done = await floor.reconcile()
        assert [d.kind for d in done.differences] == [DifferenceKind.ORDER_MISSING]
        assert floor.order().status is OrderStatus.ACCEPTED
    tomorrow = floor.night()
    done = await floor.open()
    assert [d.kind for d in done.differences] == [DifferenceKind.ORDER_MISSING]
    assert (await floor.reconcile()).is_clean
    with floor.stores.begin() as work:
        assert [order.status for order in work.orders.of_day(A_DAY)] == [OrderStatus.EXPIRED]
    (again,) = await floor.trade(on(tomorrow, a_signal()))
    assert again.status is OrderStatus.ACCEPTED


async def test_a_number_of_yesterday_is_another_order_today(floor: Floor) -> None:
    """Incident 7: the broker's numbers start again, and fills went to the wrong order."""
    await floor.hold()
    tomorrow = floor.night()
    await floor.open()
    await floor.trade(on(tomorrow, a_signal(symbol=HYUNDAI)))
    assert floor.order().broker_order_id == "0000000001"
    floor.at("09:00")
    floor.hear(*floor.print(150_000, symbol=HYUNDAI, auction=True))
    with floor.stores.begin() as work:
        (old,) = work.orders.of_day(A_DAY)
    assert (old.symbol, old.filled_quantity, old.broker_order_id) == (LG_CHEM, 24, "0000000001")
    assert floor.order().filled_quantity == 65
    floor.assert_books_agree()


@pytest.mark.parametrize("seed", SEEDS)
async def test_notices_doubled_lost_and_shuffled_converge_with_inquiries(
    floor: Floor, seed: int
) -> None:
    """Incidents 6, 10, 27: whatever the socket does, both books are equal in the end, to the won."""
    print(f"seed {seed}")  # noqa: T201 - pytest shows it when the test fails
    dice = random.Random(seed)  # noqa: S311 - a repeatable disorder, no secret
    await floor.open()
    await floor.trade(a_signal(), a_signal(symbol=HYUNDAI), a_signal(strategy_id="swing"))
    floor.at("09:00")
    waiting: list[Notice] = []
    for minute in range(12):
        floor.at(f"09:{minute:02}:{dice.randrange(60):02}")
        waiting += floor.print(dice.choice([400_000, 402_000, 404_000]), dice.randrange(20, 90))
        waiting += floor.print(150_000, dice.randrange(20, 200), symbol=HYUNDAI)
        dice.shuffle(waiting)
        for _ in range(dice.randrange(len(waiting) + 1)):
            notice = waiting.pop()
            floor.hear(*[notice] * dice.choice([0, 1, 1, 1, 2]))
        if dice.random() < 0.3:
            await floor.reconcile()
    floor.hear(*waiting)
    await floor.reconcile()
    floor.hear(*waiting)
    assert (await floor.reconcile()).is_clean
    floor.assert_books_agree()


class DyingStores(WatchedStores):
    """Stores that go away in the middle of booking, after `fills_left` more fills."""

    fills_left = 99

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        """Open a unit of work that fails after too many fills, when much of it is written."""
        with super().begin() as work:
            known = len(work.executions.all())
            yield work
            self.fills_left -= len(work.executions.all()) - known
            if self.fills_left < 0:
                raise StoreUnavailable("the database went away")
