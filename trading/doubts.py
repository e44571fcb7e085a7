"""This is settling an order in doubt by proof: which row of the broker's is it, or is it certainly not there.

KIS echoes no id of ours, so symbol, side, type, quantity, price, time, channel, address and the rising numbers are
the evidence. One row that fits settles it; two are never chosen between; that there is none is believed only
after repeated whole scans, and only if the account's own figures or a later order prove it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from trading.broker_books import BrokerOrder
from trading.notices import Notice, NoticeKind
from trading.orders import ABSENT, Order, OrderStatus, Side
from trading.submissions import Search, Submission

NO_TIME = timedelta()
SEND_MARGIN = timedelta(seconds=2)
"""The broker's clock may be so far behind ours."""
SEND_WITHIN = timedelta(seconds=10)
"""An order leaves so soon after its commit, or never."""
CLOCKS_APART = timedelta(seconds=60)
"""Both clocks may be so far apart before trading stops, at the most that can be set. A row that is this order's by
another clock alone is not bound, and not overlooked either."""
ARRIVE_WITHIN = timedelta(seconds=40)
"""The reply's time-out (10 s) and 30 s for what was held up on the way."""
MINIMUM_SCANS = 3
PATIENCE = timedelta(seconds=60)
"""First to last scan, and from the last moment of sending to the last scan."""
PAPER_PATIENCE = timedelta(seconds=120)
"""First to last scan on the paper server, whose rows come later."""
CONTROL_PATIENCE = timedelta(seconds=360)
"""So long after the commit a row is visible if any later one is: no lag of more than 300 s was ever seen."""
QUIET_MARGIN = timedelta(seconds=60)
"""The figures in the evidence were read at most so long before the commit."""
PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds before each further look for an order in doubt; the last one repeats."""


class Ruling(StrEnum):
    """What a scan decides about an order in doubt."""

    BIND = "BIND"
    KEEP = "KEEP"
    ABSENT = "ABSENT"


class Ground(StrEnum):
    """Why it is decided so."""

    ONE_ROW = "ONE_ROW"
    SEVERAL_ROWS = "SEVERAL_ROWS"
    LOOKALIKE = "LOOKALIKE"
    """A row is equal in all but its number or address: neither ours for certain nor certainly not."""
    NOTICED = "NOTICED"
    """A notice came that may be this order's, and no row explains it."""
    HELD = "HELD"
    """The account's figures show cash or shares gone that nothing else explains."""
    TOO_FEW_SCANS = "TOO_FEW_SCANS"
    TOO_EARLY = "TOO_EARLY"
    UNPROVEN = "UNPROVEN"
    """Neither the figures nor a later order prove that the rows are complete."""
    NOTHING_HELD = "NOTHING_HELD"
    CONTROL_SEEN = "CONTROL_SEEN"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided, why, and the rows that it is about: the one to bind, or those to look at."""

    ruling: Ruling
    ground: Ground
    rows: tuple[BrokerOrder, ...] = ()


@dataclass(frozen=True, slots=True)
class Scan:
    """One complete reading of the broker's day and of the account's figures, for one order in doubt.

    `bound` are the broker's numbers that belong to orders of ours, `addresses` those from which they came.
    `notices` are those whose number no order has. `free` is buyable cash (for a buy) or sellable shares (for a
    sell), None when it was not asked; `held` the broker's shares of the symbol, `owned` ours. `is_quiet`: nothing
    else changed these figures since the order left.
    """

    at: datetime
    rows: Sequence[BrokerOrder]
    bound: frozenset[str]
    addresses: frozenset[str] = frozenset()
    notices: Sequence[Notice] = ()
    free: int | None = None
    held: int = 0
    owned: int = 0
    is_quiet: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether every number that we know is there: rows that are late for others are late for this one."""
        return self.bound <= {row.broker_order_id for row in self.rows}


def matches(order: Order, submission: Submission, scan: Scan) -> tuple[BrokerOrder, ...]:
    """Give the rows that can be this order by all the evidence; only exactly one settles it.

    With one that is there in time come those that only our clock speaks against, and the clock alone never chooses.
    """
    found = tuple(
        row
        for row in lookalikes(order, submission, scan)
        if _is_later(row.broker_order_id, submission.highest_number)
        and _is_our_address(row.address, scan.addresses)
    )
    return found if any(_is_in_time(submission.sent_at, row.ordered_at) for row in found) else ()


def lookalikes(order: Order, submission: Submission, scan: Scan) -> tuple[BrokerOrder, ...]:
    """Give the rows that look like this order, whatever their number, address and our clock."""
    taken = scan.bound | set(submission.known_numbers)
    return tuple(
        row
        for row in scan.rows
        if row.broker_order_id not in taken
        and row.is_ours
        and not row.original_id
        and _is_same(order, row)
        and _is_in_time(submission.sent_at, row.ordered_at, apart=CLOCKS_APART)
    )


def after_scan(order: Order, submission: Submission, scan: Scan) -> Search:
    """Count a scan. One that shows a lookalike starts the search for an absence again; a partial one is no scan."""
    is_noticed = any(is_about(order, submission, scan, notice) for notice in scan.notices)
    search = replace(submission.search, is_noticed=is_noticed)
    if lookalikes(order, submission, scan):
        return Search(is_noticed=is_noticed)
    if not scan.is_whole:
        return search
    return replace(
        search,
        scans=search.scans + 1,
        first_at=search.first_at or scan.at,
        last_at=scan.at,
        is_control_seen=search.is_control_seen or _shows_control(submission, scan),
    )


