"""This is parity with a replay: what the stores hold of some days, compared, and kept as evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import partial
from itertools import groupby
from typing import Any, Final

from adapters.stores import Stores, UnitOfWork
from backtest.attribution import Cause
from backtest.parity import ParityReport, compare
from backtest.plans import ReplayPlan
from backtest.recordings import Happened, Recording, Stop, stops_before
from plugins.rules import foreign_rules
from plugins.strategies import running
from risk.limits import LONGEST_STOP_COOLDOWN
from strategies.evaluation import bars_to_read
from strategies.settings import StrategySettings
from tasks.channels import ChannelSettings, read_version
from tasks.recorded_prices import bars_as_of, fills_as_of, scale_as_of
from trading.bars import Bar, Interval
from trading.configs import ConfigVersion
from trading.errors import BadInput
from trading.evidence import Evidence, EvidenceKind
from trading.executions import Execution, standing
from trading.halts import Halt, TradingState
from trading.instruments import Symbol
from trading.sessions import Phase, TradingCalendar, session_of
from trading.signals import Signal

type Strategies = tuple[StrategySettings, ...]
type Start = Callable[[ChannelSettings], Strategies]
"""Starts the strategies of a channel that are not ours, and gives all of them."""

type Scope = tuple[str, str, str]
"""Who halted, which strategy and which symbol, "" for all."""

HALTED: Final = TradingState.HALTED
_DAY: Final = timedelta(days=1)
_DAYS_FOR_A_BAR: Final = 2
"""Calendar days in which a bar is sure to lie, holidays included."""


def examine_parity(
    stores: Stores,
    file: ChannelSettings,
    calendar: TradingCalendar,
    *,
    first: date,
    last: date,
) -> ParityReport:
    """Hold what is stored of `first` to `last` against a replay; `file` counts where no version is stored.

    Raises:
        BadInput: for days without a session, before the account had a book, or without bars.
    """
    if first > last:
        raise BadInput("--from", first.isoformat(), f"a day not after {last.isoformat()}")
    with ExitStack() as foreign:

        def start(channel: ChannelSettings) -> Strategies:
            return foreign.enter_context(running(channel.strategies, channel.plugins))

        with stores.begin() as work:
            recording = read_recording(work, file, calendar, first=first, last=last, start=start)
            _require_bars(work, {*file.symbols, *recording.bars}, recording.last)
        return compare(recording, calendar)


def _require_bars(work: UnitOfWork, symbols: Iterable[Symbol], last: date) -> None:
    """Refuse a last day that has no bars as yet: its replay would trade nothing.

    Raises:
        BadInput: naming the last day that can be compared.
    """
    newest = [work.bars.last(symbol, Interval.DAY, count=1, until=last) for symbol in symbols]
    known = max((bar.trading_day for bars in newest for bar in bars), default=None)
    if known != last:
        end = f", they end with {known.isoformat()}" if known else ""
        raise BadInput("--to", last.isoformat(), f"a day whose bars are stored{end}")


def evidence_of(
    report: ParityReport, *, channel: str, commit: str, made_at: datetime
) -> Evidence | None:
    """Make the evidence of a report: passed when every decision is equal and every won explained.

    None where nothing was decided and nothing is left to explain: that every one of no decisions is equal proves nothing.
    """
    if report.is_equal and not report.decisions:
        return None
    return Evidence(
        EvidenceKind.PARITY, commit, channel, made_at, report.is_equal, parity_figures(report)
    )


def parity_figures(report: ParityReport) -> dict[str, Any]:
    """Give the figures of a report in won and counts, the causes by name."""
    money = report.money
    return {
        "from": report.first.isoformat(),
        "to": report.last.isoformat(),
        "is_equal": report.is_equal,
        "looks": report.looks,
        "decisions": len(report.decisions),
        "unequal": len(report.unequal),
        "actual": money.actual,
        "modelled": money.modelled,
        "difference": money.difference,
        "unexplained": money.unexplained,
        "causes": {cause.value: money.of(cause) for cause in Cause},
    }


def parity_document(report: ParityReport) -> dict[str, Any]:
    """Give the whole report as plain rows: what JSON, page and message are made from."""
    return {
        **parity_figures(report),
        "differences": [asdict(decision) for decision in report.unequal],
        "parts": [asdict(part) for part in report.money.parts],
        "holdings": [asdict(holding) for holding in report.holdings],
    }


def read_recording(
    work: UnitOfWork,
    file: ChannelSettings,
    calendar: TradingCalendar,
    *,
    first: date,
    last: date,
    start: Start = lambda channel: channel.strategies,
) -> Recording:
    """Read everything that was stored of these days; `start` runs the strategies that are not ours.

    Raises what `examine_parity` raises.
    """
    days = calendar.trading_days(first, last)
    if not days:
        asked = f"{first.isoformat()}..{last.isoformat()}"
        raise BadInput("--from", asked, "at least one trading day")
    first, last = days[0], days[-1]
    fills = work.executions.all()
    happened = _happened(work, days, fills)
    deposits = _deposits(work, days, happened.executions)
    before = _before(work, calendar, first, last, fills)
    plans = tuple(
        replace(
            before(plan_of(channel, start(channel), own)),
            deposits={day: deposits[day] for day in own if day in deposits},
        )
        for channel, own in _stretches(work, file, days)
    )
    symbols = {s for plan in plans for s in plan.symbols} | {f.symbol for f in happened.executions}
    every_day = (first + _DAY * n for n in range((last - first).days + 1))
    return Recording(
        plans=plans,
        bars={s: _bars(work, s, plans, last) for s in symbols.union(happened.closing.held_symbols)},
        actual=happened,
        taken_over=sum(map(work.ledger.paid_in, every_day)) - sum(deposits.values()),
        stops=_stops(work),
        minutes={s: _minutes(work, s, plans, last) for s in _watched_by_the_minute(plans)},
        scales=_scales(work, happened, last),
    )


def _happened(work: UnitOfWork, days: Sequence[date], fills: Sequence[Execution]) -> Happened:
    """Read what was decided and done on these days, and the book after them."""
    closing = work.ledger.before(days[-1] + _DAY)
    if not closing.flows and not closing.positions:
        raise BadInput("--to", days[-1].isoformat(), "a day since the account's book was opened")
    return Happened(
        signals=tuple(signal for day in days for signal in work.signals.of_day(day)),
        orders=tuple(order for day in days for order in work.orders.of_day(day)),
        executions=tuple(fill for fill in fills if days[0] <= fill.trading_day <= days[-1]),
        closing=closing,
    )


def _before(
    work: UnitOfWork, calendar: TradingCalendar, first: date, last: date, fills: Sequence[Execution]
) -> Callable[[ReplayPlan], ReplayPlan]:
    """Read what the account had before `first`, paid on the scale of `last`, and give it to a plan."""
    return partial(
        replace,
        instruments={instrument.symbol: instrument for instrument in work.instruments.all()},
        opening=work.ledger.before(first),
        past=tuple(fills_as_of(work, standing([f for f in fills if f.trading_day < first]), last)),
        curve=tuple(point for point in work.equity.all() if point.trading_day < first),
        stopped=stops_before(first, _signals_before(work, calendar, first), calendar),
    )


def _signals_before(work: UnitOfWork, calendar: TradingCalendar, first: date) -> Iterator[Signal]:
    """Read what was decided in as many sessions before a day as a stop may be remembered, oldest first."""
    day = first
    for _ in range(LONGEST_STOP_COOLDOWN):
        day = calendar.previous_trading_day(day)
    for each in calendar.trading_days(day, first - _DAY):
        yield from work.signals.of_day(each)


def _deposits(
    work: UnitOfWork, days: Sequence[date], fills: Sequence[Execution]
) -> dict[date, int]:
    """Give what came into the cash of each day, its weekend included, beside its fills."""
    edges = [*days, days[-1] + _DAY]
    cash = [work.ledger.opening(day).cash for day in edges]
    found = {}
    for place, day in enumerate(days):
        traded = sum(fill.cash_change for fill in fills if fill.trading_day == day)
        found[day] = cash[place + 1] - cash[place] - traded
    return {day: amount for day, amount in found.items() if amount}


def _stretches(
    work: UnitOfWork, file: ChannelSettings, days: Sequence[date]
) -> Iterator[tuple[ChannelSettings, tuple[date, ...]]]:
    """Give each stretch of days with the same version in force."""
    versions = [config for config in work.configs.all() if config.approved_at is not None]
    for version, stretch in groupby(days, key=lambda day: _version_of(versions, day)):
        yield file if version is None else read_version(version), tuple(stretch)


def plan_of(channel: ChannelSettings, strategies: Strategies, days: Sequence[date]) -> ReplayPlan:
    """Give what the settings mean to do on these days."""
    return ReplayPlan(
        strategies=strategies,
        limits=channel.risk,
        sizing=channel.sizing,
        costs=channel.costs.schedule,
        cash=0,
        first=days[0],
        last=days[-1],
        foreign_rules=foreign_rules(channel.plugins),
    )


def _version_of(versions: Sequence[ConfigVersion], day: date) -> ConfigVersion | None:
    """Give the version that decided in the morning of a day; the first one for the days before it."""
    morning = session_of(day).window(Phase.OPENING_AUCTION).starts_at
    known = [v for v in versions if v.approved_at is not None and v.approved_at <= morning]
    return known[-1] if known else next(iter(versions), None)


def _bars(
    work: UnitOfWork, symbol: Symbol, plans: Iterable[ReplayPlan], last: date
) -> tuple[Bar, ...]:
    """Read the bars of the days, on the scale of the last one, and as many before as the slowest strategy reads."""
    plans = tuple(plans)
    warm_up = max(settings.strategy.warm_up for plan in plans for settings in plan.strategies)
    first = plans[0].first - _DAYS_FOR_A_BAR * bars_to_read(warm_up) * _DAY
    found = work.bars.between(symbol, Interval.DAY, first=first, last=last)
    return bars_as_of(work, symbol, found, last)


def _scales(
    work: UnitOfWork, happened: Happened, last: date
) -> dict[tuple[Symbol, date], Fraction]:
    """Give what prices that were traded or looked at are multiplied with on the last day, where that is not 1."""
    days = {(fill.symbol, fill.trading_day) for fill in happened.executions}
    days |= {(signal.symbol, signal.trading_day) for signal in happened.signals}
    found = {key: scale_as_of(work, *key, last) for key in sorted(days)}
    return {key: scale for key, scale in found.items() if scale != 1}


def _watched_by_the_minute(plans: Iterable[ReplayPlan]) -> set[Symbol]:
    strategies = (settings for plan in plans for settings in plan.strategies)
    return {s for each in strategies if each.interval is Interval.MINUTE for s in each.symbols}


def _minutes(
    work: UnitOfWork, symbol: Symbol, plans: Sequence[ReplayPlan], last: date
) -> tuple[Bar, ...]:
    """Read the minute bars of the days, and as many before as the slowest strategy of such bars reads."""
    count = max(
        bars_to_read(settings.strategy.warm_up)
        for plan in plans
        for settings in plan.strategies
        if settings.interval is Interval.MINUTE
    )
    first = plans[0].first
    before = work.bars.last(symbol, Interval.MINUTE, count=count, until=first - _DAY)
    return (*before, *work.bars.between(symbol, Interval.MINUTE, first=first, last=last))


def _stops(work: UnitOfWork) -> tuple[Stop, ...]:
    """Read from the audit when what was halted; a pause in Prefect tells no state, and its end no strategy."""
    running: dict[Scope, Halt] = {}
    stops: list[Stop] = []
    for at, entry in reversed(work.audit.last(count=_ALL)):
        if entry.action not in {"halt", "resume"}:
            continue
        detail = entry.detail
        strategy, symbol = (str(detail.get(name, "")) for name in ("strategy_id", "symbol"))
        key = (entry.actor, strategy, symbol)
        is_whole = entry.action == "resume" and "strategy_id" not in detail
        ended = [known for known in running if known == key or (is_whole and known[0] == key[0])]
        stops += [Stop(running.pop(known), at) for known in ended]
        if entry.action == "halt" and detail.get("state", HALTED) == HALTED:
            reason = str(detail.get("reason", ""))
            running[key] = Halt(entry.actor, HALTED, reason, at, strategy, symbol)
    return (*stops, *(Stop(halt) for halt in running.values()))


_ALL: Final = 1_000_000
"""Entries of the audit: every one."""
