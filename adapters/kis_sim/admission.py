"""This is what the simulated broker looks at before it takes an order: hours, symbol, price, cash, shares."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from adapters.kis_sim.accounts import Account
from adapters.kis_sim.divisions import Division
from adapters.kis_sim.faults import Fault, Faults
from adapters.kis_sim.hours import kst
from adapters.kis_sim.market import Market, Snapshot
from adapters.kis_sim.orders import BookedOrder, OrderRequest
from adapters.kis_sim.refusals import Reason, Refused
from trading.costs import CostSchedule
from trading.instruments import Instrument, InstrumentKind
from trading.instruments import Market as Board
from trading.krx import is_on_tick
from trading.orders import Side
from trading.sessions import Phase


@dataclass(frozen=True, slots=True)
class Terms:
    """What an admitted order is booked with; no limit for market types."""

    instrument: Instrument
    limit_price: int | None


class Admission:
    """The broker's rules for new and changed orders, and what they reserve."""

    def __init__(self, market: Market, faults: Faults, costs: CostSchedule) -> None:
        self._market = market
        self._faults = faults
        self._costs = costs

    def admit(
        self, account: Account, request: OrderRequest, at: datetime, *, quantity: int | None = None
    ) -> Terms:
        """Return the terms of an order for `quantity` shares, those of the request if not given.

        Raises:
            Refused: naming the first rule that it breaks.
        """
        wanted = request.quantity if quantity is None else quantity
        snapshot = self._market.snapshot(request.symbol, at)
        if snapshot is None:
            raise Refused(Reason.SYMBOL)
        if wanted < 1:
            raise Refused(Reason.QUANTITY)
        self._check_hours(request.division, at)
        if self._faults.is_halted(request.symbol):
            raise Refused(Reason.HALTED)
        limit_price = self._limit_price(request, snapshot)
        self._check_funds(account, request, snapshot, limit_price, wanted)
        return Terms(snapshot.instrument, limit_price)

    def available(self, account: Account, at: datetime) -> int:
        """Return the won that no settlement and no open buy order needs."""
        held = sum(
            self.reserved(order, at) for order in account.open_orders() if order.side is Side.BUY
        )
        return account.cash - held

    def reserved(self, order: BookedOrder, at: datetime) -> int:
        """Return the won that an open buy order holds."""
        upper = self._market.limits(order.symbol, kst(at).date()).upper
        unit = self.reserve_price(order.request.division, order.limit_price, upper)
        return self.cost(unit * order.open_quantity)

    def reserve_price(self, division: Division, limit_price: int | None, upper: int) -> int:
        """Return the won per share that a buy reserves: its limit, or the upper price limit without one."""
        return upper if limit_price is None or division.is_market_at_close else limit_price

    def cost(self, value: int) -> int:
        """Return what buying for `value` won takes, commission included; a buy pays no tax on any board."""
        charges = self._costs.charges_on(
            value, Side.BUY, market=Board.KOSPI, kind=InstrumentKind.STOCK, settles_on=date.max
        )
        return value + charges.commission

    def spendable(self, account: Account, at: datetime) -> int:
        """Return the largest value that can be bought, its own commission being covered."""
        cash = max(0, self.available(account, at))
        value = int(cash / (1 + self._costs.commission_rate))
        # The commission's fraction is dropped, so that one won more may fit.
        while self.cost(value + 1) <= cash:
            value += 1
        return value

    def _check_hours(self, division: Division, at: datetime) -> None:
        timetable, today = self._market.timetable, kst(at).date()
        if not timetable.is_trading_day(today) or self._faults.is_holiday(today, today):
            raise Refused(Reason.HOLIDAY)
        if self._faults.active(Fault, "market_closed"):
            raise Refused(Reason.CLOSED)
        if any(timetable.is_in(phase, at) for phase in division.phases):
            return
        is_early = at < timetable.hours(today).opens_at
        raise Refused(Reason.NOT_OPEN_YET if is_early else Reason.CLOSED)

    def _limit_price(self, request: OrderRequest, snapshot: Snapshot) -> int | None:
        division = request.division
        if division.is_market:
            return None
        if division.is_at_close_price:
            is_before = Phase.PRE_MARKET_CLOSE_PRICE in division.phases
            return snapshot.base if is_before else snapshot.last
        if division.pegs:
            return self._pegged(request, snapshot)
        instrument, day = snapshot.instrument, kst(snapshot.at).date()
        for price in (request.price, request.trigger) if division.has_trigger else (request.price,):
            if not is_on_tick(price, on=day, market=instrument.market, kind=instrument.kind):
                raise Refused(Reason.TICK)
        if not snapshot.limits.contains(request.price):
            raise Refused(Reason.LIMITS)
        return request.price

    def _pegged(self, request: OrderRequest, snapshot: Snapshot) -> int:
        book = self._market.book(request.symbol, snapshot.at)
        is_ask = (request.side is Side.BUY) == (request.division.pegs == "theirs")
        levels = book.asks if is_ask else book.bids
        if not levels:
            raise Refused(Reason.LIMITS)
        return levels[0].price

    def _check_funds(
        self,
        account: Account,
        request: OrderRequest,
        snapshot: Snapshot,
        limit_price: int | None,
        quantity: int,
    ) -> None:
        if request.side is Side.SELL:
            if quantity > account.sellable(request.symbol):
                raise Refused(Reason.SHARES)
            return
        unit = self.reserve_price(request.division, limit_price, snapshot.limits.upper)
        needed = self.cost(unit * quantity)
        if needed > self.available(account, snapshot.at):
            raise Refused(Reason.CASH)
