"""This is `make chaos`: many runs in which processes die, and the table of what came of them."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import Final

from tests.chaos.jobs import Job, a_server, carry_out_all
from tests.chaos.mutants import MUTANTS, Mutant
from tests.chaos.scenarios import draw
from tests.chaos.tables import Results, is_passed, never_sprung, total

ENOUGH: Final = 500
"""So many runs must have met a death before and after every step."""


def main(words: Sequence[str] | None = None) -> int:
    """Carry out the runs that are asked for; 0 when nothing was wrong."""
    given = _parse(words)
    with a_server() as server:
        return _hunt(server, given.out) if given.mutants else _run(server, given)


def _run(server: str, given: Namespace) -> int:
    if given.runs == 1:
        _say(str(draw(given.seed)))
    seeds = range(given.seed, given.seed + given.runs)
    pace = carry_out_all(
        seeds,
        server=server,
        jobs=given.jobs,
        folder=given.out,
        tell=_say,
        seconds=given.seconds,
    )
    results = Results(given.out)
    _say(f"{results.write_tables()}; {pace:.1f} runs/s; {given.out / 'table.md'}")
    lines = {line["seed"]: line for line in results.lines}
    missing = sum(seed not in lines for seed in seeds)
    if missing:
        _say(f"{missing} runs are left: run again to go on")
    is_complete = not missing or (bool(lines) and given.seconds < inf)
    never = never_sprung(results.lines) if len(lines) >= ENOUGH else ()
    for spot in never:
        _say(f"nobody died {spot}")
    return 0 if is_complete and not never and is_passed(total(results.lines)) else 1


def _hunt(server: str, folder: Path) -> int:
    """Let every mutant loose; 0 when each was caught."""
    job = Job(server, "mutants", folder)
    survivors = [mutant.name for mutant in MUTANTS if not _is_caught(job, mutant)]
    return 1 if survivors else 0


def _is_caught(job: Job, mutant: Mutant) -> bool:
    for number, scenario in enumerate(mutant.scenarios(), start=1):
        verdict = job.carry_out(scenario, mutant.apply)
        if not verdict.is_right:
            found = verdict.duplicates + verdict.losses + verdict.wrong_bindings + verdict.blocked
            told = (*found, verdict.problem)[0]
            _say(f"{mutant.name}: caught in run {number} (seed {scenario.seed}): {told}")
            return True
    _say(f"{mutant.name}: NOT CAUGHT in {mutant.limit} runs")
    return False


def _parse(words: Sequence[str] | None) -> Namespace:
    parser = ArgumentParser(prog="python -m tests.chaos", description=main.__doc__)
    parser.add_argument("--runs", type=int, default=1, help="how many, one seed each (1)")
    parser.add_argument("--seed", type=int, default=1, help="the first seed (1)")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time (1)")
    parser.add_argument("--seconds", type=float, default=inf, help="begin none after so many (all)")
    parser.add_argument("--mutants", action="store_true", help="test the test instead")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(".maemae/chaos"),
        help="finished runs are kept there and not repeated (.maemae/chaos)",
    )
    return parser.parse_args(words)


def _say(words: str) -> None:
    print(words, flush=True)  # noqa: T201 - the command's voice


if __name__ == "__main__":
    sys.exit(main())
