"""This is accounts for parity tests: what a replay of some bars did, then changed as a test wants it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from adapters.calendars import XkrxCalendar
from adapters.stores import Stores
from backtest.attribution import Cause
from backtest.parity import ParityReport, compare
from backtest.plans import ReplayPlan
from backtest.recordings import Happened, Recording, replay
from risk.limits import RiskLimits
from risk.sizing import SizingSettings
from strategies.settings import StrategySettings
from tests.bar_columns import a_bar
from tests.builders import LG_CHEM, seoul
from trading.bars import Bar
from trading.costs import CostSchedule
from trading.instruments import Symbol
from trading.ledger import CashFlow, Ledger

CALENDAR = XkrxCalendar()
DAYS = CALENDAR.trading_days(date(2018, 1, 2), date(2018, 3, 30))
FIRST = DAYS[3]
"""The day after the first decision of a 1/2 cross, which needs three closes."""
CASH = 10_000_000

type Change = Callable[[Happened], Happened]


def trend(*symbols: Symbol) -> StrategySettings:
    """Give a strategy that enters when a close is above the one before and leaves when it is below."""
    parameters = {"fast": 1, "slow": 2, "volume_ratio": None, "volume_window": 1}
    return StrategySettings.model_validate(
        {
            "id": "trend",
            "kind": "moving_average_cross",
            "parameters": parameters,
            "symbols": symbols or [LG_CHEM],
        }
    )


def bars_of(closes: Iterable[int], symbol: Symbol = LG_CHEM) -> list[Bar]:
    """Give a bar for each trading day, that opens where the last one closed."""
    bars: list[Bar] = []
    for day, close in zip(DAYS, closes, strict=False):
        opened = bars[-1].close if bars else close
        high, low = max(opened, close), min(opened, close)
        bars.append(a_bar(day, close, symbol=symbol, open=opened, high=high, low=low))
    return bars


def a_recording(bars: Mapping[Symbol, Sequence[Bar]], **changes: Any) -> Recording:
    """Give the recording of an account with 10,000,000 won that has done nothing yet."""
    fields: dict[str, Any] = {
        "strategies": (trend(*bars),),
        "limits": RiskLimits(maximum_weight=Decimal(1)),
        "sizing": SizingSettings(target_weight=Decimal("0.4"), limit_offset=Decimal("0.02")),
        "costs": CostSchedule(),
        "cash": 0,
        "first": FIRST,
        "last": max(bar.trading_day for found in bars.values() for bar in found),
        "opening": Ledger("account"),
        "deposits": {FIRST: CASH},
    }
    plan = ReplayPlan(**fields)
    return Recording((plan,), bars, Happened((), (), (), Ledger("account")), **changes)


def account(recording: Recording, change: Change = lambda happened: happened) -> Recording:
    """Let the account have done what its replay does, but for `change`; its book follows from its fills."""
    happened = change(replay(recording, CALENDAR))
    book = Ledger("account").deposit(CASH, on=FIRST)
    for execution in happened.executions:
        book = book.post(execution)
    return replace(recording, actual=replace(happened, closing=book))


def examined(closes: Iterable[int], change: Change = lambda happened: happened) -> ParityReport:
    """Compare an account on LG Chem with its replay."""
    return compare(account(a_recording({LG_CHEM: bars_of(closes)}), change), CALENDAR)


def causes(report: ParityReport) -> dict[Cause, int]:
    """Give every cause that is not nothing."""
    return {cause: amount for cause in Cause if (amount := report.money.of(cause))}


def store(recording: Recording, stores: Stores, *, channel: str, account: str) -> None:
    """Write what the account did where maemae would have."""
    happened = recording.actual
    intents = (replace(o.intent, channel=channel, account=account) for o in happened.orders)
    orders = [
        replace(order, intent=intent)
        for order, intent in zip(happened.orders, intents, strict=True)
    ]
    with stores.begin() as work:
        for bars in recording.bars.values():
            work.bars.upsert(bars)
        for day, amount in recording.plans[0].deposits.items():
            work.ledger.deposit(CashFlow(day, amount), reason="opening", at=seoul(day, "08:00"))
        for signal in happened.signals:
            work.signals.add(signal)
        for order in orders:
            work.orders.add(order)
        for execution in happened.executions:
            fill = replace(execution, account=account)
            work.executions.add(fill)
            work.ledger.post(fill)
