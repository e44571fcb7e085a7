"""This is the paper market and broker of the scenarios: what reaches them is kept, and their line can fail."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from adapters.broker import LastLook
from adapters.memory.broker import MemoryBroker
from adapters.memory.market_data import MemoryMarketData
from tests.builders import an_intent, looks_good
from trading.broker_books import Acceptance, Balance, BrokerOrder, BrokerPosition, Buyable
from trading.errors import MaemaeError, Unavailable
from trading.instruments import Symbol
from trading.notices import Notice, NoticeKind
from trading.orders import OrderIntent, OrderType, Side
from trading.sessions import KST
from trading.ticks import Quote, TradePrint


class PaperMarket(MemoryMarketData):
    """The market in memory; symbols in `lost` cannot be asked, those in `unpriced` have no price yet."""

    def __init__(self, *positions: Any, **names: Any) -> None:
        super().__init__(*positions, **names)
        self.lost: set[Symbol] = set()
        self.unpriced: set[Symbol] = set()
        self.asked: list[Symbol] = []

    async def quote(self, symbol: Symbol) -> Quote:
        """Read the current price if the line holds."""
        self.asked.append(symbol)
        if symbol in self.lost:
            raise Unavailable(f"{symbol}: no answer")
        quote = await super().quote(symbol)
        return replace(quote, last=0) if symbol in self.unpriced else quote


class PaperBroker(MemoryBroker):
    """The memory broker behind a telephone line, with other customers at the counter.

    `waiting` is called while an order waits for its turn, then the last look is taken. `sent` is every order that
    passed it. `on_place` is called at that moment, `after_place` while the reply is on its way. `refusal` is
    raised before the broker hears of an order, `lost_reply` after it took one, `cancel_refusal` and
    `lost_cancel_reply` likewise of a cancel, `reading` by every inquiry; `on_inquiry` is called while the rows are
    on their way, `on_cancel` before a cancel arrives.
    """

    def __init__(self, *positions: Any, **names: Any) -> None:
        super().__init__(*positions, **names)
        self.waiting: list[Callable[[], object]] = []
        self.sent: list[OrderIntent] = []
        self.sent_cancels: list[str] = []
        self.on_place: list[Callable[[OrderIntent], None]] = []
        self.after_place: list[Callable[[], object]] = []
        self.refusal: BaseException | None = None
        self.lost_reply: BaseException | None = None
        self.cancel_refusal: BaseException | None = None
        self.lost_cancel_reply: BaseException | None = None
        self.reading: MaemaeError | None = None
        self.on_cancel: list[Callable[[], object]] = []
        self.on_inquiry: list[Callable[[], Awaitable[None]]] = []

    async def place(self, intent: OrderIntent, *, last_look: LastLook) -> Acceptance:
        """Take an order if the line holds."""
        await _happen(self.waiting)
        last_look()
        self.sent.append(intent)
        for watch in self.on_place:
            watch(intent)
        if self.refusal is not None:
            raise self.refusal
        await asyncio.sleep(0)
        receipt = await super().place(intent, last_look=looks_good)
        await _happen(self.after_place)
        if self.lost_reply is not None:
            raise self.lost_reply
        return receipt

    async def cancel(
        self, *, broker_order_id: str, branch: str, order_type: OrderType
    ) -> Acceptance:
        """Take a cancel if the line holds."""
        self.sent_cancels.append(broker_order_id)
        if self.cancel_refusal is not None:
            raise self.cancel_refusal
        await _happen(self.on_cancel)
        receipt = await super().cancel(
            broker_order_id=broker_order_id, branch=branch, order_type=order_type
        )
        if self.lost_cancel_reply is not None:
            raise self.lost_cancel_reply
        return receipt

    async def get_balance(self) -> Balance:
        """Read the cash figures if the line holds."""
        self._read()
        return await super().get_balance()

    async def get_positions(self) -> tuple[BrokerPosition, ...]:
        """Read the holdings if the line holds."""
        self._read()
        return await super().get_positions()

    async def orders_of_day(self, trading_day: date) -> tuple[BrokerOrder, ...]:
        """Read the day's orders if the line holds."""
        self._read()
        rows = await super().orders_of_day(trading_day)
        for happens in self.on_inquiry:
            await happens()
        return rows

    async def buyable(self, symbol: Symbol, *, order_type: OrderType, price: int | None) -> Buyable:
        """Read what may be bought if the line holds."""
        self._read()
        return await super().buyable(symbol, order_type=order_type, price=price)

    @property
    def book(self) -> tuple[BrokerOrder, ...]:
        """The day's rows, read without a telephone."""
        today = self._today()
        return tuple(row.order for (day, _), row in self._rows.items() if day == today)

    def trade(self, trade: TradePrint) -> tuple[Notice, ...]:
        """Play a print; give the notice of each fill that it made, as the socket would."""
        before = {row.broker_order_id: row for row in self.book}
        self.play_print(trade)
        return tuple(
            self.notice(row, before[row.broker_order_id])
            for row in self.book
            if row.filled_quantity > before[row.broker_order_id].filled_quantity
        )

    def notice(self, row: BrokerOrder, before: BrokerOrder) -> Notice:
        """Give the notice of the fill that lies between two states of an order."""
        quantity = row.filled_quantity - before.filled_quantity
        price = (row.filled_value - before.filled_value) // quantity
        return self.notice_of(row, NoticeKind.FILLED, quantity=quantity, price=price)

    def notice_of(self, row: BrokerOrder, kind: NoticeKind, **changes: Any) -> Notice:
        """Give a notice about an order, sent and received now."""
        at = self._clock.now()
        notice = Notice(
            kind=kind,
            broker_order_id=row.broker_order_id,
            original_id=row.original_id,
            symbol=row.symbol,
            side=row.side,
            order_type=row.order_type,
            quantity=row.quantity,
            price=row.limit_price or 0,
            order_quantity=row.quantity,
            time_text=f"{at.astimezone(KST):%H%M%S}",
            received_at=at,
        )
        return replace(notice, **changes)

    async def place_by_hand(self, symbol: Symbol, side: Side, quantity: int, price: int) -> str:
        """Let the owner order in HTS; give the broker's number."""
        intent = an_intent(symbol=symbol, side=side, quantity=quantity, limit_price=price)
        intent = replace(intent, strategy_id="hts")
        receipt = await super().place(intent, last_look=looks_good)
        row = self._rows[self._today(), receipt.broker_order_id]
        row.order = replace(row.order, is_ours=False)
        return receipt.broker_order_id

    def modify_by_hand(self, broker_order_id: str, *, price: int) -> str:
        """Let the owner change an order's price in HTS; give the number under which it lives on."""
        row = self._rows[self._today(), broker_order_id]
        left = row.order.open_quantity
        self._close(row)
        changed = replace(row.intent, quantity=left, limit_price=price)
        order = self._book(changed.symbol, changed.side, left, changed)
        order = replace(order, original_id=broker_order_id, is_ours=False)
        newer = replace(row, intent=changed, order=order, fills=0)
        self._keep(newer)
        self._hold(newer)
        return order.broker_order_id

    def disguise(self, broker_order_id: str) -> None:
        """Make an order by hand look like one through this key."""
        row = self._rows[self._today(), broker_order_id]
        row.order = replace(row.order, is_ours=True)

    def shift(self, broker_order_id: str, *, by: timedelta) -> None:
        """Write an order's time by a clock that is so far ahead."""
        row = self._rows[self._today(), broker_order_id]
        row.order = replace(row.order, ordered_at=row.order.ordered_at + by)

    def refuse_later(self, broker_order_id: str) -> BrokerOrder:
        """Let the exchange refuse an order that the broker has accepted."""
        row = self._rows[self._today(), broker_order_id]
        quantity = row.order.open_quantity
        self._close(row)
        row.order = replace(row.order, canceled_quantity=0, rejected_quantity=quantity)
        return row.order

    def forget(self, broker_order_id: str) -> None:
        """Lose today's row of an order."""
        self._close(row := self._rows[self._today(), broker_order_id])
        del self._rows[self._today(), row.order.broker_order_id]

    def pay_in(self, amount: int) -> None:
        """Take money from the owner (or give it back, negative)."""
        self._ledger = self._ledger.deposit(amount, on=self._today())

    def hand_over(self, symbol: Symbol, quantity: int, cost: int) -> None:
        """Hold shares that were bought before maemae came."""
        self._ledger = self._ledger.adopt(symbol, quantity=quantity, cost=cost)

    def _read(self) -> None:
        if self.reading is not None:
            raise self.reading


async def _happen(events: Iterable[Callable[[], object]]) -> None:
    for happens in events:
        if inspect.isawaitable(going := happens()):
            await going
