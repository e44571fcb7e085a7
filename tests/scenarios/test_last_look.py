"""This is the last look: between the commit and the first byte an order can still be held back, and is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.halt_files import HaltFile
from adapters.memory.stores import MemoryStores
from adapters.notifier import Severity
from adapters.stores import UnitOfWork
from flows.place_orders import count_orders
from tasks import submissions
from tasks.halts import put_halt
from tests.builders import A_DAY, ACCOUNT, HYUNDAI, LG_CHEM, SAMSUNG, a_signal
from tests.desks import CASH, Floor, WatchedStores, a_floor, an_exit
from tests.flow_worlds import wait_until
from tests.kis_floors import a_kis_floor
from trading.errors import LeaseLost, StoreUnavailable
from trading.halts import Halt, TradingState
from trading.notices import NoticeKind
from trading.orders import WITHHELD, OrderStatus, Side


def a_halt(floor: Floor, state: TradingState = TradingState.HALTED, **where: Any) -> Halt:
    return Halt("operator", state, "stop", floor.clock.now(), **where)


async def test_the_commit_before_the_send_holds_all_that_is_known(floor: Floor) -> None:
    await floor.open()
    await floor.trade(a_signal(symbol=HYUNDAI, reference_price=150_000))
    (order,) = await floor.trade(a_signal())
    with floor.stores.begin() as work:
        evidence = work.submissions.get(order.client_order_id)
    assert evidence is not None
    assert evidence.fence > 0
    assert dict(evidence.body) == floor.broker.wire_fields(order.intent)
    assert evidence.sent_at == order.submitted_at
    assert (evidence.known_numbers, evidence.highest_number) == ((), "0000000001")
    cash = CASH - floor.orders[0].quantity * 151_500
    assert evidence.buyable_cash is not None
    assert 0 <= cash - evidence.buyable_cash < 2_000  # commission
    assert (evidence.held, evidence.sellable) == (0, 0)


async def test_a_notice_of_an_unknown_order_counts_among_the_known_numbers(floor: Floor) -> None:
    await floor.open()
    number = await floor.broker.place_by_hand(LG_CHEM, Side.BUY, 1, 400_000)
    (row,) = floor.broker.book
    with floor.stores.begin() as work:
        work.notices.keep(A_DAY, floor.broker.notice_of(row, NoticeKind.ACCEPTED))
    (order,) = await floor.trade(a_signal())
    with floor.stores.begin() as work:
        evidence = work.submissions.get(order.client_order_id)
    assert evidence is not None
    assert (evidence.known_numbers, evidence.highest_number) == ((number,), number)


async def test_the_evidence_of_a_sell_holds_shares_and_the_numbers_of_its_side(
    floor: Floor,
) -> None:
    entry = await floor.hold()
    floor.broker.refusal = None
    await floor.trade(a_signal(symbol=SAMSUNG, reference_price=50_000))
    (order,) = await floor.trade(an_exit(entry))
    with floor.stores.begin() as work:
        evidence = work.submissions.get(order.client_order_id)
    assert evidence is not None
    assert (evidence.held, evidence.sellable, evidence.buyable_cash) == (24, 24, None)
    assert (evidence.known_numbers, evidence.highest_number) == ((), "0000000002")


@pytest.mark.parametrize(
    ("state", "where"),
    [
        (TradingState.HALTED, {}),
        (TradingState.REDUCING, {}),
        (TradingState.HALTED, {"strategy_id": "trend"}),
        (TradingState.HALTED, {"symbol": LG_CHEM}),
    ],
)
async def test_a_halt_put_while_the_order_waits_for_its_turn_holds_it_back(
    floor: Floor, state: TradingState, where: dict[str, Any]
) -> None:
    """Incident 12: orders went out after the kill switch."""
    await floor.open()
    floor.broker.waiting.append(lambda: put_halt.fn(floor.desk, a_halt(floor, state, **where)))
    (order,) = await floor.trade(a_signal())
    assert (order.status, order.error_code) == (OrderStatus.REJECTED, WITHHELD)
    assert "stop" in order.error_message
    assert (floor.broker.sent, floor.broker.book) == ([], ())
    assert floor.ledger.held_cash == 0
    assert "held back" in floor.titles(Severity.WARNING)[-1]
    assert count_orders([order]) == {"placed": 0, "denied": 1, "rejected": 0, "doubtful": 0}


@pytest.mark.parametrize(
    "where", [{"strategy_id": "swing"}, {"symbol": SAMSUNG}], ids=["strategy", "symbol"]
)
async def test_a_halt_of_something_else_holds_nothing_back(
    floor: Floor, where: dict[str, Any]
) -> None:
    await floor.open()
    floor.broker.waiting.append(lambda: put_halt.fn(floor.desk, a_halt(floor, **where)))
    (order,) = await floor.trade(a_signal())
    assert order.status is OrderStatus.ACCEPTED


async def test_a_protective_sell_leaves_while_buying_is_stopped(floor: Floor) -> None:
    entry = await floor.hold()
    halt = a_halt(floor, TradingState.REDUCING)
    floor.broker.waiting.append(lambda: put_halt.fn(floor.desk, halt))
    (order,) = await floor.trade(an_exit(entry))
    assert order.status is OrderStatus.ACCEPTED


@pytest.mark.parametrize("where", ["file", "row"])
async def test_either_place_of_a_halt_is_enough(floor: Floor, where: str) -> None:
    await floor.open()

    def halt() -> None:
        if where == "file":
            floor.desk.halt_file.put(a_halt(floor))
        else:
            with floor.stores.begin() as work:
                work.halts.put(a_halt(floor))

    floor.broker.waiting.append(halt)
    (order,) = await floor.trade(a_signal())
    assert order.error_code == WITHHELD
    assert floor.broker.sent == []


async def test_a_halt_file_made_by_touch_while_the_order_waits_holds_it_back(
    floor: Floor,
) -> None:
    await floor.open()
    floor.broker.waiting.append(floor.desk.halt_file.path.touch)
    (order,) = await floor.trade(a_signal())
    assert order.error_code == WITHHELD


async def test_what_was_held_back_may_be_made_anew_after_the_halt(floor: Floor) -> None:
    await floor.open()
    wait = floor.broker.waiting
    wait.append(lambda: put_halt.fn(floor.desk, a_halt(floor)))
    await floor.trade(a_signal())
    wait.clear()
    with floor.stores.begin() as work:
        work.halts.lift("operator", reason="go on", at=floor.clock.now())
    floor.desk.halt_file.lift("operator", at=floor.clock.now())
    (order,) = await floor.trade(a_signal())
    assert order.status is OrderStatus.ACCEPTED
    assert len(floor.broker.sent) == 1


async def test_an_order_that_waits_too_long_is_held_back(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a process that is stopped between commit and send and wakes up: what it knew is old."""
    monkeypatch.setattr(submissions, "SEND_WITHIN", timedelta(seconds=0.05))
    await floor.open()
    floor.broker.waiting.append(lambda: asyncio.sleep(0.1))
    (order,) = await floor.trade(a_signal())
    assert (order.status, order.error_code) == (OrderStatus.REJECTED, WITHHELD)
    assert floor.broker.sent == []


