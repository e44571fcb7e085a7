"""This is reading what the risk gate looks at: the account, its orders and the market at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date, timedelta

from adapters.stores import UnitOfWork
from risk.sizing import MARKET_TRIGGER
from risk.trips import TripRule, source_of
from risk.views import Past, RiskView
from strategies.holdings import holdings_of
from tasks.desk import Desk
from tasks.equity import opening_equity
from tasks.holdings import standing_fills
from tasks.prices import Asked, price_of
from trading.bars import Bar, Interval
from trading.instruments import Instrument, Symbol
from trading.ledger import Ledger
from trading.orders import OrderType, Side
from trading.positions import Position
from trading.sessions import Phase, phase_at
from trading.signals import Direction, Signal
from trading.ticks import Quote
from trading.trades import closed_trades, losing_streak


async def read_view(desk: Desk, signal: Signal, asked: Asked | None = None) -> RiskView:
    """Read everything that deciding about `signal` needs, prices from the broker included.

    An exit needs its own price only: what cannot be priced must not keep a stop from selling another. `asked`: a
    price that was asked for already.

    Raises:
        BrokerError: when a price or the buyable cash cannot be read; then nothing may be ordered.
    """
    known = _known(desk, signal)
    instruments = await _instruments(desk, known)
    quotes = {symbol: await price_of(desk, symbol, asked) for symbol in sorted(known.symbols)}
    buyable = await _buyable(desk, signal, quotes[signal.symbol])
    minutes = await _minutes(desk, signal)
    day, session = desk.today(), desk.session()
    with desk.stores.begin() as work:
        at, day_orders, ledger = desk.now(), work.orders.of_day(day), work.ledger.load()
        opening, paid_in = _opening(work, signal, known.opening, day)
        return RiskView(
            at=at,
            trading_day=day,
            channel=desk.channel.channel,
            account=desk.account,
            phase=phase_at(at, session) if session else None,
            halts=desk.halts(work),
            ledger=ledger,
            open_orders=work.orders.open(),
            day_orders=day_orders,
            quotes=quotes,
            instruments=instruments,
            equity_opening=opening,
            paid_in_today=paid_in,
            buyable_cash=buyable,
            costs=desk.channel.costs.schedule,
            past=known.past,
            minute_bars=minutes,
            owned=_owned(work, signal, ledger),
        )


@dataclass(frozen=True, slots=True)
class _Known:
    """What the stores say of the days before, and of what is to be priced: it is read before the broker is asked."""

    instruments: Mapping[Symbol, Instrument | None]
    opening: int | None
    past: Past

    @property
    def symbols(self) -> AbstractSet[Symbol]:
        """What needs a price."""
        return self.instruments.keys()


def _known(desk: Desk, signal: Signal) -> _Known:
    day = desk.today()
    with desk.stores.begin() as work:
        symbols = {signal.symbol, *_exposed(work, signal)}
        return _Known(
            instruments={symbol: work.instruments.get(symbol) for symbol in symbols},
            opening=None if signal.direction is Direction.EXIT else opening_equity(desk, work, day),
            past=_past(desk, work, signal, day),
        )


def _owned(work: UnitOfWork, signal: Signal, ledger: Ledger) -> int:
    """Count the shares that the signal's strategy itself bought and the ledger still has: it sells no others."""
    if signal.direction is Direction.ENTRY and signal.target_weight is None:
        return 0  # nobody asks
    holding = holdings_of(signal.strategy_id, standing_fills(work, signal.symbol))
    own = holding.get(signal.symbol, Position(signal.symbol)).quantity
    return min(own, ledger.position(signal.symbol).quantity)


def _past(desk: Desk, work: UnitOfWork, signal: Signal, day: date) -> Past:
    """Read what the days before say; of an exit only what could make its price mean something else."""
    close = _previous_close(desk, work, signal.symbol, day)
    if signal.direction is Direction.EXIT:
        return Past(previous_close=close)
    curve = [point for point in work.equity.all() if point.trading_day < day]
    resumed = work.audit.latest("resume", actor=source_of(TripRule.REJECTS))
    return replace(
        Past.of(curve),
        losing_trades=_losing_trades(work, day),
        previous_close=close,
        sessions_since_stop=_sessions_since_stop(desk, work, signal, day),
        rejects_forgiven_at=resumed[0] if resumed else None,
    )


