"""This is the proof that a recorded day is decided, sized, judged and booked anew from its stored events, to the byte.

The days were traded through the broker's protocol, with faults; every Python here, every time zone, every hash seed
and every order of arrival must give them the same SHA-256, and what was changed afterwards must be found.
"""

from __future__ import annotations

import os
import pickle
import subprocess
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from adapters.memory.stores import MemoryStores
from backtest.day_replays import RecordedDay, replay_recorded
from tasks.day_replays import read_day, replay_day
from tests.builders import ACCOUNT
from tests.pythons import PROJECT, python_of
from tests.recorded_days import record, shuffled
from tests.recordings import CALENDAR
from tests.scenarios.test_parity_days import CHANNEL as QUICK
from tests.scenarios.test_parity_days import PLAN
from tests.simulated_days import Days
from trading.decisions import Verdict
from trading.errors import BadInput
from trading.orders import OrderStatus

DAYS: Final = CALENDAR.trading_days(date(2018, 1, 25), date(2018, 1, 29))
CHANNEL: Final = QUICK.model_copy(
    update={"risk": QUICK.risk.model_copy(update={"maximum_holdings": 2})}
)
"""So that the gate refuses something."""
SEEDS: Final = range(5)


def disturb(world: Days, day: date) -> None:
    """Let every day have faults of its own, and the owner buy by hand on the second."""
    names = {name for table in PLAN for name in table}
    world.set_faults(**dict.fromkeys(names) | dict(PLAN[DAYS.index(day)]))
    world.by_hand = ("005380", 7) if day == DAYS[1] else None


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> MemoryStores:
    """Three traded days in memory."""
    kept = MemoryStores(channel="dev", account=ACCOUNT)
    folder = tmp_path_factory.mktemp("days")
    record(kept, folder, days=DAYS, channel=CHANNEL, before=disturb)
    return kept


@pytest.fixture(scope="module")
def days(stores: MemoryStores) -> tuple[RecordedDay, ...]:
    """All that is stored of them."""
    with stores.begin() as work:
        return tuple(read_day(work, CHANNEL, CALENDAR, day) for day in DAYS)


def test_each_day_is_told_anew_to_the_byte(stores: MemoryStores) -> None:
    replays = [replay_day(stores, CHANNEL, CALENDAR, day) for day in DAYS]
    assert [replay.differences for replay in replays] == [()] * len(DAYS)
    assert all(replay.is_equal for replay in replays)
    assert len({told for replay in replays for told in replay.digests}) == len(DAYS)


def test_the_days_have_something_of_everything(days: tuple[RecordedDay, ...]) -> None:
    verdicts = Counter(event.verdict for day in days for event in day.record.risk_events)
    assert verdicts[Verdict.DENIED] >= 1
    assert verdicts[Verdict.PASSED] > 20
    found = Counter(order.status for day in days for order in day.record.orders)
    assert found[OrderStatus.DENIED] >= 1
    assert found[OrderStatus.FILLED] >= 2
    assert sum(len(day.record.executions) for day in days) > found[OrderStatus.FILLED]
    assert {signal.trigger for day in days for signal in day.record.signals} >= {"cross"}
    assert any(order.intent.strategy_id == "manual" for day in days for order in day.record.orders)


@pytest.mark.parametrize("seed", SEEDS)
def test_events_that_arrived_in_another_order_are_the_same_day(
    days: tuple[RecordedDay, ...], seed: int
) -> None:
    for day in days:
        replay, again = (replay_recorded(each, CALENDAR) for each in (day, shuffled(day, seed)))
        assert again.differences == ()
        assert again.digests == replay.digests


