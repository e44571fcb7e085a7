"""This is the replay: past days through the real pipeline, evaluate, size, check, order, match, post.

Conventions, by daily bars: a decision at a close is traded on the next day. Orders go in before the opening,
exits and sells down to a target weight first; what crosses the opening price fills there, sells before entries are
sized. A limit that the day reaches later fills at its limit, and its money buys nothing that day; the rest dies with
the day. Stops and targets of everything held: an opening at or beyond a level ends the position at the opening; else
the stop is taken to come before the target and before a limit that waits. A position bought after the opening has no
target that day, because the high may have come first. A trailing stop follows what was paid and the highest price up
to the day before. What strategies of minute bars do is told in between, by `backtest.minutes`: after the opening's
fills, before all that the day brings the others later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Final

from backtest.accounts import Moment, ReplayAccount, resting
from backtest.conventions import run_convention
from backtest.histories import History, histories_of
from backtest.listings import last_days, listed_bars
from backtest.minutes import MinuteTrading, by_the_minute
from backtest.peaks import highest_before
from backtest.plans import ReplayPlan
from backtest.prices import grid_of, reached_price
from backtest.results import ReplayResult
from strategies.base import BarColumns
from strategies.evaluation import Validity, protective_signal
from strategies.exits import ExitLevels, exit_levels
from strategies.holdings import entries_of
from strategies.settings import StrategySettings
from trading.bars import Bar, Interval
from trading.equity import EquityPoint
from trading.instruments import Symbol
from trading.krx import PriceLimits
from trading.matching import Fill, match_bar, match_print
from trading.orders import Order, Side
from trading.sessions import Phase, Session, TradingCalendar, session_of
from trading.signals import Direction, Signal

NO_MINUTES: Final[Mapping[Symbol, Sequence[Bar]]] = {}
NO_NEWS: Final[Mapping[Symbol, int]] = {}

BEFORE_THE_CLOSE: Final = timedelta(minutes=1)
"""What happens on an unknown moment of the day is dated so long before the closing auction."""


def run_replay(
    bars: Mapping[Symbol, Sequence[Bar]],
    plan: ReplayPlan,
    calendar: TradingCalendar,
    *,
    minutes: Mapping[Symbol, Sequence[Bar]] = NO_MINUTES,
) -> ReplayResult:
    """Trade the plan over `bars` (daily, oldest first, halted days in any encoding).

    `minutes` are for strategies that look at minute bars; they do nothing about a symbol without.

    Bars before `plan.first` warm the averages up. With options it is their convention that trades.

    Raises:
        BadInput: when plan and bars do not fit (see `ReplayPlan.require_data`).
        InvalidBar: for bars out of order.
    """
    bars = listed_bars(bars, plan.listings)
    plan.require_data(
        {s: (each[0].trading_day, each[-1].trading_day) for s, each in bars.items() if each}
    )
    if plan.options is not None:
        universe = {symbol: BarColumns.of(bars[symbol]) for symbol in plan.symbols}
        return run_convention(universe, plan, calendar)
    histories, ends = histories_of(plan, bars), last_days(plan, bars)
    replay = _Replay(plan, calendar, histories, ReplayAccount(plan), ends)
    replay.know(plan.first)
    replay.recall(bars)
    replay.watch(listed_bars(minutes, plan.listings))
    for day in calendar.trading_days(plan.first, plan.last):
        replay.play(day)
    return replay.result()


@dataclass(frozen=True, slots=True)
class _Rest:
    """An order of the morning that fills after the opening, and how."""

    order: Order
    fill: Fill

    @property
    def is_buy(self) -> bool:
        """Whether it buys: what it brings cannot have been left before."""
        return self.order.side is Side.BUY


type _Waiting = Mapping[tuple[str, Symbol], _Rest]
"""What waits of each strategy's symbols; each strategy decides once a day about one."""


