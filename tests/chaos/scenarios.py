"""This is what may happen in a run, drawn from one seed: side, symbol, kills, faults, adversary, lag."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from tests.builders import LG_CHEM, SAMSUNG
from tests.chaos.steps import Act, Moment, Spot, Step
from trading.instruments import Symbol
from trading.orders import OrderType, Side

type Faults = Mapping[str, Any]
type Drawing = Callable[[Random, Symbol], Faults]

_BOTH: Final = tuple(Moment)
_CANCELING: Final = frozenset(
    {Step.CANCEL_REQUEST, Step.CANCEL_SEND, Step.CANCEL_TAKEN, Step.CANCEL_REPLY, Step.CANCELED}
)
_LISTENING: Final = frozenset({Step.NOTICE, Step.NOTICE_KEPT})
_RECOVERING: Final = frozenset({Step.SEARCH, Step.READY})
SPOTS: Final = tuple(Spot(step, moment) for step in Step for moment in _BOTH)
DOUBTFUL: Final = (
    *(Spot(Step.EVIDENCE, Moment.AFTER), Spot(Step.SEND, Moment.AFTER)),
    *(Spot(Step.BYTES, Moment.AFTER), Spot(Step.TAKEN, Moment.AFTER)),
    *(Spot(Step.REPLY, Moment.BEFORE), Spot(Step.ACCEPTANCE, Moment.BEFORE)),
)
"""Where a death leaves an order in doubt."""
SLEEPY: Final = tuple(
    Spot(step, moment)
    for step in (Step.LEASE, Step.EVIDENCE, Step.SEND, Step.REPLY, Step.ACCEPTANCE, Step.FILL)
    for moment in _BOTH
    if (step, moment) != (Step.SEND, Moment.AFTER)
)
"""Where a process may fall asleep. Between the last look and the bytes nothing can hold them back any more."""
WORDS: Final = ("commit", "send", "reply", "death")
"""When the adversary may place the same order by hand: before it is committed, before it is sent, after the
reply, after the death of the process."""


def _always(**table: Any) -> Drawing:
    return lambda _random, _symbol: table


def _of_symbol(name: str, **values: Any) -> Drawing:
    return lambda _random, symbol: {name: {"symbols": [symbol], **values}}


def _so_often(name: str, most: int, **values: Any) -> Drawing:
    return lambda random, _symbol: {name: {"count": random.randint(1, most), **values}}


def _lag(random: Random, _symbol: Symbol) -> Faults:
    return {"orders_lag": {"seconds": random.choice((1, 5, 30, 120, 300))}}


def _one_by_one(random: Random, _symbol: Symbol) -> Faults:
    return {"orders_lag": {"seconds": 300, "seed": random.randint(1, 10**6)}}


def _ghosts(random: Random, _symbol: Symbol) -> Faults:
    kinds = random.sample(("repeated", "other_exchange", "empty", "twin"), random.randint(1, 4))
    return {"ghost_rows": {"kinds": kinds, "count": random.randint(1, 5)}}


def _parts(random: Random, symbol: Symbol) -> Faults:
    return {"partial_fills": {"symbols": [symbol], "max_quantity": random.randint(2, 20)}}


def _skew(random: Random, _symbol: Symbol) -> Faults:
    return {"clock_skew": {"seconds": random.choice((-5, -2, -1, 1, 2, 5))}}


def _later(random: Random, symbol: Symbol) -> Faults:
    seconds = random.choice((20, 120, 600))
    return {"volatility_interruption": {"symbols": [symbol], "seconds": seconds}}


FAULTS: Final[Mapping[str, Drawing]] = {
    "none": _always(),
    "expired_token": _always(expired_token={"count": 1}),
    "throttled orders": _so_often("throttled", 1, trs=["order-cash"]),
    "throttled inquiries": _so_often("throttled", 12, trs=["inquire-daily-ccld"]),
    "ledger_throttled": _so_often("ledger_throttled", 4, trs=["inquire-balance", "order-cash"]),
    "timeout_after_accept": _so_often("timeout_after_accept", 1),
    "reply_lost": _so_often("reply_lost", 1),
    "reply_delayed": _so_often("reply_delayed", 1, trs=["order-cash"], seconds=0.6),
    "rows lag": _lag,
    "rows one by one": _one_by_one,
    "rows empty": _so_often("orders_empty", 6),
    "ghost_rows": _ghosts,
    "notice_before_reply": _so_often("notice_before_reply", 2, seconds=0.03),
    "no_notice": _so_often("no_notice", 3),
    "duplicate_notice": _always(duplicate_notice=True),
    "reordered_notices": _always(reordered_notices=True),
    "partial_fills": _parts,
    "reject_after_accept": _of_symbol("reject_after_accept", count=1),
    "silent_socket": _always(silent_socket=True),
    "socket_drop": _so_often("socket_drop", 2),
    "appkey_in_use": _so_often("appkey_in_use", 1),
    "max_subscriptions": _always(max_subscriptions={"limit": 1}),
    "volatility_interruption": _later,
    "halt": _of_symbol("halt"),
    "market_closed": _so_often("market_closed", 1),
    "holiday": _so_often("holiday", 1),
    "stale_quotes": _of_symbol("stale_quotes", seconds=30),
    "clock_skew": _skew,
}
"""Every fault of the simulator that concerns orders, rows, notices or sockets."""
ON_NOTICES: Final = frozenset(
    {
        *("notice_before_reply", "no_notice", "duplicate_notice", "reordered_notices"),
        *("silent_socket", "socket_drop", "appkey_in_use", "max_subscriptions"),
    }
)
REFUSING: Final = frozenset(
    {"throttled orders", "reject_after_accept", "halt", "market_closed", "holiday"}
)
"""What leaves no order that could fill or be canceled."""
AT_ROWS: Final = ("none", "none", "rows lag", "rows one by one", "rows empty", "ghost_rows")
"""What may come on top of another fault."""
SLOW_REPLY: Final = "reply_delayed"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One run. `spots` are where the first, second ... process dies; the one after them lives to the close.

    `adversary` says when the same order is placed by hand, `restart` after how many seconds the next process
    starts, `copies` how many are started at once, `patience` after how many
    looks at a doubt another symbol is ordered, `offset` how far a limit lies from the last price in percent.
    """

    seed: int
    environment: str
    symbol: Symbol
    side: Side
    exit_type: OrderType
    offset: str
    spots: tuple[Spot, ...]
    nth: int
    act: Act
    copies: int
    fault: str
    faults: Faults
    adversary: tuple[str, ...]
    listens: bool
    cancels: bool
    patience: int
    restart: int

    @property
    def name(self) -> str:
        """The row of the table: the last spot."""
        return str(self.spots[-1])


