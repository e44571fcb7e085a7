"""This is how the property tests let Hypothesis run a state machine."""

from __future__ import annotations

from typing import Final

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

STEPS_OF_A_RUN: Final = 50


def make_runs(machine: type[RuleBasedStateMachine], steps: int) -> None:
    """Make about so many steps; of a failure it prints the steps, cut down, and the blob that repeats it."""
    runs = settings(
        max_examples=-(-steps // STEPS_OF_A_RUN),
        stateful_step_count=STEPS_OF_A_RUN,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    run_state_machine_as_test(machine, settings=runs)
