"""This is quarantine: a symbol whose books differ is stopped, and released when they agree again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from adapters.reconciliation_messages import symbol_released, symbol_stopped
from adapters.stores import UnitOfWork
from tasks.channels import ManualOrders
from tasks.desk import Desk
from tasks.looks import Look
from trading.halts import Halt, TradingState
from trading.instruments import Symbol
from trading.plans import Act, Step
from trading.reconciliation import Difference, DifferenceKind, is_pending

SOURCE: Final = "reconciliation"
"""The halt that a later reconciliation lifts by itself."""
BY_HAND: Final = "reconciliation:manual"
"""The halt of a symbol with orders by hand under the policy `quarantine`: only the operator lifts it."""
_STOPPING: Final = frozenset({DifferenceKind.POSITION, DifferenceKind.IMPOSSIBLE})


def stopping_of(
    desk: Desk, work: UnitOfWork, look: Look, differences: Sequence[Difference]
) -> tuple[Difference, ...]:
    """Give the differences for which a symbol must stop."""
    return tuple(d for d in differences if _stops(desk, work, look, d))


def plan_quarantines(
    work: UnitOfWork,
    stopping: Sequence[Difference],
    differing: Collection[str],
    *,
    before: Sequence[Sequence[str]],
) -> tuple[Step, ...]:
    """Plan which symbols stop and which of the stopped go on: those that are not `differing` any more.

    `before` are the differences that stopped a symbol at the last comparison. One of them whose symbol is not
    stopped any more was resumed by the operator: it stops again only for another difference.
    """
    halts = [halt for halt in work.halts.in_force() if halt.source in {SOURCE, BY_HAND}]
    stopped = {halt.symbol for halt in halts}
    news = {
        d.symbol: d for d in stopping if d.symbol not in stopped and written(d) not in list(before)
    }
    agreeing = [h for h in halts if h.source == SOURCE and h.symbol not in differing]
    return (
        *(Step(Act.QUARANTINE, symbol, _words(d)) for symbol, d in news.items()),
        *(Step(Act.RELEASE, halt.symbol, halt.reason) for halt in agreeing),
    )


def differing_symbols(differences: Iterable[Difference]) -> frozenset[str]:
    """Give the symbols whose books differ in what a quarantine is for."""
    return frozenset(d.symbol for d in differences if d.kind in _STOPPING)


def carry_out_quarantine(work: UnitOfWork, step: Step, look: Look) -> None:
    """Write one of these steps."""
    if step.act is Act.RELEASE:
        work.halts.lift(SOURCE, symbol=step.subject, reason="the books agree", at=look.at)
        return
    source = BY_HAND if _is_by_hand(step) else SOURCE
    work.halts.put(Halt(source, TradingState.HALTED, step.detail, look.at, symbol=step.subject))


def tell_quarantine(desk: Desk, step: Step) -> None:
    """Tell the owner that a symbol stopped, or goes on."""
    name = desk.name(Symbol(step.subject))
    if step.act is Act.RELEASE:
        desk.tell(symbol_released(step.subject, desk.wording, name=name))
    else:
        is_by_hand = _is_by_hand(step)
        desk.tell(
            symbol_stopped(
                step.subject, step.detail, desk.wording, name=name, is_by_hand=is_by_hand
            )
        )


def written(difference: Difference) -> list[str]:
    """Give a difference as the audit keeps it."""
    return [difference.kind.value, difference.subject, difference.ours, difference.theirs]


def _stops(desk: Desk, work: UnitOfWork, look: Look, difference: Difference) -> bool:
    match difference.kind:
        case DifferenceKind.IMPOSSIBLE:
            return bool(difference.symbol)
        case DifferenceKind.ORDER_FOREIGN:
            return desk.channel.manual_orders is ManualOrders.QUARANTINE
        case DifferenceKind.POSITION:
            orders = [order for day in look.days for order in work.orders.of_day(day.day)]
            rows = [row for day in look.days for row in day.rows]
            return not is_pending(difference, orders, rows)
    return False


def _words(difference: Difference) -> str:
    kind, subject, ours, theirs = written(difference)
    return f"{kind} {subject}: {ours} / {theirs}"


def _is_by_hand(step: Step) -> bool:
    return step.detail.startswith(DifferenceKind.ORDER_FOREIGN)
