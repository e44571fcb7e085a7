"""This is going on after a halt: for a reason, once both books agree, and only what was meant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from prefect import task
from prefect.cache_policies import NO_CACHE

from adapters.halt_messages import trading_resumed
from adapters.stores import AuditEntry
from tasks.desk import Desk
from tasks.halts import lift_halt
from tasks.readiness import make_ready
from trading.audits import OPERATOR
from trading.errors import BadInput, NotReady
from trading.halts import Halt
from trading.reconciliation import Difference, DifferenceKind

ACCOUNT_WIDE = frozenset({DifferenceKind.CASH})
"""Differences of the account as a whole. One of a symbol stops that symbol, by a halt of its own."""
UNREADABLE = "file"
"""The halt that is a file which cannot be read."""
MIRRORED = "prefect:"
"""Halts that are pauses in Prefect: they end where they were made."""


@dataclass(frozen=True)
class Resumption:
    """What was lifted, what stops still, and how many differences remain."""

    lifted: tuple[Halt, ...]
    left: tuple[Halt, ...]
    differences: int


@task(cache_policy=NO_CACHE)
async def resume(
    desk: Desk,
    *,
    reason: str,
    strategy_id: str = "",
    symbol: str = "",
    accepts_differences: bool = False,
) -> Resumption:
    """Reconcile, then lift every halt of exactly this strategy and symbol ("" for all), whoever put it.

    Only what stopped when it was asked for: a halt put while the books were compared stays.

    Operator, trips, reconciliation and an unreadable file go by the same way, in row and file; a pause in Prefect
    ends in Prefect. `accepts_differences` goes on although the cash of both books differs, as after a dividend.

    Raises:
        BadInput: without a reason.
        NotReady: when the books disagree about the account as a whole, naming how; nothing is lifted.
        BrokerError, StoreUnavailable: when books cannot be read; nothing is lifted.
    """
    if not reason.strip():
        raise BadInput("reason", reason, "a few words why trading goes on")
    before = _in_force(desk)
    done = await make_ready(desk)
    if not accepts_differences:
        require_agreement(desk, done.differences)
    stood = {_identity(halt) for halt in before if _is_meant(halt, strategy_id, symbol)}
    meant = tuple(halt for halt in _in_force(desk) if _identity(halt) in stood)
    for halt in meant:
        lift_halt.fn(
            desk, source=halt.source, strategy_id=strategy_id, symbol=symbol, reason=reason
        )
    if not meant:
        _note_in_vain(desk, reason, strategy_id, symbol)
    left = _in_force(desk)
    if meant:
        desk.tell(trading_resumed(reason, meant[0], left, desk.wording))
    return Resumption(meant, left, len(done.differences))


def require_agreement(desk: Desk, differences: Iterable[Difference]) -> None:
    """Make sure that both books agree about the account as a whole.

    Raises:
        NotReady: naming every difference.
    """
    told = [
        desk.wording.text(
            "reconciliation.line", kind=d.kind, subject=d.subject, ours=d.ours, theirs=d.theirs
        )
        for d in differences
        if d.kind in ACCOUNT_WIDE
    ]
    if told:
        raise NotReady("; ".join(told))


def _note_in_vain(desk: Desk, reason: str, strategy_id: str, symbol: str) -> None:
    """Keep in the audit that the operator has compared and resumed, although nothing stopped exactly this."""
    detail = {"reason": reason, "strategy_id": strategy_id, "symbol": symbol, "lifted": 0}
    with desk.stores.begin() as work:
        work.audit.add(AuditEntry(OPERATOR, "resume", detail), at=desk.now())


def _in_force(desk: Desk) -> tuple[Halt, ...]:
    with desk.stores.begin() as work:
        return desk.halts(work)


def _is_meant(halt: Halt, strategy_id: str, symbol: str) -> bool:
    is_same = (halt.strategy_id, halt.symbol) == (strategy_id, symbol)
    return is_same and not halt.source.startswith(MIRRORED)


def _identity(halt: Halt) -> tuple[object, ...]:
    """Tell one putting of a halt from the next; a file that cannot be read is noticed anew at every look."""
    return halt.key if halt.source == UNREADABLE else (*halt.key, halt.at, halt.state)
