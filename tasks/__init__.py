"""This is the tasks: one act each, on values and protocols."""