def judge(
    order: Order, submission: Submission, scan: Scan, *, patience: timedelta = PATIENCE
) -> Verdict:
    """Decide about an order in doubt; `submission.search` already counts this scan."""
    found = matches(order, submission, scan)
    if len(found) == 1:
        return Verdict(Ruling.BIND, Ground.ONE_ROW, found)
    if found:
        return Verdict(Ruling.KEEP, Ground.SEVERAL_ROWS, found)
    if similar := lookalikes(order, submission, scan):
        return Verdict(Ruling.KEEP, Ground.LOOKALIKE, similar)
    ground = _ground_of_absence(submission, scan, patience)
    proofs = {Ground.NOTHING_HELD, Ground.CONTROL_SEEN}
    return Verdict(Ruling.ABSENT if ground in proofs else Ruling.KEEP, ground)


def is_about(order: Order, submission: Submission, scan: Scan, notice: Notice) -> bool:
    """Tell whether a notice may be this order's: of a number that neither we nor the rows know."""
    known = scan.bound | set(submission.known_numbers) | {r.broker_order_id for r in scan.rows}
    return notice.broker_order_id not in known and may_be_about(order, submission, notice)


def may_be_about(order: Order, submission: Submission, notice: Notice) -> bool:
    """Tell whether a notice of an unknown number fits this order; a fill's price may be better than the limit."""
    intent = order.intent
    is_same = (notice.symbol, notice.side, notice.order_quantity) == (
        intent.symbol,
        intent.side,
        intent.quantity,
    )
    is_priced = notice.kind is NoticeKind.FILLED or notice.price == (intent.limit_price or 0)
    is_after = notice.received_at >= submission.sent_at - SEND_MARGIN
    return is_same and is_priced and is_after and not notice.original_id


def is_quiet(
    order: Order, submission: Submission, rows: Iterable[BrokerOrder], others: Iterable[Order]
) -> bool:
    """Tell whether nothing but this order can have changed what the evidence holds: cash or the symbol's shares.

    `others` are our orders of the day. What was placed, filled or closed since (or just before, when the figures
    were read) speaks against it, and so does a filled order that is not in our book.
    """
    since = submission.sent_at - QUIET_MARGIN
    known = {other.broker_order_id for other in others if other.broker_order_id}
    concerned = order.symbol if order.side is Side.SELL else None
    is_touched = any(
        other.updated_at >= since and _may_have_been_in(other)
        for other in others
        if other.client_order_id != order.client_order_id and concerned in {None, other.symbol}
    )
    is_stirred = any(
        row.ordered_at >= since or (row.broker_order_id not in known and row.filled_quantity)
        for row in rows
        if concerned in {None, row.symbol} and not row.original_id
    )
    is_changed = any(row.ordered_at >= since and row.original_id for row in rows)
    return not (is_touched or is_stirred or is_changed)


def _may_have_been_in(order: Order) -> bool:
    """Tell whether an order can have touched cash or shares; a certain refusal of the broker's never did."""
    if order.status is OrderStatus.REJECTED and not order.broker_order_id:
        return order.error_code == ABSENT
    return order.status not in {OrderStatus.INITIALIZED, OrderStatus.DENIED}


def _ground_of_absence(submission: Submission, scan: Scan, patience: timedelta) -> Ground:
    """Name what forbids to call it absent, else what proves it."""
    search = submission.search
    if search.is_noticed:
        return Ground.NOTICED
    if _shows_held(submission, scan):
        return Ground.HELD
    if search.scans < MINIMUM_SCANS:
        return Ground.TOO_FEW_SCANS
    if not _is_long_enough(submission, patience):
        return Ground.TOO_EARLY
    if scan.is_quiet and scan.free is not None and scan.free == _evidence(submission):
        return Ground.NOTHING_HELD
    is_overtaken = search.is_control_seen and scan.at >= submission.sent_at + CONTROL_PATIENCE
    return Ground.CONTROL_SEEN if is_overtaken else Ground.UNPROVEN


def _is_long_enough(submission: Submission, patience: timedelta) -> bool:
    first_at, last_at = submission.search.first_at, submission.search.last_at
    if first_at is None or last_at is None:
        return False
    left_at = submission.sent_at + SEND_WITHIN
    return last_at - first_at >= patience and last_at >= left_at + PATIENCE


def _evidence(submission: Submission) -> int:
    """Give what was free when the order left: a buy's evidence names cash, a sell's shares."""
    cash = submission.buyable_cash
    return submission.sellable if cash is None else cash


def _shows_held(submission: Submission, scan: Scan) -> bool:
    is_less = scan.is_quiet and scan.free is not None and scan.free < _evidence(submission)
    return is_less or scan.held != scan.owned


def _shows_control(submission: Submission, scan: Scan) -> bool:
    """Tell whether the rows reach past this order: one shows that was ordered when this had left for certain."""
    left_at = submission.sent_at + SEND_WITHIN
    return any(row.ordered_at >= left_at and not row.original_id for row in scan.rows)


def _is_same(order: Order, row: BrokerOrder) -> bool:
    intent = order.intent
    return (row.symbol, row.side, row.order_type, row.quantity, row.limit_price) == (
        intent.symbol,
        intent.side,
        intent.order_type,
        intent.quantity,
        intent.limit_price,
    )


def _is_in_time(sent_at: datetime, ordered_at: datetime, *, apart: timedelta = NO_TIME) -> bool:
    first, last = sent_at - SEND_MARGIN, sent_at + SEND_WITHIN + ARRIVE_WITHIN
    return first - apart <= ordered_at <= last + apart


def _is_later(number: str, highest: str) -> bool:
    """Compare numbers, which rise over the day; what is no number proves nothing."""
    return not (number.isdigit() and highest.isdigit()) or int(number) > int(highest)


def _is_our_address(address: str, ours: frozenset[str]) -> bool:
    return not address or not ours or address in ours