PLACES: Final = (
    {"TZ": "America/New_York", "PYTHONHASHSEED": "1"},
    {"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "4294967295"},
)
"""On either side of Seoul, where this process may be."""
ASKED: Final = """
import pickle, sys
from pathlib import Path
from adapters.calendars import XkrxCalendar
from backtest.day_replays import replay_recorded
for day in pickle.loads(Path(sys.argv[1]).read_bytes()):
    print(*replay_recorded(day, XkrxCalendar()).digests)
"""


@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_a_day_has_one_fingerprint_on_every_python_everywhere(
    days: tuple[RecordedDay, ...], tmp_path: Path, version: str
) -> None:
    python = python_of(version)
    if python is None:
        pytest.skip(f"no Python {version} is installed here")
    expected = ""
    for day in days:
        told, again = replay_recorded(day, CALENDAR).digests
        expected += f"{told} {again}\n"
    processes = []
    for number, place in enumerate(PLACES):
        path = tmp_path / f"days{number}"
        path.write_bytes(pickle.dumps(tuple(shuffled(day, number) for day in days)))
        environment = {"PYTHONPATH": str(PROJECT), "PATH": os.defpath, **place}
        processes.append(
            subprocess.Popen(  # noqa: S603 - our own words
                (python, "-c", ASKED, str(path)), text=True, stdout=subprocess.PIPE, env=environment
            )
        )
    assert [process.communicate()[0] for process in processes] == [expected] * len(PLACES)


def changed(days: tuple[RecordedDay, ...], **verdict: Any) -> tuple[str, ...]:
    """Change the first refusal that is stored, and replay its day."""
    day = next(d for d in days if any(e.verdict is Verdict.DENIED for e in d.record.risk_events))
    events = list(day.record.risk_events)
    place = next(n for n, event in enumerate(events) if event.verdict is Verdict.DENIED)
    events[place] = replace(events[place], breach=replace(events[place].breach, **verdict))
    record = replace(day.record, risk_events=tuple(events))
    return replay_recorded(replace(day, record=record), CALENDAR).differences


def test_the_gate_is_asked_again_and_not_its_old_answer(days: tuple[RecordedDay, ...]) -> None:
    assert changed(days, message="for no reason") == ("risk_events",)
    assert changed(days, figures={}) == ("risk_events",)


def test_verdicts_without_what_they_looked_at_prove_nothing(days: tuple[RecordedDay, ...]) -> None:
    replay = replay_recorded(replace(days[0], inputs={}), CALENDAR)
    assert {"inputs", "risk_events"} <= set(replay.differences)
    assert not replay.is_equal


def test_other_limits_are_other_verdicts(stores: MemoryStores) -> None:
    strict = CHANNEL.model_copy(
        update={"risk": CHANNEL.risk.model_copy(update={"maximum_order_value": 1_000_000})}
    )
    found = [replay_day(stores, strict, CALENDAR, day) for day in DAYS]
    assert any("risk_events" in each.differences for each in found)


def test_other_sizes_are_other_orders(stores: MemoryStores) -> None:
    sizing = CHANNEL.sizing.model_copy(update={"target_weight": Decimal("0.1")})
    smaller = CHANNEL.model_copy(update={"sizing": sizing})
    found = [replay_day(stores, smaller, CALENDAR, day) for day in DAYS]
    assert any("orders" in each.differences for each in found)


def test_other_parameters_make_other_signals(stores: MemoryStores) -> None:
    (quick,) = CHANNEL.strategies
    slower = quick.model_copy(update={"parameters": {**quick.parameters, "slow": 12}})
    other = CHANNEL.model_copy(update={"strategies": (slower,)})
    found = [replay_day(stores, other, CALENDAR, day) for day in DAYS]
    assert any("signals" in each.differences for each in found)


def test_other_costs_are_other_fills(stores: MemoryStores) -> None:
    rate = CHANNEL.costs.commission_rate * 2
    dearer = CHANNEL.model_copy(
        update={"costs": CHANNEL.costs.model_copy(update={"commission_rate": rate})}
    )
    found = [replay_day(stores, dearer, CALENDAR, day) for day in DAYS]
    assert any({"executions", "closing", "curve"} <= set(each.differences) for each in found)


def test_words_that_were_changed_afterwards_are_found(days: tuple[RecordedDay, ...]) -> None:
    day = next(each for each in days if each.record.signals)
    (first, *others) = day.record.signals
    forged = replace(day.record, signals=(replace(first, reason="I felt like it"), *others))
    replay = replay_recorded(replace(day, record=forged), CALENDAR)
    assert "signals" in replay.differences


def test_a_day_whose_report_was_never_made_is_refused(stores: MemoryStores) -> None:
    with pytest.raises(BadInput, match="report was made"):
        replay_day(stores, CHANNEL, CALENDAR, CALENDAR.next_trading_day(DAYS[-1]))
