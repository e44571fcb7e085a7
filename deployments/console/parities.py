"""This is the command `parity`: an account against a replay of its own days, as table, page, message and evidence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Final

from adapters.calendars import XkrxCalendar
from adapters.parity_messages import parity_told, verdict_on
from adapters.reports.parity_pages import write_parity
from adapters.stores import Stores
from deployments.console.accounts import market_time, open_account
from deployments.console.speech import home, option, say, wording
from deployments.console.tables import Column, paper, print_json, print_table
from flows.desk import open_owner_channel
from flows.settings import load_channel
from tasks.parity import evidence_of, examine_parity, parity_document
from trading.sessions import TradingCalendar, seoul_date, session_of

UNEQUAL: Final = 3
"""The exit code when a decision differs or a won is not explained."""
SESSIONS: Final = 20
"""So many without --from."""
CAUSES: Final = (Column("cause"), Column("amount", "signed_won"))
DIFFERENCES: Final = (
    Column("trading_day"),
    Column("strategy_id"),
    Column("symbol"),
    Column("direction", "@direction"),
    Column("trigger", "@trigger"),
    Column("why", "@parity.why"),
)
HOLDINGS: Final = (
    Column("since"),
    Column("strategy_id"),
    Column("symbol"),
    Column("sessions", "count"),
    Column("modelled", "count"),
)


def parity(
    *,
    first: Annotated[date | None, option("parity_from", name="--from")] = None,
    last: Annotated[date | None, option("parity_to", name="--to")] = None,
    as_json: Annotated[bool, option("json", name="--json")] = False,
) -> int:
    """Compare, write the page, tell the owner, keep what it proves; give 0 when all is equal and explained, else 3."""
    with open_account() as account:
        settings, stores, at = account.settings, account.stores, market_time(account.settings)
        with stores.begin() as work:
            calendar = XkrxCalendar(overrides=work.calendar.all())
        last = last or _last_closed(calendar, at)
        first = first or first_of(stores, calendar, last)
        report = examine_parity(stores, load_channel(settings), calendar, first=first, last=last)
        document = parity_document(report)
        page = write_parity(
            document, home() / "reports", wording=wording(), channel=settings.channel
        )
        evidence = evidence_of(report, channel=settings.channel, commit=settings.commit, made_at=at)
        if evidence:
            with stores.begin() as work:
                work.evidence.record(evidence)
        notifier, words = open_owner_channel(settings)
        notifier.send(parity_told(document, words))
    if as_json:
        print_json({"channel": settings.channel, "page": str(page), **document})
    else:
        _print(document)
        paper().print(say("parity.page", path=page), soft_wrap=True)
    return 0 if report.is_equal else UNEQUAL


def _last_closed(calendar: TradingCalendar, at: datetime) -> date:
    today = seoul_date(at)
    if calendar.is_trading_day(today) and at >= session_of(today).closes_at:
        return today
    return calendar.previous_trading_day(today)


def first_of(stores: Stores, calendar: TradingCalendar, last: date) -> date:
    """Give the first of the last sessions up to a day, at the earliest the day of the first report."""
    day = last if calendar.is_trading_day(last) else calendar.previous_trading_day(last)
    for _ in range(SESSIONS - 1):
        day = calendar.previous_trading_day(day)
    with stores.begin() as work:
        curve = work.equity.all()
    return max(day, curve[0].trading_day) if curve else day


def _print(document: Mapping[str, Any]) -> None:
    causes = {"modelled": document["modelled"], **document["causes"]}
    causes |= {"unexplained": document["unexplained"], "actual": document["actual"]}
    rows = [{"cause": _name(cause), "amount": amount} for cause, amount in causes.items()]
    title = say("title.parity", first=document["from"], last=document["to"])
    print_table(title, CAUSES, rows)
    count = {"count": document["decisions"], "unequal": document["unequal"]}
    paper().print(say(f"parity.{verdict_on(document)}", **count))
    if document["differences"]:
        print_table(say("title.parity_differences"), DIFFERENCES, document["differences"])
    if document["holdings"]:
        print_table(say("title.parity_holdings"), HOLDINGS, document["holdings"])


def _name(cause: str) -> str:
    own = {"modelled", "actual", "unexplained"}
    return wording().text(f"parity.{cause}" if cause in own else f"parity.cause.{cause}")
