"""This is `make fuzz`: a million broken frames and replies, none of which may raise or be half read."""

from __future__ import annotations

import argparse
import sys
from random import Random

from tests.fuzz.runs import fuzz


def main() -> None:
    """Fuzz as many as asked, and say what came of them; the seed and number of a failure make it again."""
    words = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    words.add_argument("--frames", type=int, default=1_000_000)
    words.add_argument("--seed", type=int, default=Random().randrange(2**32))  # noqa: S311 - printed
    asked = words.parse_args()
    sys.stdout.write(f"seed {asked.seed}\n")
    tally = fuzz(asked.frames, seed=asked.seed)
    sys.stdout.write(f"{tally}\n")


if __name__ == "__main__":
    main()
