"""This is the kill switch while trading: whatever was decided a moment ago, nothing new goes out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from adapters.halt_files import HaltFile
from adapters.notifier import Severity
from adapters.stores import UnitOfWork
from tasks.halts import cancel_open, lift_halt, put_halt
from tests.builders import ACCOUNT, HYUNDAI, SAMSUNG, a_signal
from tests.desks import Floor, WatchedStores, a_floor, an_exit
from tests.scenarios.test_searching import hide
from trading.broker_books import BrokerOrder
from trading.errors import OutcomeUnknown, Rejected, StoreUnavailable, Throttled, Unavailable
from trading.halts import Halt, TradingState
from trading.orders import OrderStatus, Side

AT_ONCE = (0.0, 0.0)
"""Looks without pauses."""


def a_halt(floor: Floor, state: TradingState = TradingState.HALTED, strategy_id: str = "") -> Halt:
    """Give the operator's halt of now."""
    return Halt("operator", state, "look first", floor.clock.now(), strategy_id)


async def test_a_halt_stops_every_signal_and_says_so(floor: Floor) -> None:
    """Incident 12: orders went out after the kill switch."""
    entry = await floor.hold()
    put_halt.fn(floor.desk, a_halt(floor))
    (leaving, buy) = await floor.trade(a_signal(symbol=SAMSUNG), an_exit(entry))
    assert [leaving.status, buy.status] == [OrderStatus.DENIED] * 2
    assert floor.breaches == ("HALTED", "HALTED")
    assert len(floor.broker.sent) == 1
    assert len(floor.notifier.of(Severity.CRITICAL)) == 1


async def test_a_halt_file_written_between_the_gate_and_the_send_denies(tmp_path: Path) -> None:
    """The last look is in the transaction that commits SUBMITTED, whatever the gate saw before it."""
    floor = a_floor(tmp_path)
    floor = replace(floor, desk=replace(floor.desk, halt_file=LateHalt(tmp_path / "halt.json")))
    await floor.open()
    (order,) = await floor.trade(a_signal())
    assert (order.status, floor.breaches) == (OrderStatus.DENIED, ("HALTED",))
    assert floor.broker.sent == []


async def test_a_halt_row_written_between_the_gate_and_the_send_denies(tmp_path: Path) -> None:
    stores = LateStores(channel="dev", account=ACCOUNT)
    floor = a_floor(tmp_path, stores=stores)
    eye = OpeningEye(tmp_path / "halt.json", stores)
    floor = replace(floor, desk=replace(floor.desk, halt_file=eye))
    await floor.open()
    (order,) = await floor.trade(a_signal())
    assert (order.status, floor.breaches) == (OrderStatus.DENIED, ("HALTED",))
    assert floor.broker.sent == []


async def test_reducing_refuses_buys_and_lets_sells_pass(floor: Floor) -> None:
    entry = await floor.hold()
    put_halt.fn(floor.desk, a_halt(floor, TradingState.REDUCING))
    (leaving, buy) = await floor.trade(a_signal(symbol=SAMSUNG), an_exit(entry))
    assert (leaving.side, leaving.status) == (Side.SELL, OrderStatus.ACCEPTED)
    assert buy.status is OrderStatus.DENIED


async def test_one_strategys_halt_leaves_the_others_trading(floor: Floor) -> None:
    await floor.open()
    put_halt.fn(floor.desk, a_halt(floor, strategy_id="trend"))
    orders = await floor.trade(a_signal(), a_signal(strategy_id="swing", symbol=SAMSUNG))
    assert [order.status for order in orders] == [OrderStatus.DENIED, OrderStatus.ACCEPTED]


async def test_a_halt_outlives_the_process(tmp_path: Path) -> None:
    """Incident 26: the halt was lost at restart."""
    before = a_floor(tmp_path)
    put_halt.fn(before.desk, a_halt(before))
    after = a_floor(tmp_path)  # another memory: only the disk is left
    await after.open()
    (order,) = await after.trade(a_signal())
    assert order.status is OrderStatus.DENIED


@pytest.mark.parametrize("content", ["", "{", "[{}]", "null"])
async def test_a_halt_file_that_cannot_be_read_stops_everything(floor: Floor, content: str) -> None:
    """Incident 26: a check that raised counted as "not halted"."""
    await floor.open()
    floor.desk.halt_file.path.write_text(content)
    (order,) = await floor.trade(a_signal())
    assert order.status is OrderStatus.DENIED


