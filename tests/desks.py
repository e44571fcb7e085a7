"""This is a trading desk on memory for the scenarios: real tasks, a clock to move, a broker that may fail.

Every unit of work ends with the invariants: no fill is counted twice or lost, cash and shares never go
negative by a hold, and the book that is stored equals the book that is rebuilt.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from adapters.calendars import XkrxCalendar
from adapters.clock import FixedClock
from adapters.halt_files import HaltFile
from adapters.market_data import StreamEvent
from adapters.memory.notifier import MemoryNotifier
from adapters.memory.stores import MemoryStores
from adapters.notifier import Severity
from adapters.stores import Stores, UnitOfWork
from adapters.wording import Wording
from tasks.channels import ChannelSettings
from tasks.desk import Desk
from tasks.fills import NoticeOutcome, apply_notice
from tasks.orders import trade
from tasks.reconciliation import Reconciliation, reconcile
from tests.builders import A_DAY, ACCOUNT, HYUNDAI, LG_CHEM, SAMSUNG, a_signal, seoul
from tests.paper_brokers import PaperBroker, PaperMarket
from trading.bars import Bar, Interval
from trading.executions import Execution
from trading.halts import TradingState, strictest
from trading.instruments import Instrument, Symbol
from trading.ledger import Ledger, rebuild
from trading.manual_orders import MANUAL
from trading.notices import Notice
from trading.orders import TRANSITIONS, Order, OrderIntent, OrderStatus, Side
from trading.signals import Direction, Signal
from trading.ticks import TradePrint

CASH = 100_000_000
PRICES = {LG_CHEM: 400_000, SAMSUNG: 50_000, HYUNDAI: 150_000}
"""Yesterday's closing prices in won, each on a tick from which 1 % more is a tick again."""


class WatchedStores(MemoryStores):
    """Stores in memory that check the book at the end of every unit of work, before it is committed."""

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        """Open a unit of work; a broken invariant fails it, so that nothing of it is kept."""
        with super().begin() as work:
            yield work
            check_book(work)


def check_book(work: UnitOfWork) -> None:
    """Assert what must hold after every posting; what a sell in doubt promises, the owner may have sold by hand."""
    ledger, fills = work.ledger.load(), work.executions.all()
    assert ledger.buyable_cash >= 0, f"holds {ledger.held_cash} of {ledger.cash} won"
    by_hand = Counter[Symbol]()
    for fill in fills:
        by_hand[fill.symbol] += fill.quantity * (
            fill.strategy_id == MANUAL and fill.side is Side.SELL
        )
    for symbol in {*ledger.positions, *(hold.symbol for hold in ledger.holds.values())}:
        sellable = ledger.sellable_quantity(symbol) + by_hand[symbol]
        assert sellable >= 0, f"more {symbol} promised than held, and not for a sale by hand"
    for client_order_id in {fill.client_order_id for fill in fills}:
        _check_order(work, client_order_id)
    plain = Ledger(ledger.account, ledger.flows, ledger.positions)
    assert work.ledger.before(date.max) == plain, "stored book is not the book of its entries"
    _check_rebuilt(rebuild(ACCOUNT, work.ledger.deposits(), fills), ledger)


def _check_order(work: UnitOfWork, client_order_id: str) -> None:
    order, fills = work.orders.get(client_order_id), work.executions.of_order(client_order_id)
    assert order is not None
    assert sum(fill.quantity for fill in fills) == order.filled_quantity <= order.quantity
    assert sum(fill.value for fill in fills) == order.filled_value
    for before, after in pairwise(event.status for event in work.orders.timeline(client_order_id)):
        allowed = TRANSITIONS[OrderStatus(before)] | {OrderStatus(before)}
        assert after in allowed, f"{client_order_id}: {before} -> {after}"


def _check_rebuilt(rebuilt: Ledger, stored: Ledger) -> None:
    """Compare with deposits and fills alone; what was taken over at the start is on top of them."""
    assert rebuilt.flows == stored.flows
    for symbol, position in rebuilt.positions.items():
        assert stored.position(symbol).quantity >= position.quantity
        assert stored.position(symbol).charges == position.charges


class MemoryAccess:
    """A key whose token always lasts the day."""

    def __init__(self, clock: FixedClock) -> None:
        self._clock = clock

    async def ensure(self) -> datetime:
        """Give an expiry a day ahead."""
        return self._clock.now() + timedelta(days=1)


