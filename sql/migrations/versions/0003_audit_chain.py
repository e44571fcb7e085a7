"""This is schema step 0003: the audit log as a chain, versions that wait for approval, versions behind orders."""

from importlib.resources import files

from alembic import op
from sqlalchemy import Connection, text

from trading.audits import BEGINNING, AuditRow

revision = "0003"
down_revision = "0002"

_ROWS = """
    SELECT audit_id, channel, account, actor, action, detail::text AS detail, at
    FROM audit ORDER BY channel, account, audit_id
"""
_SEAL = "UPDATE audit SET number = :number, before = :before, digest = :digest WHERE audit_id = :id"


def upgrade() -> None:
    """Apply the step."""
    connection = op.get_bind()
    connection.exec_driver_sql(_script("0003_audit_chain.sql"))
    _chain(connection)
    connection.exec_driver_sql(_script("0003_audit_seal.sql"))


def _chain(connection: Connection) -> None:
    """Chain the rows that there are, in the order in which they were written."""
    newest: dict[tuple[str, str], AuditRow] = {}
    for stored in connection.execute(text(_ROWS)).mappings().all():
        columns = dict(stored)
        audit_id = columns.pop("audit_id")
        before = newest.get((stored["channel"], stored["account"]))
        row = AuditRow(number=before.number + 1 if before else 1, **columns)
        row = row.sealed(before.digest if before else BEGINNING)
        figures = {"number": row.number, "before": row.before, "digest": row.digest}
        connection.execute(text(_SEAL), {"id": audit_id, **figures})
        newest[row.channel, row.account] = row


def _script(name: str) -> str:
    return files("sql.migrations").joinpath(name).read_text("utf-8")
