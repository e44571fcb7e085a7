"""This is the command `positions`: what is held, what it cost, what it is worth, and the cash beside it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final

from adapters.stores import UnitOfWork
from deployments.console.accounts import names, open_account
from deployments.console.rows import rounded
from deployments.console.speech import option, say
from deployments.console.tables import Column, print_facts, print_json, print_table
from trading.bars import Bar, Interval
from trading.instruments import Symbol
from trading.ledger import Ledger

POSITIONS: Final = (
    Column("symbol"),
    Column("name"),
    Column("quantity", "shares"),
    Column("sellable_quantity", "shares"),
    Column("average_cost", "price"),
    Column("price", "won"),
    Column("price_day", "short_day"),
    Column("value", "won"),
    Column("unrealized", "signed_won"),
    Column("realized", "signed_won"),
    Column("charges", "won"),
)
CASH: Final = (
    Column("equity", "won"),
    Column("cash", "won"),
    Column("settled_cash", "won"),
    Column("held_cash", "won"),
    Column("buyable_cash", "won"),
)


def positions(*, as_json: Annotated[bool, option("json", name="--json")] = False) -> None:
    """Show what is held at the last known closing prices, and the cash."""
    with open_account() as account:
        day = account.today()
        with account.stores.begin() as work:
            document = account.heading(day) | read_positions(work, day)
    if as_json:
        print_json(document)
    else:
        print_table(say("title.positions", day=day), POSITIONS, document["positions"])
        print_facts(say("title.cash"), CASH, document)


def read_positions(work: UnitOfWork, day: date) -> dict[str, Any]:
    """Read holdings and cash; `price` is the last close up to `day`, null (and so is equity) where there is none."""
    ledger, known = work.ledger.load(), names(work)
    bars = {
        symbol: work.bars.last(symbol, Interval.DAY, count=1, until=day)
        for symbol in ledger.held_symbols
    }
    last = {symbol: found[-1] for symbol, found in bars.items() if found}
    return _cash(ledger, last, day) | {
        "positions": [
            _row(ledger, symbol, known.get(symbol, ""), last.get(symbol))
            for symbol in ledger.held_symbols
        ]
    }


def _cash(ledger: Ledger, last: Mapping[Symbol, Bar], day: date) -> dict[str, Any]:
    is_priced = all(symbol in last for symbol in ledger.held_symbols)
    prices = {symbol: bar.close for symbol, bar in last.items()}
    return {
        "equity": ledger.equity(prices) if is_priced else None,
        "cash": ledger.cash,
        "settled_cash": ledger.settled_cash(day),
        "held_cash": ledger.held_cash,
        "buyable_cash": ledger.buyable_cash,
    }


def _row(ledger: Ledger, symbol: Symbol, name: str, bar: Bar | None) -> dict[str, Any]:
    position = ledger.position(symbol)
    return {
        "symbol": symbol,
        "name": name,
        "quantity": position.quantity,
        "sellable_quantity": ledger.sellable_quantity(symbol),
        "average_cost": rounded(position.average_cost),
        "cost": position.cost,
        "price": bar.close if bar else None,
        "price_day": bar.trading_day if bar else None,
        "value": position.quantity * bar.close if bar else None,
        "unrealized": position.unrealized(bar.close) if bar else None,
        "realized": position.realized,
        "charges": position.charges,
    }
