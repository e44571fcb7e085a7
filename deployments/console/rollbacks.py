"""This is the command `rollback`: code and settings as they were before, the books compared after."""

from __future__ import annotations

from contextlib import closing

from adapters.clock import SystemClock
from adapters.commits import commit_of
from deployments.console.announcements import announce, or_refusal
from deployments.console.configs import Reason, tell_proposal
from deployments.console.halts import NOT_ALL_DONE
from deployments.console.speech import PROJECT
from deployments.rollbacks import reachable, replace_code, require_movable, run_console
from deployments.state import is_running
from deployments.timings import Timings
from flows.settings import Settings, load_settings
from flows.sources import open_stores
from tasks.returns import Return, begin_return, code_before, end_return


def rollback(*, reason: Reason) -> int:
    """Return to the snapshot before, start its code if that is other, and compare both books.

    Gives 0 when all is done, 3 when settings wait for their approval or the books differ.
    """
    timings = Timings()
    settings = load_settings()
    with reachable(settings) as ready:
        done = _propose(ready, reason)
        code = tell_proposal(done.proposal, settings)
    return or_refusal(lambda: max(code, _follow(settings, done, timings)))


def _propose(settings: Settings, reason: str) -> Return:
    """Bring the settings on their way; refuse first what the code could not follow."""
    with closing(open_stores(settings)) as stores:
        commit = code_before(stores)
        if _is_other(commit):
            require_movable(PROJECT, commit)
        return begin_return(stores, reason=reason, at=SystemClock().now())


def _follow(settings: Settings, done: Return, timings: Timings) -> int:
    if _is_other(done.commit):
        announce("rollback.code", commit=done.commit[:12])
        replace_code(PROJECT, settings.home, done.commit)
    if not is_running(settings.home) and (failed := run_console(PROJECT, "up", "--detach")):
        return failed
    code = run_console(PROJECT, "reconcile")
    with closing(open_stores(load_settings())) as stores:
        end_return(stores, done, at=SystemClock().now())
    announce("rollback.done", seconds=round(timings.elapsed, 1))
    return NOT_ALL_DONE if code else 0


def _is_other(commit: str) -> bool:
    return bool(commit) and commit != commit_of(PROJECT)
