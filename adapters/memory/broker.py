"""This is a paper broker in memory: the exchange's rules, `trading.matching`, and a ledger with T+2 cash.

It is driven: a test or a dry run moves the clock, plays prints or bars, which open orders meet, and ends the
day. Numbers start again every day, as the real broker's do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from adapters.broker import LastLook
from adapters.clock import Clock
from adapters.memory.market_data import MemoryMarketData
from trading.bars import Bar, Interval
from trading.broker_books import Acceptance, Balance, BrokerOrder, BrokerPosition, Buyable
from trading.costs import CostSchedule
from trading.errors import BadInput, Rejected
from trading.executions import Execution, ExecutionSource, notice_id
from trading.instruments import Symbol
from trading.krx import is_on_tick
from trading.ledger import CashFlow, Hold, Ledger
from trading.matching import (
    Fill,
    RestingOrder,
    match_auction,
    match_bar,
    match_print,
    participation,
)
from trading.orders import OrderIntent, OrderType, Side
from trading.sessions import (
    KST,
    Phase,
    TradingCalendar,
    accepts,
    phase_at,
    seoul_date,
    session_of,
)
from trading.ticks import Quote, TradePrint

_BRANCH: Final = "00000"
_MINUTE: Final = timedelta(minutes=1)
_COSTS: Final = CostSchedule()


@dataclass(slots=True)
class _Row:
    """One row of the broker's book and the order it came from; `is_arriving` until it meets a print."""

    intent: OrderIntent
    order: BrokerOrder
    fills: int = 0
    is_arriving: bool = True

    @property
    def key(self) -> str:
        """What its hold is kept under: numbers alone come back the next day."""
        return f"{seoul_date(self.order.ordered_at)}-{self.order.broker_order_id}"

    @property
    def resting(self) -> RestingOrder:
        """What matching needs to know."""
        order = self.order
        return RestingOrder(order.side, order.order_type, order.limit_price, order.open_quantity)


