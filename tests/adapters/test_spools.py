"""This is the spool on a real disk: in order, bounded, torn, and full."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.spools import Spool
from tests.builders import A_DAY, LG_CHEM, seoul
from tests.consoles import PROJECT
from tests.full_disks import a_full_disk
from tests.store_samples import a_notice
from trading.errors import DiskFull
from trading.notices import Notice
from trading.ticks import TradePrint

NEXT_DAY = A_DAY + timedelta(days=1)


def prints(count: int) -> list[TradePrint]:
    """Give prints of one share each."""
    at = seoul(A_DAY, "10:00")
    return [TradePrint(LG_CHEM, 400_000, 1, at, number) for number in range(1, count + 1)]


def notices(count: int) -> list[Notice]:
    """Give notices of orders of their own."""
    return [replace(a_notice(), broker_order_id=f"{number:010}") for number in range(count)]


def test_what_is_kept_comes_back_as_it_was_in_order(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool" / "a.jsonl")
    assert spool.is_empty
    (first, second), trades = notices(2), prints(3)
    assert spool.keep([*trades[:2], first], trading_day=A_DAY) == 0
    assert Spool(spool.path).keep([trades[2], second], trading_day=NEXT_DAY) == 0
    assert list(spool.notices()) == [(A_DAY, first), (NEXT_DAY, second)]
    assert list(spool.prints()) == [(A_DAY, trades[0]), (A_DAY, trades[1]), (NEXT_DAY, trades[2])]
    assert spool.path.stat().st_mode & 0o777 == 0o600
    spool.clear()
    assert (spool.is_empty, list(spool.notices())) == (True, [])


def test_a_torn_line_spoils_no_other(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "a.jsonl")
    spool.keep(notices(2), trading_day=A_DAY)
    os.truncate(spool.path, spool.path.stat().st_size - 9)  # as a crash in the middle leaves it
    spool.keep(notices(3)[2:], trading_day=A_DAY)
    assert [notice.broker_order_id for _, notice in spool.notices()] == [
        "0000000000",
        "0000000002",
    ]


def test_reading_takes_no_more_memory_the_more_there_is(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "a.jsonl")
    spool.keep([*prints(20_000), *notices(20_000)], trading_day=A_DAY)
    assert spool.path.stat().st_size > 7 * 2**20
    tracemalloc.start()
    try:
        assert sum(1 for _ in spool.notices()) == sum(1 for _ in spool.prints()) == 20_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2**19


def test_at_the_bound_prints_are_refused_and_notices_kept_up_to_theirs(tmp_path: Path) -> None:
    """One byte decides: a spool that holds just these prints, and one that is a byte too small."""
    whole = Spool(tmp_path / "whole.jsonl")
    whole.keep(prints(5), trading_day=A_DAY)
    size = whole.path.stat().st_size
    for largest, refused in ((size, 0), (size - 1, 1)):
        spool = Spool(tmp_path / f"{largest}.jsonl", largest=largest, reserve=1000)
        assert spool.keep(prints(5), trading_day=A_DAY) == refused
        assert spool.keep(prints(1), trading_day=A_DAY) == 1
        kept = 20 - spool.keep(notices(20), trading_day=A_DAY)
        assert 1 < kept < 20
        assert len(list(spool.notices())) == kept
        assert spool.path.stat().st_size <= largest + 1000


def test_a_full_disk_is_one_sentence_and_keeps_what_is_there(tmp_path: Path) -> None:
    with a_full_disk(tmp_path / "disk") as disk:
        spool = Spool(disk.folder / "a.jsonl")
        spool.keep(notices(2), trading_day=A_DAY)
        disk.fill()
        with pytest.raises(DiskFull, match=r"a\.jsonl: No space left on device"):
            spool.keep(notices(1000), trading_day=A_DAY)
        assert [n.broker_order_id for _, n in spool.notices()][:2] == ["0000000000", "0000000001"]
        disk.empty()
        spool.keep([replace(a_notice(), broker_order_id="after")], trading_day=A_DAY)
        assert [n.broker_order_id for _, n in spool.notices()][-1] == "after"


KEEP_FOR_EVER = """
import sys
from pathlib import Path
from adapters.spools import Spool
from tests.adapters.test_spools import A_DAY, notices
spool = Spool(Path(sys.argv[1]))
for number, notice in enumerate(notices(100_000), start=1):
    spool.keep([notice], trading_day=A_DAY)
    print(number, flush=True)
"""


def test_what_was_kept_before_a_kill_is_there(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    words = [sys.executable, "-c", KEEP_FOR_EVER, str(path)]
    with subprocess.Popen(words, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our words
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(50)]
        process.send_signal(signal.SIGKILL)
    assert len(list(Spool(path).notices())) >= told[-1] == 50
