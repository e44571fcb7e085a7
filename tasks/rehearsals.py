"""This is rehearsing the kill switch: every level put for real, a real order kept back by it, a real one canceled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from time import monotonic
from typing import Any, Final

from adapters.broker import LastLook
from adapters.halt_messages import rehearsal_told
from adapters.stores import AuditEntry, Lease
from risk.gate import check
from risk.rules.halted import RULE_ID
from risk.views import RiskView
from tasks.desk import Desk
from tasks.evidence import record_evidence
from tasks.halts import cancel_open, lift_halt, open_rows, record_halt
from tasks.reconciliation import reconcile
from tasks.submissions import last_look, submit
from tasks.views import read_view
from tasks.writers import only_writer
from trading.audits import OPERATOR
from trading.doubts import SEND_WITHIN
from trading.errors import BadInput, NotReady, Withheld
from trading.evidence import EvidenceKind
from trading.halts import REHEARSED, Halt, TradingState
from trading.instruments import Symbol
from trading.krx import round_price
from trading.orders import Order, OrderIntent, OrderStatus, OrderType, Side, client_order_id
from trading.sessions import Phase, phase_at
from trading.signals import Direction, Signal

SOURCE: Final = "rehearsal"
WITHIN: Final = timedelta(seconds=1)
"""From the decision to halt until no path to the broker is open."""
RESTING: Final = frozenset({Phase.OPENING_AUCTION, Phase.CONTINUOUS})


@dataclass(frozen=True, slots=True)
class Trial:
    """One level: whether it kept back what it must and nothing else, and how soon."""

    level: str
    has_held: bool
    took: timedelta

    @property
    def is_passed(self) -> bool:
        """Whether the level can be relied on."""
        return self.has_held and self.took <= WITHIN

    def row(self) -> dict[str, Any]:
        """Tell it as a row; milliseconds."""
        milliseconds = self.took // timedelta(milliseconds=1)
        return {"level": self.level, "has_held": self.has_held, "milliseconds": milliseconds}


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """All levels, and the number of the order that canceling took from the broker's book, "" for none."""

    at: datetime
    trials: tuple[Trial, ...]
    canceled: str

    @property
    def is_passed(self) -> bool:
        """Whether the kill switch works."""
        return bool(self.canceled) and all(trial.is_passed for trial in self.trials)

    def detail(self) -> Mapping[str, Any]:
        """Tell it for the audit."""
        trials = [trial.row() for trial in self.trials]
        return {"is_passed": self.is_passed, "trials": trials, "canceled": self.canceled}


async def rehearse(desk: Desk) -> Rehearsal:
    """Prove the kill switch on dev or paper, during the session, while nothing stops and nothing is open.

    One share is ordered at the lowest price allowed, where it rests. Each level is put in file and row; then the gate
    must refuse and the way to the broker must withhold another such order, and let pass what the level allows.
    At last everything is halted and the resting order canceled at the broker. All is lifted again, told and
    recorded.

    Raises:
        BadInput: on live, outside the session, or while a halt is in force or an order of ours is open.
        NotReady: when the resting order does not come to rest.
    """
    _require_rehearsable(desk)
    await reconcile.fn(desk)
    symbol = desk.channel.symbols[0]
    view = await read_view(desk, _signal(desk, symbol))
    async with only_writer(desk) as lease:
        await _require_quiet(desk, view)
        intent = _intent(desk, view, symbol)
        resting = await submit(desk, lease, intent, view)
        if resting is None or resting.status is not OrderStatus.ACCEPTED:
            raise NotReady(f"{resting.status}: {resting.error_message}" if resting else "no order")
        trials: list[Trial] = []
        try:
            for level, halt, allowed in _levels(desk, intent):
                has_held, took = await _try(desk, lease, view, intent, halt, allowed)
                trials.append(Trial(level, has_held, took))
        finally:
            halt = _halt(desk)
            _stop(desk, halt)
            canceled = await cancel_open.fn(desk)
            _go_on(desk, halt)
    number = resting.broker_order_id if resting.broker_order_id in canceled else ""
    done = Rehearsal(view.at, tuple(trials), number)
    await reconcile.fn(desk)
    _tell(desk, done)
    return done


def _require_rehearsable(desk: Desk) -> None:
    if desk.channel.channel == "live":
        raise BadInput("channel", "live", "dev or paper; live stops by the same code")
    session = desk.session()
    if session is None or phase_at(desk.now(), session) not in RESTING:
        raise BadInput(
            "time", desk.now().isoformat(), "a moment of the session, when an order can rest"
        )


async def _require_quiet(desk: Desk, view: RiskView) -> None:
    """Make sure that nothing else can be the reason of what is seen, and that nothing else is canceled."""
    if view.halts:
        sources = ", ".join(halt.source for halt in view.halts)
        raise BadInput("halts", sources, "none in force; resume first")
    if rows := await open_rows(desk):
        numbers = ", ".join(row.broker_order_id for row in rows)
        raise BadInput("orders", numbers, "none open; the rehearsal cancels all that is")


def _levels(desk: Desk, intent: OrderIntent) -> Iterator[tuple[str, Halt, tuple[OrderIntent, ...]]]:
    """Give each level: its name, its halt, and orders that must pass all the same."""
    other = replace(intent, strategy_id="another")
    neighbours = tuple(replace(intent, symbol=symbol) for symbol in desk.channel.symbols[1:2])
    yield "strategy", _halt(desk, strategy_id=intent.strategy_id), (other,)
    yield "symbol", _halt(desk, symbol=intent.symbol), neighbours
    yield "reducing", _halt(desk, TradingState.REDUCING), (replace(intent, side=Side.SELL),)
    yield "halted", _halt(desk), ()


