"""This is the command of every flow run: it takes a copy of the warm engine, or starts a cold one.

A cold `python -m prefect.engine` imports for two to three seconds before the first line of a flow. The warm
engine (deployments/warm_engine.py) has imported all of it once and is copied by fork. To Prefect this process
is the run: signals go through it, and it ends as the copy ends, violently if need be.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from typing import Any, NoReturn

_FORWARDED = {signal.SIGTERM, signal.SIGINT}


def main() -> NoReturn:
    """Run the flow run that the environment names."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED)  # until we know whom they are for
    try:
        link, copy = _take_copy(os.environ.get("MAEMAE_ENGINE", ""))
    except OSError:  # none there, or it is importing anew
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
        os.execv(sys.executable, (sys.executable, "-m", "prefect.engine"))  # noqa: S606 - our own words
    _accompany(link, copy)


def _take_copy(address: str) -> tuple[socket.socket, int]:
    """Hand over what a process is made of, environment, folder, outputs; give the link and the copy's id."""
    link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    link.connect(address)
    made_of = {"folder": os.getcwd(), "environment": dict(os.environ)}  # noqa: PTH109 - pathlib is slow to import
    socket.send_fds(link, [json.dumps(made_of).encode()], [0, 1, 2])
    words = link.recv(64)
    if not words:
        raise ConnectionResetError
    return link, int(words)


def _accompany(link: socket.socket, copy: int) -> NoReturn:
    def forward(number: int, _frame: Any) -> None:
        os.kill(copy, number)

    for number in _FORWARDED:
        signal.signal(number, forward)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
    try:
        words = link.recv(64)
    except OSError:
        words = b""
    if not words:  # it was killed, and so are we
        os.kill(os.getpid(), signal.SIGKILL)
    sys.exit(int(words))


if __name__ == "__main__":
    main()
