"""This is the command `config`: a change of the channel's file comes into force as a numbered version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from cyclopts import App, Group

from adapters.clock import SystemClock
from adapters.stores import Stores
from deployments.console.accounts import market_time, open_account
from deployments.console.halts import DONE, NOT_ALL_DONE
from deployments.console.plugins import tell_registrations
from deployments.console.speech import option, say, wording
from deployments.console.tables import Column, paper, print_json, print_table
from deployments.entries import read_entries, scheduled
from flows.settings import Settings, load_channel
from flows.sources import require_watchable
from risk.changes import Change
from tasks import versions
from tasks.channels import GUARDED_CHANNEL, ChannelSettings
from tasks.versions import Proposal
from trading.configs import ConfigVersion

CHANGES: Final = (
    Column("path"),
    Column("before"),
    Column("after"),
    Column("loosens", "@flag"),
)
HISTORY: Final = (
    Column("version", "count"),
    Column("at"),
    Column("approved_at"),
    Column("is_in_force", "@flag"),
    Column("commit"),
    Column("digest"),
    Column("reason"),
)

type AsJson = Annotated[bool, option("json", name="--json")]
type Number = Annotated[int, option("version")]
type Reason = Annotated[str, option("reason")]


@dataclass(frozen=True, slots=True)
class Place:
    """What a change works with: the file, the memory, and the time."""

    settings: Settings
    file: ChannelSettings
    stores: Stores
    at: datetime


def diff(*, as_json: AsJson = False) -> None:
    """Show what the channel's file would change of the settings in force."""
    with _open_place() as place:
        changes = versions.changes_of(place.stores, place.file)
    if as_json:
        print_json({"channel": place.file.channel, "changes": _rows(changes)})
    else:
        _print(changes)


def propose(*, reason: Reason) -> int:
    """Make the channel's file a version; give 0 when it is in force, 3 when it waits for its approval.

    A foreign strategy in it is examined first, and none that looks ahead comes any further.
    """
    with _open_place() as place:
        require_watchable(place.settings, place.file)
        tell_registrations(place.stores, place.file, at=place.at)
        scheduled(read_entries(), place.file.schedules)
        commit = place.settings.commit if _is_first(place) else None
        proposal = versions.propose(
            place.stores, place.file, reason=reason, at=place.at, commit=commit
        )
    return tell_proposal(proposal, place.settings)


def approve(version: Number, /, *, reason: Reason) -> int:
    """Put the version that waits in force, and show what it changes."""
    with _open_place() as place:
        changes = versions.approve(
            place.stores,
            version,
            reason=reason,
            at=place.at,
            delay=place.settings.approval_delay,
            needs_code=not place.settings.broker.is_on_this_machine,
        )
    _print(changes)
    paper().print(say("config.in_force", version=version))
    return DONE


def rollback(version: Number | None = None, /, *, reason: Reason) -> int:
    """Return to an earlier version, as a new one; give 0 when it is in force, 3 when it waits for its approval."""
    with _open_place() as place:
        proposal = versions.roll_back(place.stores, version, reason=reason, at=place.at)
    return tell_proposal(proposal, place.settings)


def history(*, as_json: AsJson = False) -> None:
    """Show every version, newest first."""
    with open_account() as account, account.stores.begin() as work:
        current = work.configs.in_force()
        rows = [_row(config, current) for config in reversed(work.configs.all())]
    if as_json:
        print_json({"channel": account.settings.channel, "versions": rows})
    else:
        short = [
            {
                **row,
                "digest": row["digest"][:12],
                "commit": row["commit"][:12] or None,
                "reason": wording().own_words(row["reason"]),
            }
            for row in rows
        ]
        print_table(say("title.versions"), HISTORY, short)


@contextmanager
def _open_place() -> Iterator[Place]:
    with open_account() as account:
        settings = account.settings
        yield Place(settings, load_channel(settings), account.stores, change_time(settings))


def change_time(settings: Settings) -> datetime:
    """Give the time by which changes wait: on live the computer's, whatever clock the file names."""
    is_guarded = settings.channel == GUARDED_CHANNEL
    return SystemClock().now() if is_guarded else market_time(settings)


def _is_first(place: Place) -> bool:
    with place.stores.begin() as work:
        return work.configs.newest() is None


def tell_proposal(proposal: Proposal, settings: Settings) -> int:
    """Show what a proposal changes and what becomes of it; give 0 when it is in force, 3 when it waits."""
    _print(proposal.changes)
    config = proposal.config
    if config is None:
        paper().print(say("config.nothing_new"))
        return DONE
    if not proposal.waits:
        paper().print(say("config.in_force", version=config.version))
        return DONE
    due = config.at + settings.approval_delay
    paper().print(say("config.waits", version=config.version, due=due), soft_wrap=True)
    form = f"{settings.public_prefect_url}/deployments?deployment.name=approve-change"
    paper().print(say("config.form", url=form), soft_wrap=True)
    return NOT_ALL_DONE


def _print(changes: Iterable[Change]) -> None:
    rows = [{**row, **_words(row)} for row in _rows(changes)]
    print_table(say("title.changes"), CHANGES, rows)


def _rows(changes: Iterable[Change]) -> list[dict[str, Any]]:
    return [
        {"path": c.path, "before": c.before, "after": c.after, "loosens": c.loosens}
        for c in changes
    ]


def _words(row: dict[str, Any]) -> dict[str, str]:
    """Write values of a document for people: a list as its items."""
    return {
        name: ", ".join(map(str, value)) if isinstance(value, list | tuple) else _word(value)
        for name in ("before", "after")
        for value in (row[name],)
    }


def _word(value: Any) -> str:
    return "-" if value is None else str(value)


def _row(config: ConfigVersion, current: ConfigVersion | None) -> dict[str, Any]:
    return {
        "version": config.version,
        "at": config.at,
        "approved_at": config.approved_at,
        "is_in_force": current is not None and current.version == config.version,
        "commit": config.commit,
        "digest": config.digest,
        "reason": config.reason,
    }


def _app() -> App:
    app = App(name="config", help=say("help.config"), group_arguments=Group(say("group.arguments")))
    for act in (diff, propose, approve, history, rollback):
        app.command(act, name=act.__name__, help=say(f"help.config_{act.__name__}"))
    return app


config: Final = _app()
