"""This is the command `audit`: who changed what, and the proof that nothing of it was changed afterwards."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final

from cyclopts import App

from deployments.console.accounts import open_account
from deployments.console.halts import DONE
from deployments.console.speech import option, say
from deployments.console.tables import Column, paper, print_json, print_table
from flows.sources import open_audit_file
from trading.audits import AuditMark, AuditRow, Flaw, first_flaw

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
    """Hold every row against its hash, the row before it, and the newest hash kept on disk; give 1 when one fails."""
    with open_account() as account, account.stores.begin() as work:
        rows = work.audit.chain()
        mark = open_audit_file(account.settings).read()
    flaw = first_flaw(rows, mark=mark)
    if as_json:
        print_json(_verdict(rows, flaw, mark))
    else:
        _print(len(rows), flaw, mark)
    return DOES_NOT_FIT if flaw else DONE


def _print(count: int, flaw: Flaw | None, mark: AuditMark | None) -> None:
    if flaw:
        words = say(f"audit.{flaw.misfit}", number=flaw.number)
        paper(is_error=True).print(words, soft_wrap=True)
        return
    paper().print(say("audit.whole", count=count))
    if mark is None and count:
        paper(is_error=True).print(say("audit.no_mark"), soft_wrap=True)


def _verdict(
    rows: tuple[AuditRow, ...], flaw: Flaw | None, mark: AuditMark | None
) -> dict[str, Any]:
    return {
        "rows": len(rows),
        "is_whole": flaw is None,
        "is_end_proven": flaw is None and mark is not None,
        "first_misfit": {"number": flaw.number, "misfit": flaw.misfit} if flaw else None,
    }


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
