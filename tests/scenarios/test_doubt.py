"""This is orders without a clear answer: never sent again, never given up early, settled by proof alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.notifier import Severity
from adapters.stores import UnitOfWork
from tasks.fills import NoticeOutcome
from tests.builders import HYUNDAI, LG_CHEM, SAMSUNG, a_signal
from tests.desks import Floor, WatchedStores, a_floor, an_exit, on
from trading.errors import OutcomeUnknown, Rejected, StoreUnavailable
from trading.notices import NoticeKind
from trading.orders import OrderStatus, Side
from trading.reconciliation import DifferenceKind

TIMED_OUT = OutcomeUnknown("no answer within 10 s")


class Killed(BaseException):
    """The process is gone: nothing of ours runs any more."""


async def test_a_lost_reply_leaves_the_order_in_doubt_and_tells(floor: Floor) -> None:
    """Incident 1: a time-out after the broker had accepted was sent again."""
    await floor.open()
    floor.broker.lost_reply = TIMED_OUT
    (order,) = await floor.trade(a_signal())
    assert order.status is OrderStatus.SUBMITTED
    assert len(floor.notifier.of(Severity.CRITICAL)) == 1
    assert await floor.trade(a_signal()) == ()
    assert len(floor.broker.sent) == len(floor.broker.book) == 1


async def test_doubt_blocks_the_symbols_next_buy_of_any_strategy_until_it_is_settled(
    floor: Floor,
) -> None:
    await floor.open()
    floor.broker.lost_reply = TIMED_OUT
    await floor.trade(a_signal())
    floor.broker.lost_reply = None
    (denied,) = await floor.trade(a_signal(strategy_id="swing"))
    assert (denied.status, floor.breaches) == (OrderStatus.DENIED, ("DUPLICATE",))
    (other,) = await floor.trade(a_signal(symbol=SAMSUNG))
    assert other.status is OrderStatus.ACCEPTED

    done = await floor.reconcile()
    assert done.settled == (floor.order(0).client_order_id,)
    assert done.is_clean
    bound = floor.order(0)
    assert (bound.status, bound.broker_order_id) == (OrderStatus.ACCEPTED, "0000000001")


async def test_two_equal_rows_settle_nothing(floor: Floor) -> None:
    """Nobody chooses: another program's equal order through the same key may be the other one."""
    await floor.open()
    floor.broker.lost_reply = TIMED_OUT
    await floor.trade(a_signal())
    number = await floor.broker.place_by_hand(LG_CHEM, Side.BUY, 24, 404_000)
    floor.broker.disguise(number)
    done = await floor.reconcile()
    assert done.settled == ()
    assert floor.order().status is OrderStatus.SUBMITTED
    kinds = [difference.kind for difference in done.differences]
    assert kinds == [DifferenceKind.ORDER_IN_DOUBT] + [DifferenceKind.ORDER_FOREIGN] * 2


async def test_an_equal_order_by_hand_is_never_mistaken_for_ours(floor: Floor) -> None:
    """Incident 45: the line was dead before the order left, and the owner bought the same in HTS."""
    await floor.open()
    floor.broker.refusal = TIMED_OUT
    await floor.trade(a_signal())
    await floor.broker.place_by_hand(LG_CHEM, Side.BUY, 24, 404_000)
    assert (await floor.reconcile()).settled == ()
    assert floor.order().status is OrderStatus.SUBMITTED


async def test_a_process_that_dies_before_sending_leaves_one_order_in_doubt(floor: Floor) -> None:
    await floor.open()
    floor.broker.refusal = Killed()
    with pytest.raises(Killed):
        await floor.trade(a_signal())
    floor.broker.refusal = None
    assert floor.order().status is OrderStatus.SUBMITTED
    assert await floor.trade(a_signal()) == ()  # the next process
    done = await floor.reconcile()
    assert [d.kind for d in done.differences] == [DifferenceKind.ORDER_IN_DOUBT]
    assert floor.broker.book == ()


async def test_a_process_that_dies_after_sending_finds_its_order_and_its_fills(
    floor: Floor,
) -> None:
    """Incident 6: fills during the absence are asked for, not lost."""
    await floor.open()
    floor.broker.lost_reply = Killed()
    with pytest.raises(Killed):
        await floor.trade(a_signal())
    floor.broker.lost_reply = None
    floor.at("09:00")
    floor.print(401_000, auction=True)
    done = await floor.reconcile()
    assert [one.order.filled_quantity for one in done.booked] == [24]
    assert floor.order().status is OrderStatus.FILLED
    floor.assert_books_agree()


async def test_an_order_in_doubt_is_not_given_up_while_its_day_lasts(floor: Floor) -> None:
    """Incident 5: in flight too long was declared REJECTED, and the order lived on."""
    await floor.open()
    floor.broker.refusal = TIMED_OUT
    await floor.trade(a_signal())
    floor.at("15:35")
    await floor.reconcile()
    assert floor.order().status is OrderStatus.SUBMITTED


