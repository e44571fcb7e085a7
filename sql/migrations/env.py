"""This is what Alembic runs: the steps not yet applied, in one transaction, on the connection it is given."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
