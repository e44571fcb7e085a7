"""This is a run of the fuzzer: so many frames and replies from one seed, each made again by its number."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from random import Random

from tests.fuzz.judges import a_reader, judge_frame, judge_reply
from tests.fuzz.samples import a_broken_reply, a_frame, mutate


@dataclass
class Tally:
    """How many were sent, and of how many something came."""

    frames: int = 0
    events: int = 0
    replies: int = 0
    understood: int = 0

    def __str__(self) -> str:
        """Say it in one line."""
        return (
            f"{self.frames:,} frames, {self.events:,} events; "
            f"{self.replies:,} replies, {self.understood:,} understood; nothing raised, nothing half read"
        )


def fuzz(count: int, *, seed: int) -> Tally:
    """Send `count` broken frames and replies, half of each.

    Raises:
        AssertionError: naming seed and number of the first that was not judged well, with its text.
    """
    logging.disable(logging.WARNING)
    tally, stream = Tally(), a_reader()
    try:
        for number in range(count):
            random = Random(f"{seed}:{number}")  # noqa: S311 - no secret
            text = ""
            try:
                if number % 2:
                    kind, content = a_broken_reply(random)
                    text = f"{kind} {content!r}"
                    status = random.choice((200, 200, 200, 403, 500))
                    tally.replies += 1
                    tally.understood += judge_reply(kind, status, content)
                else:
                    text = mutate(a_frame(random), random)
                    tally.frames += 1
                    tally.events += judge_frame(stream, text)
            except Exception as problem:
                raise AssertionError(f"seed {seed}, number {number}: {text[:2_000]}") from problem
    finally:
        logging.disable(logging.NOTSET)
    return tally
