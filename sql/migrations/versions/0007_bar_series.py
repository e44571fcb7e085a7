"""This is schema step 0007: a version of each series of bars."""

from importlib.resources import files

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Apply the step."""
    op.get_bind().exec_driver_sql(
        files("sql.migrations").joinpath("0007_bar_series.sql").read_text("utf-8")
    )
