"""This is the replay by minute bars: past minutes through the real pipeline, evaluate, size, check, order, match, post.

Conventions: a decision at a minute's close is ordered then and traded in the symbol's next bar of the day, at its
opening where that is within the limit, else at the limit where the bar comes to it. An entry lives for that one bar,
an exit until the close. A stop or target that a bar reaches ends the position in it, the stop first; a position
bought in a bar has no target in it. A trailing stop follows what was paid and the highest price up to the bar before.
Within a minute exits go first, then symbols in ascending order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, Self

from backtest.accounts import Moment, ReplayAccount, resting
from backtest.listings import last_days, listed_bars
from backtest.plans import ReplayPlan
from backtest.prices import grid_of, reached_price
from backtest.results import ReplayResult
from strategies.base import BarColumns, Decisions, has_traded
from strategies.evaluation import Validity, flagged_signals, protective_signal
from strategies.exits import exit_levels
from strategies.holdings import entries_of
from strategies.settings import StrategySettings
from trading.bars import Bar, Interval
from trading.equity import EquityPoint
from trading.errors import BadInput
from trading.instruments import Instrument, Symbol
from trading.krx import PriceLimits, price_limits
from trading.matching import match_bar, match_print
from trading.orders import Order, Side
from trading.sessions import TradingCalendar, session_of
from trading.signals import Direction, Signal
from trading.ticks import Quote

A_MINUTE: Final = timedelta(minutes=1)
_NOW: Final[Mapping[Symbol, int]] = {}


def run_minutes(
    bars: Mapping[Symbol, Sequence[Bar]], plan: ReplayPlan, calendar: TradingCalendar
) -> ReplayResult:
    """Trade the plan over minute `bars`, oldest first; those before `plan.first` warm the strategies up.

    Raises:
        BadInput: when plan and bars do not fit, or a strategy looks at other bars.
    """
    for settings in plan.strategies:
        if settings.interval is not Interval.MINUTE:
            raise BadInput("strategies", settings.id, "strategies of minute bars")
    bars = listed_bars(bars, plan.listings)
    plan.require_data(
        {s: (each[0].trading_day, each[-1].trading_day) for s, each in bars.items() if each}
    )
    account, ends = ReplayAccount(plan), last_days(plan, bars)
    trading = MinuteTrading.of(bars, plan, calendar, account, symbols=plan.symbols)
    equity: list[EquityPoint] = []
    invested: list[int] = []
    for day in calendar.trading_days(plan.first, plan.last):
        paid_in = account.pay_in(day)
        opening = account.ledger.equity(trading.closes)
        account.begin(opening, equity)
        trading.trade(day)
        trading.close_out(day, (symbol for symbol, last in ends.items() if last == day))
        account.end(session_of(day).closes_at)
        closing = account.ledger.equity(trading.closes)
        equity.append(EquityPoint(day, opening - paid_in, closing, paid_in))
        invested.append(closing - account.ledger.cash)
    return account.result(trading.signals, equity, invested)


@dataclass(frozen=True, slots=True, eq=False)
class _Lane:
    """One symbol's minutes, and what each strategy decides at them."""

    instrument: Instrument
    columns: BarColumns
    decisions: Mapping[str, Decisions]
    index: Mapping[datetime, int]
    bars: Sequence[Bar]


def _lanes(
    plan: ReplayPlan, bars: Mapping[Symbol, Sequence[Bar]], symbols: Iterable[Symbol]
) -> Iterator[_Lane]:
    traded = {symbol: [bar for bar in bars[symbol] if has_traded(bar)] for symbol in symbols}
    columns = {symbol: BarColumns.of(found) for symbol, found in traded.items()}
    decided = {
        settings.id: settings.strategy.evaluate_all(
            {s: columns[s] for s in settings.symbols if s in columns}
        )
        for settings in by_the_minute(plan)
    }
    for symbol, found in traded.items():
        own = {name: each[symbol] for name, each in decided.items() if symbol in each}
        index = {bar.at: i for i, bar in enumerate(found)}
        yield _Lane(plan.instrument(symbol), columns[symbol], own, index, found)


