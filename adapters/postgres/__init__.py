"""This is maemae's memory in PostgreSQL."""
