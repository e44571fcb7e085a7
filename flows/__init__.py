"""This is the flows: one file, one flow, one story."""
