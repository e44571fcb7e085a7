"""This is what settles a doubt, each condition one step before, at and after its boundary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.builders import A_DAY, SAMSUNG, an_accepted_order, an_order, seoul
from tests.unit.test_bookings import a_notice, a_row
from trading.broker_books import BrokerOrder
from trading.doubts import (
    PAPER_PATIENCE,
    Ground,
    Ruling,
    Scan,
    Verdict,
    after_scan,
    is_quiet,
    judge,
    lookalikes,
    matches,
)
from trading.notices import NoticeKind
from trading.orders import OrderStatus, OrderType, Side
from trading.submissions import Search, Submission

SENT_AT = seoul(A_DAY, "10:00:00")
ORDER = an_order().submit(at=SENT_AT)
NUMBER = "0000000101"
SECOND = timedelta(seconds=1)
SELL = an_order(side=Side.SELL).submit(at=SENT_AT)


def evidence(**changes: Any) -> Submission:
    """Give what was known when the order left: the order before it was number 100."""
    submission = Submission(
        client_order_id=ORDER.client_order_id,
        fence=1,
        body={},
        sent_at=SENT_AT,
        known_numbers=("0000000090",),
        highest_number="0000000100",
        held=0,
        sellable=0,
        buyable_cash=10_000_000,
    )
    return replace(submission, **changes)


def shown(**changes: Any) -> BrokerOrder:
    """Give the row that is this order's, a second after the sending."""
    return a_row(0, 0, ordered_at=SENT_AT + SECOND, **changes)


def a_scan(*rows: BrokerOrder, at: datetime = SENT_AT + 75 * SECOND, **changes: Any) -> Scan:
    """Give a scan in which nothing is held and nothing else happened."""
    scan = Scan(at, rows, frozenset(), free=10_000_000, is_quiet=True)
    return replace(scan, **changes)


def searched(seconds: Sequence[float], **changes: Any) -> Submission:
    """Give the evidence after scans, so many seconds after the sending, that showed nothing."""
    submission = evidence(**changes)
    for second in seconds:
        scan = a_scan(at=SENT_AT + timedelta(seconds=second))
        submission = replace(submission, search=after_scan(ORDER, submission, scan))
    return submission


def ruled(submission: Submission, scan: Scan, **patience: timedelta) -> Verdict:
    """Count a scan and judge by it."""
    submission = replace(submission, search=after_scan(ORDER, submission, scan))
    return judge(ORDER, submission, scan, **patience)


def test_exactly_one_row_is_bound() -> None:
    assert ruled(evidence(), a_scan(shown())) == Verdict(Ruling.BIND, Ground.ONE_ROW, (shown(),))


def test_two_equal_rows_are_never_chosen_between() -> None:
    twins = (shown(), shown(broker_order_id="0000000102"))
    assert ruled(evidence(), a_scan(*twins)) == Verdict(Ruling.KEEP, Ground.SEVERAL_ROWS, twins)


@pytest.mark.parametrize(
    "change",
    [
        {"symbol": SAMSUNG},
        {"side": Side.SELL},
        {"order_type": OrderType.MARKET, "limit_price": None},
        {"quantity": 22},
        {"quantity": 24},
        {"limit_price": 428_000},
        {"limit_price": 429_000},
        {"is_ours": False},
        {"original_id": "0000000001"},
        {"broker_order_id": "0000000090"},
    ],
)
def test_a_row_that_differs_in_one_point_is_another_order(change: dict[str, Any]) -> None:
    row = replace(shown(), **change)
    assert lookalikes(ORDER, evidence(), a_scan(row)) == ()


@pytest.mark.parametrize(
    ("seconds", "is_match"), [(-3, False), (-2, True), (0, True), (50, True), (51, False)]
)
def test_a_row_counts_from_two_seconds_before_the_sending_to_fifty_after(
    seconds: int, *, is_match: bool
) -> None:
    row = replace(shown(), ordered_at=SENT_AT + seconds * SECOND)
    assert bool(matches(ORDER, evidence(), a_scan(row))) is is_match


