"""This is what maemae leans on, asked whether it answers: the market's clock, database, Prefect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import httpx

from deployments.console.faults import NoAnswer, sentence_of
from flows.settings import Settings
from trading.errors import MaemaeError

PATIENCE: Final = 2.0
"""Seconds that Prefect's API may take to answer."""


@dataclass(frozen=True, slots=True)
class Answer[T]:
    """What a service answered, or the error instead."""

    service: str
    value: T | None = None
    error: MaemaeError | None = None

    def row(self) -> dict[str, Any]:
        """Tell it as a row."""
        message = sentence_of(self.error) if self.error else ""
        return {"service": self.service, "is_reachable": self.error is None, "message": message}


def ask[T](service: str, question: Callable[[], T]) -> Answer[T]:
    """Ask; an expected error becomes part of the answer."""
    try:
        return Answer(service, question())
    except MaemaeError as error:
        return Answer(service, error=error)


def check_prefect(settings: Settings) -> str:
    """Give the address of Prefect's API once it answers.

    Raises:
        NoAnswer: when it does not.
    """
    url = f"{settings.public_prefect_url}/api"
    try:
        httpx.get(f"{url}/health", timeout=PATIENCE).raise_for_status()
    except httpx.HTTPError as error:
        raise NoAnswer(f"{url}: {error}") from None
    return url
