"""This is the table of what can go wrong, as data: every fault of the wire that clients have met, on a switch.

A fault is off until the table names it. `count` lets it strike so often and no more; `symbols` and `trs` (TR ids
or call names such as "inquire-balance") narrow it. Unknown names are refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from trading.errors import BadInput


class Fault(BaseModel):
    """One switched-on fault and whom it strikes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    count: int | None = Field(default=None, ge=1)
    symbols: tuple[str, ...] = ()
    trs: tuple[str, ...] = ()

    def concerns(self, symbol: str, names: Iterable[str]) -> bool:
        """Tell whether the filters let the fault strike; what has no symbol or TR passes only without filter."""
        by_symbol = not self.symbols or symbol in self.symbols
        return by_symbol and (not self.trs or any(name in self.trs for name in names))


class TokenInterval(Fault):
    """Seconds between two token issues, 0 for none (normally 60, or what --token-interval says)."""

    seconds: float = Field(default=60, ge=0)


class SameToken(Fault):
    """Hours during which a new request returns the token that is there (normally 6); 0 always makes a new one."""

    hours: float = Field(default=6, ge=0)


class Throttled(Fault):
    """A refusal for pace, as HTTP 500 or, as seen in the field, as HTTP 200 with rt_cd 1."""

    http: Literal[200, 500] = 500


class LedgerThrottled(Fault):
    """The ledger's own limit (EGW00215): order and account calls."""

    http: Literal[200, 500] = 200


class Delay(Fault):
    """Something comes later: real seconds for replies, market or real seconds, whichever is sooner, for rows."""

    seconds: float = Field(default=3, ge=0)


class RowLag(Delay):
    """Rows come late; with a `seed` each after a time of its own, drawn between 0 and `seconds`."""

    seed: int | None = None

    def of(self, number: str) -> float:
        """Return how long the row of an order number stays hidden, in seconds."""
        if self.seed is None:
            return self.seconds
        return Random(f"{self.seed} {number}").uniform(0, self.seconds)  # noqa: S311 - a drawn fault


class Ghost(StrEnum):
    """A row of the day's orders that nothing explains; none of them has a fill."""

    REPEATED = "repeated"
    """A row comes twice."""
    OTHER_EXCHANGE = "other_exchange"
    """The same order on NXT, under a number that no order has."""
    EMPTY = "empty"
    """An order for no share at all."""
    TWIN = "twin"
    """The same order under a number that no order has."""


class GhostRows(Fault):
    """The newest row shown is haunted; with `count` 1 a ghost is seen once and never again."""

    kinds: tuple[Ghost, ...] = tuple(Ghost)


class PartialFills(Fault):
    """No fill takes more than this at once; the rest waits for later prints."""

    max_quantity: int = Field(default=1, ge=1)


class RejectAfterAccept(Fault):
    """The exchange refuses what the broker has taken."""

    text: str = "거래소 거부"


class MaxSubscriptions(Fault):
    """Registrations that a socket takes before OPSP0008 (normally 41)."""

    limit: int = Field(default=0, ge=0)


class Holiday(Fault):
    """These days are holidays; the current day when none is named."""

    days: tuple[date, ...] = ()


class Interruption(Fault):
    """A volatility interruption (VI): so many seconds of call auction, then it is over by itself."""

    seconds: float = Field(default=120, gt=0)


class StaleQuotes(Fault):
    """Quotes and charts show the market as it was so many seconds ago; orders meet the real one."""

    seconds: float = Field(default=60, gt=0)


class ClockSkew(Fault):
    """The broker's clock is so many seconds ahead (below 0: behind) in rows, receipts and notices."""

    seconds: float = 5


def _switch(value: Any) -> Any:
    """Read `true` as the fault with its defaults, `false` as off."""
    return {True: {}, False: None}[value] if isinstance(value, bool) else value


type Switch[Kind] = Annotated[Kind | None, BeforeValidator(_switch)]


