"""This is what the relay and the consumers ask of the log that events go to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from adapters.event_stores import OutboxEvent, Partition, WaitingEvent
from trading.errors import MaemaeError


class LogUnavailable(MaemaeError):
    """The log cannot be reached or does not answer; what was to be told waits."""


class Undecodable(MaemaeError):
    """These bytes are no event that this version can read."""


class Record(NamedTuple):
    """One record as it lies in the log; `key` is the symbol."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes

    @property
    def place(self) -> str:
        """Name it for people: topic, partition and offset."""
        return f"{self.topic}:{self.partition}:{self.offset}"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that nobody could use: its bytes as they came, why, and where they lay (offset -1: nowhere yet)."""

    record: Record
    reason: str


class EventWriter(Protocol):
    """Takes events, and dead letters."""

    async def publish(self, events: Sequence[WaitingEvent]) -> Sequence[DeadLetter]:
        """Write events in their order for each key; returns when all are acknowledged.

        What cannot be encoded goes to the dead letters, and is given back.

        Raises:
            LogUnavailable: when not all were acknowledged; telling all again is right, consumers know an event
                by its number.
        """
        ...

    async def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Write dead letters beside the topics that they come from.

        Raises:
            LogUnavailable: when not all were acknowledged.
        """
        ...


class EventReader(Protocol):
    """Reads records of assigned partitions; the offsets are the caller's to keep."""

    def seek(self, offsets: Mapping[Partition, int]) -> None:
        """Go on from these offsets, from 0 where none is named."""
        ...

    async def take(self) -> Mapping[Partition, Sequence[Record]]:
        """Give what has come, by partition and in order; nothing after a short while without anything.

        Raises:
            LogUnavailable: when the log does not answer.
        """
        ...

    def decode(self, record: Record) -> OutboxEvent:
        """Read one record; channel and account are in its payload.

        Raises:
            Undecodable: saying why.
        """
        ...