async def test_a_writer_that_lost_its_lease_sends_and_writes_nothing(floor: Floor) -> None:
    """The order stays in doubt: whoever holds the lease now settles it."""
    await floor.open()
    stores = floor.stores
    assert isinstance(stores, MemoryStores)
    floor.broker.waiting.append(lambda: stores.abandon("orders"))
    with pytest.raises(LeaseLost):
        await floor.trade(a_signal(), a_signal(symbol=SAMSUNG))
    assert floor.broker.sent == []
    assert [order.status for order in floor.orders] == [OrderStatus.SUBMITTED]


async def test_an_unreadable_halt_holds_the_order_back_whatever_is_wrong_with_it(
    floor: Floor, tmp_path: Path
) -> None:
    await floor.open()

    class Jammed(HaltFile):
        looks = 0

        def read(self, *, at: datetime) -> tuple[Halt, ...]:
            self.looks += 1
            if self.looks == 1:
                raise RuntimeError("jammed")
            return super().read(at=at)

    floor.broker.waiting.append(
        lambda: object.__setattr__(floor.desk, "halt_file", Jammed(tmp_path / "jammed.json"))
    )
    (order,) = await floor.trade(a_signal())
    assert order.error_code == WITHHELD
    assert "jammed" in order.error_message
    assert floor.broker.sent == []


class GoingStores(WatchedStores):
    """Stores that can be switched off."""

    is_gone = False

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        """Open a unit of work, if the database is there."""
        if self.is_gone:
            raise StoreUnavailable("the database went away")
        with super().begin() as work:
            yield work


async def test_the_database_gone_at_the_last_look_keeps_the_order_here(tmp_path: Path) -> None:
    """Incident 28: the database was down while orders went out."""
    stores = GoingStores(channel="dev", account=ACCOUNT)
    floor = a_floor(tmp_path, stores=stores)
    await floor.open()
    floor.broker.waiting.append(lambda: setattr(stores, "is_gone", True))
    with pytest.raises(StoreUnavailable):
        await floor.trade(a_signal())
    stores.is_gone = False
    assert floor.broker.sent == []
    assert floor.order().status is OrderStatus.SUBMITTED


async def test_a_halt_put_while_the_order_waits_in_the_real_pace_keeps_it_from_leaving(
    tmp_path: Path,
) -> None:
    """One call a second: committed, the order waits for its place in the line, and the halt comes first."""
    async with a_kis_floor(tmp_path, calls_per_second=1) as floor:
        trading = asyncio.create_task(floor.trade(a_signal()))
        await wait_until(lambda: floor.orders)
        assert floor.orders[0].status is OrderStatus.SUBMITTED
        halt = Halt("operator", TradingState.HALTED, "stop", floor.desk.now())
        floor.desk.halt_file.put(halt)
        (order,) = await trading
        assert (order.status, order.error_code) == (OrderStatus.REJECTED, WITHHELD)
        assert floor.truth == []
