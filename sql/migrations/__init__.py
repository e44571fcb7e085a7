"""This is how the schema came to be: one numbered step per change, each applied once."""