@pytest.mark.parametrize("seconds", [-62, -3, 51, 110])
def test_a_row_that_only_our_clock_speaks_against_is_neither_bound_nor_overlooked(
    seconds: int,
) -> None:
    row = replace(shown(), ordered_at=SENT_AT + seconds * SECOND)
    submission = searched([1, 3, 70])
    verdict = ruled(submission, a_scan(row, at=SENT_AT + 400 * SECOND))
    assert verdict == Verdict(Ruling.KEEP, Ground.LOOKALIKE, (row,))


@pytest.mark.parametrize("seconds", [-63, 111])
def test_no_clock_is_so_wrong_that_a_row_a_minute_off_is_ours(seconds: int) -> None:
    row = replace(shown(), ordered_at=SENT_AT + seconds * SECOND)
    assert lookalikes(ORDER, evidence(), a_scan(row)) == ()


def test_the_clock_alone_never_chooses_between_two_rows() -> None:
    early = replace(shown(), ordered_at=SENT_AT - 3 * SECOND)
    rows = (early, shown(broker_order_id="0000000102"))
    assert ruled(evidence(), a_scan(*rows)) == Verdict(Ruling.KEEP, Ground.SEVERAL_ROWS, rows)


def test_the_boundary_of_time_is_sharp() -> None:
    tick = timedelta(microseconds=1)
    early, late = SENT_AT - 2 * SECOND - tick, SENT_AT + 50 * SECOND + tick
    rows = [replace(shown(), ordered_at=at) for at in (early, late)]
    assert matches(ORDER, evidence(), a_scan(*rows)) == ()


@pytest.mark.parametrize(
    ("number", "highest", "is_match"),
    [
        ("0000000099", "0000000100", False),
        ("0000000100", "0000000100", False),
        ("0000000101", "0000000100", True),
        ("101", "0000000100", True),
        ("0000000099", "", True),
        ("A000000099", "0000000100", True),
    ],
)
def test_numbers_rise_over_the_day(number: str, highest: str, *, is_match: bool) -> None:
    row = shown(broker_order_id=number)
    found = matches(ORDER, evidence(highest_number=highest), a_scan(row))
    assert bool(found) is is_match


@pytest.mark.parametrize(
    ("address", "ours", "is_match"),
    [
        ("10.0.0.1", {"10.0.0.1"}, True),
        ("10.0.0.2", {"10.0.0.1"}, False),
        ("", {"10.0.0.1"}, True),
        ("10.0.0.2", set(), True),
    ],
)
def test_the_address_counts_when_both_are_known(
    address: str, ours: set[str], *, is_match: bool
) -> None:
    scan = a_scan(shown(address=address), addresses=frozenset(ours))
    assert bool(matches(ORDER, evidence(), scan)) is is_match


def test_a_row_that_another_order_has_is_not_bound_again() -> None:
    assert matches(ORDER, evidence(), a_scan(shown(), bound=frozenset({NUMBER}))) == ()


def test_what_differs_only_by_its_number_is_neither_bound_nor_overlooked() -> None:
    """A ghost's high number in the evidence must not make us call a living order absent."""
    submission = searched([1, 3, 70], highest_number="0000000600")
    verdict = ruled(submission, a_scan(shown(), at=SENT_AT + 400 * SECOND))
    assert verdict == Verdict(Ruling.KEEP, Ground.LOOKALIKE, (shown(),))


def test_absence_needs_three_scans() -> None:
    assert ruled(searched([5]), a_scan()).ground is Ground.TOO_FEW_SCANS
    assert ruled(searched([5, 10]), a_scan()) == Verdict(Ruling.ABSENT, Ground.NOTHING_HELD)
    assert ruled(searched([5, 10, 20]), a_scan()).ruling is Ruling.ABSENT


@pytest.mark.parametrize(
    ("last", "ruling"), [(79, Ruling.KEEP), (80, Ruling.ABSENT), (81, Ruling.ABSENT)]
)
def test_absence_needs_sixty_seconds_between_first_and_last_scan(last: int, ruling: Ruling) -> None:
    assert ruled(searched([20, 30]), a_scan(at=SENT_AT + last * SECOND)).ruling is ruling


