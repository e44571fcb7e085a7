"""This is the broker as a plain book for property tests: what is true, and the late, blank or lost ways to hear of it.

It shares no arithmetic with the product: cash is counted in plain numbers, one line per order number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from adapters.broker import LastLook
from adapters.clock import Clock
from adapters.memory.market_data import MemoryMarketData
from trading.broker_books import Acceptance, Balance, BrokerOrder, BrokerPosition, Buyable
from trading.errors import OutcomeUnknown, Rejected, Throttled
from trading.instruments import Symbol
from trading.notices import Notice, NoticeKind
from trading.orders import OrderIntent, OrderType, Side
from trading.sessions import KST, TradingCalendar, seoul_date
from trading.ticks import Quote

ADDRESS: Final = "10.0.0.1"
COMMISSION: Final = (15, 100_000)
TAXES: Final = ((15, 10_000), (15, 10_000))
"""Of a KOSPI sale in 2018: securities transaction tax and the special tax for rural areas, 0.15 % each."""


class Line(StrEnum):
    """What the telephone line does to an order or a cancel."""

    ANSWERED = "ANSWERED"
    REFUSED = "REFUSED"
    NEVER_ARRIVED = "NEVER_ARRIVED"
    """The line broke before the broker heard: nobody on our side can know."""
    REPLY_LOST = "REPLY_LOST"
    KILLED_BEFORE = "KILLED_BEFORE"
    """Our process dies before the broker hears of it."""
    KILLED_AFTER = "KILLED_AFTER"


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


@dataclass(slots=True)
class Entry:
    """One order number. `owner` is the order of ours behind it, "" for one placed by hand.

    `shows_at` is when inquiries begin to show it; `history` is what was true from when on.
    """

    row: BrokerOrder
    owner: str
    shows_at: datetime
    history: list[tuple[datetime, BrokerOrder]] = field(default_factory=list)

    def seen(self, at: datetime, lag: timedelta) -> BrokerOrder | None:
        """Give the row as an inquiry that is `lag` behind shows it, None while it does not show."""
        if at < self.shows_at:
            return None
        known = [row for since, row in self.history if since <= at - lag]
        return known[-1] if known else self.history[0][1]


class BookBroker:
    """`BrokerAdapter` over a plain book. `line` is what happens to the next order or cancel.

    `delay` is how late the rows of new orders show, `lag` how old the contents of an inquiry are, `is_blank`
    makes it show nothing, `is_throttled` refuses it. `ahead` is by how much its clock is ahead of ours. `before_reply` is called while a receipt is on its way.
    """

    def __init__(
        self, market: MemoryMarketData, *, cash: int, clock: Clock, calendar: TradingCalendar
    ) -> None:
        self._market, self._clock, self._calendar = market, clock, calendar
        self.entries: dict[tuple[date, str], Entry] = {}
        self.cash_flows: dict[date, int] = defaultdict(int, {seoul_date(clock.now()): cash})
        self.shares: dict[Symbol, int] = defaultdict(int)
        self.sent: list[OrderIntent] = []
        self.line = Line.ANSWERED
        self.delay = self.lag = self.ahead = timedelta()
        self.is_blank = self.is_throttled = False
        self.before_reply: Callable[[], None] | None = None

    @property
    def today(self) -> date:
        """The market's day."""
        return seoul_date(self._clock.now())

    @property
    def cash(self) -> int:
        """Won after everything has settled."""
        return sum(self.cash_flows.values())

    def of_today(self) -> list[Entry]:
        """Give today's entries, oldest first."""
        return [entry for (day, _), entry in self.entries.items() if day == self.today]

    def open_entries(self) -> list[Entry]:
        """Give what may still fill."""
        return [entry for entry in self.of_today() if entry.row.open_quantity]

    def wire_fields(self, intent: OrderIntent) -> Mapping[str, str]:
        """Give what identifies an order on paper."""
        return {"PDNO": intent.symbol, "ORD_QTY": str(intent.quantity)}

    async def place(self, intent: OrderIntent, *, last_look: LastLook) -> Acceptance:
        """Take an order, if the line lets it through."""
        last_look()
        self.sent.append(intent)
        self._lose_on_the_way()
        entry = self.take(intent, owner=intent.client_order_id)
        if self.before_reply is not None:
            self.before_reply()
        self._lose_the_reply()
        return _receipt(entry.row)

    async def cancel(
        self, *, broker_order_id: str, branch: str, order_type: OrderType
    ) -> Acceptance:
        """Cancel what is left, if the line lets it through."""
        del branch, order_type
        self._lose_on_the_way()
        entry = self.entries.get((self.today, broker_order_id))
        if entry is None or not entry.row.open_quantity:
            raise Rejected("nothing is left to cancel", code="NOTHING_LEFT")
        cancel = self.close(entry)
        self._lose_the_reply()
        return _receipt(cancel)

    def take(self, intent: OrderIntent, *, owner: str, is_ours: bool = True) -> Entry:
        """Write an order into the book.

        Raises:
            Rejected: when cash or shares are short.
        """
        self._require_cover(intent)
        row = BrokerOrder(
            broker_order_id=self._number(),
            original_id="",
            branch="00950",
            symbol=intent.symbol,
            side=intent.side,
            order_type=intent.order_type,
            limit_price=intent.limit_price,
            quantity=intent.quantity,
            filled_quantity=0,
            filled_value=0,
            open_quantity=intent.quantity,
            canceled_quantity=0,
            rejected_quantity=0,
            ordered_at=self._clock.now() + self.ahead,
            is_ours=is_ours,
            address=ADDRESS if is_ours else "",
        )
        return self._keep(row, owner)

    def close(self, entry: Entry) -> BrokerOrder:
        """Cancel what is left of an order; give the row of the cancel."""
        row, left = entry.row, entry.row.open_quantity
        self._change(entry, open_quantity=0, canceled_quantity=row.canceled_quantity + left)
        cancel = replace(
            row,
            broker_order_id=self._number(),
            original_id=row.broker_order_id,
            quantity=left,
            filled_quantity=0,
            filled_value=0,
            open_quantity=0,
            canceled_quantity=left,
            ordered_at=self._clock.now() + self.ahead,
        )
        return self._keep(cancel, entry.owner).row

    def refuse_later(self, entry: Entry) -> None:
        """Let the exchange refuse an order that the broker has accepted."""
        self._change(entry, open_quantity=0, rejected_quantity=entry.row.open_quantity)

    def end_day(self) -> None:
        """Let what is open die, as day orders do."""
        for entry in self.open_entries():
            left = entry.row.open_quantity
            canceled = entry.row.canceled_quantity + left
            self._change(entry, open_quantity=0, canceled_quantity=canceled)

    def fill(self, entry: Entry, quantity: int, price: int) -> Notice:
        """Let part of an order trade; give the notice of it."""
        row, value = entry.row, quantity * price
        is_buy = row.side is Side.BUY
        charges = _charges(row.side, row.filled_value + value) - _charges(
            row.side, row.filled_value
        )
        settles_on = self._calendar.settlement_day(self.today)
        self.cash_flows[settles_on] += (-value if is_buy else value) - charges
        self.shares[row.symbol] += quantity if is_buy else -quantity
        self._change(
            entry,
            filled_quantity=row.filled_quantity + quantity,
            filled_value=row.filled_value + value,
            open_quantity=row.open_quantity - quantity,
        )
        return self.notice(entry.row, NoticeKind.FILLED, quantity=quantity, price=price)

    def notice(self, row: BrokerOrder, kind: NoticeKind, *, quantity: int, price: int) -> Notice:
        """Give a notice about an order, sent now."""
        at = self._clock.now()
        return Notice(
            kind=kind,
            broker_order_id=row.broker_order_id,
            original_id=row.original_id,
            symbol=row.symbol,
            side=row.side,
            order_type=row.order_type,
            quantity=quantity,
            price=price,
            order_quantity=row.quantity,
            time_text=f"{(at + self.ahead).astimezone(KST):%H%M%S}",
            received_at=at,
        )

    async def get_price(self, symbol: Symbol) -> Quote:
        """Read the current price of `symbol`."""
        return await self._market.quote(symbol)

    async def get_balance(self) -> Balance:
        """Read the cash figures."""
        self._read()
        tomorrow = self._calendar.next_trading_day(self.today)
        return Balance(
            deposit=self._settled(self.today),
            next_day_cash=self._settled(tomorrow),
            cash=self.cash,
            securities_value=sum(n * self._market.last(s) for s, n in self.shares.items() if n),
        )

    async def get_positions(self) -> tuple[BrokerPosition, ...]:
        """Read every holding above zero."""
        self._read()
        return tuple(
            BrokerPosition(
                symbol=symbol,
                quantity=quantity,
                sellable_quantity=self._sellable(symbol),
                cost=quantity * self._market.last(symbol),
                last=self._market.last(symbol),
            )
            for symbol, quantity in sorted(self.shares.items())
            if quantity
        )

    async def orders_of_day(self, trading_day: date) -> tuple[BrokerOrder, ...]:
        """Read the day's orders as far as they show."""
        self._read()
        if self.is_blank:
            return ()
        at = self._clock.now()
        seen = [e.seen(at, self.lag) for (day, _), e in self.entries.items() if day == trading_day]
        return tuple(row for row in seen if row is not None)

    async def buyable(self, symbol: Symbol, *, order_type: OrderType, price: int | None) -> Buyable:
        """Read what may be bought."""
        del symbol, order_type
        self._read()
        free = self._free_cash()
        return Buyable(cash=free, quantity=free // (price or free or 1))

    def _lose_on_the_way(self) -> None:
        match self.line:
            case Line.REFUSED:
                raise Rejected("the broker says no", code="APBK0000")
            case Line.NEVER_ARRIVED:
                raise OutcomeUnknown("no answer, and it never arrived")
            case Line.KILLED_BEFORE:
                raise Killed

    def _lose_the_reply(self) -> None:
        match self.line:
            case Line.REPLY_LOST:
                raise OutcomeUnknown("no answer, though it is in")
            case Line.KILLED_AFTER:
                raise Killed

    def _read(self) -> None:
        if self.is_throttled:
            raise Throttled("too fast", code="EGW00201")

    def _require_cover(self, intent: OrderIntent) -> None:
        if intent.side is Side.SELL:
            is_short = intent.quantity > self._sellable(intent.symbol)
        else:
            is_short = self._cost(intent.symbol, intent.limit_price, intent.quantity) > (
                self._free_cash()
            )
        if is_short:
            raise Rejected("cash or shares are short", code="NOT_COVERED")

    def _cost(self, symbol: Symbol, limit_price: int | None, quantity: int) -> int:
        value = (limit_price or self._market.limits(symbol).upper) * quantity
        return value + _charges(Side.BUY, value)

    def _free_cash(self) -> int:
        rows = [entry.row for entry in self.open_entries() if entry.row.side is Side.BUY]
        return self.cash - sum(self._cost(r.symbol, r.limit_price, r.open_quantity) for r in rows)

    def _sellable(self, symbol: Symbol) -> int:
        rows = [entry.row for entry in self.open_entries() if entry.row.side is Side.SELL]
        return self.shares[symbol] - sum(r.open_quantity for r in rows if r.symbol == symbol)

    def _settled(self, day: date) -> int:
        return sum(amount for on, amount in self.cash_flows.items() if on <= day)

    def _number(self) -> str:
        return f"{1 + len(self.of_today()):010d}"

    def _keep(self, row: BrokerOrder, owner: str) -> Entry:
        at = self._clock.now()
        entry = Entry(row, owner, at + self.delay, [(at, row)])
        self.entries[self.today, row.broker_order_id] = entry
        return entry

    def _change(self, entry: Entry, **changes: Any) -> None:
        entry.row = replace(entry.row, **changes)
        entry.history.append((self._clock.now(), entry.row))


def _receipt(row: BrokerOrder) -> Acceptance:
    return Acceptance(row.broker_order_id, row.branch, row.ordered_at)


def _charges(side: Side, value: int) -> int:
    parts = (COMMISSION, *TAXES) if side is Side.SELL else (COMMISSION,)
    return sum(value * numerator // denominator for numerator, denominator in parts)
