"""This is when flows run: cron expressions as a channel file may write them, checked field by field."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AfterValidator

FIELDS: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
"""Minute, hour, day of the month, month, day of the week."""


def checked(cron: str) -> str:
    """Give a cron expression of five fields of numbers.

    Raises:
        ValueError: saying what it must be.
    """
    fields = cron.split()
    if len(fields) != len(FIELDS) or not all(map(_fits, fields, FIELDS)):
        raise ValueError("minute hour day month weekday as in cron, e.g. 50 7 * * 1-5")
    return " ".join(fields)


def _fits(field: str, bounds: tuple[int, int]) -> bool:
    return all(_is_part(part, *bounds) for part in field.split(","))


def _is_part(part: str, lowest: int, highest: int) -> bool:
    span, slash, step = part.partition("/")
    if slash and not (step.isdecimal() and int(step) > 0):
        return False
    if span == "*":
        return True
    numbers = span.split("-")
    if len(numbers) > len(("first", "last")) or not all(n.isdecimal() for n in numbers):
        return False
    values = [int(number) for number in numbers]
    return lowest <= values[0] <= values[-1] <= highest


type Cron = Annotated[str, AfterValidator(checked)]
