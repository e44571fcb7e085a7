"""This is maemae's memory in PostgreSQL."""

from adapters.postgres.migrations import migrate
from adapters.postgres.stores import PostgresStores

__all__ = ["PostgresStores", "migrate"]
