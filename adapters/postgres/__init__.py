"""This is maemae's memory in PostgreSQL."""

from adapters.postgres.stores import PostgresStores

__all__ = ["PostgresStores"]
