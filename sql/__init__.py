"""This is the database's own language: migrations, and one query per question of the report."""