@pytest.mark.parametrize(
    ("last", "ruling"), [(139, Ruling.KEEP), (140, Ruling.ABSENT), (141, Ruling.ABSENT)]
)
def test_paper_needs_two_minutes(last: int, ruling: Ruling) -> None:
    verdict = ruled(searched([20, 30]), a_scan(at=SENT_AT + last * SECOND), patience=PAPER_PATIENCE)
    assert verdict.ruling is ruling


@pytest.mark.parametrize(
    ("last", "ruling"), [(69, Ruling.KEEP), (70, Ruling.ABSENT), (71, Ruling.ABSENT)]
)
def test_absence_needs_a_minute_after_the_last_moment_of_sending(last: int, ruling: Ruling) -> None:
    verdict = ruled(searched([1, 5]), a_scan(at=SENT_AT + last * SECOND))
    assert verdict.ruling is ruling


@pytest.mark.parametrize(
    ("free", "ground"),
    [
        (9_999_999, Ground.HELD),
        (10_000_000, Ground.NOTHING_HELD),
        (10_000_001, Ground.UNPROVEN),  # money came in: it may hide what is held
        (None, Ground.UNPROVEN),
    ],
)
def test_the_cash_that_was_free_must_be_free_to_the_won(free: int | None, ground: Ground) -> None:
    assert ruled(searched([5, 10]), a_scan(free=free)).ground is ground


@pytest.mark.parametrize(
    ("free", "ground"), [(22, Ground.HELD), (23, Ground.NOTHING_HELD), (24, Ground.UNPROVEN)]
)
def test_a_sells_shares_must_be_free_to_the_share(free: int, ground: Ground) -> None:
    submission = searched([5, 10], buyable_cash=None, sellable=23, held=23)
    scan = a_scan(free=free, held=23, owned=23)
    submission = replace(submission, search=after_scan(SELL, submission, scan))
    assert judge(SELL, submission, scan).ground is ground


@pytest.mark.parametrize(("held", "ground"), [(0, Ground.NOTHING_HELD), (1, Ground.HELD)])
def test_shares_that_nobody_explains_forbid_absence(held: int, ground: Ground) -> None:
    assert ruled(searched([5, 10]), a_scan(held=held)).ground is ground


def test_figures_prove_nothing_when_something_else_happened() -> None:
    for free in (0, 10_000_000):
        verdict = ruled(searched([5, 10]), a_scan(is_quiet=False, free=free))
        assert verdict.ground is Ground.UNPROVEN


@pytest.mark.parametrize(
    ("last", "ground"),
    [(359, Ground.UNPROVEN), (360, Ground.CONTROL_SEEN), (361, Ground.CONTROL_SEEN)],
)
def test_a_later_order_proves_absence_after_six_minutes(last: int, ground: Ground) -> None:
    control = shown(broker_order_id="0000000102", symbol=SAMSUNG)
    control = replace(control, ordered_at=SENT_AT + 10 * SECOND)
    scan = a_scan(control, at=SENT_AT + last * SECOND, is_quiet=False)
    assert ruled(searched([5, 10]), scan).ground is ground


@pytest.mark.parametrize(("seconds", "is_seen"), [(9, False), (10, True), (11, True)])
def test_a_control_was_ordered_when_ours_had_left_for_certain(
    seconds: int, *, is_seen: bool
) -> None:
    control = replace(shown(), symbol=SAMSUNG, ordered_at=SENT_AT + seconds * SECOND)
    assert after_scan(ORDER, evidence(), a_scan(control)).is_control_seen is is_seen


def test_a_control_once_seen_stays_seen() -> None:
    seen = evidence(search=Search(scans=2, is_control_seen=True))
    assert after_scan(ORDER, seen, a_scan()).is_control_seen


def test_a_notice_that_may_be_its_own_forbids_absence_until_a_row_explains_it() -> None:
    notice = replace(
        a_notice(), broker_order_id="0000000105", received_at=SENT_AT, order_quantity=23
    )
    submission = searched([5, 10])
    assert ruled(submission, a_scan(notices=[notice])).ground is Ground.NOTICED
    by_hand = shown(broker_order_id="0000000105", is_ours=False)
    explained = ruled(submission, a_scan(by_hand, notices=[notice]))
    assert explained == Verdict(Ruling.ABSENT, Ground.NOTHING_HELD)


