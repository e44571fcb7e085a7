"""This is the command `promote`: the running code goes on to the next channel when all its evidence is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Final

from adapters.commits import commit_of
from adapters.evidence_files import EvidenceFolder
from adapters.stores import Stores
from deployments.console.accounts import Account, market_time, open_account
from deployments.console.configs import Reason, change_time, tell_proposal
from deployments.console.halts import NOT_ALL_DONE
from deployments.console.plugins import tell_registrations
from deployments.console.speech import PROJECT, option, say
from deployments.console.tables import Column, paper, print_json, print_table
from deployments.entries import read_entries, scheduled
from deployments.state import is_running, read_note
from flows.settings import Settings, load_channel, load_settings
from flows.sources import open_stores
from tasks.promotions import Gate, judge
from tasks.promotions import promote as pass_on
from trading.errors import BadInput

EVIDENCE: Final = (
    Column("evidence", "@evidence"),
    Column("lack", "@lack"),
    Column("count", "count"),
    Column("needed", "count"),
    Column("made_at"),
    Column("command"),
)


def promote(
    *,
    reason: Reason,
    to: Annotated[Path | None, option("next_home", name="--home")] = None,
    as_json: Annotated[bool, option("json", name="--json")] = False,
) -> int:
    """Give the running code to the next channel, or say what is missing and what makes it.

    Gives 0 when the new version there is in force, 3 when it waits for its approval or when something is missing.
    """
    if not reason.strip():
        raise BadInput("--reason", reason, "a few words why, for the audit log")
    with open_account() as account:
        gate = _judge(account)
        _print(gate, as_json=as_json)
        if not gate.is_open:
            return NOT_ALL_DONE
        with _next(gate.following, to or account.settings.home) as (settings, stores):
            file, at = load_channel(settings), change_time(settings)
            scheduled(read_entries(), file.schedules)
            tell_registrations(stores, file, at=at)
            proposal = pass_on(gate, account.stores, stores, file, reason=reason, at=at)
            return tell_proposal(proposal, settings)


def _judge(account: Account) -> Gate:
    settings = account.settings
    committed = commit_of(PROJECT)
    if committed and settings.commit and committed != settings.commit:
        expected = "the code that lies here: make down, make up"
        raise BadInput("commit", settings.commit[:12], expected)
    return judge(
        account.stores,
        channel=settings.channel,
        commit=settings.commit,
        made=EvidenceFolder(PROJECT).of(settings.commit),
        at=market_time(settings),
    )


@contextmanager
def _next(channel: str, home: Path) -> Iterator[tuple[Settings, Stores]]:
    """Open the memory of the next channel, whose stack runs in a home of its own.

    Raises:
        BadInput: when none of that channel does.
    """
    home = home.expanduser().resolve()
    note = read_note(home) if is_running(home) else None
    if note is None or note.channel != channel:
        expected = f"the home of a running stack of {channel}: MAEMAE_CHANNEL={channel} MAEMAE_HOME=... maemae up"
        raise BadInput("--home", str(home), expected)
    settings = load_settings(home=home, channel=channel)
    with closing(open_stores(settings)) as stores:
        yield settings, stores


def _print(gate: Gate, *, as_json: bool) -> None:
    rows = [finding.row() for finding in gate.findings]
    heading = {"channel": gate.channel, "to": gate.following, "commit": gate.commit}
    if as_json:
        print_json({**heading, "is_open": gate.is_open, "evidence": rows})
        return
    title = say("title.promotion", **heading | {"commit": gate.commit[:12]})
    print_table(title, EVIDENCE, rows)
    for finding in gate.findings:
        if finding.lack:
            row = finding.row()
            paper().print(say(f"promotion.{finding.lack}", **row), soft_wrap=True)
