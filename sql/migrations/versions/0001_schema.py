"""This is schema step 0001: everything of the first version."""

from importlib.resources import files

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Apply the step."""
    op.get_bind().exec_driver_sql(
        files("sql.migrations").joinpath("0001_schema.sql").read_text("utf-8")
    )
