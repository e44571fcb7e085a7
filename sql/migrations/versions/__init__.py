"""This is the list of steps, in the order that each names the one before it."""
