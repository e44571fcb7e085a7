"""This is schema step 0010: the levels of market indices."""

from importlib.resources import files

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Apply the step."""
    op.get_bind().exec_driver_sql(
        files("sql.migrations").joinpath("0010_indices.sql").read_text("utf-8")
    )
