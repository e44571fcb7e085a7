"""This is the broker's clock: the `Date` that comes with every reply, held against this computer's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from adapters.clock import Clock, SystemClock

_ASKED_AT: Final = "maemae.asked_at"
_SECOND: Final = timedelta(seconds=1)
_NONE: Final = timedelta()


class DateHeaders:
    """`BrokerClock` over HTTP. It costs no call of its own: every reply to anything says the time.

    The header has whole seconds and was written somewhere between question and reply, so that an offset is known
    up to a second and the time of the round trip; of what is possible the smallest counts.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        """Hold the headers against `clock`, the computer's if none is given."""
        self._clock = clock or SystemClock()
        self._offset: timedelta | None = None

    def offset(self) -> timedelta | None:
        """Give how far the broker was ahead at its last reply, at least; None before the first."""
        return self._offset

    @property
    def hooks(self) -> dict[str, list[Callable[..., Any]]]:
        """The event hooks of an httpx client that make it listen."""
        return {"request": [self._ask], "response": [self._hear]}

    async def _ask(self, request: httpx.Request) -> None:
        request.extensions[_ASKED_AT] = self._clock.now()

    async def _hear(self, response: httpx.Response) -> None:
        told = _moment(response.headers.get("Date", ""))
        if told is not None:
            asked_at = response.request.extensions[_ASKED_AT]
            self._offset = _smallest(told - self._clock.now(), told + _SECOND - asked_at)


def _smallest(lowest: timedelta, highest: timedelta) -> timedelta:
    """Give what is nearest to nothing between two offsets."""
    return lowest if lowest > _NONE else min(highest, _NONE)


def _moment(text: str) -> datetime | None:
    try:
        told = parsedate_to_datetime(text)
    except ValueError:
        return None
    return told if told.tzinfo else None