class FaultTable(BaseModel):
    """Every fault by name. Faults of the reply concern order calls unless `trs` names others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token_interval: Switch[TokenInterval] = None
    same_token: Switch[SameToken] = None
    expired_token: Switch[Fault] = None
    throttled: Switch[Throttled] = None
    ledger_throttled: Switch[LedgerThrottled] = None
    timeout_after_accept: Switch[Fault] = None
    reply_lost: Switch[Fault] = None
    reply_delayed: Switch[Delay] = None
    orders_lag: Switch[RowLag] = None
    orders_empty: Switch[Fault] = None
    ghost_rows: Switch[GhostRows] = None
    notice_before_reply: Switch[Delay] = None
    no_notice: Switch[Fault] = None
    duplicate_notice: Switch[Fault] = None
    reordered_notices: Switch[Fault] = None
    partial_fills: Switch[PartialFills] = None
    reject_after_accept: Switch[RejectAfterAccept] = None
    silent_socket: Switch[Fault] = None
    socket_drop: Switch[Fault] = None
    appkey_in_use: Switch[Fault] = None
    max_subscriptions: Switch[MaxSubscriptions] = None
    holiday: Switch[Holiday] = None
    volatility_interruption: Switch[Interruption] = None
    halt: Switch[Fault] = None
    market_closed: Switch[Fault] = None
    stale_quotes: Switch[StaleQuotes] = None
    clock_skew: Switch[ClockSkew] = None


class Faults:
    """The table as it stands, how often each fault has struck and since when it is on."""

    def __init__(self, real_time: Callable[[], float] = lambda: 0.0) -> None:
        self.table = FaultTable()
        self._real_time = real_time
        self._struck: Counter[str] = Counter()
        self._since: dict[str, tuple[datetime, float]] = {}

    def take(self, table: FaultTable, *, at: datetime) -> None:
        """Take a whole new table; a fault that is in it unchanged goes on as it was."""
        for name in FaultTable.model_fields:
            if getattr(table, name) != getattr(self.table, name) or name not in self._since:
                self._struck[name] = 0
                self._since[name] = (at, self._real_time())
        self.table = table

    def replace(self, document: Any, *, at: datetime) -> None:
        """Take a whole new table.

        Raises:
            BadInput: naming the fault or field that is wrong.
        """
        self.take(read_table(document), at=at)

    def change(self, document: Any, *, at: datetime) -> None:
        """Switch some faults, leave the others; null or false is off.

        Raises:
            BadInput: naming the fault or field that is wrong.
        """
        changes = read_table(document).model_dump(include=set(document))
        self.take(FaultTable.model_validate(self.table.model_dump() | changes), at=at)

    def as_json(self) -> dict[str, Any]:
        """Return the faults that are on, each with how often it may still strike."""
        shown = self.table.model_dump(mode="json", exclude_none=True)
        for name, fault in shown.items():
            if "count" in fault:
                fault["count"] -= self._struck[name]
        return {name: fault for name, fault in shown.items() if fault.get("count") != 0}

    def active[Kind: Fault](
        self, kind: type[Kind], name: str, symbol: str = "", names: Iterable[str] = ()
    ) -> Kind | None:
        """Return a fault that is on and concerns this symbol and call, without counting it."""
        fault = getattr(self.table, name)
        if not isinstance(fault, kind) or not fault.concerns(symbol, names):
            return None
        is_used_up = fault.count is not None and self._struck[name] >= fault.count
        return None if is_used_up else fault

    def strike[Kind: Fault](
        self, kind: type[Kind], name: str, symbol: str = "", names: Iterable[str] = ()
    ) -> Kind | None:
        """Return a fault as `active` does and count that it struck."""
        fault = self.active(kind, name, symbol, names)
        if fault is not None:
            self._struck[name] += 1
        return fault

    def strike_reply[Kind: Fault](
        self, kind: type[Kind], name: str, symbol: str, names: Iterable[str], *, is_order: bool
    ) -> Kind | None:
        """Strike a fault of the reply: it concerns order calls, and others only when `trs` names them."""
        fault = self.active(kind, name, symbol, names)
        is_struck = fault is not None and (is_order or bool(fault.trs))
        return self.strike(kind, name, symbol, names) if is_struck else None

    def since(self, name: str) -> datetime:
        """Return the market time at which a fault that is on was switched."""
        return self._since[name][0]

    def switched_real(self, name: str) -> float:
        """Return the real second at which a fault that is on was switched."""
        return self._since[name][1]

    def is_holiday(self, day: date, today: date) -> bool:
        """Tell whether a switched holiday falls on `day`."""
        fault = self.active(Holiday, "holiday")
        return fault is not None and day in (fault.days or (today,))

    def is_halted(self, symbol: str) -> bool:
        """Tell whether a symbol's trading is halted."""
        return self.active(Fault, "halt", symbol) is not None

    def is_interrupted(self, symbol: str, at: datetime) -> bool:
        """Tell whether a symbol is in a volatility interruption at `at`."""
        fault = self.active(Interruption, "volatility_interruption", symbol)
        return fault is not None and at < self.interruption_ends_at()

    def interruption_ends_at(self) -> datetime:
        """Return when the interruption that is on ends by itself."""
        fault = self.table.volatility_interruption
        seconds = fault.seconds if fault else 0
        return self.since("volatility_interruption") + timedelta(seconds=seconds)

    def written_at(self, at: datetime) -> datetime:
        """Return what the broker's clock shows at `at`."""
        skew = self.active(ClockSkew, "clock_skew")
        return at + timedelta(seconds=skew.seconds) if skew else at

    def seen_at(self, symbol: str, at: datetime) -> datetime:
        """Return the moment that quotes of a symbol show: earlier than `at` when halted or stale."""
        stale = self.active(StaleQuotes, "stale_quotes", symbol)
        if stale is not None:
            at -= timedelta(seconds=stale.seconds)
        if self.is_halted(symbol):
            at = min(at, self.since("halt"))
        return at


def read_table(document: Any) -> FaultTable:
    """Check a table that came as JSON.

    Raises:
        BadInput: naming the fault or field that is wrong.
    """
    try:
        return FaultTable.model_validate(document)
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "faults"
        known = ", ".join(FaultTable.model_fields)
        expected = f"a fault: {known}" if first["type"] == "extra_forbidden" else first["msg"]
        raise BadInput(where, first["input"], expected) from problem
