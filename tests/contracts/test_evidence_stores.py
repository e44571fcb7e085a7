"""This is what every memory promises about the evidence of orders and about notices that came too early."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.stores import Stores
from tests.builders import A_DAY, SAMSUNG, an_order
from tests.store_samples import AT, NEXT_DAY, a_notice, a_submission, in_one
from trading.errors import BadInput
from trading.notices import NoticeKind
from trading.orders import OrderType, Side
from trading.submissions import Search


class TestSubmissions:
    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"buyable_cash": None, "known_numbers": (), "highest_number": "", "body": {}},
            {"search": Search(2, AT, AT + timedelta(minutes=1), is_control_seen=True)},
            {"search": Search(is_noticed=True)},
        ],
    )
    def test_all_of_it_comes_back(self, memory: Stores, changes: dict[str, Any]) -> None:
        submission = a_submission(**changes)
        with memory.begin() as work:
            work.orders.add(an_order())
            work.submissions.add(submission)
        with memory.begin() as work:
            assert work.submissions.get(submission.client_order_id) == submission
            assert work.submissions.get("unknown") is None

    def test_an_order_leaves_once(self, memory: Stores) -> None:
        with memory.begin() as work:
            work.orders.add(an_order())
            work.submissions.add(a_submission())
        with pytest.raises(BadInput, match="client_order_id"), memory.begin() as work:
            work.submissions.add(a_submission(fence=8))
        known = in_one(memory, lambda work: work.submissions.get(an_order().client_order_id))
        assert known == a_submission()

    def test_there_is_no_evidence_of_an_order_that_nobody_knows(self, memory: Stores) -> None:
        with pytest.raises(LookupError, match="never added"), memory.begin() as work:
            work.submissions.add(a_submission("nobody"))
        with pytest.raises(LookupError, match="no submission"), memory.begin() as work:
            work.submissions.note("nobody", Search())

    def test_a_search_gets_on(self, memory: Stores) -> None:
        """What was known when the order left stays as it was."""
        submission, other = a_submission(), a_submission("other")
        with memory.begin() as work:
            for each in (submission, other):
                work.orders.add(an_order(client_order_id=each.client_order_id))
                work.submissions.add(each)
        searches = [Search(1, AT, AT), Search(2, AT, AT + timedelta(seconds=30), is_noticed=True)]
        for search in searches:
            with memory.begin() as work:
                work.submissions.note(submission.client_order_id, search)
            known = in_one(memory, lambda work: work.submissions.get(submission.client_order_id))
            assert known == replace(submission, search=search)
        assert in_one(memory, lambda work: work.submissions.get("other")) == other


class TestNotices:
    def test_a_notice_waits_in_order_of_arrival(self, memory: Stores) -> None:
        first, second = a_notice(), a_notice(quantity=2, received_at=AT + timedelta(seconds=1))
        tomorrow = a_notice("0000000102")
        with memory.begin() as work:
            work.notices.keep(A_DAY, second)
            work.notices.keep(A_DAY, first)
            work.notices.keep(NEXT_DAY, tomorrow)
        with memory.begin() as work:
            assert work.notices.waiting(A_DAY) == (first, second)
            assert work.notices.waiting(NEXT_DAY) == (tomorrow,)

    def test_the_same_notice_again_changes_nothing(self, memory: Stores) -> None:
        again = a_notice(received_at=AT + timedelta(seconds=9))
        for notice in (a_notice(), a_notice(), again):
            with memory.begin() as work:
                work.notices.keep(A_DAY, notice)
        assert in_one(memory, lambda work: work.notices.waiting(A_DAY)) == (a_notice(),)

    @pytest.mark.parametrize(
        "change",
        [
            {"kind": NoticeKind.CANCELED},
            {"broker_order_id": "0000000102"},
            {"original_id": "0000000100"},
            {"symbol": SAMSUNG},
            {"side": Side.SELL},
            {"order_type": OrderType.MARKET},
            {"quantity": 2},
            {"price": 428_500},
            {"order_quantity": 24},
            {"time_text": "090001"},
        ],
    )
    def test_one_other_field_makes_another_notice(
        self, memory: Stores, change: dict[str, Any]
    ) -> None:
        other = replace(a_notice(), **change)
        with memory.begin() as work:
            work.notices.keep(A_DAY, a_notice())
            work.notices.keep(A_DAY, other)
            assert set(work.notices.waiting(A_DAY)) == {a_notice(), other}

    def test_a_number_is_dropped_alone_and_may_come_again(self, memory: Stores) -> None:
        others = a_notice("0000000102")
        with memory.begin() as work:
            for notice in (a_notice(), a_notice(quantity=2), others):
                work.notices.keep(A_DAY, notice)
            work.notices.keep(NEXT_DAY, a_notice())
        with memory.begin() as work:
            assert work.notices.drop(A_DAY, "0000000101") == 2
            assert work.notices.drop(A_DAY, "0000000101") == 0
        with memory.begin() as work:
            assert work.notices.waiting(A_DAY) == (others,)
            assert work.notices.waiting(NEXT_DAY) == (a_notice(),)
            work.notices.keep(A_DAY, a_notice())
        assert len(in_one(memory, lambda work: work.notices.waiting(A_DAY))) == 2
