"""This is every protocol in memory: for tests and dry runs."""
