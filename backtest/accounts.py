"""This is a replay's account: orders through the real gate, fills through the real booking."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cache
from typing import Final

from backtest.plans import ReplayPlan
from backtest.results import ReplayResult
from risk.gate import check
from risk.sizing import MARKET_TRIGGER, EntrySize, size
from risk.views import Past, RiskView
from strategies.evaluation import Validity, last_signal
from strategies.holdings import entries_of, holdings_of
from trading.bookings import Terms, execution_in_one
from trading.decisions import Breach
from trading.equity import EquityPoint
from trading.executions import Execution
from trading.instruments import Instrument, Symbol
from trading.ledger import Ledger
from trading.matching import Fill, RestingOrder
from trading.orders import Order, OrderIntent, OrderType, Side
from trading.positions import Position
from trading.sessions import phase_at, session_of
from trading.signals import Direction, Signal
from trading.ticks import Quote
from trading.trades import closed_trades, losing_streak

REPLAY: Final = "replay"
"""The channel and the account of every order of a replay."""


NO_PAST: Final = Past()

session_on = cache(session_of)
"""The session of a day, worked out once."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When something happens, and what everything costs then."""

    day: date
    at: datetime
    settles_on: date
    quotes: Mapping[Symbol, Quote]


@dataclass
class ReplayAccount:
    """The ledger, and every order and fill on the way to it."""

    plan: ReplayPlan
    ledger: Ledger = field(init=False)
    orders: dict[str, Order] = field(default_factory=dict)
    executions: list[Execution] = field(default_factory=list)
    unsized: list[tuple[Signal, Breach]] = field(default_factory=list)
    holdings: dict[tuple[str, Symbol], Position] = field(default_factory=dict)
    peaks: dict[tuple[str, Symbol], int] = field(default_factory=dict)
    """The highest prices since the entries, at least what was paid."""
    opening: int = 0
    _today: dict[str, Order] = field(default_factory=dict)
    _days: int = 0
    _stops: dict[Symbol, int] = field(init=False)
    """The number of the day on which each symbol was stopped last; the first day is 1."""
    _curve: Sequence[EquityPoint] = ()
    _instruments: dict[Symbol, Instrument] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Pay the cash in, and take over what was there."""
        book = self.plan.opening or Ledger(REPLAY)
        self.ledger = book.deposit(self.plan.cash, on=self.plan.first) if self.plan.cash else book
        for settings in self.plan.strategies:
            held = holdings_of(settings.id, self.plan.past)
            self.holdings |= {(settings.id, symbol): held[symbol] for symbol in held}
            entries = entries_of(settings.id, self.plan.past)
            self.peaks |= {(settings.id, symbol): each.paid for symbol, each in entries.items()}
        self._rules = {s.id: self.plan.rules_of(s) for s in self.plan.strategies}
        self._stops = {symbol: 1 - since for symbol, since in self.plan.stopped.items()}

    def holding(self, strategy_id: str, symbol: Symbol) -> Position:
        """Give what the strategy holds."""
        return self.holdings.get((strategy_id, symbol)) or Position(symbol)

    def raise_peak(self, strategy_id: str, symbol: Symbol, price: int) -> None:
        """Take note of a price since the entry, if the strategy holds anything."""
        key = (strategy_id, symbol)
        if key in self.peaks:
            self.peaks[key] = max(self.peaks[key], price)

    def pay_in(self, day: date) -> int:
        """Book the day's deposits, which are there before it begins; give their won."""
        amount = self.plan.deposits.get(day, 0)
        if amount:
            self.ledger = self.ledger.deposit(amount, on=day)
        return amount

    def begin(self, opening: int, curve: Sequence[EquityPoint] = ()) -> None:
        """Start a day with `opening` won of equity, after the days of `curve`."""
        self.opening = opening
        self._today = {}
        self._days += 1
        self._curve = curve

    def place(self, signal: Signal, moment: Moment, entry: EntrySize | None = None) -> Order | None:
        """Size, check and place as on a real day; None when there is no order or it was denied."""
        if signal.trigger == MARKET_TRIGGER:
            self._stops[signal.symbol] = self._days
        view = self._view(moment, signal)
        owned = self.holding(signal.strategy_id, signal.symbol).quantity
        intent = size(signal, view, self.plan.sizing, owned=owned, entry=entry)
        if isinstance(intent, Breach):
            self.unsized.append((signal, intent))
            return None
        decision = check(intent, view, self._rules[signal.strategy_id])
        if not decision.is_approved:
            self._keep(Order.initialize(intent).deny(decision.reason, at=moment.at))
            return None
        return self._accept(intent, moment)

    def close_out(self, symbol: Symbol, price: int, moment: Moment) -> Iterator[Signal]:
        """Sell all that the strategies hold of what ends, giving the signals: no open order, no rule and no volume
        stands in the way, since there is no later price.
        """
        for order in tuple(self._today.values()):
            if order.symbol == symbol:
                self.drop(order.client_order_id, moment.at)
        sizing = self.plan.sizing.model_copy(update={"exit_type": OrderType.MARKET})
        for settings in self.plan.strategies:
            position = self.holding(settings.id, symbol)
            if not position.quantity:
                continue
            validity = Validity(moment.day, moment.at, moment.at)
            signal = last_signal(settings, position, price, validity=validity)
            view = replace(self._view(moment, signal), open_orders=(), day_orders=())
            intent = size(signal, view, sizing, owned=position.quantity)
            if isinstance(intent, OrderIntent):
                order = self._accept(intent, moment)
                self.fill(order, Fill(price, order.quantity), moment)
            yield signal

    def fill(self, order: Order, fill: Fill, moment: Moment) -> Order:
        """Book a fill as from the broker's row."""
        value, number = fill.quantity * fill.price, order.broker_order_id
        instrument = self._instrument(order.symbol)
        terms = Terms(instrument, self.plan.costs, moment.day, moment.settles_on)
        execution = execution_in_one(
            order, fill.quantity, value, terms, number=number, at=moment.at
        )
        key = (order.intent.strategy_id, order.symbol)
        self.ledger = self.ledger.post(execution)
        self.holdings[key] = self.holding(*key).post(execution)
        if order.side is Side.BUY:
            self.peaks[key] = max(self.peaks.get(key, 0), fill.price)
        elif not self.holdings[key].quantity:
            self.peaks.pop(key, None)
        self.executions.append(execution)
        return self._keep(order.fill(fill.quantity, execution.value, at=moment.at))

    def end(self, at: datetime) -> None:
        """Let what is still open die with the day."""
        for order in tuple(self._today.values()):
            self.drop(order.client_order_id, at)

    def drop(self, client_order_id: str, at: datetime) -> None:
        """Let what is still open of an order die."""
        order = self.orders[client_order_id]
        if order.is_open:
            self._keep(order.expire(at=at))

    def result(
        self, signals: Iterable[Signal], equity: Iterable[EquityPoint], invested: Iterable[int]
    ) -> ReplayResult:
        """Give what happened, after the last day."""
        return ReplayResult(
            signals=tuple(signals),
            orders=tuple(self.orders.values()),
            executions=tuple(self.executions),
            unsized=tuple(self.unsized),
            equity=tuple(equity),
            invested=tuple(invested),
            ledger=self.ledger,
        )

    def _accept(self, intent: OrderIntent, moment: Moment) -> Order:
        number = f"{len(self.orders) + 1:010d}"
        order = Order.initialize(intent).submit(at=moment.at)
        return self._keep(order.accept(number, at=moment.at))

    def _keep(self, order: Order) -> Order:
        self.orders[order.client_order_id] = order
        self._today[order.client_order_id] = order
        return order

    def _instrument(self, symbol: Symbol) -> Instrument:
        if symbol not in self._instruments:
            self._instruments[symbol] = self.plan.instrument(symbol)
        return self._instruments[symbol]

    def _view(self, moment: Moment, signal: Signal) -> RiskView:
        orders = tuple(self._today.values())
        return RiskView(
            at=moment.at,
            trading_day=moment.day,
            channel=REPLAY,
            account=REPLAY,
            phase=phase_at(moment.at, session_on(moment.day)),
            halts=(),
            ledger=self.ledger,
            open_orders=tuple(order for order in orders if order.is_open),
            day_orders=orders,
            quotes=moment.quotes,
            instruments={symbol: self._instrument(symbol) for symbol in moment.quotes},
            equity_opening=self.opening,
            paid_in_today=0,
            buyable_cash=None,
            costs=self.plan.costs,
            past=self._past(signal, moment.day),
        )

    def _past(self, signal: Signal, day: date) -> Past:
        if self.plan.options is not None or signal.direction is Direction.EXIT:
            return NO_PAST
        stopped = self._stops.get(signal.symbol)
        since = None if stopped is None else self._days - stopped
        losing = self._losing_trades(day)
        past = Past.of((*self.plan.curve, *self._curve))
        return replace(past, sessions_since_stop=since, losing_trades=losing)

    def _losing_trades(self, day: date) -> int:
        """Count as on a real day; a day without a sale closed none."""
        if not any(o.side is Side.SELL and o.filled_quantity for o in self._today.values()):
            return 0
        return losing_streak(closed_trades((*self.plan.past, *self.executions)), today=day)


def resting(order: Order) -> RestingOrder:
    """Give what matching needs of an order."""
    intent = order.intent
    return RestingOrder(intent.side, intent.order_type, intent.limit_price, order.open_quantity)
