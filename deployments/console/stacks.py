"""This is the commands `up` and `down`: the whole system as a service."""

from __future__ import annotations

import signal
from contextlib import closing
from typing import Annotated

from deployments.background import start_in_background, stop_from_outside
from deployments.console.announcements import announce, or_refusal, print_timings, running
from deployments.console.speech import home, option
from deployments.demonstrations import simulated_market
from deployments.interruptions import listen
from deployments.stack import Stack
from deployments.state import AlreadyRunning, is_running
from deployments.timings import Timings
from flows.settings import Settings, load_channel, load_settings
from flows.sources import open_stores, require_watchable
from tasks.channels import ClockSource
from tasks.versions import standing_of


def up(
    *,
    detach: Annotated[bool, option("detach")] = False,
    timings: Annotated[bool, option("timings")] = False,
) -> int:
    """Start the stack of the channel that the settings choose; stay until Ctrl-C, or come back when ready."""
    settings = load_settings()
    channel = load_channel(settings)
    is_simulated = channel.clock is ClockSource.SIMULATOR
    if not is_simulated:
        _ = settings.broker  # without keys nothing is worth starting
    require_watchable(settings, channel)
    if detach:
        return or_refusal(lambda: _detach(settings))
    return or_refusal(lambda: _serve(settings, is_simulated=is_simulated, shows_timings=timings))


def down() -> int:
    """Stop what `up` started, in order."""
    stopping = Timings()
    if not is_running(home()):
        announce("stack.not_running")
        return 0
    is_stopped = stop_from_outside(home())
    announce("stack.stopped", seconds=round(stopping.elapsed, 1))
    return 0 if is_stopped else 1


def _serve(settings: Settings, *, is_simulated: bool, shows_timings: bool) -> int:
    listen()
    timings = Timings(tell=lambda name: announce(f"stack.phase.{name}"))
    market = simulated_market() if is_simulated else None
    stack = Stack(settings, port=settings.prefect_port, simulator=market, timings=timings)
    try:
        with running(stack):
            if shows_timings:
                print_timings(timings)
            seconds = round(timings.elapsed, 1)
            announce("stack.ready", seconds=seconds, url=stack.settings.public_prefect_url)
            if is_simulated:
                announce("stack.simulated")
            _tell_lead(stack.settings)
            while True:
                signal.pause()
    except KeyboardInterrupt:
        return 0


def _detach(settings: Settings) -> int:
    if is_running(settings.home):
        raise AlreadyRunning(str(settings.home))
    timings = Timings()
    note = start_in_background(settings.home)
    announce("stack.ready", seconds=round(timings.elapsed, 1), url=note.prefect_ui_url)
    announce("stack.detached", pid=str(note.supervisor.pid))
    _tell_lead(load_settings())
    return 0


def _tell_lead(settings: Settings) -> None:
    """Say it plainly when the file says something else than what trades."""
    with closing(open_stores(settings)) as stores, stores.begin() as work:
        standing = standing_of(work, load_channel(settings))
    if standing is not None and standing.is_file_ahead:
        announce("config.file_ahead", version=standing.version)
