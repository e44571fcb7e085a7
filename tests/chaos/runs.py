"""This is one run: a simulator, processes that die and processes that recover, and the verdict at the end."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from adapters.kis_sim import server as simulator_server
from adapters.kis_sim.gateway import Answer, Ask, Gateway, Mode
from adapters.kis_sim.options import Options
from adapters.kis_sim.server import Simulator
from tests.builders import A_DAY, seoul
from tests.chaos.lives import Adversary, a_life, load_books
from tests.chaos.scenarios import Scenario, draw
from tests.chaos.stages import HTS_ID, Place, Stage, play, put
from tests.chaos.steps import Diary, Trap
from tests.chaos.verdicts import Verdict, judge
from tests.chaos.wires import MARK
from tests.secret_scans import finds_below
from trading.orders import Side

START: Final = "09:10"
PATIENCE: Final = 300.0
"""Real seconds that a process may take; a run takes one or two, unless the machine has no time for it."""
SPACING: Final = 60
MOST_LIVES: Final = 5
CASH: Final = 1_000_000_000

_DIE_WITH_PARENT: Final = 1

type Mutation = Callable[[], None]
"""Breaks a rule of the product, in the processes of one run only."""


def unchanged() -> None:
    """Leave the product as it is."""


@dataclass(slots=True)
class Cast:
    """The processes of a run; whoever is left is ended with it."""

    log: Path
    living: set[int] = field(default_factory=set)

    def start(self, act: Callable[[], None]) -> int:
        """Fork a process that does `act` and nothing else."""
        pid = os.fork()
        if pid == 0:
            _leave_after(act, self.log)
        self.living.add(pid)
        return pid

    def wait(self, pid: int) -> int:
        """Wait until a process has ended or stopped; give its wait status.

        Raises:
            TimeoutError: when it does neither.
        """
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
            if found:
                if not os.WIFSTOPPED(status):
                    self.living.discard(pid)
                return status
            time.sleep(0.001)
        raise TimeoutError("a process of the run hangs")

    def end(self) -> None:
        """End whoever is left."""
        for pid in self.living:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self.living.clear()


def run(
    stage: Stage, scenario: Scenario, folder: Path, account: str, mutate: Mutation = unchanged
) -> Verdict:
    """Carry out one run in a folder of its own, which is removed when nothing was wrong."""
    started = time.monotonic()
    folder.mkdir(parents=True)
    place, cast = Place(stage, scenario, folder, account), Cast(folder / "log")
    stage.clock.show(seoul(A_DAY, START))
    try:
        place = _start_simulator(place, cast)
        problem = _play(place, cast, mutate)
        book = place.hands.book()
    except (TimeoutError, RuntimeError, OSError) as error:
        problem, book = f"{type(error).__name__}: {error}", {}
    finally:
        cast.end()
    shown = finds_below(folder)
    verdict = _verdict(place, book, problem or "; ".join(f"a secret in {file}" for file in shown))
    if verdict.is_right:
        shutil.rmtree(folder)
    return replace(verdict, seconds=time.monotonic() - started)


def rehearse(stage: Stage, folder: Path) -> None:
    """Play one quiet run in this very process, so that those forked from it find everything loaded and compiled."""
    scenario = replace(draw(0), spots=(), fault="none", faults={}, adversary=(), listens=True)
    cast = Cast(folder / "log")
    folder.mkdir(parents=True)
    Simulator(_options(scenario.environment, "00000000-99"))  # reads the bundled prices
    try:
        for number, side in enumerate(Side):
            stage.clock.show(seoul(A_DAY, START))
            part = folder / side.value
            part.mkdir()
            place = Place(stage, replace(scenario, side=side), part, f"{number:08d}-99")
            place = _start_simulator(place, cast)
            play(_first_life(place, Trap(place.diary), unchanged, opens=True))
            play(_later_life(place, Trap(place.diary), unchanged))
    finally:
        cast.end()
        stage.engine.dispose()
    gc.collect()
    gc.freeze()


def _play(place: Place, cast: Cast, mutate: Mutation) -> str:
    """Let the processes live and die one after the other; give what none of them should have done."""
    scenario, diary = place.scenario, place.diary

    def start(life: Callable[..., Coroutine[Any, Any, None]], trap: Trap, **how: bool) -> int:
        return cast.start(lambda: play(life(place, trap, mutate, **how)))

    living = [start(_first_life, _next_trap(scenario, diary), opens=True)]
    if scenario.copies > 1:
        diary.wait_for("curtain")
        living += [start(_first_life, Trap(diary)) for _ in range(1, scenario.copies)]
    statuses = [cast.wait(pid) for pid in living]
    while not any(diary.of("closed")) and len(statuses) <= MOST_LIVES:
        _adversary_acts(place)
        if os.WIFSTOPPED(statuses[-1]):
            heir = start(_later_life, Trap(diary), wakes=True)
            statuses[-1:] = _wake(cast, living[-1], heir)
        else:
            living.append(start(_later_life, _next_trap(scenario, diary)))
            statuses.append(cast.wait(living[-1]))
    return _oddity(statuses)


def _wake(cast: Cast, sleeper: int, heir: int) -> list[int]:
    """Wake a process when another has taken over and gone on for a while, which then stops itself."""
    is_waiting = os.WIFSTOPPED(taken_over := cast.wait(heir))
    os.kill(sleeper, signal.SIGCONT)
    woken = cast.wait(sleeper)
    if is_waiting:
        os.kill(heir, signal.SIGCONT)
    return [woken, cast.wait(heir) if is_waiting else taken_over]


def _next_trap(scenario: Scenario, diary: Diary) -> Trap:
    """Lay the next trap that nobody has sprung yet."""
    sprung = sum(1 for _ in diary.of("sprung"))
    if sprung >= len(scenario.spots):
        return Trap(diary)
    return Trap(diary, scenario.spots[sprung], scenario.act, nth=scenario.nth)


def _oddity(statuses: list[int]) -> str:
    """Give what is wrong with how the processes ended: well, or killed by their own trap."""
    for status in statuses:
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            continue
        if status:
            return f"a process ended with wait status {status}"
    return ""


def _adversary_acts(place: Place) -> None:
    """Let the owner order the same after the death, if the order was known by then."""
    for intent in place.diary.of("intent"):
        order = {name: intent[name] for name in ("symbol", "side", "quantity", "price")}
        Adversary(place.scenario, place.hands, place.diary).act("death", order)


async def _first_life(place: Place, trap: Trap, mutate: Mutation, *, opens: bool = False) -> None:
    async with a_life(place, trap) as life:
        if opens:
            await life.open_day()
        mutate()
        await life.first()


async def _later_life(place: Place, trap: Trap, mutate: Mutation, *, wakes: bool = False) -> None:
    async with a_life(place, trap) as life:
        mutate()
        if wakes:
            await life.take_over()
        await life.recover()
        life.write_books()


def _start_simulator(place: Place, cast: Cast) -> Place:
    """Fork the simulator and wait for its addresses."""
    reading, writing = os.pipe()
    cast.start(lambda: asyncio.run(_simulate(place, writing)))
    os.close(writing)
    with os.fdopen(reading) as pipe:
        addresses = json.loads(pipe.readline())
    return replace(place, **addresses)


def _options(environment: str, account: str) -> Options:
    return Options(
        mode=Mode(environment),
        accounts=(account,),
        cash=CASH,
        hts_id=HTS_ID,
        is_paced=False,
        token_interval=0,
        day=A_DAY,
        spacing=SPACING,
    )


async def _simulate(place: Place, writing: int) -> None:
    options = _options(place.scenario.environment, place.account)
    put(simulator_server, "Gateway", _telling(place.diary))
    async with Simulator(options) as simulator:
        await simulator.advance_to(place.stage.clock.now())
        os.write(
            writing, json.dumps({"url": simulator.url, "ws_url": simulator.ws_url}).encode() + b"\n"
        )
        await asyncio.Event().wait()


def _telling(diary: Diary) -> type[Gateway]:
    """Make a gateway that notes for the oracle which order of ours each new row is."""

    class TellingGateway(Gateway):
        def answer(self, ask: Ask) -> Answer:
            (account,) = self._simulation.accounts
            before = len(account.orders)
            answer = super().answer(ask)
            mark = ask.headers.get(MARK)
            if mark and len(account.orders) > before:
                diary.write("true", number=account.orders[-1].number, order=mark)
            return answer

    return TellingGateway


def _verdict(place: Place, book: Mapping[str, Any], problem: str) -> Verdict:
    try:
        ours = None if problem else load_books(place.folder)
    except OSError:
        ours, problem = None, "no process lived to the close"
    return judge(place.scenario, place.diary, book, ours, problem)


def _leave_after(act: Callable[[], None], log: Path) -> None:
    """Do `act` with everything it says in a file, then leave without any ceremony of the parent's."""
    code = 1
    try:
        if sys.platform == "linux":  # elsewhere a killed job leaves its processes behind
            ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        gc.disable()
        act()
        code = 0
    except BaseException:  # noqa: BLE001 - the process ends here, whatever it was
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
