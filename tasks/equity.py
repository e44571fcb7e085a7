"""This is what the account is worth: prices of what is held, at the opening and at the close."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from adapters.stores import UnitOfWork
from tasks.desk import Desk
from trading.bars import Interval
from trading.errors import BadInput
from trading.instruments import Symbol


async def opening_prices(desk: Desk, trading_day: date) -> dict[Symbol, int]:
    """Give the last closing price before `trading_day` of everything held then."""
    with desk.stores.begin() as work:
        symbols = work.ledger.before(trading_day).held_symbols
        until = desk.calendar.previous_trading_day(trading_day)
        return _last_closes(work, symbols, until)


def opening_equity(desk: Desk, work: UnitOfWork, trading_day: date) -> int | None:
    """Give what the account was worth when `trading_day` began, None when a holding then had no price."""
    opening = work.ledger.opening(trading_day)
    until = desk.calendar.previous_trading_day(trading_day)
    try:
        return opening.equity(_last_closes(work, opening.quantities, until))
    except BadInput:
        return None


async def closing_prices(desk: Desk, trading_day: date) -> dict[Symbol, int]:
    """Give the day's closing price of everything held at its end: the stored bar, today else the broker's price.

    Raises:
        BadInput: when there is none; a missing price never counts as zero.
    """
    with desk.stores.begin() as work:
        symbols = work.ledger.before(trading_day + timedelta(days=1)).held_symbols
        prices = {
            symbol: bars[-1].close
            for symbol in symbols
            if (bars := work.bars.last(symbol, Interval.DAY, count=1, until=trading_day))
            and bars[-1].trading_day == trading_day
        }
    for symbol in symbols:
        if symbol not in prices:
            is_today = trading_day == desk.today()
            prices[symbol] = (await desk.market_data.quote(symbol)).last if is_today else 0
            _check_price(symbol, prices[symbol])
    return prices


def _last_closes(work: UnitOfWork, symbols: Iterable[Symbol], until: date) -> dict[Symbol, int]:
    prices = {}
    for symbol in symbols:
        bars = work.bars.last(symbol, Interval.DAY, count=1, until=until)
        prices[symbol] = bars[-1].close if bars else 0
        _check_price(symbol, prices[symbol])
    return prices


def _check_price(symbol: Symbol, price: int) -> None:
    if price <= 0:
        raise BadInput(f"price of {symbol}", price, "a traded price; run ingest-bars for the day")