async def test_a_halt_works_while_the_database_is_down(tmp_path: Path) -> None:
    stores = GoneStores(channel="dev", account=ACCOUNT)
    floor = a_floor(tmp_path, stores=stores)
    await floor.open()
    stores.is_gone = True
    stores.on_asking = lambda: on_disk.append(floor.desk.halt_file.path.exists())
    on_disk: list[bool] = []
    with pytest.raises(StoreUnavailable):
        put_halt.fn(floor.desk, a_halt(floor))
    assert on_disk == [True]  # before the database could hang, not only before it failed
    stores.is_gone = False
    assert len(floor.notifier.of(Severity.CRITICAL)) == 1
    (order,) = await floor.trade(a_signal())
    assert order.status is OrderStatus.DENIED


async def test_a_halt_works_while_the_disk_is_full(tmp_path: Path) -> None:
    floor = a_floor(tmp_path)
    full = replace(floor.desk, halt_file=FullDisk(tmp_path / "halt.json"))
    await floor.open()
    with pytest.raises(OSError, match="No space"):
        put_halt.fn(full, a_halt(floor))
    assert len(floor.notifier.of(Severity.CRITICAL)) == 1
    (order,) = await floor.trade(a_signal())
    assert order.status is OrderStatus.DENIED


async def test_lifting_one_halt_leaves_the_others_in_force(floor: Floor) -> None:
    await floor.open()
    put_halt.fn(floor.desk, a_halt(floor))
    put_halt.fn(floor.desk, replace(a_halt(floor), source="prefect:place-orders"))
    assert lift_halt.fn(floor.desk, source="operator", strategy_id="", reason="checked")
    (order,) = await floor.trade(a_signal())
    assert order.status is OrderStatus.DENIED

    lift_halt.fn(floor.desk, source="prefect:place-orders", strategy_id="", reason="unpaused")
    (other,) = await floor.trade(a_signal(symbol=SAMSUNG))
    assert other.status is OrderStatus.ACCEPTED


async def test_canceling_takes_all_of_ours_and_nothing_else(floor: Floor) -> None:
    await floor.open()
    await floor.trade(a_signal(), a_signal(symbol=HYUNDAI), a_signal(symbol=SAMSUNG))
    by_hand = await floor.broker.place_by_hand(HYUNDAI, Side.BUY, 1, 150_000)
    floor.at("09:00")
    floor.hear(*floor.print(401_000, auction=True))
    floor.hear(*floor.print(150_000, 100, symbol=HYUNDAI, auction=True))
    canceled = await cancel_open.fn(floor.desk, pauses=AT_ONCE)
    assert canceled == ("0000000002", "0000000003")
    assert {r.broker_order_id: r.open_quantity for r in floor.broker.book if r.open_quantity} == {
        by_hand: 1
    }
    await floor.reconcile()
    statuses = [(order.status, order.filled_quantity) for order in floor.orders]
    assert statuses == [
        (OrderStatus.FILLED, 24),
        (OrderStatus.CANCELED, 10),
        (OrderStatus.CANCELED, 0),
    ]
    assert floor.ledger.held_cash == 0


async def test_an_order_that_filled_a_moment_before_its_cancel_is_no_alarm(floor: Floor) -> None:
    await floor.open()
    await floor.trade(a_signal())
    floor.at("09:00")
    floor.broker.on_cancel.append(lambda: floor.print(401_000, auction=True))
    assert await cancel_open.fn(floor.desk, pauses=AT_ONCE) == ()
    assert floor.notifier.of(Severity.CRITICAL) == ()


async def test_an_order_that_the_broker_will_not_cancel_is_told(floor: Floor) -> None:
    await floor.open()
    await floor.trade(a_signal())
    floor.broker.cancel_refusal = Rejected("not now", code="APBK0001")
    assert await cancel_open.fn(floor.desk, pauses=AT_ONCE) == ()
    (alarm,) = floor.notifier.of(Severity.CRITICAL)
    assert alarm.text == "0000000001: not now"


async def test_an_order_that_shows_late_is_canceled_too(floor: Floor) -> None:
    await floor.open()
    await floor.trade(a_signal())

    async def arrive() -> None:
        floor.broker.on_inquiry.clear()
        floor.broker.disguise(await floor.broker.place_by_hand(HYUNDAI, Side.BUY, 1, 150_000))

    floor.broker.on_inquiry.append(arrive)
    assert await cancel_open.fn(floor.desk, pauses=AT_ONCE) == ("0000000001", "0000000002")


async def test_an_order_of_ours_that_was_changed_by_hand_is_canceled_too(floor: Floor) -> None:
    """It lives on under the number that the change gave it; changed twice it is still ours."""
    await floor.open()
    await floor.trade(a_signal())
    by_hand = await floor.broker.place_by_hand(HYUNDAI, Side.BUY, 1, 150_000)
    number = floor.broker.modify_by_hand("0000000001", price=399_000)
    number = floor.broker.modify_by_hand(number, price=398_000)
    floor.broker.modify_by_hand(by_hand, price=149_500)
    assert await cancel_open.fn(floor.desk, pauses=AT_ONCE) == (number,)
    assert [row.symbol for row in floor.broker.book if row.open_quantity] == [HYUNDAI]


