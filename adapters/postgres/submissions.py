"""This is the evidence of orders in PostgreSQL: what was known when each left, how far a search has come."""

from __future__ import annotations

from typing import Final

from psycopg.errors import ForeignKeyViolation
from psycopg.types.json import Jsonb
from sqlalchemy import bindparam, update
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.scope import Scope, adding, asked, columns_of, own, pick
from adapters.postgres.tables import submissions
from adapters.stores import has_submission
from trading.submissions import Search, Submission

_ADD: Final = adding(insert(submissions).on_conflict_do_nothing())
_ONE: Final = asked(
    own(submissions).where(submissions.c.client_order_id == bindparam("client_order_id"))
)


class PostgresSubmissions:
    """Submissions of one account, one for each order that left."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def add(self, submission: Submission) -> None:
        """Write.

        Raises:
            BadInput: when the order has one already.
            LookupError: when the order was never added.
        """
        self._scope.lock_account()
        columns = columns_of(submission, without=("search",)) | columns_of(submission.search)
        columns |= {
            "body": Jsonb(dict(submission.body)),
            "known_numbers": list(submission.known_numbers),
        }
        try:
            is_new = self._scope.changes(_ADD, columns | self._scope.owner) == 1
        except ForeignKeyViolation as error:
            raise LookupError(f"order {submission.client_order_id} was never added") from error
        if not is_new:
            raise has_submission(submission.client_order_id)

    def get(self, client_order_id: str) -> Submission | None:
        """Give one."""
        self._scope.lock_account()
        row = self._scope.row(_ONE, client_order_id=client_order_id)
        if row is None:
            return None
        known = pick(row, Submission) | {"known_numbers": tuple(row.known_numbers)}
        return Submission(**known, search=Search(**pick(row, Search)))

    def note(self, client_order_id: str, search: Search) -> None:
        """Write how far the search has come.

        Raises:
            LookupError: when the order has no submission.
        """
        self._scope.lock_account()
        noted = update(submissions).filter_by(**self._scope.owner, client_order_id=client_order_id)
        if not self._scope.changes(noted, columns_of(search)):
            raise LookupError(f"order {client_order_id} has no submission")