def _previous_close(desk: Desk, work: UnitOfWork, symbol: Symbol, day: date) -> int | None:
    """Give the close of the trading day before: before a split a symbol is halted, and its bars keep the last one."""
    before = desk.calendar.previous_trading_day(day)
    bars = work.bars.last(symbol, Interval.DAY, count=1, until=before)
    return bars[-1].close if bars and bars[-1].trading_day == before else None


def _losing_trades(work: UnitOfWork, day: date) -> int:
    """Count the closed trades in a row that lost; on a day without a sale none was closed."""
    if all(execution.side is Side.BUY for execution in work.executions.of_day(day)):
        return 0
    return losing_streak(closed_trades(work.executions.all()), today=day)


def _sessions_since_stop(desk: Desk, work: UnitOfWork, signal: Signal, day: date) -> int | None:
    """Look back as many sessions as the strategy's limit asks for."""
    for since in range(desk.channel.limits_of(signal.strategy_id).stop_cooldown_sessions):
        if any(_is_stop(s, signal.symbol) for s in work.signals.of_day(day)):
            return since
        day = desk.calendar.previous_trading_day(day)
    return None


def _is_stop(signal: Signal, symbol: Symbol) -> bool:
    return signal.symbol == symbol and signal.trigger == MARKET_TRIGGER


def _opening(
    work: UnitOfWork, signal: Signal, opening: int | None, day: date
) -> tuple[int | None, int]:
    """Give opening equity and what was paid in since; on the account's first day it opens with the latter.

    An unknown opening refuses buys, and buys only: an exit is not asked for it.
    """
    if signal.direction is Direction.EXIT:
        return None, 0
    paid_in = work.ledger.paid_in(
        day
    )  # of the same moment as the ledger: it would be profit otherwise
    return (paid_in, 0) if opening == 0 else (opening, paid_in)


def _exposed(work: UnitOfWork, signal: Signal) -> set[Symbol]:
    """Give what a buy is weighed against: every holding and every open buy."""
    if signal.direction is Direction.EXIT:
        return set()
    bought = {order.symbol for order in work.orders.open() if order.side is Side.BUY}
    return {*work.ledger.held(), *bought}


async def _buyable(desk: Desk, signal: Signal, quote: Quote) -> int | None:
    """Ask what may be bought; the cash figure is the same for every price, so a limit order is asked."""
    if signal.direction is not Direction.ENTRY or quote.last <= 0:
        return None
    answer = await desk.broker.buyable(signal.symbol, order_type=OrderType.LIMIT, price=quote.last)
    return answer.cash


async def _minutes(desk: Desk, signal: Signal) -> tuple[Bar, ...]:
    """Read the minutes in which a price may have run away; while it is continuously traded there are some."""
    session, now = desk.session(), desk.now()
    is_moving = session and phase_at(now, session) in {Phase.CONTINUOUS, Phase.CLOSING_AUCTION}
    if signal.direction is not Direction.ENTRY or not is_moving:
        return ()
    span = timedelta(minutes=desk.channel.limits_of(signal.strategy_id).quick_move_minutes)
    return await desk.market_data.minute_bars(
        signal.symbol, trading_day=desk.today(), since=now - span
    )


async def _instruments(desk: Desk, known: _Known) -> dict[Symbol, Instrument]:
    """Give what each symbol is; the broker is asked about those that are not stored yet, and they are stored."""
    missing = sorted(symbol for symbol, stored in known.instruments.items() if stored is None)
    found = await desk.market_data.instruments(missing) if missing else ()
    if found:
        with desk.stores.begin() as work:
            work.instruments.upsert(found)
    stored = (instrument for instrument in known.instruments.values() if instrument is not None)
    return {instrument.symbol: instrument for instrument in (*stored, *found)}