def by_the_minute(plan: ReplayPlan) -> tuple[StrategySettings, ...]:
    """Give the strategies that look at minute bars."""
    return tuple(each for each in plan.strategies if each.interval is Interval.MINUTE)


@dataclass
class MinuteTrading:
    """What the strategies of minute bars do in an account that may be others' too.

    `beside` gives the quotes of what has no minute bars at a moment of a day.
    """

    plan: ReplayPlan
    calendar: TradingCalendar
    lanes: tuple[_Lane, ...]
    account: ReplayAccount
    beside: Callable[[date, datetime], Mapping[Symbol, Quote]] = lambda _day, _at: {}
    signals: list[Signal] = field(default_factory=list)
    closes: dict[Symbol, int] = field(default_factory=dict)
    """The last price of each symbol."""
    _days: defaultdict[date, defaultdict[datetime, list[tuple[_Lane, Bar]]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    _bases: Mapping[Symbol, int] = field(default_factory=dict)
    _waiting: dict[str, Order] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)

    @classmethod
    def of(
        cls,
        bars: Mapping[Symbol, Sequence[Bar]],
        plan: ReplayPlan,
        calendar: TradingCalendar,
        account: ReplayAccount,
        *,
        symbols: Iterable[Symbol],
    ) -> Self:
        """Decide once about everything, take the last closes before the first day, sort the rest by minutes."""
        made = cls(plan, calendar, tuple(_lanes(plan, bars, symbols)), account)
        entries = {each.id: entries_of(each.id, plan.past) for each in by_the_minute(plan)}
        for lane in made.lanes:
            for bar in lane.bars:
                if bar.trading_day < plan.first:
                    made.closes[bar.symbol] = bar.close
                    for name, known in entries.items():
                        if bar.symbol in known and bar.at - A_MINUTE >= known[bar.symbol].at:
                            account.raise_peak(name, bar.symbol, bar.high)
                else:
                    made._days[bar.trading_day][bar.at].append((lane, bar))
        return made

    def trade(self, day: date) -> None:
        """Trade one day, minute by minute; what still waits at its end dies with it."""
        self._bases = dict(self.closes)
        for _, found in sorted(self._days[day].items()):
            self._play_minute(found)
        self._waiting.clear()

    def close_out(self, day: date, symbols: Iterable[Symbol]) -> None:
        """Sell what is delisted at the last price of its last day."""
        for symbol in symbols:
            price = self.closes[symbol]
            moment = self._moment(day, session_of(day).closes_at, {symbol: price})
            self.signals += self.account.close_out(symbol, price, moment)

    def _play_minute(self, found: Sequence[tuple[_Lane, Bar]]) -> None:
        """Match what waits, end what has reached its stop or target, then decide."""
        for _, bar in found:
            self.closes[bar.symbol] = bar.close
        for lane, bar in found:
            buyers = self._match(lane, bar)
            for settings in self._strategies(bar.symbol):
                is_new = settings.id in buyers
                self._protect(settings, lane, bar, is_new=is_new)
                price = bar.close if is_new else bar.high
                self.account.raise_peak(settings.id, bar.symbol, price)
        signals = [s for lane, bar in found for s in self._decide(lane, bar)]
        for signal in sorted(signals, key=lambda s: (s.direction is Direction.ENTRY, s.symbol)):
            self._told.add(signal.signal_id)
            self.signals.append(signal)
            order = self.account.place(signal, self._moment(signal.trading_day, signal.created_at))
            if order is not None:
                self._waiting[order.client_order_id] = order

    def _strategies(self, symbol: Symbol) -> Iterator[StrategySettings]:
        return (each for each in by_the_minute(self.plan) if symbol in each.symbols)

    def _match(self, lane: _Lane, bar: Bar) -> set[str]:
        """Fill the symbol's waiting orders in its next bar; name the strategies that bought."""
        moment, buyers = self._moment(bar.trading_day, bar.at), set[str]()
        limits = self._limits(lane.instrument, bar.trading_day)
        for name, order in list(self._waiting.items()):
            if order.symbol != bar.symbol:
                continue
            fill = match_bar(resting(order), bar, limits=limits)
            filled = order if fill is None else self.account.fill(order, fill, moment)
            is_buy = order.side is Side.BUY
            if is_buy and fill is not None:
                buyers.add(order.intent.strategy_id)
            if is_buy:
                self.account.drop(name, bar.at)
            if is_buy or not filled.is_open:
                del self._waiting[name]
            else:
                self._waiting[name] = filled
        return buyers

    def _protect(self, settings: StrategySettings, lane: _Lane, bar: Bar, *, is_new: bool) -> None:
        """End a position in the bar that reaches its stop or target."""
        position = self.account.holding(settings.id, bar.symbol)
        if not position.quantity:
            return
        peak = self.account.peaks.get((settings.id, bar.symbol), 0)
        levels = exit_levels(position, settings.exits, peak=peak)
        price = reached_price(
            levels, bar, grid_of(lane.instrument, bar.trading_day), is_late=is_new
        )
        if price is None:
            return
        validity = self._validity(bar)
        signal = protective_signal(settings, position, price, validity=validity, peak=peak)
        if signal is None or signal.signal_id in self._told:
            return
        self._told.add(signal.signal_id)
        self.signals.append(signal)
        moment = self._moment(bar.trading_day, bar.at, {bar.symbol: price})
        order = self.account.place(signal, moment)
        fill = order and match_print(
            resting(order), price=price, volume=bar.volume, is_arriving=True
        )
        if order and fill:
            self.account.fill(order, fill, moment)

    def _decide(self, lane: _Lane, bar: Bar) -> Iterator[Signal]:
        """Ask each strategy about the minute; each says a thing once a day."""
        index = lane.index[bar.at]
        for settings in self._strategies(bar.symbol):
            if index + 1 < settings.strategy.warm_up:
                continue
            found = flagged_signals(
                index,
                lane.columns,
                lane.decisions[settings.id],
                settings,
                position=self.account.holding(settings.id, bar.symbol),
                validity=self._validity(bar),
            )
            yield from (signal for signal in found if signal.signal_id not in self._told)

    def _validity(self, bar: Bar) -> Validity:
        return Validity(bar.trading_day, bar.at, session_of(bar.trading_day).closes_at)

    def _limits(self, instrument: Instrument, day: date) -> PriceLimits:
        base = self._bases.get(instrument.symbol, self.closes[instrument.symbol])
        return price_limits(base, on=day, market=instrument.market, kind=instrument.kind)

    def _moment(self, day: date, at: datetime, now: Mapping[Symbol, int] = _NOW) -> Moment:
        """Give a moment at which every symbol stands at its last close, except those named in `now`."""
        quotes = {
            lane.instrument.symbol: self._quote(lane.instrument, day, at, now)
            for lane in self.lanes
            if lane.instrument.symbol in self.closes
        }
        known = {**self.beside(day, at), **quotes}
        return Moment(day, at, self.calendar.settlement_day(day), known)

    def _quote(
        self, instrument: Instrument, day: date, at: datetime, now: Mapping[Symbol, int]
    ) -> Quote:
        symbol, limits = instrument.symbol, self._limits(instrument, day)
        last = now.get(symbol, self.closes[symbol])
        return Quote(
            symbol=symbol,
            last=last,
            open=0,
            high=0,
            low=0,
            volume=0,
            base_price=self._bases.get(symbol, last),
            upper_limit=limits.upper,
            lower_limit=limits.lower,
            at=at,
        )
