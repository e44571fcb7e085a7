"""This is the command `audit`: who changed what, and the proof that nothing of it was changed afterwards."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any, Final

from cyclopts import App

from deployments.console.accounts import open_account
from deployments.console.halts import DONE
from deployments.console.speech import option, say
from deployments.console.tables import Column, paper, print_json, print_table
from flows.sources import open_audit_file
from trading.audits import AuditRow, Flaw, first_flaw
from trading.configs import APPROVE, PROPOSE, ForgedVersion, first_forged

DOES_NOT_FIT: Final = 1
SHOWN: Final = 100

ROWS: Final = (
    Column("number", "count"),
    Column("at"),
    Column("actor"),
    Column("action"),
    Column("detail"),
)

type AsJson = Annotated[bool, option("json", name="--json")]


def show(*, as_json: AsJson = False) -> None:
    """Show what operators and automatons did, newest first; JSON has every row, with its hashes."""
    with open_account() as account, account.stores.begin() as work:
        rows = work.audit.chain()[::-1]
    if as_json:
        print_json({"channel": account.settings.channel, "rows": [_row(row) for row in rows]})
    else:
        print_table(say("title.audit"), ROWS, [_line(row) for row in rows[:SHOWN]])


def verify(*, as_json: AsJson = False) -> int:
    """Hold every row against its hash, the row before it and the newest hash on disk, and the settings against the rows.

    Gives 1 when one of them does not fit.
    """
    with open_account() as account, account.stores.begin() as work:
        kept = open_audit_file(account.settings)
        mark = kept.read()  # this and the next before the rows: the log goes on meanwhile
        missed = kept.waiting.missed()
        rows, versions = work.audit.chain(), work.configs.all()
    proof = Proof(
        len(rows),
        first_flaw(rows, mark=mark, awaited=missed),
        first_forged(
            versions, ((row.at, row.entry) for row in rows if row.action in {PROPOSE, APPROVE})
        ),
        has_mark=mark is not None,
    )
    if as_json:
        print_json(proof.verdict())
    else:
        _print(proof)
    return DONE if proof.is_whole else DOES_NOT_FIT


@dataclass(frozen=True, slots=True)
class Proof:
    """What does not fit: of the rows, and of the versions that they tell of."""

    count: int
    flaw: Flaw | None
    forged: ForgedVersion | None
    has_mark: bool

    @property
    def is_whole(self) -> bool:
        """Whether all fits."""
        return self.flaw is None and self.forged is None

    def verdict(self) -> dict[str, Any]:
        """Give it as JSON."""
        flaw, forged = self.flaw, self.forged
        return {
            "rows": self.count,
            "is_whole": self.is_whole,
            "is_end_proven": flaw is None and self.has_mark,
            "first_misfit": {"number": flaw.number, "misfit": flaw.misfit} if flaw else None,
            "first_forged": {"version": forged.version, "forgery": forged.forgery}
            if forged
            else None,
        }


def _print(proof: Proof) -> None:
    if flaw := proof.flaw:
        _complain(f"audit.{flaw.misfit}", number=flaw.number)
    if forged := proof.forged:
        _complain(f"audit.forged.{forged.forgery}", version=forged.version)
    if not proof.is_whole:
        return
    paper().print(say("audit.whole", count=proof.count))
    if proof.count and not proof.has_mark:
        _complain("audit.no_mark")


def _complain(key: str, **figures: object) -> None:
    paper(is_error=True).print(say(key, **figures), soft_wrap=True)


def _row(row: AuditRow) -> dict[str, Any]:
    return {
        "number": row.number,
        "at": row.at,
        "actor": row.actor,
        "action": row.action,
        "detail": json.loads(row.detail),
        "before": row.before,
        "digest": row.digest,
    }


def _line(row: AuditRow) -> dict[str, Any]:
    return {**_row(row), "detail": row.detail}


def _app() -> App:
    app = App(name="audit", help=say("help.audit"))
    app.default(show)
    app.command(verify, name="verify", help=say("help.audit_verify"))
    return app


audit: Final = _app()
