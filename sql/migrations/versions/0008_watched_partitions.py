"""This is schema step 0008: partitions whose every change is seen."""

from importlib.resources import files

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Apply the step."""
    op.get_bind().exec_driver_sql(
        files("sql.migrations").joinpath("0008_watched_partitions.sql").read_text("utf-8")
    )
