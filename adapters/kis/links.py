"""This is one connection to the KIS socket: what it has been asked, what was answered, and how long to be patient."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import datetime
from random import uniform
from typing import Final

from adapters.clock import Clock
from adapters.kis.backlogs import Backlog
from adapters.kis.frames import TRADES, Cipherment
from adapters.market_data import Connected, Unreadable
from trading.errors import BrokerError
from trading.instruments import Symbol

_LOG = logging.getLogger(__name__)

SUBSCRIBED: Final = frozenset({"OPSP0000", "OPSP0002"})
HARMLESS: Final = frozenset({"", "OPSP0001", "OPSP0003"})
FULL: Final = "OPSP0008"
WRONG_KEY_OF_ONE: Final = frozenset({"OPSP8992", "OPSP8993", "OPSP9990"})
APPROVAL_REFUSED: Final = frozenset({"OPSP0011", "OPSP9994"})
OCCUPIED: Final = "OPSP8996"
WRONG_KEYS: Final = frozenset({"OPSP0010", "OPSP8994", "OPSP8995"})
WRONG_CALL: Final = frozenset(
    {
        *("OPSP8991", "OPSP8992", "OPSP8993", "OPSP8997", "OPSP8998", "OPSP9990", "OPSP9991"),
        *("OPSP9992", "OPSP9995", "OPSP9996", "OPSP9997", "OPSP9998", "OPSP9999"),
    }
)
"""Whatever code is in none of these sets is a trouble of the moment: connect again."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait between connections, in seconds. KIS blocks customers who connect without end.

    After `breaker_after` failures in a row there is one attempt per `breaker` seconds. A connection that stood for
    `stable` seconds was no failure. `occupied`: the broker still holds an earlier session of this appkey.
    """

    first: float = 1
    longest: float = 60
    occupied: float = 40
    breaker: float = 300
    breaker_after: int = 6
    stable: float = 60
    answers: float = 10

    def pause(self, failures: int, problem: BaseException | None) -> float:
        """Return how long to wait after so many failures in a row, with jitter."""
        seconds = min(self.longest, self.first * 2.0**failures)
        if isinstance(problem, BrokerError) and problem.code == OCCUPIED:
            seconds = max(seconds, self.occupied)
        if failures >= self.breaker_after:
            seconds = self.breaker
        return seconds * uniform(0.75, 1.25)  # noqa: S311 - jitter, no secret


PATIENCE: Final = Patience()


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it came; `at` is told of notices only, since asking a simulator's clock takes a while."""

    text: str
    ciphers: dict[str, Cipherment]
    at: datetime | None = None


type Queue = Backlog[Received | Connected | Unreadable | None, Received]


@dataclass(slots=True)
class Link:
    """One connection: what is still to be answered, and the keys of its encrypted records.

    Once it has said `Connected` everything asked at first was answered.
    """

    queue: Queue
    clock: Clock
    notices: list[tuple[str, str]]
    asked: set[Symbol] = field(default_factory=set)
    heard: set[Symbol] = field(default_factory=set)
    refused: set[Symbol] = field(default_factory=set)
    waiting: set[tuple[str, str]] = field(default_factory=set)
    ciphers: dict[str, Cipherment] = field(default_factory=dict)
    is_up: asyncio.Event = field(default_factory=asyncio.Event)

    def answer(self, tr_id: str, tr_key: str) -> None:
        """Take note that a registration was answered; the last one makes the connection complete."""
        self.waiting.discard((tr_id, tr_key))
        if not self.waiting:
            self.complete()

    def take_up(self, tr_id: str, tr_key: str) -> None:
        """Take note that a registration holds."""
        if tr_id == TRADES:
            self.heard |= {symbol for symbol in self.asked if symbol == tr_key}
        self.answer(tr_id, tr_key)

    def go_without(self, tr_key: str, *, for_good: bool) -> None:
        """Take note that no prices of a symbol come, `for_good` that it need not be asked for again."""
        refused = {symbol for symbol in self.asked if symbol == tr_key}
        self.asked -= refused
        if for_good:
            self.refused |= refused
        self.answer(TRADES, tr_key)

    def wait_for_asked(self) -> None:
        """Wait for no prices that were not asked for after all."""
        for tr_id, tr_key in tuple(self.waiting):
            if tr_id == TRADES and tr_key not in self.asked:
                self.answer(tr_id, tr_key)

    def complete(self) -> None:
        """Tell once that the connection is up."""
        if not self.is_up.is_set():
            self.is_up.set()
            _LOG.info("the stream is up")
            self.queue.put(Connected(self.clock.now()))
