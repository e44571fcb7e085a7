"""This is schema step 0002: leases, evidence of orders, waiting notices, halts of one symbol."""

from importlib.resources import files

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Apply the step."""
    op.get_bind().exec_driver_sql(
        files("sql.migrations").joinpath("0002_leases.sql").read_text("utf-8")
    )
