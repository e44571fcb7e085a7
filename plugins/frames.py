"""This is what crosses between maemae and a foreign strategy: a head of JSON and a block of numbers, never an object."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable, Iterable, Mapping
from select import POLLHUP, POLLIN, POLLOUT, poll
from time import monotonic
from typing import Any, Final

_LENGTHS: Final = struct.Struct("!IQ")
LARGEST_HEAD: Final = 1 << 20
"""Bytes of JSON."""

type Frame = tuple[Mapping[str, Any], memoryview]
type Read = Callable[[memoryview], int]
"""Fills a part of the room from its beginning and tells how much, 0 at the end."""


class BrokenFrame(Exception):
    """What came is no frame, or too large, too late, or cut off; says which."""


def packed(
    head: Mapping[str, Any], block: bytes | memoryview = b""
) -> tuple[bytes, bytes | memoryview]:
    """Write a frame, as two pieces that follow each other."""
    text = json.dumps(head).encode()
    return _LENGTHS.pack(len(text), len(block)) + text, block


def send(pipe: int, frame: Iterable[bytes | memoryview], *, deadline: float) -> None:
    """Write a frame into a non-blocking pipe.

    Raises:
        BrokenFrame: when the other end is gone, or does not read until `deadline`.
    """
    for piece in frame:
        rest = memoryview(piece)
        while rest:
            _await(pipe, POLLOUT, deadline)
            try:
                rest = rest[os.write(pipe, rest) :]
            except OSError:
                raise BrokenFrame("its process ended") from None


def receive(pipe: int, *, deadline: float, largest: int) -> Frame:
    """Read a frame of at most `largest` bytes of block from a non-blocking pipe; not one byte more is read.

    Raises:
        BrokenFrame: when nothing whole has come until `deadline`, or something else has.
    """

    def read(room: memoryview) -> int:
        _await(pipe, POLLIN, deadline)
        return os.readv(pipe, [room])

    return _frame(read, largest)


def receive_patiently(pipe: int) -> Frame:
    """Read a frame from a blocking pipe, of whatever size, as whoever trusts its other end does.

    Raises:
        BrokenFrame: when the other end is gone.
    """
    return _frame(lambda room: os.readv(pipe, [room]), largest=1 << 62)


def _frame(read: Read, largest: int) -> Frame:
    head_size, block_size = _LENGTHS.unpack(_exactly(read, _LENGTHS.size))
    if head_size > LARGEST_HEAD or block_size > largest:
        raise BrokenFrame(f"its answer is too large: {head_size + block_size:,} bytes")
    try:
        head = json.loads(bytes(_exactly(read, head_size)))
    except (ValueError, RecursionError):
        raise BrokenFrame("its answer is not readable") from None
    if not isinstance(head, dict):
        raise BrokenFrame("its answer is not readable")
    return head, _exactly(read, block_size)


def _exactly(read: Read, size: int) -> memoryview:
    room = memoryview(bytearray(size))
    rest = room
    while rest:
        count = read(rest)
        if not count:
            raise BrokenFrame("its process ended")
        rest = rest[count:]
    return room


def _await(pipe: int, event: int, deadline: float) -> None:
    waiter = poll()
    waiter.register(pipe, event | POLLHUP)
    if not waiter.poll(max(0.0, deadline - monotonic()) * 1000):
        raise BrokenFrame("it took too long")
