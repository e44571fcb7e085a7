"""This is schema step 0013: events are written as they will be told."""

from importlib.resources import files

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Apply the step."""
    op.get_bind().exec_driver_sql(
        files("sql.migrations").joinpath("0013_event_bodies.sql").read_text("utf-8")
    )
