"""This is `maemae halt --rehearse`: the drill of the kill switch, and how it went."""

from __future__ import annotations

import asyncio

from deployments.console.interventions import keep_terminal_clean
from deployments.console.speech import wording
from deployments.console.tables import paper
from flows.desk import open_desk
from tasks.rehearsals import Rehearsal, rehearse


def rehearse_all() -> bool:
    """Rehearse every level and tell how each went; tell whether all is well.

    Raises:
        MaemaeError: when it cannot be rehearsed now, saying why.
    """
    keep_terminal_clean()
    done = asyncio.run(_rehearse())
    words = wording()
    for trial in done.trials:
        mark = "✓" if trial.is_passed else "✗"
        paper().print(f"{mark} {words.text('rehearsal.line', **trial.row())}")
    mark = "✓" if done.canceled else "✗"
    paper().print(f"{mark} {words.text('rehearsal.canceled', number=done.canceled or None)}")
    paper().print(words.text("rehearsal.passed" if done.is_passed else "rehearsal.failed"))
    return done.is_passed


async def _rehearse() -> Rehearsal:
    async with open_desk() as desk:
        return await rehearse(desk)
