"""This is what the owner reads about doubts and stopped symbols, in both languages."""

from __future__ import annotations

import pytest

from adapters.notifier import Severity
from adapters.reconciliation_messages import (
    doubt_unresolved,
    late_match,
    symbol_released,
    symbol_stopped,
)
from adapters.wording import Wording
from tests.builders import an_accepted_order, an_order
from tests.unit.test_bookings import a_row
from tests.unit.test_doubts import SENT_AT, evidence
from trading.doubts import Ground, Ruling, Verdict
from trading.plans import Act

LANGUAGES = ("ko", "en")
DOUBTFUL = an_order().submit(at=SENT_AT)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("ground", list(Ground))
def test_every_ground_has_its_sentence_and_both_commands(language: str, ground: Ground) -> None:
    wording = Wording("ko" if language == "ko" else "en")
    verdict = Verdict(Ruling.KEEP, ground, (a_row(0, 0),))
    message = doubt_unresolved(DOUBTFUL, evidence(), verdict, wording, name="LG화학")
    assert message.severity is Severity.CRITICAL
    assert "doubt." not in message.text
    assert "LG화학" in message.title
    for words in (
        f"maemae orders bind {DOUBTFUL.client_order_id}",
        f"maemae orders absent {DOUBTFUL.client_order_id}",
        "051910",
        "428,500",
        "09:59:58",
        "10:00:50",
        "0000000101",
    ):
        assert words in message.text


@pytest.mark.parametrize("act", list(Act))
def test_every_act_has_a_name(act: Act) -> None:
    names = {Wording("ko").term("act", act), Wording("en").term("act", act)}
    assert act.value not in names
    assert len(names) == 2


@pytest.mark.parametrize("is_canceled", [True, False])
def test_a_late_match_names_its_number_and_what_happens_to_it(*, is_canceled: bool) -> None:
    order = an_accepted_order("0000000101")
    message = late_match(order, Wording("en"), name="LG Chem", is_canceled=is_canceled)
    assert (message.severity, "0000000101" in message.text) == (Severity.CRITICAL, True)
    assert ("the rest is canceled" in message.text) is is_canceled


@pytest.mark.parametrize("is_by_hand", [True, False])
def test_a_stopped_symbol_is_told_with_the_command_that_ends_it(*, is_by_hand: bool) -> None:
    reason = "POSITION 051910: 1 / 2"
    stopped = symbol_stopped("051910", reason, Wording("en"), name="", is_by_hand=is_by_hand)
    assert "maemae resume --symbol 051910" in stopped.text
    assert reason in stopped.text
    assert ("ends by itself" in stopped.text) is not is_by_hand
    assert symbol_released("051910", Wording("ko"), name="").severity is Severity.WARNING
