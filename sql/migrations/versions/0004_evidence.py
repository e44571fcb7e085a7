"""This is schema step 0004: the evidence that promotions ask for."""

from importlib.resources import files

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Apply the step."""
    op.get_bind().exec_driver_sql(
        files("sql.migrations").joinpath("0004_evidence.sql").read_text("utf-8")
    )