async def test_an_order_whose_row_is_late_is_canceled_by_the_number_that_we_know(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker took it, its row does not show yet; the kill switch does not wait for that."""
    await floor.open()
    await floor.trade(a_signal())
    hide(floor, monkeypatch, "0000000001")
    assert await cancel_open.fn(floor.desk, pauses=AT_ONCE) == ("0000000001",)


async def test_an_order_that_shows_a_second_after_the_halt_is_canceled_without_a_database(
    tmp_path: Path,
) -> None:
    """It left right before the halt; no number of it is known."""
    stores = GoneStores(channel="dev", account=ACCOUNT)
    floor = a_floor(tmp_path, stores=stores)
    await floor.open()
    stores.is_gone = True

    async def arrive() -> None:
        await asyncio.sleep(0.05)
        floor.broker.disguise(await floor.broker.place_by_hand(HYUNDAI, Side.BUY, 1, 150_000))

    async with asyncio.TaskGroup() as group:
        group.create_task(arrive())
        canceling = group.create_task(cancel_open.fn(floor.desk, pauses=(0.0, 0.1)))
    assert canceling.result() == ("0000000001",)


async def test_canceling_needs_no_database(tmp_path: Path) -> None:
    stores = GoneStores(channel="dev", account=ACCOUNT)
    floor = a_floor(tmp_path, stores=stores)
    await floor.open()
    await floor.trade(a_signal())
    stores.is_gone = True
    assert await cancel_open.fn(floor.desk, pauses=AT_ONCE) == ("0000000001",)


async def test_canceling_needs_no_rows_of_the_broker_for_the_numbers_that_we_know(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its inquiry is down, or one row of a day cannot be read; what else is open nobody knows, so it is said."""
    await floor.open()
    await floor.trade(a_signal())

    async def fail(trading_day: date) -> tuple[BrokerOrder, ...]:
        raise Unavailable(f"no orders of {trading_day}")

    monkeypatch.setattr(floor.broker, "orders_of_day", fail)
    with pytest.raises(Unavailable):
        await cancel_open.fn(floor.desk, pauses=AT_ONCE)
    assert [row.open_quantity for row in floor.broker.book if not row.original_id] == [0]


@pytest.mark.parametrize(
    "problem", [OutcomeUnknown("no answer"), Throttled("too fast", code="EGW00201")]
)
async def test_a_cancel_that_fails_is_told_and_the_next_order_is_tried(
    floor: Floor, problem: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    await floor.open()
    await floor.trade(a_signal(), a_signal(symbol=HYUNDAI))
    cancel = floor.broker.cancel

    async def stumble(**order: str) -> object:
        if order["broker_order_id"] == "0000000001":
            raise problem
        return await cancel(**order)  # type: ignore[arg-type]  # the same names

    monkeypatch.setattr(floor.broker, "cancel", stumble)
    assert await cancel_open.fn(floor.desk, pauses=AT_ONCE) == ("0000000002",)
    assert len(floor.notifier.of(Severity.CRITICAL)) == 1


class LateHalt(HaltFile):
    """A halt file that is written right after the first look."""

    looks = 0

    def read(self, *, at: datetime) -> tuple[Halt, ...]:
        """Give nothing, then the halt."""
        self.looks += 1
        halt = Halt("operator", TradingState.HALTED, "just now", at)
        return (halt,) if self.looks > 1 else ()


class LateStores(WatchedStores):
    """Stores into which another process may write a halt between two units of work."""

    late: Halt | None = None

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        """Open a unit of work, after the other process if it is there."""
        with super().begin() as work:
            if self.late is not None:
                work.halts.put(self.late)
            yield work


class OpeningEye(HaltFile):
    """A halt file without a halt: whoever looks into it first makes the other process start."""

    def __init__(self, path: Path, stores: LateStores) -> None:
        super().__init__(path)
        self.stores = stores

    def read(self, *, at: datetime) -> tuple[Halt, ...]:
        """Give nothing."""
        self.stores.late = Halt("operator", TradingState.HALTED, "just now", at)
        return ()


class FullDisk(HaltFile):
    """A halt file on a disk without space."""

    def write_draft(self, halts: Iterable[Halt]) -> Path:
        """Fail as a full disk does."""
        del halts
        raise OSError(28, "No space left on device")


class GoneStores(WatchedStores):
    """Stores that can be switched off."""

    is_gone = False
    on_asking: Callable[[], None] = staticmethod(lambda: None)

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        """Open a unit of work, if the database is there."""
        if self.is_gone:
            self.on_asking()
            raise StoreUnavailable("the database went away")
        with super().begin() as work:
            yield work
