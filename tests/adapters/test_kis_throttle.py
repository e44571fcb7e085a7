"""This is the pace that all processes keep together, measured on real processes with a real clock."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from time import monotonic

import pytest

from adapters.kis.files import try_lock
from adapters.kis.throttle import Priority, Throttle

ROOT = Path(__file__).parents[2]

CALLER = """
import asyncio, sys
from pathlib import Path
from time import monotonic
from adapters.kis.throttle import Priority, Throttle

moments = []

def now():
    moments.append(monotonic())
    return moments[-1]

async def main(folder, limit, count, priority):
    throttle = Throttle(Path(folder), "line", calls_per_second=int(limit), now=now)
    for _ in range(int(count)):
        await throttle.wait_turn(Priority[priority])
        print(moments[-1], flush=True)  # when the call was let go, however late we hear of it

asyncio.run(main(*sys.argv[1:]))
"""


def a_caller(folder: Path, *, limit: int, count: int, priority: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-c", CALLER, str(folder), str(limit), str(count), priority],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def times_of(callers: list[subprocess.Popen[str]]) -> list[float]:
    texts = [caller.communicate(timeout=60)[0] for caller in callers]
    return sorted(float(line) for text in texts for line in text.split())


def most_in_a_second(times: list[float]) -> int:
    return max(sum(first <= at < first + 1 for at in times) for first in times)


def a_throttle(folder: Path, limit: int) -> Throttle:
    return Throttle(folder, "line", calls_per_second=limit)


def test_several_processes_never_exceed_the_limit_in_any_second(tmp_path: Path) -> None:
    priorities = ["ORDER", "ACCOUNT", "QUOTE", "QUOTE"]
    callers = [a_caller(tmp_path, limit=10, count=12, priority=each) for each in priorities]
    times = times_of(callers)
    assert len(times) == 48
    assert most_in_a_second(times) <= 10


def test_reads_keep_their_distance(tmp_path: Path) -> None:
    times = times_of([a_caller(tmp_path, limit=10, count=8, priority="QUOTE") for _ in range(2)])
    assert min(later - earlier for earlier, later in pairwise(times)) > 0.1


async def test_reads_leave_one_place_of_the_window_to_orders(tmp_path: Path) -> None:
    line = {"sent": [monotonic() - 0.3] * 4, "waiting": {}}
    (tmp_path / "line.line").write_text(json.dumps(line), encoding="utf-8")
    throttle = a_throttle(tmp_path, 5)
    reading = asyncio.create_task(throttle.wait_turn(Priority.QUOTE))
    await asyncio.sleep(0.05)
    assert not reading.done()
    await asyncio.wait_for(throttle.wait_turn(Priority.CANCEL), 0.5)
    await asyncio.wait_for(reading, 5)


def test_a_caller_killed_in_line_holds_nobody_up(tmp_path: Path) -> None:
    dying = a_caller(tmp_path, limit=2, count=1000, priority="ORDER")
    living = a_caller(tmp_path, limit=2, count=2, priority="QUOTE")
    assert dying.stdout is not None
    for _ in range(3):
        dying.stdout.readline()
    os.kill(dying.pid, signal.SIGKILL)
    died_at = monotonic()
    assert times_of([living])[-1] - died_at < 5
    dying.communicate()


@pytest.mark.timed
async def test_an_order_overtakes_all_reads_that_wait(tmp_path: Path) -> None:
    throttle, done = a_throttle(tmp_path, 5), []

    async def call(priority: Priority) -> None:
        await throttle.wait_turn(priority)
        done.append(priority)

    reads = [asyncio.create_task(call(Priority.QUOTE)) for _ in range(5)]
    await asyncio.sleep(0.3)
    began = monotonic()
    await call(Priority.ORDER)
    assert monotonic() - began < 0.5
    for each in reads:
        each.cancel()
    await asyncio.gather(*reads, return_exceptions=True)
    assert done.count(Priority.QUOTE) < 5


async def test_the_line_goes_by_priority_then_by_arrival(tmp_path: Path) -> None:
    throttle = a_throttle(tmp_path, 1)
    await throttle.wait_turn(Priority.QUOTE)
    arrivals = [
        (Priority.QUOTE, "first quote"),
        (Priority.QUOTE, "second quote"),
        (Priority.ACCOUNT, "account"),
        (Priority.CANCEL, "cancel"),
        (Priority.ORDER, "order"),
    ]
    done: list[str] = []

    async def call(priority: Priority, name: str) -> None:
        await throttle.wait_turn(priority)
        done.append(name)

    async with asyncio.TaskGroup() as group:
        for priority, name in arrivals:
            group.create_task(call(priority, name))
            await asyncio.sleep(0.01)
    assert done == ["order", "cancel", "account", "first quote", "second quote"]


async def test_after_a_refusal_everybody_pauses(tmp_path: Path) -> None:
    await a_throttle(tmp_path, 10).hold_back()
    began = monotonic()
    await a_throttle(tmp_path, 10).wait_turn(Priority.ORDER)
    assert monotonic() - began > 1


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"sent": 3}', b'{"sent": [9e99]}', b"[]", b"\xff"]
)
async def test_a_damaged_line_starts_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "line.line").write_bytes(content)
    await asyncio.wait_for(a_throttle(tmp_path, 1).wait_turn(Priority.QUOTE), 1)


async def test_what_an_interrupted_write_left_behind_is_not_read(tmp_path: Path) -> None:
    line = json.dumps({"sent": [monotonic()], "waiting": {}})
    (tmp_path / "line.line").write_text(f'{line}\n"waiting": {{}}}}', encoding="utf-8")
    began = monotonic()
    await a_throttle(tmp_path, 1).wait_turn(Priority.QUOTE)
    assert monotonic() - began > 0.9


async def test_a_waiter_that_gives_up_leaves_the_line(tmp_path: Path) -> None:
    throttle = a_throttle(tmp_path, 1)
    await throttle.wait_turn(Priority.ORDER)
    waiter = asyncio.create_task(throttle.wait_turn(Priority.ORDER))
    await asyncio.sleep(0.05)
    waiter.cancel()
    await asyncio.gather(waiter, return_exceptions=True)
    assert json.loads((tmp_path / "line.line").read_text())["waiting"] == {}


def test_a_lock_is_free_again_when_its_holder_is_killed(tmp_path: Path) -> None:
    script = f"""
import os, signal
from pathlib import Path
from adapters.kis.files import try_lock
with try_lock(Path({str(tmp_path / "lock")!r})) as held:
    print(held is not None, flush=True)
    signal.pause()
"""
    command = [sys.executable, "-c", script]
    with subprocess.Popen(  # noqa: S603 - our own code
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        with try_lock(tmp_path / "lock") as second:
            assert second is None
        holder.kill()
        holder.wait()
        with try_lock(tmp_path / "lock") as third:
            assert third is not None
