"""This is the end-of-day report: the day's record read from the stores, worked out, written and told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE

from adapters.messages import report_message
from adapters.reports import write_report
from adapters.stores import UnitOfWork
from tasks.desk import Desk
from tasks.equity import closing_prices, opening_prices
from trading.bars import Bar, Interval
from trading.day_records import DayRecord
from trading.equity import EquityPoint
from trading.errors import BadInput
from trading.instruments import Symbol
from trading.reports import EodReport, build_report

CHART_DAYS = 120
"""Bars of each traded symbol that the price chart shows."""


@dataclass(frozen=True)
class MadeReport:
    """Where the report lies and what it says in one sentence and in a table."""

    report: EodReport
    html: Path
    sentence: str
    rows: Sequence[Mapping[str, str]] = field(default_factory=tuple)


@task(cache_policy=NO_CACHE)
async def make_report(desk: Desk, trading_day: date, *, directory: Path, link: str) -> MadeReport:
    """Close the day's books, write the report and tell the owner. Raises what `close_day` raises."""
    report = await close_day(desk, trading_day)
    with desk.stores.begin() as work:
        history, fills = _history(work, report.day), work.executions.all()
    files = write_report(report, history, directory, wording=desk.wording, executions=fills)
    message = report_message(report, desk.wording, link=link)
    desk.tell(message)
    await acreate_markdown_artifact(
        key="eod-report-page", markdown=files.markdown.read_text("utf-8"), description=message.title
    )
    return MadeReport(report, files.html, message.title, desk.wording.report_rows(report))


async def close_day(desk: Desk, trading_day: date) -> EodReport:
    """Work the day out and keep its point of the equity curve.

    Raises:
        BadInput: when a holding has no price, or for a day before the account had a book.
        ReportImbalance: when the figures disagree by a single won; then nothing is written.
    """
    prices = await closing_prices(desk, trading_day)
    before = await opening_prices(desk, trading_day)
    with desk.stores.begin() as work:
        record = _record(desk, work, trading_day, before, prices)
        report = build_report(record)
        work.equity.put(record.point)
    return report


def _record(
    desk: Desk,
    work: UnitOfWork,
    trading_day: date,
    before: Mapping[Symbol, int],
    prices: Mapping[Symbol, int],
) -> DayRecord:
    opening = work.ledger.before(trading_day)
    closing = work.ledger.before(trading_day + timedelta(days=1))
    if not closing.flows and not closing.positions:
        raise BadInput("trading_day", trading_day, "a day since the account's book was opened")
    point = EquityPoint(
        trading_day,
        opening=opening.equity(before),
        closing=closing.equity(prices),
        paid_in=work.ledger.paid_in(trading_day),
    )
    curve = (*(p for p in work.equity.all() if p.trading_day < trading_day), point)
    return DayRecord(
        trading_day=trading_day,
        channel=desk.channel.channel,
        account=desk.account,
        curve=curve,
        opening=opening,
        closing=closing,
        opening_prices=before,
        closing_prices=prices,
        signals=work.signals.of_day(trading_day),
        orders=work.orders.of_day(trading_day),
        executions=work.executions.of_day(trading_day),
        risk_events=work.risk_events.of_day(trading_day),
        names={i.symbol: i.name for i in work.instruments.all()},
        config_version=desk.version,
        config_digest=desk.channel.digest,
        commit=desk.commit,
    )


def _history(work: UnitOfWork, record: DayRecord) -> dict[Symbol, tuple[Bar, ...]]:
    """Give the bars of what is held or was traded, for the price charts."""
    traded = {execution.symbol for execution in record.executions}
    return {
        symbol: work.bars.last(symbol, Interval.DAY, count=CHART_DAYS, until=record.trading_day)
        for symbol in sorted(traded | set(record.closing.held_symbols))
    }