class MemoryBroker:
    """`BrokerAdapter` in memory. `participation_rate`: the part of a print or bar that our orders may take."""

    def __init__(
        self,
        market_data: MemoryMarketData,
        *,
        account: str,
        cash: int,
        clock: Clock,
        calendar: TradingCalendar,
        costs: CostSchedule = _COSTS,
        participation_rate: Decimal = Decimal("0.1"),
    ) -> None:
        self._market_data = market_data
        self._account = account
        self._clock = clock
        self._calendar = calendar
        self._costs = costs
        self._rate = participation_rate
        self._rows: dict[tuple[date, str], _Row] = {}
        self._ledger = Ledger(account, (CashFlow(self._today(), cash),))

    @property
    def ledger(self) -> Ledger:
        """The account's book, for the test that compares."""
        return self._ledger

    async def get_price(self, symbol: Symbol) -> Quote:
        """Read the current price of `symbol`."""
        return await self._market_data.quote(symbol)

    def wire_fields(self, intent: OrderIntent) -> dict[str, str]:
        """Give what would leave if there were a wire."""
        return {
            "symbol": intent.symbol,
            "side": intent.side.value,
            "quantity": str(intent.quantity),
            "order_type": intent.order_type.value,
            "limit_price": str(intent.limit_price or 0),
        }

    async def place(self, intent: OrderIntent, *, last_look: LastLook) -> Acceptance:
        """Take an order, or refuse it as the exchange would.

        Raises:
            Rejected: naming the rule.
        """
        if intent.account != self._account:
            raise BadInput("account", intent.account, self._account)
        last_look()
        self._admit(intent)
        row = _Row(intent, self._book(intent.symbol, intent.side, intent.quantity, intent))
        self._keep(row)
        self._hold(row)
        return self._receipt(row.order)

    async def cancel(
        self, *, broker_order_id: str, branch: str, order_type: OrderType
    ) -> Acceptance:
        """Cancel all that is left of an order; the cancel is a row of its own.

        Raises:
            Rejected: when nothing is left, or no such order is known today.
        """
        del branch, order_type
        if self._phase() is Phase.CLOSED:
            raise Rejected("the market is closed", code="MARKET_CLOSED")
        row = self._rows.get((self._today(), broker_order_id))
        if row is None:
            raise Rejected(f"no order {broker_order_id} today", code="UNKNOWN_ORDER")
        left = row.order.open_quantity
        if not left:
            raise Rejected("nothing is left to cancel", code="NOTHING_LEFT")
        self._close(row)
        cancel = self._book(row.order.symbol, row.order.side, left, row.intent)
        cancel = replace(
            cancel, original_id=broker_order_id, open_quantity=0, canceled_quantity=left
        )
        self._keep(_Row(row.intent, cancel))
        return self._receipt(cancel)

    async def get_balance(self) -> Balance:
        """Read the cash figures."""
        today = self._today()
        held = self._ledger.held_symbols
        return Balance(
            deposit=self._ledger.settled_cash(today),
            next_day_cash=self._ledger.settled_cash(self._calendar.next_trading_day(today)),
            cash=self._ledger.cash,
            securities_value=sum(
                self._ledger.position(symbol).quantity * self._market_data.last(symbol)
                for symbol in held
            ),
        )

    async def get_positions(self) -> tuple[BrokerPosition, ...]:
        """Read every holding above zero."""
        return tuple(
            BrokerPosition(
                symbol=symbol,
                quantity=self._ledger.position(symbol).quantity,
                sellable_quantity=self._ledger.sellable_quantity(symbol),
                cost=self._ledger.position(symbol).cost,
                last=self._market_data.last(symbol),
            )
            for symbol in self._ledger.held_symbols
        )

    async def orders_of_day(self, trading_day: date) -> tuple[BrokerOrder, ...]:
        """Read the day's orders, oldest first."""
        return tuple(row.order for (day, _), row in self._rows.items() if day == trading_day)

    async def buyable(self, symbol: Symbol, *, order_type: OrderType, price: int | None) -> Buyable:
        """Read what may be bought; market orders are reckoned at the upper price limit."""
        unit = price if order_type is OrderType.LIMIT and price else self._upper(symbol)
        cash = self._ledger.buyable_cash
        value = int(cash / (1 + self._costs.commission_rate))
        return Buyable(cash=cash, quantity=max(0, value // unit))

    def play_print(self, trade: TradePrint) -> None:
        """Let a trade of the market meet the open orders, oldest first; the clock must stand at it."""
        self._market_data.show_print(trade)

        def match(row: _Row, volume: int) -> Fill | None:
            if trade.is_auction:
                return match_auction(row.resting, price=trade.price, volume=volume)
            is_arriving, row.is_arriving = row.is_arriving, False
            return match_print(
                row.resting, price=trade.price, volume=volume, is_arriving=is_arriving
            )

        self._match(trade.symbol, trade.quantity, match)

    def play_bar(self, bar: Bar) -> None:
        """Let a bar meet the orders that were in before it began; the clock must stand at its end."""
        self._market_data.show_bar(bar)
        limits = self._market_data.limits(bar.symbol)
        is_minute = bar.interval is Interval.MINUTE
        began = bar.at - _MINUTE if is_minute else session_of(bar.trading_day).opens_at

        def match(row: _Row, volume: int) -> Fill | None:
            if row.order.ordered_at > began:
                return None
            return match_bar(row.resting, replace(bar, volume=volume), limits=limits)

        self._match(bar.symbol, bar.volume, match)

    def end_day(self) -> None:
        """Let what is still open die, as day orders do."""
        for row in self._open_rows():
            self._close(row)

    def _match(
        self, symbol: Symbol, traded: int, match: Callable[[_Row, int], Fill | None]
    ) -> None:
        volume = participation(traded, self._rate)
        for row in self._open_rows():
            if row.order.symbol == symbol and volume > 0 and (fill := match(row, volume)):
                self._fill(row, fill)
                volume -= fill.quantity

    def _fill(self, row: _Row, fill: Fill) -> None:
        row.order = replace(
            row.order,
            filled_quantity=row.order.filled_quantity + fill.quantity,
            filled_value=row.order.filled_value + fill.price * fill.quantity,
            open_quantity=row.order.open_quantity - fill.quantity,
        )
        row.fills += 1
        self._ledger = self._ledger.release(row.key).post(self._execution(row, fill))
        self._hold(row)

    def _execution(self, row: _Row, fill: Fill) -> Execution:
        at, intent, order = self._clock.now(), row.intent, row.order
        instrument, day = self._market_data.instrument(order.symbol), self._today()
        settles_on, value = self._calendar.settlement_day(day), fill.price * fill.quantity
        charges = self._costs.charges_on(
            value,
            order.side,
            market=instrument.market,
            kind=instrument.kind,
            settles_on=settles_on,
            before=order.filled_value - value,
        )
        return Execution(
            execution_id=notice_id(
                trading_day=day,
                broker_order_id=order.broker_order_id,
                time_text=f"{at.astimezone(KST):%H%M%S}",
                quantity=fill.quantity,
                price=fill.price,
                ordinal=row.fills,
            ),
            client_order_id=intent.client_order_id,
            broker_order_id=order.broker_order_id,
            account=self._account,
            strategy_id=intent.strategy_id,
            symbol=order.symbol,
            side=order.side,
            quantity=fill.quantity,
            value=value,
            commission=charges.commission,
            tax=charges.tax,
            cumulative_quantity=order.filled_quantity,
            trading_day=day,
            settles_on=settles_on,
            executed_at=at,
            source=ExecutionSource.NOTICE,
        )

    def _admit(self, intent: OrderIntent) -> None:
        instrument = self._market_data.instrument(intent.symbol)
        on_tick = intent.limit_price is None or is_on_tick(
            intent.limit_price, on=self._today(), market=instrument.market, kind=instrument.kind
        )
        limits = self._market_data.limits(intent.symbol)
        refusals = (
            (
                not accepts(intent.order_type, self._phase()),
                "MARKET_CLOSED",
                "the market is closed",
            ),
            (instrument.is_halted, "HALTED", "trading is halted"),
            (not on_tick, "OFF_TICK", "the price is not on the tick grid"),
            (
                intent.limit_price is not None and not limits.contains(intent.limit_price),
                "PRICE_LIMIT",
                f"the price is outside {limits.lower} to {limits.upper}",
            ),
            (not self._is_covered(intent), "NOT_COVERED", "cash or shares are short"),
        )
        for is_refused, code, message in refusals:
            if is_refused:
                raise Rejected(f"{intent.symbol}: {message}", code=code)

    def _is_covered(self, intent: OrderIntent) -> bool:
        if intent.side is Side.SELL:
            return intent.quantity <= self._ledger.sellable_quantity(intent.symbol)
        unit = intent.limit_price or self._upper(intent.symbol)
        return self._cost(intent.symbol, unit * intent.quantity) <= self._ledger.buyable_cash

    def _hold(self, row: _Row) -> None:
        """Reserve what is still open of an order, and no more."""
        order, quantity = row.order, row.order.open_quantity
        if order.side is Side.SELL:
            hold = Hold(order.symbol, shares=quantity)
        else:
            unit = order.limit_price or self._upper(order.symbol)
            hold = Hold(order.symbol, cash=self._cost(order.symbol, unit * quantity))
        self._ledger = self._ledger.release(row.key)
        if quantity:
            self._ledger = self._ledger.hold(row.key, hold)

    def _cost(self, symbol: Symbol, value: int) -> int:
        """Return the won that buying for `value` takes, commission included."""
        instrument = self._market_data.instrument(symbol)
        charges = self._costs.charges_on(
            value,
            Side.BUY,
            market=instrument.market,
            kind=instrument.kind,
            settles_on=self._calendar.settlement_day(self._today()),
        )
        return value + charges.total

    def _book(self, symbol: Symbol, side: Side, quantity: int, intent: OrderIntent) -> BrokerOrder:
        today = self._today()
        number = 1 + sum(day == today for day, _ in self._rows)
        return BrokerOrder(
            broker_order_id=f"{number:010d}",
            original_id="",
            branch=_BRANCH,
            symbol=symbol,
            side=side,
            order_type=intent.order_type,
            limit_price=intent.limit_price,
            quantity=quantity,
            filled_quantity=0,
            filled_value=0,
            open_quantity=quantity,
            canceled_quantity=0,
            rejected_quantity=0,
            ordered_at=self._clock.now(),
        )

    def _close(self, row: _Row) -> None:
        left = row.order.open_quantity
        row.order = replace(
            row.order,
            open_quantity=0,
            canceled_quantity=row.order.canceled_quantity + left,
        )
        self._ledger = self._ledger.release(row.key)

    def _keep(self, row: _Row) -> None:
        self._rows[self._today(), row.order.broker_order_id] = row

    def _open_rows(self) -> list[_Row]:
        return [row for row in self._rows.values() if row.order.open_quantity]

    def _receipt(self, order: BrokerOrder) -> Acceptance:
        return Acceptance(order.broker_order_id, order.branch, order.ordered_at)

    def _upper(self, symbol: Symbol) -> int:
        return self._market_data.limits(symbol).upper

    def _phase(self) -> Phase:
        today = self._today()
        if not self._calendar.is_trading_day(today):
            return Phase.CLOSED
        return phase_at(self._clock.now(), session_of(today))

    def _today(self) -> date:
        return seoul_date(self._clock.now())