@dataclass
class _Replay:
    plan: ReplayPlan
    calendar: TradingCalendar
    histories: Mapping[Symbol, History]
    account: ReplayAccount
    ends: Mapping[Symbol, date]
    closes: dict[Symbol, int] = field(default_factory=dict)
    signals: list[Signal] = field(default_factory=list)
    equity: list[EquityPoint] = field(default_factory=list)
    invested: list[int] = field(default_factory=list)
    intraday: MinuteTrading | None = None

    def watch(self, minutes: Mapping[Symbol, Sequence[Bar]]) -> None:
        """Let the strategies of minute bars trade in the same account."""
        strategies = by_the_minute(self.plan)
        symbols = {s for each in strategies for s in each.symbols if minutes.get(s)}
        self.intraday = MinuteTrading.of(
            minutes, self.plan, self.calendar, self.account, symbols=sorted(symbols)
        )
        self.intraday.signals = self.signals
        self.intraday.beside = lambda day, at: self._moment(day, at).quotes
        self.intraday.closes |= {s: c for s, c in self.closes.items() if s in symbols}

    def know(self, first: date) -> None:
        """Take the closes before the first day as the prices known on its morning."""
        for symbol, history in self.histories.items():
            if close := history.close_before(first):
                self.closes[symbol] = close

    def recall(self, bars: Mapping[Symbol, Sequence[Bar]]) -> None:
        """Take the highest prices of what was held before, for the stops that follow them."""
        for settings in self._by_the_day:
            for symbol, entry in entries_of(settings.id, self.plan.past).items():
                peak = highest_before(self.plan.first, entry, bars.get(symbol, ()))
                self.account.raise_peak(settings.id, symbol, peak)

    def play(self, day: date) -> None:
        """Trade one day; nothing before the first on which a strategy can decide."""
        closed_day = self.calendar.previous_trading_day(day)
        paid_in = self.account.pay_in(day)
        if self.plan.opening is None and not self.equity and not self._is_any_warm(closed_day):
            self._close(day)
            return
        session = session_of(day)
        opening = self._equity()
        self.account.begin(opening, self.equity)
        waiting = self._trade_decisions(day, closed_day, session)
        if self.intraday:
            self.intraday.trade(day)
        self._trade_later(day, session, waiting)
        self._close_out(day, session)
        self.account.end(session.closes_at)
        self._close(day)
        self._raise_peaks(day, waiting)
        closing = self._equity()
        self.equity.append(EquityPoint(day, opening - paid_in, closing, paid_in))
        self.invested.append(closing - self.account.ledger.cash)

    def result(self) -> ReplayResult:
        """Give what happened."""
        return self.account.result(self.signals, self.equity, self.invested)

    @property
    def _by_the_day(self) -> Iterator[StrategySettings]:
        return (each for each in self.plan.strategies if each.interval is Interval.DAY)

    def _is_any_warm(self, day: date) -> bool:
        return any(
            settings.interval is Interval.MINUTE or self.histories[symbol].is_warm(day, settings)
            for settings in self.plan.strategies
            for symbol in settings.symbols
        )

    def _close(self, day: date) -> None:
        for symbol, history in self.histories.items():
            if bar := history.bar(day):
                self.closes[symbol] = bar.close

    def _raise_peaks(self, day: date, waiting: _Waiting) -> None:
        """Let tomorrow's trailing stops know today's highest price, or close where it was bought after the opening."""
        for settings in self._by_the_day:
            for symbol in settings.symbols:
                if bar := self.histories[symbol].bar(day):
                    rest = waiting.get((settings.id, symbol))
                    price = bar.close if rest and rest.is_buy else bar.high
                    self.account.raise_peak(settings.id, symbol, price)

    def _equity(self) -> int:
        return self.account.ledger.equity(self.closes)

    def _moment(self, day: date, at: datetime, now: Mapping[Symbol, int] = NO_NEWS) -> Moment:
        """Give a moment at which every symbol stands at its last close, except those named in `now`."""
        quotes = {
            symbol: history.quote(
                day, price=now.get(symbol, self.closes[symbol]), base=self.closes[symbol], at=at
            )
            for symbol, history in self.histories.items()
            if symbol in self.closes
        }
        return Moment(day, at, self.calendar.settlement_day(day), quotes)

    def _trade_decisions(self, day: date, closed_day: date, session: Session) -> _Waiting:
        """Trade at the opening what was decided at the last close; give what the day fills later."""
        at = session.window(Phase.OPENING_AUCTION).starts_at
        validity = Validity(day, at, session.closes_at)
        signals = list(
            chain.from_iterable(
                self.histories[symbol].signals(
                    closed_day, settings, self.account.holding(settings.id, symbol), validity
                )
                for settings in self._by_the_day
                for symbol in settings.symbols
                if self.plan.is_listed(symbol, day)
            )
        )
        signals.sort(key=self._is_a_buy)
        if not signals:
            return {}
        self.signals += signals
        moment = self._moment(day, at)
        traded = {(s.strategy_id, s.symbol): self._trade(s, moment, session) for s in signals}
        return {key: rest for key, rest in traded.items() if rest}

    def _is_a_buy(self, signal: Signal) -> bool:
        """Tell what needs cash from what brings some: also an entry that wants less than is held brings some."""
        if signal.direction is Direction.EXIT or signal.target_weight is None:
            return signal.direction is Direction.ENTRY
        held = self.account.holding(signal.strategy_id, signal.symbol).quantity
        target = self._equity() * signal.target_weight
        return held * self.closes[signal.symbol] <= target

    def _trade(self, signal: Signal, moment: Moment, session: Session) -> _Rest | None:
        """Place one order before the opening and match the day; give what fills after the opening."""
        order = self.account.place(signal, moment)
        bar = self.histories[signal.symbol].bar(moment.day)
        if order is None or bar is None:
            return None
        quote = moment.quotes[signal.symbol]
        limits = PriceLimits(quote.lower_limit, quote.upper_limit)
        fill = match_bar(resting(order), bar, limits=limits)
        if fill is None:
            return None
        if fill.price != bar.open:
            return _Rest(order, fill)
        self.account.fill(order, fill, self._moment(moment.day, session.opens_at))
        return None

    def _trade_later(self, day: date, session: Session, waiting: _Waiting) -> None:
        """Book what fills after the opening, and end what has reached its stop or target."""
        for settings in self._by_the_day:
            for symbol in settings.symbols:
                bar = self.histories[symbol].bar(day)
                if bar is None:
                    continue
                rest = waiting.get((settings.id, symbol))
                if rest:
                    self._finish(rest, settings, bar, session)
                if self.account.holding(settings.id, symbol).quantity:
                    is_late = rest is not None and rest.is_buy
                    self._trade_exit(settings, bar, session, is_late=is_late)

    def _finish(self, rest: _Rest, settings: StrategySettings, bar: Bar, session: Session) -> None:
        """Fill a limit that waits, unless it is a sell and the stop comes first: that takes its shares back."""
        at = _late(session)
        if not rest.is_buy and self._is_stopped(settings, bar):
            self.account.drop(rest.order.client_order_id, at)
        else:
            self.account.fill(rest.order, rest.fill, self._moment(bar.trading_day, at))

    def _is_stopped(self, settings: StrategySettings, bar: Bar) -> bool:
        stop = self._levels(settings, bar.symbol).stop
        return stop is not None and bar.low <= stop

    def _trade_exit(
        self, settings: StrategySettings, bar: Bar, session: Session, *, is_late: bool
    ) -> None:
        """End a position whose stop or target the bar reached, at the first price that reached it."""
        price = self._exit_price(settings, bar, is_late=is_late)
        if price is None:
            return
        at = session.opens_at if price == bar.open and not is_late else _late(session)
        moment = self._moment(bar.trading_day, at, {bar.symbol: price})
        validity = Validity(bar.trading_day, at, session.closes_at)
        position = self.account.holding(settings.id, bar.symbol)
        peak = self.account.peaks.get((settings.id, bar.symbol), 0)
        signal = protective_signal(settings, position, price, validity=validity, peak=peak)
        if signal is not None:
            self._sell(signal, moment, price, bar)

    def _close_out(self, day: date, session: Session) -> None:
        """Sell what is delisted in the closing auction of its last day."""
        at = session.closing_auction_at
        for symbol, last in self.ends.items():
            bar = self.histories[symbol].bar(day)
            if last == day and bar:
                moment = self._moment(day, at, {symbol: bar.close})
                self.signals += self.account.close_out(symbol, bar.close, moment)

    def _sell(self, signal: Signal, moment: Moment, price: int, bar: Bar) -> None:
        """Place an order that arrives while the market trades at `price`, and book what it gets."""
        self.signals.append(signal)
        order = self.account.place(signal, moment)
        if order is None:
            return
        fill = match_print(resting(order), price=price, volume=bar.volume, is_arriving=True)
        if fill is not None:
            self.account.fill(order, fill, moment)

    def _exit_price(self, settings: StrategySettings, bar: Bar, *, is_late: bool) -> int | None:
        grid = grid_of(self.histories[bar.symbol].instrument, bar.trading_day)
        return reached_price(self._levels(settings, bar.symbol), bar, grid, is_late=is_late)

    def _levels(self, settings: StrategySettings, symbol: Symbol) -> ExitLevels:
        key = (settings.id, symbol)
        peak = self.account.peaks.get(key, 0)
        return exit_levels(self.account.holding(*key), settings.exits, peak=peak)


def _late(session: Session) -> datetime:
    return session.closing_auction_at - BEFORE_THE_CLOSE
