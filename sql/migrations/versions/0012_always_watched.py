"""This is schema step 0012: triggers of bars that fire whoever writes, and are looked after."""

from importlib.resources import files

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Apply the step."""
    op.get_bind().exec_driver_sql(
        files("sql.migrations").joinpath("0012_always_watched.sql").read_text("utf-8")
    )