async def test_an_order_that_never_arrived_frees_its_symbol_on_the_next_day(floor: Floor) -> None:
    await floor.open()
    floor.broker.refusal = TIMED_OUT
    await floor.trade(a_signal())
    floor.broker.refusal = None
    tomorrow = floor.night()
    await floor.open()
    with floor.stores.begin() as work:
        (lost,) = work.orders.of_day(a_signal().trading_day)
        assert work.orders.open() == ()
    assert (lost.status, lost.error_code) == (OrderStatus.REJECTED, "NEVER_FILLED")
    (order,) = await floor.trade(on(tomorrow, a_signal()))
    assert order.status is OrderStatus.ACCEPTED


async def test_yesterdays_doubt_is_settled_with_yesterdays_rows(floor: Floor) -> None:
    """Incidents 6 and 7: it filled while nobody looked, and its number is another order's today."""
    await floor.open()
    floor.broker.lost_reply = TIMED_OUT
    await floor.trade(a_signal())
    floor.broker.lost_reply = None
    floor.at("09:00")
    floor.print(401_000, auction=True)
    floor.night()
    floor.at("08:30")
    await floor.broker.place_by_hand(SAMSUNG, Side.BUY, 1, 50_000)  # number 1 of the new day
    done = await floor.reconcile()
    (booked,) = done.booked
    assert (booked.order.filled_quantity, booked.order.symbol) == (24, LG_CHEM)
    assert booked.execution is not None
    assert booked.execution.trading_day == a_signal().trading_day
    assert done.is_clean
    floor.assert_books_agree()


async def test_the_database_goes_down_before_the_commit_and_nothing_is_sent(
    tmp_path: Path,
) -> None:
    """Incident 28: the database was down while orders went out."""
    floor, stores = a_fragile_floor(tmp_path)
    await floor.open()
    stores.down_at = "SUBMITTED"
    with pytest.raises(StoreUnavailable):
        await floor.trade(a_signal())
    stores.down_at = ""
    assert (floor.orders, floor.broker.sent) == ((), [])
    (order,) = await floor.trade(a_signal())
    assert order.status is OrderStatus.ACCEPTED


async def test_the_database_goes_down_after_the_send_and_the_order_is_found_again(
    tmp_path: Path,
) -> None:
    floor, stores = a_fragile_floor(tmp_path)
    await floor.open()
    stores.down_at = "ACCEPTED"
    with pytest.raises(StoreUnavailable):
        await floor.trade(a_signal(), a_signal(symbol=HYUNDAI))
    stores.down_at = ""
    assert floor.order().status is OrderStatus.SUBMITTED
    assert len(floor.broker.sent) == 1
    assert await floor.trade(a_signal()) == ()
    assert (await floor.reconcile()).is_clean
    assert floor.order().status is OrderStatus.ACCEPTED


async def test_an_inquiry_may_settle_an_order_while_its_reply_is_on_the_way(floor: Floor) -> None:
    """A fill that overtook the reply stays booked when the reply comes."""
    await floor.open()
    taken = floor.broker.after_place
    taken.append(lambda: floor.at("09:00"))
    taken.append(lambda: floor.print(401_000, 100, auction=True))
    taken.append(floor.reconcile)
    (order,) = await floor.trade(a_signal())
    assert (order.status, order.filled_quantity) == (OrderStatus.PARTIALLY_FILLED, 10)
    assert order.accepted_at is not None


async def test_a_refusal_does_not_undo_what_an_inquiry_proved(floor: Floor) -> None:
    """Incident 3: the broker says no to an order that its own book shows."""
    await floor.open()
    floor.broker.after_place.append(floor.reconcile)
    floor.broker.lost_reply = Rejected("too late", code="ODD")
    (order,) = await floor.trade(a_signal())
    assert order.status is OrderStatus.ACCEPTED


async def test_a_notice_before_the_reply_waits_for_its_number(floor: Floor) -> None:
    await floor.open()
    heard: list[NoticeOutcome] = []

    def overtake() -> None:
        (row,) = floor.broker.book
        heard.extend(floor.hear(floor.broker.notice_of(row, NoticeKind.ACCEPTED)))

    floor.broker.after_place.append(overtake)
    await floor.trade(a_signal())
    assert heard == [NoticeOutcome.UNKNOWN_ORDER]
    assert floor.order().status is OrderStatus.ACCEPTED


async def test_an_exit_in_doubt_is_not_sold_again(floor: Floor) -> None:
    """Incident 52: shares are promised until the broker's book says otherwise."""
    entry = await floor.hold()
    floor.broker.lost_reply = TIMED_OUT
    await floor.trade(an_exit(entry))
    floor.broker.lost_reply = None
    assert await floor.trade(an_exit(entry)) == ()
    assert await floor.trade(an_exit(entry, "target")) == ()
    assert floor.breaches == ("SIZING",)
    assert floor.ledger.sellable_quantity(LG_CHEM) == 0
    assert len(floor.broker.sent) == 2


class FragileStores(WatchedStores):
    """Stores that go down when an order is about to be committed in the status `down_at`."""

    down_at = ""

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        """Open a unit of work that may fail at its end."""
        with super().begin() as work:
            yield work
            if self.down_at in {order.status for order in work.orders.open()}:
                raise StoreUnavailable("the database went away")


def a_fragile_floor(folder: Path) -> tuple[Floor, FragileStores]:
    """Open a desk on stores that can go down."""
    stores = FragileStores(channel="dev", account="50012345-01")
    return a_floor(folder, stores=stores), stores
