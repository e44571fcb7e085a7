"""This is the timetable of a convention: what happens on which day of one account, in which order.

Only days on which something may happen are looked at: a decision, an order that is due, a level that is reached. What
happens then goes through the pipeline of every replay: evaluate, size, check, order, match, post.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from heapq import heappop, heappush

from backtest.accounts import Moment, ReplayAccount, resting, session_on
from backtest.lanes import Lane
from backtest.listings import ends_within
from backtest.options import BacktestOptions, FillConvention, MarketRules, SizingKind
from backtest.plans import ReplayPlan
from backtest.prices import DayPrices, reached_price
from risk.sizing import EntrySize
from strategies.evaluation import Validity, flagged_signals, protective_signal
from strategies.exits import exit_levels
from trading.bars import Bar
from trading.instruments import Listing, Symbol
from trading.matching import match_auction, participation
from trading.orders import Order, Side
from trading.positions import Position
from trading.sessions import Session, TradingCalendar
from trading.signals import Direction, Signal
from trading.ticks import Quote


class EveryDay:
    """The days where no exchange's rules count: each may have trades, and settles them itself."""

    def is_trading_day(self, day: date) -> bool:
        """Say yes."""
        del day
        return True

    def next_trading_day(self, day: date) -> date:
        """Give the day after."""
        return day + timedelta(days=1)

    def previous_trading_day(self, day: date) -> date:
        """Give the day before."""
        return day - timedelta(days=1)

    def trading_days(self, first: date, last: date) -> tuple[date, ...]:
        """Give every day from `first` to `last`."""
        return tuple(map(date.fromordinal, range(first.toordinal(), last.toordinal() + 1)))

    def settlement_day(self, day: date) -> date:
        """Give the day itself."""
        return day


type _Bars = dict[Symbol, int]
"""One bar of each symbol that something is noted of."""


@dataclass(frozen=True, slots=True)
class _Due:
    """A decision that waits for its day, and what it wants."""

    lane: Lane
    signal: Signal
    entry: EntrySize | None = None


