"""This is schema step 0011: raw prices and the factors of their adjustment."""

from importlib.resources import files

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Apply the step."""
    op.get_bind().exec_driver_sql(
        files("sql.migrations").joinpath("0011_raw_bars.sql").read_text("utf-8")
    )