class ScriptedStream:
    """A live connection that says what a test put into `script`, then is silent."""

    def __init__(self) -> None:
        self.script: asyncio.Queue[StreamEvent] = asyncio.Queue()
        self.watched: tuple[Symbol, ...] = ()
        self.cap = 40

    @property
    def heard(self) -> frozenset[Symbol]:
        """As many as there is room for, the most important first."""
        return frozenset(self.watched[: self.cap])

    def watch(self, symbols: Sequence[Symbol]) -> None:
        """Remember what is wanted."""
        self.watched = tuple(symbols)

    async def events(self, symbols: Sequence[Symbol]) -> AsyncGenerator[StreamEvent]:
        """Yield the script."""
        self.watch(symbols)
        while True:
            yield await self.script.get()


@dataclass
class Floor:
    """A desk, and everything behind it that a test moves or looks at."""

    desk: Desk
    clock: FixedClock
    market: PaperMarket
    broker: PaperBroker
    stores: Stores
    notifier: MemoryNotifier
    stream: ScriptedStream

    def at(self, time: str, day: date | None = None) -> None:
        """Move the clock to HH:MM[:SS] in Seoul, today or on `day`."""
        self.clock.move_to(seoul(day or self.desk.today(), time))

    async def open(self, time: str = "08:50", day: date | None = None) -> Reconciliation:
        """Come to the desk in the morning, as place-orders does: reconcile first."""
        self.at(time, day)
        return await self.reconcile()

    def night(self) -> date:
        """End the day at the last prices and store them, then give the next trading day; it is 07:00."""
        today = self.desk.today()
        self.at("16:00")
        self.broker.end_day()
        closes = [a_close(symbol, today, self.market.last(symbol)) for symbol in PRICES]
        self.market.load(closes)
        with self.stores.begin() as work:
            work.bars.upsert(closes)
        tomorrow = self.desk.calendar.next_trading_day(today)
        self.at("07:00", tomorrow)
        return tomorrow

    async def trade(self, *signals: Signal) -> tuple[Order, ...]:
        """Store the signals and trade them."""
        with self.stores.begin() as work:
            for signal in signals:
                work.signals.add(signal)
        return await trade.fn(self.desk, signals)

    async def hold(self, signal: Signal | None = None) -> Signal:
        """Buy at the opening: 24 LG Chem at 401,000 unless told otherwise; it is 10:00 then."""
        entry = signal or a_signal()
        await self.open()
        await self.trade(entry)
        self.at("09:00")
        price = PRICES[entry.symbol] * 401 // 400
        self.hear(*self.print(price, symbol=entry.symbol, auction=True))
        self.at("10:00")
        return entry

    async def reconcile(self) -> Reconciliation:
        """Compare the books."""
        return await reconcile.fn(self.desk)

    async def plan(self) -> Reconciliation:
        """Plan a comparison and do nothing."""
        return await reconcile.fn(self.desk, dry_run=True)

    def print(
        self, price: int, quantity: int = 10_000, *, symbol: Symbol = LG_CHEM, auction: bool = False
    ) -> tuple[Notice, ...]:
        """Let the market trade; give the notices of our fills, which nobody has applied yet."""
        return self.broker.trade(self.tick(price, quantity, symbol=symbol, auction=auction))

    def tick(
        self, price: int, quantity: int = 10_000, *, symbol: Symbol = LG_CHEM, auction: bool = False
    ) -> TradePrint:
        """Give a trade of the market now."""
        return TradePrint(symbol, price, quantity, self.clock.now(), quantity, is_auction=auction)

    def send(self, *events: StreamEvent) -> None:
        """Let the live connection say something."""
        for event in events:
            self.stream.script.put_nowait(event)

    def hear(self, *notices: Notice) -> tuple[NoticeOutcome, ...]:
        """Apply notices in this order."""
        today = self.desk.today()
        return tuple(apply_notice(self.desk, notice, trading_day=today) for notice in notices)

    def order(self, index: int = -1) -> Order:
        """Give one of today's orders, the newest by default."""
        return self.orders[index]

    @property
    def orders(self) -> tuple[Order, ...]:
        """Today's orders, oldest first."""
        with self.stores.begin() as work:
            return work.orders.of_day(self.desk.today())

    @property
    def executions(self) -> tuple[Execution, ...]:
        """Every booked fill."""
        with self.stores.begin() as work:
            return work.executions.all()

    @property
    def ledger(self) -> Ledger:
        """Our book."""
        with self.stores.begin() as work:
            return work.ledger.load()

    @property
    def breaches(self) -> tuple[str, ...]:
        """Today's refusals by rule, oldest first."""
        with self.stores.begin() as work:
            return tuple(e.breach.rule_id for e in work.risk_events.of_day(self.desk.today()))

    def titles(self, severity: Severity) -> tuple[str, ...]:
        """Give the titles of what the owner was told."""
        return tuple(message.title for message in self.notifier.of(severity))

    def assert_books_agree(self) -> None:
        """Compare our ledger with the broker's, share by share and won by won."""
        ours, theirs = self.ledger, self.broker.ledger
        assert ours.flows == theirs.flows
        assert {s: ours.position(s) for s in ours.held_symbols} == {
            s: theirs.position(s) for s in theirs.held_symbols
        }


