"""This is a market in memory: loaded bars, and prints or bars as a test or a dry run plays them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from adapters.clock import Clock
from trading.bars import Bar, Interval
from trading.errors import Rejected
from trading.indices import Index, IndexBar
from trading.instruments import Instrument, Symbol
from trading.krx import PriceLimits, price_limits
from trading.sessions import seoul_date, session_of
from trading.ticks import Quote, TradePrint


@dataclass(frozen=True, slots=True)
class _Today:
    """What one symbol has traded on one day; prices in won, 0 before the first print."""

    day: date
    open: int = 0
    high: int = 0
    low: int = 0
    last: int = 0
    volume: int = 0

    def add(self, *, first: int, high: int, low: int, last: int, volume: int) -> _Today:
        """Return the day after more trading."""
        return replace(
            self,
            open=self.open or first,
            high=max(self.high, high),
            low=min(self.low or low, low),
            last=last,
            volume=self.volume + volume,
        )


class MemoryMarketData:
    """`MarketData` in memory. A bar is seen when its time has come: never one of the future."""

    def __init__(self, instruments: Iterable[Instrument], *, clock: Clock) -> None:
        self._clock = clock
        self._instruments = {each.symbol: each for each in instruments}
        self._bars: dict[tuple[Symbol, Interval], dict[datetime, Bar]] = {}
        self._raw: dict[Symbol, dict[datetime, Bar]] = {}
        self._today: dict[Symbol, _Today] = {}
        self._bases: dict[Symbol, tuple[date, int]] = {}

    def load(self, bars: Iterable[Bar]) -> None:
        """Add history, and bars of the future that will be seen in their time."""
        for bar in bars:
            self._bars.setdefault((bar.symbol, bar.interval), {})[bar.at] = bar

    def load_raw(self, bars: Iterable[Bar]) -> None:
        """Tell how days of the history were traded that are adjusted by now."""
        for bar in bars:
            self._raw.setdefault(bar.symbol, {})[bar.at] = replace(bar, is_adjusted=False)

    def set_base(self, symbol: Symbol, price: int) -> None:
        """Set today's reference price, if it is not the last close (기준가, in won)."""
        self._bases[symbol] = (seoul_date(self._clock.now()), price)

    def set_instrument(self, instrument: Instrument) -> None:
        """Add an instrument or change its standing, e.g. halt it."""
        self._instruments[instrument.symbol] = instrument

    def show_print(self, trade: TradePrint) -> None:
        """Let a trade happen."""
        price = trade.price
        today = self._day_of(trade.symbol)
        self._today[trade.symbol] = today.add(
            first=price, high=price, low=price, last=price, volume=trade.quantity
        )

    def show_bar(self, bar: Bar) -> None:
        """Let the trades of a bar happen."""
        if not bar.is_halted:
            self._today[bar.symbol] = self._day_of(bar.symbol).add(
                first=bar.open, high=bar.high, low=bar.low, last=bar.close, volume=bar.volume
            )

    def instrument(self, symbol: Symbol) -> Instrument:
        """Give one instrument.

        Raises:
            Rejected: for an unknown one.
        """
        if symbol not in self._instruments:
            raise Rejected(f"{symbol}: unknown to the broker", code="UNKNOWN_SYMBOL")
        return self._instruments[symbol]

    def base(self, symbol: Symbol) -> int:
        """Give today's reference price in won: as set for today, else the last close known.

        Raises:
            Rejected: when nothing is known of the symbol's price.
        """
        today = seoul_date(self._clock.now())
        bars = [bar for bar in self._seen(symbol, Interval.DAY) if bar.trading_day < today]
        prices = [(bar.trading_day, bar.close) for bar in bars[-1:]]
        played = self._today.get(symbol)
        if played and played.day < today and played.last:
            prices.append((played.day, played.last))
        if symbol in self._bases:
            prices.append(self._bases[symbol])
        if not prices:
            raise Rejected(f"{symbol}: no price yet", code="UNKNOWN_SYMBOL")
        return max(prices, key=lambda price: price[0])[1]

    def last(self, symbol: Symbol) -> int:
        """Give the last price in won, the reference price before the day's first trade."""
        return self._day_of(symbol).last or self.base(symbol)

    def limits(self, symbol: Symbol) -> PriceLimits:
        """Give the day's price limits."""
        instrument, today = self.instrument(symbol), seoul_date(self._clock.now())
        return price_limits(
            self.base(symbol), on=today, market=instrument.market, kind=instrument.kind
        )

    async def daily_bars(self, symbol: Symbol, *, first: date, last: date) -> tuple[Bar, ...]:
        """Read the bars of days that are over, oldest first."""
        self.instrument(symbol)
        bars = self._seen(symbol, Interval.DAY)
        return tuple(bar for bar in bars if first <= bar.trading_day <= last)

    async def raw_daily_bars(self, symbol: Symbol, *, first: date, last: date) -> tuple[Bar, ...]:
        """Read the same bars as raw ones, but for those days that were loaded as raw."""
        bars = await self.daily_bars(symbol, first=first, last=last)
        raw = self._raw.get(symbol, {})
        return tuple(raw.get(bar.at, replace(bar, is_adjusted=False)) for bar in bars)

    async def index_bars(self, index: Index, *, first: date, last: date) -> tuple[IndexBar, ...]:
        """Give nothing: no index is played in memory."""
        del index, first, last
        return ()

    async def minute_bars(
        self, symbol: Symbol, *, trading_day: date, since: datetime | None = None
    ) -> tuple[Bar, ...]:
        """Read the closed minute bars of a day, oldest first, whatever `since` says."""
        del since
        self.instrument(symbol)
        bars = self._seen(symbol, Interval.MINUTE)
        return tuple(bar for bar in bars if bar.trading_day == trading_day)

    async def quote(self, symbol: Symbol) -> Quote:
        """Read the current price."""
        instrument, today, limits = (
            self.instrument(symbol),
            self._day_of(symbol),
            self.limits(symbol),
        )
        return Quote(
            symbol=symbol,
            last=self.last(symbol),
            open=today.open,
            high=today.high,
            low=today.low,
            volume=today.volume,
            base_price=self.base(symbol),
            upper_limit=limits.upper,
            lower_limit=limits.lower,
            at=self._clock.now(),
            is_halted=instrument.is_halted,
            is_administrative=instrument.is_administrative,
            is_liquidation=instrument.is_liquidation,
        )

    async def instruments(self, symbols: Sequence[Symbol]) -> tuple[Instrument, ...]:
        """Read the instruments."""
        return tuple(self.instrument(symbol) for symbol in symbols)

    async def open_days(self, *, first: date) -> dict[date, bool]:
        """Give nothing, as a paper account does: the calendar is the authority."""
        del first
        return {}

    def _seen(self, symbol: Symbol, interval: Interval) -> list[Bar]:
        now = self._clock.now()
        bars = sorted(self._bars.get((symbol, interval), {}).values(), key=lambda bar: bar.at)
        if interval is Interval.MINUTE:
            return [bar for bar in bars if bar.at <= now]
        return [bar for bar in bars if session_of(bar.trading_day).closes_at <= now]

    def _day_of(self, symbol: Symbol) -> _Today:
        today = seoul_date(self._clock.now())
        known = self._today.get(symbol)
        return known if known and known.day == today else _Today(today)
