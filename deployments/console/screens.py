"""This is what a demo looks like while it runs: one line per flow run, and what it waits for."""

from __future__ import annotations

from datetime import date, datetime
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status
from rich.text import Text

from adapters.wording import Wording
from deployments.players import Ending
from trading.sessions import KST

_NAME_WIDTH = 17
_STATE_WIDTH = 10


class DemoScreen:
    """Prints lines; on a terminal a spinner tells what is going on."""

    def __init__(self, console: Console, wording: Wording) -> None:
        """Take where to print and in which language."""
        self._console = console
        self._wording = wording
        self._status = Status("", console=console)

    def __enter__(self) -> Self:
        """Begin to spin."""
        self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop spinning."""
        self._status.stop()

    def phase(self, name: str) -> None:
        """Say which part of the start is under way."""
        self._spin(self._wording.text(f"stack.phase.{name}"))

    def rest(self) -> None:
        """Stop spinning before long text."""
        self._status.stop()

    def begin_day(self, day: date) -> None:
        """Rule off a new day."""
        self._console.rule(self._wording.figure(day), align="left", style="dim")

    def wait_for(self, at: datetime, name: str) -> None:
        """Say what is under way."""
        key = "demo.running" if name else "demo.market"
        self._spin(self._wording.text(key, time=_hour(at), name=name))

    def end(self, ending: Ending) -> None:
        """Print one line about a run."""
        style = _style(ending)
        line = Text.assemble(
            (_hour(ending.at), "dim"),
            f"  {ending.name:<{_NAME_WIDTH}}",
            (f"{self._state(ending):<{_STATE_WIDTH}}", style),
            ending.sentence,
            (f"  {ending.seconds:.1f} s", "dim"),
        )
        self._console.print(line, soft_wrap=True)

    def _state(self, ending: Ending) -> str:
        return self._wording.term("run_state", ending.state)

    def _spin(self, words: str) -> None:
        self._status.update(Text(words))


def _style(ending: Ending) -> str:
    if not ending.is_success:
        return "bold red"
    return "green" if ending.state == "Completed" else "yellow"


def _hour(at: datetime) -> str:
    return f"{at.astimezone(KST):%H:%M}"
