"""This is running it: the stack, its registration with Prefect, the demo, and the operator's console."""
