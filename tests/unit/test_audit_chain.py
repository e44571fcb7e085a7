"""This is the proof that no byte of the audit log can be changed without the row being named."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.audits import BEGINNING, AuditMark, AuditRow, Flaw, Misfit, digest_of, first_flaw

AT = datetime(2026, 11, 20, 0, 30, tzinfo=UTC)
TEXTS = ("channel", "account", "actor", "action", "detail", "before", "digest")


def a_chain(length: int = 6) -> list[AuditRow]:
    """Give rows that fit."""
    rows: list[AuditRow] = []
    for number in range(1, length + 1):
        row = AuditRow(
            channel="live",
            account="50012345-01",
            number=number,
            at=AT + timedelta(minutes=number),
            actor="operator",
            action="halt",
            detail=f'{{"reason": "점심 {number}"}}',
        )
        rows.append(row.sealed(rows[-1].digest if rows else BEGINNING))
    return rows


def test_a_whole_chain_has_no_flaw() -> None:
    rows = a_chain()
    assert first_flaw(rows) is None
    assert first_flaw(rows, mark=rows[-1].mark) is None
    assert (
        first_flaw(rows, mark=rows[2].mark) is None
    )  # an older mark proves less, and nothing wrong
    assert first_flaw([]) is None


@given(
    place=st.integers(0, 5),
    column=st.sampled_from(TEXTS),
    spot=st.integers(0, 200),
    flip=st.integers(1, 0x7F),
)
def test_any_changed_letter_of_any_row_is_named(
    place: int, column: str, spot: int, flip: int
) -> None:
    rows = a_chain()
    text: str = getattr(rows[place], column)
    spot %= len(text)
    changed = text[:spot] + chr(ord(text[spot]) ^ flip) + text[spot + 1 :]
    forged: dict[str, Any] = {column: changed}
    rows[place] = replace(rows[place], **forged)
    assert first_flaw(rows) == Flaw(place + 1, Misfit.CONTENT)


@given(place=st.integers(0, 5), microseconds=st.integers(1, 10**12))
def test_any_changed_time_is_named(place: int, microseconds: int) -> None:
    rows = a_chain()
    rows[place] = replace(rows[place], at=rows[place].at + timedelta(microseconds=microseconds))
    assert first_flaw(rows) == Flaw(place + 1, Misfit.CONTENT)


@given(place=st.integers(0, 5), change=st.sampled_from(["add", "drop", "double"]))
def test_a_detail_that_means_the_same_is_another(place: int, change: str) -> None:
    rows = a_chain()
    detail = {
        "add": rows[place].detail + " ",
        "drop": rows[place].detail.replace(" ", ""),
        "double": rows[place].detail.replace('"reason"', '"reason" '),
    }[change]
    rows[place] = replace(rows[place], detail=detail)
    assert first_flaw(rows) == Flaw(place + 1, Misfit.CONTENT)


@given(place=st.integers(0, 4), others=st.data())
def test_a_deleted_row_in_the_middle_is_named(place: int, others: st.DataObject) -> None:
    rows = a_chain()
    last = others.draw(st.integers(place + 1, 5))
    assert first_flaw([*rows[:place], *rows[last:]]) == Flaw(place + 1, Misfit.MISSING)


@given(left=st.integers(0, 5))
def test_a_cut_end_is_named_by_the_mark_that_was_kept(left: int) -> None:
    rows = a_chain()
    assert first_flaw(rows[:left], mark=rows[-1].mark) == Flaw(left + 1, Misfit.CUT)
    assert first_flaw(rows[:left]) is None


@given(places=st.permutations(range(6)).filter(lambda p: p != [0, 1, 2, 3, 4, 5]))
def test_rows_in_another_order_are_named(places: list[int]) -> None:
    rows = a_chain()
    swapped = [replace(rows[old], number=new + 1) for new, old in enumerate(places)]
    first = next(new for new, old in enumerate(places) if new != old)
    assert first_flaw(swapped) == Flaw(first + 1, Misfit.CONTENT)


def test_a_row_hashed_anew_alone_breaks_the_next_link() -> None:
    rows = a_chain()
    rows[2] = replace(rows[2], detail="{}").sealed(rows[1].digest)
    assert first_flaw(rows) == Flaw(4, Misfit.ORDER)


def test_a_chain_hashed_anew_is_another_than_was_kept() -> None:
    kept = a_chain()[-1].mark
    rows = a_chain()
    for place in range(2, 6):
        rows[place] = replace(rows[place], actor="nobody").sealed(rows[place - 1].digest)
    assert first_flaw(rows) is None
    assert first_flaw(rows, mark=kept) == Flaw(6, Misfit.REWRITTEN)


@pytest.mark.parametrize(
    "change", [{"number": 2}, {"before": "f" * 64}, {"account": "50012345-02"}]
)
def test_place_and_owner_are_in_the_hash(change: dict[str, Any]) -> None:
    row = a_chain(1)[0]
    assert digest_of(replace(row, **change)) != row.digest


def test_parts_cannot_flow_into_each_other() -> None:
    row = a_chain(1)[0]
    assert digest_of(replace(row, actor="ab", action="c")) != digest_of(
        replace(row, actor="a", action="bc")
    )
    assert first_flaw([], mark=AuditMark(1, row.digest)) == Flaw(1, Misfit.CUT)
