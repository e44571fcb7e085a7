"""This is the commands `up` and `down`: the whole system as a service."""

from __future__ import annotations

import signal
from typing import Annotated

from deployments.background import start_in_background, stop_from_outside
from deployments.console.faults import WRONG_INPUT
from deployments.console.speech import home, option, wording
from deployments.console.tables import paper
from deployments.demonstrations import simulated_market
from deployments.interruptions import listen
from deployments.processes import StartFailed
from deployments.stack import Stack
from deployments.state import AlreadyRunning, is_running
from deployments.timings import Timings
from flows.settings import Settings, load_channel, load_settings
from tasks.channels import ClockSource


def up(
    *,
    detach: Annotated[bool, option("detach")] = False,
    timings: Annotated[bool, option("timings")] = False,
) -> int:
    """Start the stack of the channel that the settings choose; stay until Ctrl-C, or come back when ready."""
    settings = load_settings()
    is_simulated = load_channel(settings).clock is ClockSource.SIMULATOR
    if not is_simulated:
        _ = settings.broker  # without keys nothing is worth starting
    try:
        return _detach(settings) if detach else _serve(settings, is_simulated, timings)
    except AlreadyRunning as error:
        return _refuse("stack.already", place=error)
    except StartFailed as error:
        return _refuse("stack.failed", words=error)


def down() -> int:
    """Stop what `up` started, in order."""
    timings = Timings()
    if not is_running(home()):
        _say("stack.not_running")
        return 0
    is_stopped = stop_from_outside(home())
    _say("stack.stopped", seconds=round(timings.elapsed, 1))
    return 0 if is_stopped else 1


def _serve(settings: Settings, is_simulated: bool, shows_timings: bool) -> int:  # noqa: FBT001 - two switches of `up`
    listen()
    timings = Timings(tell=lambda name: _say(f"stack.phase.{name}"))
    market = simulated_market() if is_simulated else None
    try:
        with Stack(settings, port=settings.prefect_port, simulator=market, timings=timings) as it:
            if shows_timings:
                print_timings(timings)
            _say(
                "stack.ready", seconds=round(timings.elapsed, 1), url=it.settings.public_prefect_url
            )
            if is_simulated:
                _say("stack.simulated")
            while True:
                signal.pause()
    except KeyboardInterrupt:
        return 0


def _detach(settings: Settings) -> int:
    if is_running(settings.home):
        raise AlreadyRunning(str(settings.home))
    timings = Timings()
    note = start_in_background(settings.home)
    _say("stack.ready", seconds=round(timings.elapsed, 1), url=note.prefect_ui_url)
    _say("stack.detached", pid=note.supervisor.pid)
    return 0


def print_timings(timings: Timings) -> None:
    """Print how long each phase of the start took."""
    _say("stack.timings")
    for phase in timings.phases:
        took = phase.ended - phase.began
        paper().print(f"  {phase.name:<12} {phase.began:6.1f} → {phase.ended:6.1f}  {took:6.1f} s")


def _say(key: str, **figures: object) -> None:
    paper().print(wording().text(key, **figures), soft_wrap=True)


def _refuse(key: str, **figures: object) -> int:
    paper(is_error=True).print(wording().text(key, **figures), soft_wrap=True)
    return WRONG_INPUT
