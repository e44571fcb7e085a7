"""This is `make chaos`: many runs in which processes die, and the table of what came of them."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from tests.chaos.jobs import a_server, carry_out_all
from tests.chaos.scenarios import draw
from tests.chaos.tables import Results, is_passed, total


def main(words: Sequence[str] | None = None) -> int:
    """Carry out the runs that are asked for; 0 when nothing was wrong."""
    given = _parse(words)
    first, count = given.seed, given.runs
    if count == 1:
        _say(str(draw(first)))
    with a_server() as server:
        pace = carry_out_all(
            range(first, first + count), server=server, jobs=given.jobs, folder=given.out, tell=_say
        )
    results = Results(given.out)
    _say(f"{results.write_tables()}; {pace:.1f} runs/s; {given.out / 'table.md'}")
    return 0 if is_passed(total(results.lines)) else 1


def _parse(words: Sequence[str] | None) -> Namespace:
    parser = ArgumentParser(prog="python -m tests.chaos", description=main.__doc__)
    parser.add_argument("--runs", type=int, default=1, help="how many, one seed each (1)")
    parser.add_argument("--seed", type=int, default=1, help="the first seed (1)")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time (1)")
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
