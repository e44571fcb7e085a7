"""This is the simulated broker and its exchange: it checks, books, matches, changes and ends orders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Final

from adapters.kis_sim.accounts import Account
from adapters.kis_sim.admission import Admission, Terms
from adapters.kis_sim.faults import Faults, PartialFills, RejectAfterAccept
from adapters.kis_sim.hours import kst
from adapters.kis_sim.market import Market
from adapters.kis_sim.orders import Act, BookedFill, BookedOrder, Notice, OrderRequest
from adapters.kis_sim.refusals import Reason, Refused
from adapters.kis_sim.tapes import Print
from trading.costs import CostSchedule
from trading.krx import PriceLimits
from trading.matching import Fill, match_auction, match_print, match_quote
from trading.orders import Side
from trading.sessions import Phase
from trading.ticks import BookLevel

_FIRST_NUMBER: Final = 1_001
TAKEN: Final = "1"
DONE: Final = "2"
REST_GONE: Final = "3"
"""What a notice says of an order in ACPT_YN."""


class Exchange:
    """Takes orders of all accounts. What the holders must be told gathers in `notices`, oldest first."""

    def __init__(
        self,
        market: Market,
        faults: Faults,
        accounts: Sequence[Account],
        costs: CostSchedule,
        real_time: Callable[[], float],
    ) -> None:
        self.market = market
        self.faults = faults
        self.accounts = tuple(accounts)
        self.costs = costs
        self.admission = Admission(market, faults, costs)
        self.notices: list[Notice] = []
        self._real_time = real_time
        self._numbers: Counter[date] = Counter()
        self._fill_count = 0

    def place(self, account: Account, request: OrderRequest, at: datetime) -> BookedOrder:
        """Take an order, give it a number, and match it at once where the market is open.

        Raises:
            Refused: when the broker does not take it; nothing is booked then.
        """
        terms = self.admission.admit(account, request, at)
        order = self._enter(account, request, request.quantity, terms, at)
        self._tell(order, order.quantity, request.price, at, TAKEN)
        rejection = self.faults.strike(RejectAfterAccept, "reject_after_accept", order.symbol)
        if rejection is not None:
            order.rejected_quantity, order.reason = order.quantity, rejection.text
            self._tell(order, order.quantity, request.price, at, TAKEN, is_refused=True)
        else:
            self._arrive(account, order, at)
        return order

    def modify(
        self, account: Account, original: BookedOrder, request: OrderRequest, at: datetime
    ) -> BookedOrder:
        """Move the open part of an order (`request.quantity` of it, 0 for all) to a new price and number.

        Raises:
            Refused: when nothing or not so much is open, or the new terms are not allowed.
        """
        quantity = _changeable(original, request.quantity)
        original.canceled_quantity += quantity
        try:
            terms = self.admission.admit(account, request, at, quantity=quantity)
        except Refused:
            original.canceled_quantity -= quantity
            raise
        order = self._enter(account, request, quantity, terms, at)
        order.act, order.original = Act.MODIFY, original.number
        self._tell(order, quantity, request.price, at, DONE)
        self._arrive(account, order, at)
        return order

    def cancel(
        self, account: Account, original: BookedOrder, request: OrderRequest, at: datetime
    ) -> BookedOrder:
        """Cancel an order, `request.quantity` of it or all that is open for 0; the cancel is a row of its own.

        Raises:
            Refused: when nothing or not so much is open.
        """
        quantity = _changeable(original, request.quantity)
        original.canceled_quantity += quantity
        original.is_canceled = not original.is_open
        terms = Terms(original.instrument, original.limit_price)
        order = self._enter(account, request, quantity, terms, at)
        order.act, order.original = Act.CANCEL, original.number
        order.canceled_quantity, order.is_canceled = quantity, True
        self._tell(order, quantity, 0, at, DONE)
        return order

    def meet(self, symbol: str, each: Print) -> None:
        """Let a print of the market meet the orders that rest on it."""
        at = each.at
        if self.faults.is_halted(symbol) or self.faults.is_interrupted(symbol, at):
            return
        if each.is_auction:
            self.auction(symbol, each.price, each.volume, at)
            return
        limits = self.market.limits(symbol, kst(at).date())
        volume = each.volume
        for account, order in self._resting(symbol):
            if not order.is_triggered:
                self._trigger(account, order, each)
                continue
            if _is_locked(order.side, each.price, limits):
                continue
            fill = match_print(order.resting(), price=each.price, volume=volume)
            volume -= self._fill(account, order, [fill] if fill else [], at)

    def auction(self, symbol: str, price: int, volume: int, at: datetime) -> None:
        """Match the resting orders at the single price of a call auction."""
        is_closing = self.market.timetable.hours(kst(at).date()).closes_at == at
        for account, order in self._resting(symbol):
            if is_closing and order.request.division.is_market_at_close:
                order.limit_price = None
            fill = match_auction(order.resting(), price=price, volume=volume)
            volume -= self._fill(account, order, [fill] if fill else [], at)

    def end_interruption(self, symbol: str, at: datetime) -> None:
        """Match what gathered in a volatility interruption, at the last price and against the best levels."""
        snapshot, book = self.market.snapshot(symbol, at), self.market.book(symbol, at)
        best = (*book.asks[:1], *book.bids[:1])
        if snapshot and best:
            self.auction(symbol, snapshot.last, min(level.quantity for level in best), at)

    def end_day(self) -> None:
        """Let the orders that are still open die with their session; nobody is told."""
        for account in self.accounts:
            for order in account.open_orders():
                order.canceled_quantity += order.open_quantity
                order.reason = "장종료"

    def begin_day(self, day: date) -> None:
        """Settle what is due and remember what each account is worth."""
        for account in self.accounts:
            account.settle(day)
            account.opening_equity = account.cash + self.worth(account, day)

    def worth(self, account: Account, day: date) -> int:
        """Return the holdings at the previous close of `day`."""
        return sum(
            holding.quantity * self.market.base(holding.symbol, day)
            for holding in account.holdings.values()
        )

    def awaited(self) -> set[str]:
        """Return the symbols that have open orders: their prints matter."""
        return {order.symbol for account in self.accounts for order in account.open_orders()}

    def _enter(
        self, account: Account, request: OrderRequest, quantity: int, terms: Terms, at: datetime
    ) -> BookedOrder:
        day = kst(at).date()
        number = f"{_FIRST_NUMBER + self._numbers[day]:010d}"
        self._numbers[day] += 1
        order = BookedOrder(
            number=number,
            trading_day=day,
            at=at,
            account=account.number,
            request=request,
            instrument=terms.instrument,
            quantity=quantity,
            limit_price=terms.limit_price,
            is_triggered=not request.division.has_trigger,
            entered_real=self._real_time(),
        )
        account.orders.append(order)
        return order

    def _arrive(self, account: Account, order: BookedOrder, at: datetime) -> None:
        division = order.request.division
        if division.is_at_close_price and order.limit_price:
            self._fill(account, order, [Fill(order.limit_price, order.quantity)], at)
        elif order.is_triggered and self._is_continuous(order.symbol, at):
            self._cross(account, order, at)
        if division.condition and order.is_open:
            rest = order.open_quantity
            order.canceled_quantity += rest
            order.is_canceled = True
            self._tell(order, rest, order.request.price, at, REST_GONE)

    def _cross(self, account: Account, order: BookedOrder, at: datetime) -> None:
        """Trade an arriving order with the book."""
        resting = order.resting()
        levels = self.market.book(order.symbol, at).against(order.side)
        if order.request.division.condition == "FOK" and not _covers(
            resting.accepts, levels, order
        ):
            return
        fills = match_quote(resting, levels)
        taken = self._fill(account, order, fills, at)
        for fill in fills:
            part = min(taken, fill.quantity)
            self.market.take(order.symbol, at, fill.price, part)
            taken -= part

    def _fill(
        self, account: Account, order: BookedOrder, fills: Iterable[Fill], at: datetime
    ) -> int:
        """Book fills of one moment and return their shares; a fault may let less through."""
        total = 0
        for fill in fills:
            cap = self.faults.active(PartialFills, "partial_fills", order.symbol)
            room = cap.max_quantity - total if cap else fill.quantity
            quantity = min(fill.quantity, room)
            if quantity > 0:
                self._book(account, order, Fill(fill.price, quantity), at)
                total += quantity
        if total:
            self.faults.strike(PartialFills, "partial_fills", order.symbol)
        return total

    def _book(self, account: Account, order: BookedOrder, fill: Fill, at: datetime) -> None:
        settles_on = self.market.timetable.settlement_day(order.trading_day)
        charges = self.costs.charges_on(
            fill.price * fill.quantity,
            order.side,
            market=order.instrument.market,
            kind=order.instrument.kind,
            settles_on=settles_on,
            before=order.filled_value,
        )
        self._fill_count += 1
        account.post(
            BookedFill(
                self._fill_count,
                order.trading_day,
                at,
                account.number,
                order.number,
                order.symbol,
                order.side,
                fill.quantity,
                fill.price,
                charges.commission,
                charges.tax,
                settles_on,
            )
        )
        order.filled_quantity += fill.quantity
        order.filled_value += fill.quantity * fill.price
        self._tell(order, fill.quantity, fill.price, at, DONE, is_fill=True)

    def _trigger(self, account: Account, order: BookedOrder, each: Print) -> None:
        """Wake a stop limit order when the market reaches its trigger; from the next print on it rests."""
        trigger = order.request.trigger
        is_buy = order.side is Side.BUY
        if each.price >= trigger if is_buy else each.price <= trigger:
            order.is_triggered = True
            self._cross(account, order, each.at)

    def _resting(self, symbol: str) -> list[tuple[Account, BookedOrder]]:
        """Return the open orders of a symbol by price, then time; market orders first."""
        found = [
            (account, order)
            for account in self.accounts
            for order in account.open_orders()
            if order.symbol == symbol and Phase.CONTINUOUS in order.request.division.phases
        ]
        return sorted(found, key=lambda pair: (_eagerness(pair[1]), pair[1].number))

    def _is_continuous(self, symbol: str, at: datetime) -> bool:
        is_open = self.market.timetable.phase(at) is Phase.CONTINUOUS
        return is_open and not self.faults.is_interrupted(symbol, at)

    def _tell(
        self,
        order: BookedOrder,
        quantity: int,
        price: int,
        at: datetime,
        acceptance: str,
        *,
        is_fill: bool = False,
        is_refused: bool = False,
    ) -> None:
        self.notices.append(Notice(order, quantity, price, at, acceptance, is_fill, is_refused))


def _changeable(original: BookedOrder, quantity: int) -> int:
    """Return how many shares a change moves: `quantity`, or all that is open for 0."""
    if not original.is_open:
        raise Refused(Reason.NOTHING_LEFT)
    if quantity > original.open_quantity:
        raise Refused(Reason.TOO_MANY)
    return quantity or original.open_quantity


def _is_locked(side: Side, price: int, limits: PriceLimits) -> bool:
    """Tell whether a price stands at the limit where nobody takes the other side (상한가, 하한가 잠김)."""
    return price >= limits.upper if side is Side.BUY else price <= limits.lower


def _eagerness(order: BookedOrder) -> int:
    if order.limit_price is None:
        return -(2**62)
    return -order.limit_price if order.side is Side.BUY else order.limit_price


def _covers(
    accepts: Callable[[int], bool], levels: Iterable[BookLevel], order: BookedOrder
) -> bool:
    return sum(level.quantity for level in levels if accepts(level.price)) >= order.quantity
