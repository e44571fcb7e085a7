"""This is schema step 0005: how long events wait, what consumers took in, what events add up to."""

from importlib.resources import files

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Apply the step."""
    op.get_bind().exec_driver_sql(
        files("sql.migrations").joinpath("0005_events.sql").read_text("utf-8")
    )