@dataclass
class Timetable:
    """One account's days: which ones count, and what happens on each in which order."""

    plan: ReplayPlan
    options: BacktestOptions
    calendar: TradingCalendar
    account: ReplayAccount
    lanes: Mapping[Symbol, Lane]
    signals: list[Signal] = field(default_factory=list)
    _today: int = 0
    _has_begun: bool = False
    """Whether the account knows that it is today, which takes until an order is placed."""
    _agenda: list[int] = field(default_factory=list)
    _deciding: defaultdict[int, _Bars] = field(default_factory=lambda: defaultdict(dict))
    _watching: defaultdict[int, _Bars] = field(default_factory=lambda: defaultdict(dict))
    _due: defaultdict[int, list[_Due]] = field(default_factory=lambda: defaultdict(list))
    _ending: defaultdict[int, _Bars] = field(default_factory=lambda: defaultdict(dict))

    def __post_init__(self) -> None:
        """Note every day on which a strategy decides to enter, and the last day of every symbol that has one."""
        (self._settings,) = self.plan.strategies
        self._steps = self._steps_of(self.options.fill)
        for lane in self.lanes.values():
            for index in lane.entries():
                self._note(self._deciding, lane, index)
            end = self.plan.listings.get(lane.symbol, Listing()).delisted_on
            if end is not None and ends_within(self.plan, lane.symbol):
                self._note(self._ending, lane, lane.last_before(end.toordinal()))

    def run(self) -> None:
        """Go through the days that count, each once."""
        while self._agenda:
            day = heappop(self._agenda)
            while self._agenda and self._agenda[0] == day:
                heappop(self._agenda)
            if day > self.plan.last.toordinal():
                return
            self._today, self._has_begun = day, False
            for step in (*self._steps, self._close_out):
                step(day)

    def _steps_of(self, fill: FillConvention) -> tuple[Callable[[int], None], ...]:
        match fill:
            case FillConvention.NEXT_OPEN:
                return self._trade_at_open, self._protect, self._decide
            case FillConvention.NEXT_CLOSE:
                return self._protect, self._trade_at_close, self._decide
            case FillConvention.SIGNAL_CLOSE:
                return self._protect, self._decide, self._trade_at_close

    def _note(self, days: defaultdict[int, _Bars], lane: Lane, index: int) -> None:
        """Come back to a bar on its day; behind the last one there is none."""
        if 0 <= index < len(lane.days):
            day = lane.day_of(index)
            days[day][lane.symbol] = index
            self._plan_for(day)

    def _plan_for(self, day: int) -> None:
        if day > self._today:
            heappush(self._agenda, day)

    # What the close decides -------------------------------------------------------------------------------

    def _decide(self, day: int) -> None:
        """Ask the strategy about each symbol that it says something about at this close."""
        asked = sorted(self._deciding.pop(day, {}).items())
        entry = self._entry(day) if asked else None
        for symbol, index in asked:
            lane, position = self.lanes[symbol], self._held(symbol)
            due = self._due_day(lane, index)
            if due is None:
                continue
            for signal in self._signals(lane, index, position, due):
                self.signals.append(signal)
                self._due[due].append(_Due(lane, signal, entry))
                self._plan_for(due)
            if position.quantity:
                self._watch(lane, index + 1)

    def _signals(self, lane: Lane, index: int, position: Position, due: int) -> tuple[Signal, ...]:
        decided_at = _session(lane.day_of(index)).closes_at
        ends_at = _session(due).closes_at
        validity = Validity(date.fromordinal(due), decided_at, ends_at)
        return flagged_signals(
            index,
            lane.columns,
            lane.decisions,
            self._settings,
            position=position,
            validity=validity,
        )

    def _due_day(self, lane: Lane, index: int) -> int | None:
        """Give the day on which a decision of this bar is traded, None outside the plan's days."""
        if self.options.fill is FillConvention.SIGNAL_CLOSE:
            due = lane.day_of(index)
        elif self.options.market is MarketRules.KRX:
            decided = date.fromordinal(lane.day_of(index))
            due = self.calendar.next_trading_day(decided).toordinal()
        else:
            due = lane.day_of(index + 1)
        if not self.plan.first.toordinal() <= due <= self.plan.last.toordinal():
            return None
        return due if self.plan.is_listed(lane.symbol, date.fromordinal(due)) else None

    def _entry(self, day: int) -> EntrySize | None:
        """Give how large every entry of this close shall be, None for all the cash that is left then."""
        match self.options.sizing:
            case SizingKind.QUANTITY:
                return EntrySize(quantity=self.options.quantity)
            case SizingKind.WEIGHT if self.options.weight is not None:
                part, whole = self.options.weight.as_integer_ratio()
                return EntrySize(budget=self._equity(day) * part // whole)
        return None

    # What is traded ---------------------------------------------------------------------------------------

    def _trade_at_open(self, day: int) -> None:
        self._trade_due(day, lambda bar: bar.open, lambda session: session.opens_at)

    def _trade_at_close(self, day: int) -> None:
        self._trade_due(day, lambda bar: bar.close, lambda session: session.closes_at)

    def _trade_due(
        self, day: int, price_of: Callable[[Bar], int], moment_of: Callable[[Session], datetime]
    ) -> None:
        """Trade what waits for this day: what is sold, then what is bought, each in order of the symbols."""
        waiting = self._due.pop(day, [])
        waiting.sort(key=lambda due: (self._side(due, day) is Side.BUY, due.lane.symbol))
        for due in waiting:
            index = due.lane.index(day)
            bar = None if index is None else due.lane.bar(index)
            at = moment_of(_session(day))
            self._trade(due, day, bar, price_of(bar) if bar else None, at)

    def _trade(self, due: _Due, day: int, bar: Bar | None, price: int | None, at: datetime) -> None:
        """Place one order and match it at the price of its moment; what does not fill dies."""
        lane, signal = due.lane, due.signal
        side, prices = self._side(due, day), self._prices(lane, day)
        asked = prices.slipped(price, side) if price else prices.base
        self._begin(day)
        moment = self._moment(day, at, lane.symbol, asked or 0, is_halted=bar is None)
        entry = due.entry or EntrySize(budget=self.account.ledger.cash)
        order = self.account.place(signal, moment, entry)
        if order is None:
            return
        if bar and asked and prices.is_open(side, bar):
            self._match(order, bar, asked, moment)
        self.account.drop(order.client_order_id, at)
        if side is Side.BUY and bar and self._held(lane.symbol).quantity:
            self._watch_new(lane, day)

    def _prices(self, lane: Lane, day: int) -> DayPrices:
        on, base = date.fromordinal(day), lane.close_before(day)
        return DayPrices(lane.instrument, self.options, on, base)

    def _begin(self, day: int) -> None:
        """Tell the account of a new day, before its first order."""
        if not self._has_begun:
            self.account.begin(opening=self._equity(day - 1))
            self._has_begun = True

    def _side(self, due: _Due, day: int) -> Side:
        """Tell which way an order will go: an entry sells when more is held than the part that it wants."""
        weight, held = due.signal.target_weight, self._held(due.lane.symbol).quantity
        if due.signal.direction is Direction.EXIT:
            return Side.SELL
        if weight is None or not held:
            return Side.BUY
        value = held * (due.lane.close_before(day) or 0)
        return Side.SELL if value > self._equity(day - 1) * weight else Side.BUY

    def _match(self, order: Order, bar: Bar, price: int, moment: Moment) -> None:
        part = self.options.participation
        if part is not None:
            volume = participation(bar.volume, part)
        else:
            is_krx = self.options.market is MarketRules.KRX
            volume = bar.volume if is_krx else order.open_quantity
        fill = match_auction(resting(order), price=price, volume=volume)
        if fill is not None:
            self.account.fill(order, fill, moment)

    def _protect(self, day: int) -> None:
        """Leave what has reached its stop or target today."""
        for symbol, index in sorted(self._watching.pop(day, {}).items()):
            position = self._held(symbol)
            if position.quantity:
                self._leave(self.lanes[symbol], index, position)

    def _leave(self, lane: Lane, index: int, position: Position) -> None:
        bar, day = lane.bar(index), lane.day_of(index)
        prices = self._prices(lane, day)
        levels = exit_levels(position, self._settings.exits)
        price = reached_price(levels, bar, prices.grid)
        if price is not None and prices.is_open(Side.SELL, bar):
            session = _session(day)
            at = session.opens_at if price == bar.open else session.closing_auction_at
            validity = Validity(bar.trading_day, at, session.closes_at)
            signal = protective_signal(self._settings, position, price, validity=validity)
            if signal is not None:
                self.signals.append(signal)
                self._trade(_Due(lane, signal), day, bar, price, at)
        if self._held(lane.symbol).quantity:
            self._watch(lane, index + 1, decides_from=index)

    def _close_out(self, day: int) -> None:
        """Sell what is delisted at its last close."""
        for symbol, index in sorted(self._ending.pop(day, {}).items()):
            if not self._held(symbol).quantity:
                continue
            lane = self.lanes[symbol]
            price = self._prices(lane, day).slipped(lane.bar(index).close, Side.SELL)
            self._begin(day)
            moment = self._moment(day, _session(day).closes_at, symbol, price, is_halted=False)
            self.signals += self.account.close_out(symbol, price, moment)

    # What is watched --------------------------------------------------------------------------------------

    def _watch_new(self, lane: Lane, day: int) -> None:
        """Watch a position from its purchase on: its stop from this bar's opening, or from the next bar on."""
        index = lane.index(day)
        if index is None:
            return
        is_at_open = self.options.fill is FillConvention.NEXT_OPEN
        is_decided = self.options.fill is FillConvention.SIGNAL_CLOSE
        self._watch(
            lane,
            index if is_at_open else index + 1,
            decides_from=index + 1 if is_decided else index,
        )

    def _watch(self, lane: Lane, index: int, *, decides_from: int | None = None) -> None:
        """Note the next bar that reaches a level, and the next that decides to leave."""
        levels = exit_levels(self._held(lane.symbol), self._settings.exits)
        self._note(self._watching, lane, lane.next_reach(index, levels))
        decided = lane.next_exit(index if decides_from is None else decides_from)
        self._note(self._deciding, lane, decided)

    # What is known ----------------------------------------------------------------------------------------

    def _held(self, symbol: Symbol) -> Position:
        return self.account.holding(self._settings.id, symbol)

    def _equity(self, day: int) -> int:
        """Value the account at the last closes up to a day."""
        return self.account.ledger.equity(dict(self._closes(day)))

    def _closes(self, day: int) -> Iterator[tuple[Symbol, int]]:
        for symbol in self.account.ledger.held_symbols:
            close = self.lanes[symbol].close_before(day + 1)
            if close is not None:
                yield symbol, close

    def _moment(
        self, day: int, at: datetime, symbol: Symbol, price: int, *, is_halted: bool
    ) -> Moment:
        """Give a moment at which one symbol can be had at exactly `price`, the others stand at their last close."""
        on = date.fromordinal(day)
        prices = {**dict(self._closes(day - 1)), symbol: price}
        quotes = {
            each: _quote(each, last, at, is_halted=is_halted and each == symbol)
            for each, last in prices.items()
        }
        return Moment(on, at, self.calendar.settlement_day(on), quotes)


def _quote(symbol: Symbol, price: int, at: datetime, *, is_halted: bool) -> Quote:
    """Give a quote at which an order can name no other price."""
    return Quote(
        symbol=symbol,
        last=price,
        open=0,
        high=0,
        low=0,
        volume=0,
        base_price=price,
        upper_limit=price,
        lower_limit=price,
        at=at,
        is_halted=is_halted,
    )


def _session(day: int) -> Session:
    return session_on(date.fromordinal(day))