async def _try(  # noqa: PLR0917 - one level and all that it is tried on
    desk: Desk,
    lease: Lease,
    view: RiskView,
    intent: OrderIntent,
    halt: Halt,
    allowed: tuple[OrderIntent, ...],
) -> tuple[bool, timedelta]:
    """Put one halt and try everything on it; tell whether it held, and how soon nothing could leave any more."""
    look = partial(_passes, desk, lease)
    was_open = look(intent)
    began = monotonic()
    _stop(desk, halt)
    is_closed = not look(intent)
    took = timedelta(seconds=monotonic() - began)
    try:
        has_held = (
            was_open
            and is_closed
            and _is_denied(desk, view, intent)
            and all(look(other) for other in allowed)
            and await _is_withheld(desk, lease, intent)
        )
    finally:
        _go_on(desk, halt)
    return has_held, took


def _is_denied(desk: Desk, view: RiskView, intent: OrderIntent) -> bool:
    """Ask the gate, with the halts as any order sees them."""
    with desk.stores.begin() as work:
        seen = replace(view, halts=desk.halts(work))
    decision = check(intent, seen, desk.rules(intent.strategy_id))
    return any(breach.rule_id == RULE_ID for breach in decision.breaches)


async def _is_withheld(desk: Desk, lease: Lease, intent: OrderIntent) -> bool:
    """Go the whole way to the first byte, which is never written: not even when the halt does not hold."""
    look = _look(desk, lease, intent)

    def look_and_stay() -> None:
        look()
        raise Withheld("the halt did not hold it", code="NOT_HELD")

    try:
        await desk.broker.place(intent, last_look=look_and_stay)
    except Withheld as error:
        return error.code == RULE_ID
    return False


def _passes(desk: Desk, lease: Lease, intent: OrderIntent) -> bool:
    try:
        _look(desk, lease, intent)()
    except Withheld:
        return False
    return True


def _look(desk: Desk, lease: Lease, intent: OrderIntent) -> LastLook:
    order = Order.initialize(intent).submit(at=intent.created_at)
    deadline = monotonic() + SEND_WITHIN.total_seconds()
    return partial(last_look, desk, lease, order, deadline=deadline)


def _stop(desk: Desk, halt: Halt) -> None:
    desk.halt_file.put(halt)
    record_halt(desk, halt)


def _go_on(desk: Desk, halt: Halt) -> None:
    scope = {"strategy_id": halt.strategy_id, "symbol": halt.symbol}
    lift_halt.fn(desk, source=halt.source, reason=halt.reason, **scope)


def _halt(desk: Desk, state: TradingState = TradingState.HALTED, **scope: str) -> Halt:
    return Halt(SOURCE, state, desk.wording.text("rehearsal.reason"), desk.now(), **scope)


def _signal(desk: Desk, symbol: Symbol) -> Signal:
    """Give a signal to read the view for; nobody stores it."""
    now = desk.now()
    return Signal(
        strategy_id=SOURCE,
        symbol=symbol,
        direction=Direction.ENTRY,
        strength=Decimal(1),
        trigger=SOURCE,
        reason=SOURCE,
        parameter_hash="",
        reference_price=1,
        trading_day=desk.today(),
        created_at=now,
        expires_at=now,
    )


def _intent(desk: Desk, view: RiskView, symbol: Symbol) -> OrderIntent:
    """Order one share far below the market, as a strategy of its own."""
    day, signal_id = view.trading_day, f"{SOURCE}-{view.at.isoformat()}"
    return OrderIntent(
        client_order_id=client_order_id(
            channel=view.channel,
            account=view.account,
            strategy_id=SOURCE,
            symbol=symbol,
            side=Side.BUY,
            trading_day=day,
            signal_id=signal_id,
        ),
        channel=view.channel,
        account=view.account,
        strategy_id=SOURCE,
        symbol=symbol,
        side=Side.BUY,
        quantity=1,
        order_type=OrderType.LIMIT,
        limit_price=_resting_price(desk, view, symbol),
        trading_day=day,
        signal_id=signal_id,
        reason=desk.wording.text("rehearsal.reason"),
        created_at=view.at,
        reference_price=view.quotes[symbol].last,
    )


def _resting_price(desk: Desk, view: RiskView, symbol: Symbol) -> int:
    """Give the lowest price that the day's limits and our own price collar allow."""
    quote, instrument = view.quotes[symbol], view.instruments[symbol]
    lowest = round_price(
        quote.last * (1 - desk.channel.risk.price_collar),
        Side.SELL,  # up, so that it stays inside
        on=view.trading_day,
        market=instrument.market,
        kind=instrument.kind,
    )
    return max(lowest, quote.lower_limit)


def _tell(desk: Desk, done: Rehearsal) -> None:
    """Record date and result, and tell the owner."""
    with desk.stores.begin() as work:
        work.audit.add(AuditEntry(OPERATOR, REHEARSED, done.detail()), at=done.at)
    record_evidence(desk, EvidenceKind.REHEARSAL, is_passed=done.is_passed, figures=done.detail())
    lines = [desk.wording.text("rehearsal.line", **trial.row()) for trial in done.trials]
    lines.append(desk.wording.text("rehearsal.canceled", number=done.canceled or None))
    desk.tell(rehearsal_told(lines, desk.wording, is_passed=done.is_passed))