@pytest.mark.parametrize(
    "change",
    [
        {"symbol": SAMSUNG},
        {"side": Side.SELL},
        {"order_quantity": 22},
        {"received_at": SENT_AT - 3 * SECOND},
        {"original_id": "0000000001"},
        {"kind": NoticeKind.ACCEPTED, "price": 428_000},
        {"broker_order_id": "0000000090"},
    ],
)
def test_a_notice_of_something_else_does_not(change: dict[str, Any]) -> None:
    notice = replace(a_notice(), broker_order_id="0000000105", received_at=SENT_AT)
    scan = a_scan(notices=[replace(notice, **change)])
    assert not after_scan(ORDER, evidence(), scan).is_noticed


def test_a_scan_that_lacks_a_known_order_is_no_scan() -> None:
    """Rows that are empty for a while are never read as "nothing there"."""
    blank = a_scan(bound=frozenset({"0000000090"}))
    assert after_scan(ORDER, evidence(), blank) == Search()
    whole = a_scan(shown(broker_order_id="0000000090"), bound=frozenset({"0000000090"}))
    assert after_scan(ORDER, evidence(), whole).scans == 1


def test_a_lookalike_starts_the_search_again() -> None:
    submission = searched([5, 10, 20])
    twins = a_scan(shown(), shown(broker_order_id="0000000102"))
    assert after_scan(ORDER, submission, twins) == Search()


OLD = replace(
    an_accepted_order("0000000090", client_order_id="old"),
    status=OrderStatus.FILLED,
    updated_at=seoul(A_DAY, "09:00:00"),
)
OLD_ROW = a_row(23, 9_855_500, broker_order_id="0000000090", ordered_at=seoul(A_DAY, "09:00:00"))


def test_what_was_over_before_the_order_left_disturbs_nothing() -> None:
    assert is_quiet(ORDER, evidence(), [OLD_ROW], [OLD, ORDER])


def test_a_fill_that_is_not_in_our_book_disturbs_the_figures() -> None:
    assert not is_quiet(ORDER, evidence(), [OLD_ROW], [])


@pytest.mark.parametrize(("seconds", "is_undisturbed"), [(61, True), (60, False), (59, False)])
def test_what_came_in_after_the_figures_were_read_disturbs_them(
    seconds: int, *, is_undisturbed: bool
) -> None:
    at = SENT_AT - seconds * SECOND
    row = replace(OLD_ROW, ordered_at=at)
    assert is_quiet(ORDER, evidence(), [row], [OLD]) is is_undisturbed
    order = replace(OLD, updated_at=at)
    assert is_quiet(ORDER, evidence(), [OLD_ROW], [order]) is is_undisturbed
    cancel = replace(OLD_ROW, broker_order_id="91", original_id="90", ordered_at=at)
    assert is_quiet(ORDER, evidence(), [OLD_ROW, cancel], [OLD]) is is_undisturbed


def test_a_denied_order_disturbs_nothing() -> None:
    denied = replace(OLD, status=OrderStatus.DENIED, broker_order_id="", updated_at=SENT_AT)
    assert is_quiet(ORDER, evidence(), [], [denied])


@pytest.mark.parametrize(("code", "is_undisturbed"), [("APBK0918", True), ("ABSENT", False)])
def test_an_order_that_the_broker_refused_disturbs_nothing_but_one_called_absent_may(
    code: str, *, is_undisturbed: bool
) -> None:
    refused = replace(
        OLD,
        status=OrderStatus.REJECTED,
        broker_order_id="",
        error_code=code,
        updated_at=SENT_AT + 30 * SECOND,
    )
    assert is_quiet(ORDER, evidence(), [], [refused]) is is_undisturbed


def test_a_sell_is_disturbed_by_its_own_symbol_only() -> None:
    other = a_row(0, 0, symbol=SAMSUNG, ordered_at=SENT_AT)
    assert is_quiet(SELL, evidence(), [other], [])
    assert not is_quiet(ORDER, evidence(), [other], [])
