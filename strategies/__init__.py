"""This is what decides: pure functions from bars to entries and exits, the same in research and live."""