def a_floor(
    folder: Path,
    *,
    day: date = A_DAY,
    cash: int = CASH,
    stores: Stores | None = None,
    **settings: Any,
) -> Floor:
    """Open a desk on memory at 07:00 of `day`; `settings` replace those of the channel file."""
    clock, calendar, wording = FixedClock(seoul(day, "07:00")), XkrxCalendar(), Wording("en")
    market = PaperMarket((Instrument(s, s) for s in PRICES), clock=clock)
    bars = [a_close(symbol, calendar.previous_trading_day(day)) for symbol in PRICES]
    market.load(bars)
    broker = PaperBroker(market, account=ACCOUNT, cash=cash, clock=clock, calendar=calendar)
    stores = stores or WatchedStores(channel="dev", account=ACCOUNT)
    notifier, stream = MemoryNotifier(), ScriptedStream()
    desk = Desk(
        account=ACCOUNT,
        channel=a_channel(**settings),
        version=1,
        clock=clock,
        calendar=calendar,
        stores=stores,
        access=MemoryAccess(clock),
        broker=broker,
        market_data=market,
        stream=stream,
        notifier=notifier,
        wording=wording,
        halt_file=HaltFile(folder / "halt.json"),
    )
    floor = Floor(desk, clock, market, broker, stores, notifier, stream)
    broker.on_place.append(lambda intent: check_sending(floor, intent))
    with stores.begin() as work:
        work.bars.upsert(bars)
    return floor


def check_sending(floor: Floor, intent: OrderIntent) -> None:
    """Assert what must hold whenever an order leaves: committed, alone, once, and nothing forbids it."""
    with floor.stores.lease("orders") as lease:
        assert lease is None, "sent without being the only writer"
    with floor.stores.begin() as work:  # would raise inside a transaction that is still open
        order = work.orders.get(intent.client_order_id)
        evidence = work.submissions.get(intent.client_order_id)
        halts = floor.desk.halts(work)
    state = strictest(halts, strategy_id=intent.strategy_id, symbol=intent.symbol)
    assert order is not None
    assert evidence is not None, "sent without evidence"
    assert order.is_in_doubt, "sent before SUBMITTED was committed"
    assert state is TradingState.ACTIVE or (state, intent.side) == ("REDUCING", Side.SELL)
    assert [sent.client_order_id for sent in floor.broker.sent].count(intent.client_order_id) == 1


def a_channel(**settings: Any) -> ChannelSettings:
    """Give a small channel: two strategies on the same three symbols, stop 5 % and target 10 %."""
    symbols = list(PRICES)
    rule = {"kind": "moving_average_cross", "symbols": symbols}
    parameters = {"fast": 2, "slow": 3, "volume_window": 2, "volume_ratio": None}
    document = {
        "channel": "dev",
        "watch_list": symbols,
        "strategies": [
            {"id": name, **rule, "parameters": parameters} for name in ("trend", "swing")
        ],
    }
    return ChannelSettings.model_validate(document | settings)


def a_close(symbol: Symbol, day: date, price: int | None = None) -> Bar:
    """Give a final daily bar that traded at one price."""
    close = PRICES[symbol] if price is None else price
    at = seoul(day, "00:00")
    return Bar(symbol, Interval.DAY, day, at, close, close, close, close, volume=100_000)


def on(day: date, signal: Signal) -> Signal:
    """Give the same signal for another day."""
    made_at, expires_at = seoul(day, "08:40"), seoul(day, "15:30")
    return replace(signal, trading_day=day, created_at=made_at, expires_at=expires_at)


def an_exit(signal: Signal, trigger: str = "stop") -> Signal:
    """Give the exit that follows an entry."""
    return replace(signal, direction=Direction.EXIT, trigger=trigger, reason=trigger)
