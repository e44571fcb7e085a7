"""This is schema step 0009: the day on which a symbol is delisted."""

from importlib.resources import files

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Apply the step."""
    op.get_bind().exec_driver_sql(
        files("sql.migrations").joinpath("0009_delistings.sql").read_text("utf-8")
    )
