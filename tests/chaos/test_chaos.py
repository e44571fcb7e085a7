"""This is chaos in small: some of the 500 runs that CI makes beside the tests, and the mutants that they must catch.

Each test starts the command anew, because processes must be forked from one without threads and event loops.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tests.chaos.mutants import MUTANTS
from tests.chaos.scenarios import FAULTS, SPOTS, draw
from tests.chaos.tables import Results, is_passed, never_sprung, total

SEEDS: Final = range(7, 9)
REPLAYED: Final = 7


def chaos(*words: str) -> str:
    """Carry out the command; give what it said, whatever the outcome."""
    command = (sys.executable, "-m", "tests.chaos", *words)
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our words
    return done.stdout + done.stderr


@pytest.mark.timeout(600)
def test_a_handful_of_runs_is_right_and_a_seed_replays_identically(tmp_path: Path) -> None:
    def played(name: str, first: int, runs: int) -> dict[int, Mapping[str, Any]]:
        folder = tmp_path / name
        said = chaos("--seed", str(first), "--runs", str(runs), "--out", str(folder))
        lines = Results(folder).lines
        assert len(lines) == runs, said
        table = (folder / "table.md").read_text(encoding="utf-8")
        assert is_passed(total(lines)), f"{said}\n{table[table.index('- seed') :]}"
        measured = {"seconds", "notes"}
        return {line["seed"]: {key: line[key] for key in line.keys() - measured} for line in lines}

    together = played("together", SEEDS.start, len(SEEDS))
    assert played("alone", REPLAYED, 1) == {REPLAYED: together[REPLAYED]}


@pytest.mark.timeout(600)
def test_every_mutant_is_caught(tmp_path: Path) -> None:
    said = chaos("--mutants", "--out", str(tmp_path))
    caught = {line.partition(":")[0] for line in said.splitlines() if ": caught in run" in line}
    assert caught == {mutant.name for mutant in MUTANTS}, said


def test_a_step_at_which_nobody_died_is_named() -> None:
    died = [{"spot": str(spot), "was_sprung": True} for spot in SPOTS]
    assert never_sprung(died) == ()
    asleep = {**died[0], "was_sprung": False}
    assert never_sprung([asleep, *died[1:]]) == (died[0]["spot"],)


def test_a_seed_draws_the_same_run_every_time() -> None:
    assert [draw(seed) for seed in range(50)] == [draw(seed) for seed in range(50)]


def test_every_step_fault_and_act_is_drawn() -> None:
    drawn = [draw(seed) for seed in range(3_000)]
    assert {spot for scenario in drawn for spot in scenario.spots} == set(SPOTS)
    assert {scenario.fault for scenario in drawn} == set(FAULTS)
    assert {len(scenario.spots) for scenario in drawn} == {1, 2}
    assert {scenario.copies for scenario in drawn} == {1, 2}
    assert {word for scenario in drawn for word in scenario.adversary} == {
        *("commit", "send", "reply", "death")
    }


def test_a_finished_run_is_not_repeated_and_half_a_line_is_none(tmp_path: Path) -> None:
    line = {"seed": 1, "spot": "after order sent", "fault": "none", "was_sprung": True}
    columns = dict.fromkeys(
        ("duplicates", "losses", "wrong_bindings", "unresolved", "blocked", "problem"), ""
    )
    whole = json.dumps(line | columns)
    (tmp_path / "results.jsonl").write_text(f"{whole}\n{whole[:40]}", encoding="utf-8")
    assert [found["seed"] for found in Results(tmp_path).lines] == [1]
