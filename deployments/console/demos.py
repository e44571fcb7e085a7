"""This is the command `demo`: the whole system on simulated days of real prices, watched as it goes."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Final

from cyclopts.validators import Number
from rich.text import Text

from adapters.clock import SystemClock
from adapters.halt_files import HaltFile
from deployments.console.announcements import announce, or_refusal, print_timings, running
from deployments.console.reports import report
from deployments.console.screens import DemoScreen
from deployments.console.speech import PROJECT, option, wording
from deployments.console.tables import paper
from deployments.demonstrations import DAYS, missing_events, simulated_market, trading_days
from deployments.interruptions import listen
from deployments.programs import free_port, is_free
from deployments.simulator import SimulatorControl
from deployments.stack import Stack
from deployments.timings import Timings
from flows.settings import Settings, load_settings
from flows.sources import open_stores

LONGEST: Final = 20
_NEWEST_MESSAGES: Final = 8


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the options say."""

    days: tuple[date, ...]
    once: bool
    fresh: bool
    timings: bool


def demo(
    *,
    once: Annotated[bool, option("once")] = False,
    days: Annotated[int, option("days", validator=Number(gte=1, lte=LONGEST))] = DAYS,
    fresh: Annotated[bool, option("fresh")] = False,
    timings: Annotated[bool, option("timings")] = False,
) -> int:
    """Run simulated trading days; stay until Ctrl-C, or end after the last with 0 if all went as it should."""
    listen()
    wishes = Wishes(trading_days(days), once, fresh, timings)
    return or_refusal(lambda: _demonstrate(_own_settings(), wishes))


def _own_settings() -> Settings:
    """Return the demo's settings: never in the folder of a paper or live account."""
    settings = load_settings()
    if settings.channel == "dev":
        return settings
    return load_settings(home=settings.home / "demo", channel="dev")


def _demonstrate(settings: Settings, wishes: Wishes) -> int:
    messages = _size_of(settings.home / "inbox.jsonl")
    announce("demo.again" if (settings.home / "postgres").exists() else "demo.first")
    with DemoScreen(paper(), wording()) as screen:
        timings = Timings(tell=screen.phase)
        stack = Stack(
            settings,
            port=_port(settings),
            simulator=simulated_market(),
            timings=timings,
            is_fresh=wishes.fresh,
            act="demo",
        )
        with running(stack):
            seconds = round(timings.elapsed, 1)
            announce("stack.ready", seconds=seconds, url=stack.settings.public_prefect_url)
            if HaltFile(stack.settings.halt_file).read(at=SystemClock().now()):
                announce("demo.halted", path=_short(stack.settings.halt_file))
            is_good = _play(stack, screen, wishes.days)
            screen.rest()
            _show_end(stack, wishes, messages)
            if not wishes.once:
                _stay()
    return 0 if is_good else 1


def _port(settings: Settings) -> int:
    if is_free(settings.prefect_port, str(settings.prefect_host)):
        return settings.prefect_port
    port = free_port()
    announce("demo.other_port", taken=settings.prefect_port, port=port)
    return port


def _play(stack: Stack, screen: DemoScreen, days: Sequence[date]) -> bool:
    """Play the days; True when every run succeeded and all that should happen did."""
    failed = asyncio.run(_play_on(stack, screen, days))
    stores = open_stores(stack.settings)
    with stores.begin() as work:
        missing = missing_events(work, days) if len(days) >= DAYS else ()
    stores.close()
    if failed:
        announce("demo.failed", count=len(failed), names=", ".join(sorted(set(failed))))
    if missing:
        names = ", ".join(wording().term("demo.event", event) for event in missing)
        announce("demo.missing", names=names)
    return not failed and not missing


async def _play_on(stack: Stack, screen: DemoScreen, days: Sequence[date]) -> list[str]:
    from prefect.client.orchestration import PrefectClient  # noqa: PLC0415 - takes seconds; loaded by now

    from deployments.players import Player  # noqa: PLC0415 - as above

    control = SimulatorControl(stack.settings.simulator_url or "")
    async with PrefectClient(stack.door.api_url, auth_string=stack.door.password) as client:
        player = Player(client, control, screen, stack.timings)
        await player.play(days)
    await control.close()
    return [ending.name for ending in player.endings if not ending.is_success]


def _show_end(stack: Stack, wishes: Wishes, messages: int) -> None:
    home = stack.settings.home
    paper().rule()
    report(day=wishes.days[-1])
    _show_inbox(home / "inbox.jsonl", since=messages)
    url = stack.settings.public_prefect_url
    announce("demo.next", url=url, bin=_short(PROJECT / ".venv/bin"), day=str(wishes.days[-1]))
    if wishes.timings:
        print_timings(stack.timings)


def _show_inbox(inbox: Path, *, since: int) -> None:
    """Show the newest messages that this demo sent its owner."""
    with inbox.open("rb") as file:
        file.seek(since)
        sent = [json.loads(line) for line in file.read().decode("utf-8").splitlines()]
    announce("demo.inbox", count=len(sent), path=_short(inbox.with_suffix(".md")))
    for message in sent[-_NEWEST_MESSAGES:]:
        paper().print(Text.assemble("  · ", message["title"]), soft_wrap=True)


def _stay() -> None:
    """Stay until Ctrl-C."""
    announce("demo.stays")
    try:
        while True:
            signal.pause()
    except KeyboardInterrupt:
        return


def _size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _short(path: Path) -> str:
    """Write a path as it is typed from where we are."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
