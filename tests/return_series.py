"""This is equity curves from one seed, with all that makes a metric odd: idle days, crashes, no loss at all."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

SEED = 20261122
START = 100_000_000


def equity_curves(count: int, seed: int = SEED) -> Iterator[tuple[int, ...]]:
    """Give `count` curves in won, from 3 to 1,200 days long."""
    random = Random(seed)  # noqa: S311 - not for secrets
    for number in range(count):
        days = random.choice((3, 5, 20, 60, 245, 1200))
        idle = random.choice((0.0, 0.0, 0.5, 0.95))
        drift = random.choice((-0.001, 0.0, 0.0005))
        is_rising = number % 10 == 9
        yield _curve(random, days, idle=idle, drift=drift, is_rising=is_rising)


def _curve(
    random: Random, days: int, *, idle: float, drift: float, is_rising: bool
) -> tuple[int, ...]:
    values = [START]
    for _ in range(days):
        move = 0.0 if random.random() < idle else random.gauss(drift, 0.015)
        if random.random() < 0.002:
            move = -0.4
        values.append(max(round(values[-1] * (1 + (abs(move) if is_rising else move))), 1))
    return tuple(values)
