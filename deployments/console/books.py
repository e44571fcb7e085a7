"""This is the commands that read the account's book of a day: orders, fills, signals, denials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Annotated, Any

from adapters.stores import UnitOfWork
from deployments.console.accounts import names, open_account
from deployments.console.rows import (
    DENIALS,
    FILLS,
    ORDERS,
    SIGNALS,
    Names,
    denial_rows,
    fill_row,
    order_row,
    signal_row,
)
from deployments.console.speech import option, say, wording
from deployments.console.tables import Column, print_json, print_table
from trading.decisions import Breach
from trading.signals import Signal

type Rows = list[dict[str, Any]]
type Reader = Callable[[UnitOfWork, date, Names], tuple[Rows, Rows]]
"""Gives the rows for programs and those for people."""

type Day = Annotated[date | None, option("day", parse=True)]
type AsJson = Annotated[bool, option("json", name="--json")]


def orders(*, day: Day = None, as_json: AsJson = False) -> None:
    """Show the orders of a day, denied ones included."""
    _show("orders", ORDERS, _read_orders, day, as_json=as_json)


def fills(*, day: Day = None, as_json: AsJson = False) -> None:
    """Show the fills of a day."""
    _show("fills", FILLS, _read_fills, day, as_json=as_json)


def signals(*, day: Day = None, as_json: AsJson = False) -> None:
    """Show what the strategies said for a day."""
    _show("signals", SIGNALS, _read_signals, day, as_json=as_json)


def denials(*, day: Day = None, as_json: AsJson = False) -> None:
    """Show which orders our own gate refused on a day, and every reason."""
    _show("denials", DENIALS, _read_denials, day, as_json=as_json)


def _show(
    name: str, columns: Sequence[Column], read: Reader, day: date | None, *, as_json: bool
) -> None:
    with open_account() as account:
        trading_day = day or account.today()
        with account.stores.begin() as work:
            for_programs, for_people = read(work, trading_day, names(work))
    if as_json:
        print_json({**account.heading(trading_day), name: for_programs})
    else:
        print_table(say(f"title.{name}", day=trading_day), columns, for_people)


def _read_orders(work: UnitOfWork, day: date, known: Names) -> tuple[Rows, Rows]:
    rows = [order_row(order, known) for order in work.orders.of_day(day)]
    denied = {
        row["client_order_id"]: _reasons(row["breaches"])
        for row in denial_rows(work.risk_events.of_day(day), known)
    }
    return rows, [
        row | {"sentence": denied.get(row["client_order_id"], row["error_message"])} for row in rows
    ]


def _read_fills(work: UnitOfWork, day: date, known: Names) -> tuple[Rows, Rows]:
    rows = [fill_row(execution, known) for execution in work.executions.of_day(day)]
    return rows, rows


def _read_signals(work: UnitOfWork, day: date, known: Names) -> tuple[Rows, Rows]:
    found = work.signals.of_day(day)
    rows = [signal_row(signal, known) for signal in found]
    return rows, [row | {"sentence": _cause(s)} for row, s in zip(rows, found, strict=True)]


def _read_denials(work: UnitOfWork, day: date, known: Names) -> tuple[Rows, Rows]:
    rows = denial_rows(work.risk_events.of_day(day), known)
    return rows, [row | {"sentence": _reasons(row["breaches"])} for row in rows]


def _cause(signal: Signal) -> str:
    return wording().reason(signal)


def _reasons(breaches: Sequence[dict[str, Any]]) -> str:
    return "\n".join(wording().breach(Breach(**breach)) for breach in breaches)
