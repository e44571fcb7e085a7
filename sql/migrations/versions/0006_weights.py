"""This is schema step 0006: signals that name a target weight."""

from importlib.resources import files

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Apply the step."""
    op.get_bind().exec_driver_sql(
        files("sql.migrations").joinpath("0006_weights.sql").read_text("utf-8")
    )
