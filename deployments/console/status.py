"""This is the command `status`: may we trade, what is the market doing, what have we done today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Final

from adapters.calendars import XkrxCalendar
from adapters.clock import SystemClock
from adapters.halt_files import HaltFile
from adapters.redaction import mask_account
from adapters.stores import UnitOfWork
from deployments.console.accounts import market_time
from deployments.console.faults import WRONG_INPUT, sentence_of
from deployments.console.rows import HALTS, halt_row
from deployments.console.services import Answer, ask, check_prefect
from deployments.console.speech import option, say, wording
from deployments.console.tables import (
    Column,
    paper,
    print_facts,
    print_json,
    print_table,
)
from flows.settings import Settings, load_channel, load_settings
from flows.sources import open_stores
from tasks.versions import is_other_code, standing_of
from trading.halts import REHEARSED, Halt, TradingState, strictest, united
from trading.orders import OrderStatus
from trading.sessions import phase_at, seoul_date, session_of

FIGURES: Final = (
    Column("cash", "won"),
    Column("buyable_cash", "won"),
    Column("holdings", "count"),
    Column("signals", "count"),
    Column("orders", "count"),
    Column("open_orders", "count"),
    Column("orders_in_doubt", "count"),
    Column("denials", "count"),
    Column("fills", "count"),
)
STATUS: Final = (
    Column("trading_state", "@state"),
    Column("channel", "@channel"),
    Column("account"),
    Column("at"),
    Column("trading_day"),
    Column("phase", "@phase"),
    Column("opens_at", "time"),
    Column("closes_at", "time"),
    Column("next_trading_day"),
    *FIGURES,
    Column("config_version", "count"),
    Column("is_file_ahead", "@flag"),
    Column("config_commit"),
    Column("running_commit"),
    Column("rehearsed_at"),
)
SERVICES: Final = (
    Column("service", "@console.service"),
    Column("is_reachable", "@flag"),
    Column("message"),
)


SHORT_HASH: Final = 12


@dataclass(frozen=True, slots=True)
class Book:
    """What the database says; figures are None when it could not be asked."""

    halts: tuple[Halt, ...] = ()
    open_days: Mapping[date, bool] | None = None
    figures: Mapping[str, int | None] | None = None
    rehearsed_at: datetime | None = None
    config_version: int | None = None
    is_file_ahead: bool | None = None
    config_commit: str | None = None


def status(*, as_json: Annotated[bool, option("json", name="--json")] = False) -> int:
    """Show the state of everything; what cannot be reached is named and the rest is shown all the same."""
    settings = load_settings()
    clock = ask("clock", lambda: market_time(settings))
    at = clock.value or SystemClock().now()
    book = ask("database", lambda: _read_book(settings, seoul_date(at)))
    answers = (clock, book, ask("prefect", lambda: check_prefect(settings)))
    document = _document(settings, at, book.value or Book(), answers)
    if as_json:
        print_json(document)
    else:
        _print(document)
    return _conclude(clock, book)


def _read_book(settings: Settings, day: date) -> Book:
    stores = open_stores(settings)
    try:
        with stores.begin() as work:
            rehearsed = work.audit.latest(REHEARSED)
            return Book(
                work.halts.in_force(),
                work.calendar.all(),
                _figures(work, day),
                rehearsed[0] if rehearsed else None,
                *_settings_in_force(work, settings),
            )
    finally:
        stores.close()


def _settings_in_force(
    work: UnitOfWork, settings: Settings
) -> tuple[int | None, bool | None, str | None]:
    """Give the version in force, whether the file says something else, and its code; None as long as there is none."""
    standing = standing_of(work, load_channel(settings))
    if standing is None:
        return None, None, None
    return standing.version, standing.is_file_ahead, standing.commit or None


def _figures(work: UnitOfWork, day: date) -> dict[str, int | None]:
    ledger, orders = work.ledger.load(), work.orders.of_day(day)
    open_orders = work.orders.open()
    is_known = bool(ledger.flows or ledger.positions)  # else nobody has asked the broker yet
    return {
        "cash": ledger.cash if is_known else None,
        "buyable_cash": ledger.buyable_cash if is_known else None,
        "holdings": len(ledger.held_symbols),
        "signals": len(work.signals.of_day(day)),
        "orders": sum(order.status is not OrderStatus.DENIED for order in orders),
        "open_orders": len(open_orders),
        "orders_in_doubt": sum(order.is_in_doubt for order in open_orders),
        "denials": sum(order.status is OrderStatus.DENIED for order in orders),
        "fills": len(work.executions.of_day(day)),
    }


def _document(
    settings: Settings, at: datetime, book: Book, answers: tuple[Answer[Any], ...]
) -> dict[str, Any]:
    on_disk = HaltFile(settings.halt_file).read(at=at)
    halts = united(on_disk, book.halts)
    unknown = {column.name: None for column in FIGURES}
    return {
        "trading_state": _state(halts, is_complete=book.figures is not None),
        "halts": [halt_row(halt, _place(halt, on_disk, book.halts)) for halt in halts],
        "channel": settings.channel,
        "account": settings.kis.account if settings.kis else None,
        "at": at,
        **_session(at, XkrxCalendar(book.open_days)),
        **(book.figures or unknown),
        "config_version": book.config_version,
        "is_file_ahead": book.is_file_ahead,
        "config_commit": book.config_commit,
        "running_commit": settings.commit or None,
        "rehearsed_at": book.rehearsed_at,
        "services": [answer.row() for answer in answers],
    }


def _place(halt: Halt, on_disk: Sequence[Halt], in_rows: Sequence[Halt]) -> str:
    """Tell where a halt stands; one that stands on disk only is waiting for the database, and stops all the same."""
    is_on_disk, is_in_rows = (
        halt.key in {other.key for other in halts} for halts in (on_disk, in_rows)
    )
    return "both" if is_on_disk and is_in_rows else "disk" if is_on_disk else "database"


def _state(halts: Sequence[Halt], *, is_complete: bool) -> TradingState | None:
    """Give the strictest state; None when halts that nobody can read now might be stricter."""
    state = strictest(halts)
    return state if is_complete or state is TradingState.HALTED else None


def _session(at: datetime, calendar: XkrxCalendar) -> dict[str, Any]:
    day = seoul_date(at)
    session = session_of(day) if calendar.is_trading_day(day) else None
    return {
        "trading_day": day,
        "is_trading_day": session is not None,
        "phase": phase_at(at, session) if session else None,
        "opens_at": session.opens_at if session else None,
        "closes_at": session.closes_at if session else None,
        "next_trading_day": calendar.next_trading_day(day),
    }


def _print(document: Mapping[str, Any]) -> None:
    phase = document["phase"] or say("no_session")
    account = mask_account(document["account"] or "")
    codes = {
        name: (document[name] or "")[:SHORT_HASH] for name in ("config_commit", "running_commit")
    }
    shown = {"phase": phase, "account": account, **{n: code or None for n, code in codes.items()}}
    print_facts(say("title.status"), STATUS, {**document, **shown})
    if document["is_file_ahead"]:
        lead = wording().text("config.file_ahead", version=document["config_version"])
        paper().print(lead, soft_wrap=True)
    if is_other_code(document["running_commit"], document["config_commit"]):
        lead = say("config.other_code", version=document["config_version"], **codes)
        paper().print(lead, soft_wrap=True)
    if document["halts"]:
        print_table(say("title.halts"), HALTS, document["halts"])
    print_table(say("title.services"), SERVICES, document["services"])


def _conclude(*answers: Answer[Any]) -> int:
    errors = [answer.error for answer in answers if answer.error]
    for error in errors[:1]:
        paper(is_error=True).print(sentence_of(error))
    return WRONG_INPUT if errors else 0
