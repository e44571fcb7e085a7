"""This is a small part of `make fuzz` in every test run, and a judge that can say no."""

from __future__ import annotations

import pytest

from adapters.kis.links import Received
from tests.adapters.test_kis_frames import NOTICE_23, TRADE_2026, encipher
from tests.fuzz.judges import _is_whole, a_reader, judge_frame, judge_reply
from tests.fuzz.runs import fuzz
from trading.ticks import TradePrint

SEED = 20_261_122


def test_broken_frames_and_replies_raise_nothing_and_are_never_half_read() -> None:
    tally = fuzz(10_000, seed=SEED)
    assert (tally.frames, tally.replies) == (5_000, 5_000)
    assert tally.events > 1_000, "too much is broken to be read at all"
    assert tally.understood > 500


def test_whole_ones_are_read() -> None:
    assert judge_frame(a_reader(), "0|H0STCNT0|001|" + "^".join(TRADE_2026)) == 1
    assert judge_frame(a_reader(), "1|H0STCNI9|001|" + encipher("^".join(NOTICE_23))) == 1
    body = b'{"rt_cd":"0","output":{"ODNO":"0000085100"}}'
    assert judge_reply("accepted", 200, body)


@pytest.mark.parametrize("field", [0, 2, 12, 13])
def test_the_judge_sees_a_print_of_shifted_columns(field: int) -> None:
    rows = [list(TRADE_2026)]
    (event,) = a_reader()._read(Received("0|H0STCNT0|001|" + "^".join(TRADE_2026), {}))  # noqa: SLF001 - without the socket
    assert isinstance(event, TradePrint)
    assert _is_whole(event, rows)
    rows[0][field] = "7"
    assert not _is_whole(event, rows)