def draw(seed: int) -> Scenario:
    """Draw the run of a seed; the same seed gives the same run."""
    random = Random(seed)  # noqa: S311 - drawn tests
    symbol = random.choice((LG_CHEM, SAMSUNG))
    act = Act.STOP if random.random() < 0.1 else Act.KILL
    spots = (random.choice(SLEEPY),) if act is Act.STOP else _spots(random)
    steps = {spot.step for spot in spots}
    fault = random.choice(_faults_for(steps))
    cancels = bool(steps & _CANCELING) or random.random() < 0.15
    extra = _extra(random, cancels=cancels, wants_refusal=Step.REFUSAL in steps)
    faults = {**_draw_all(extra, random, symbol), **FAULTS[fault](random, symbol)}
    is_sleepy = act is Act.STOP
    return Scenario(
        seed=seed,
        environment=random.choice(("real", "paper")),
        symbol=symbol,
        side=random.choice(tuple(Side)),
        exit_type=random.choice(tuple(OrderType)),
        offset=random.choice(("0.01", "0.01", "0")),
        spots=spots,
        nth=random.choice((1, 1, 1, 2)) if steps & {Step.FILL, Step.NOTICE, Step.SEARCH} else 1,
        act=act,
        copies=1 if is_sleepy else random.choice((1,) * 9 + (2,)),
        fault=fault,
        faults=faults,
        adversary=_adversary(random),
        listens=bool(steps & _LISTENING) or fault in ON_NOTICES or random.random() < 0.2,
        cancels=cancels,
        patience=random.choice((2, 5)),
        restart=random.choice((0, 1, 5, 30, 90)),
    )


def _faults_for(steps: Collection[Step]) -> tuple[str, ...]:
    """Give the faults under which a process comes by these steps at all."""
    unfit: set[str] = set()
    if {Step.FILL, *_CANCELING, *_LISTENING} & set(steps):
        unfit |= REFUSING
    if _LISTENING & set(steps):
        unfit |= {"silent_socket", "no_notice"}
    return tuple(fault for fault in FAULTS if fault not in unfit)


def _spots(random: Random) -> tuple[Spot, ...]:
    """Draw where the processes die; what only a recovery comes by needs a death before it."""
    last = random.choice(SPOTS)
    if last.step in _RECOVERING or random.random() < 0.2:
        return random.choice(DOUBTFUL), last
    return (last,)


def _extra(random: Random, *, cancels: bool, wants_refusal: bool) -> tuple[str, ...]:
    if wants_refusal:
        return (random.choice(("throttled orders", "reject_after_accept", "halt")),)
    at_rows = random.choice(AT_ROWS)
    return (
        (random.choice(("partial_fills", "volatility_interruption")), at_rows)
        if cancels
        else (at_rows,)
    )


def _draw_all(names: tuple[str, ...], random: Random, symbol: Symbol) -> dict[str, Any]:
    return {key: value for name in names for key, value in FAULTS[name](random, symbol).items()}


def _adversary(random: Random) -> tuple[str, ...]:
    if random.random() < 0.6:
        return ()
    return tuple(random.sample(WORDS, random.choice((1, 1, 2))))
