"""This is what the processors do between two steps of a stop: they stay awake."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LATENCY = Path("/dev/cpu_dma_latency")
"""Linux lets who holds this file open say how long, in us, a processor may take to wake up (PM QoS, CPU latency)."""


@contextmanager
def awake() -> Iterator[None]:
    """Let no processor of this machine sleep in the block: a stop waits for some 30 answers, and each wakes one up.

    Where the file is not there or not ours to write, nothing changes. With the process the wish ends, too.
    """
    device = -1
    with suppress(OSError):
        device = os.open(LATENCY, os.O_WRONLY)
    try:
        if device >= 0:
            with suppress(OSError):
                os.write(device, bytes(4))
        yield
    finally:
        if device >= 0:
            os.close(device)
