"""This is a process of its own that takes the lease `orders` and acts on it as it is told, for tests that stop it.

It reads one word a line (`take`, then `check`, `write <id>`, `open <id>`, `return`) and answers with one line.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select

from adapters.postgres import PostgresStores, engine
from adapters.stores import Lease
from tests.builders import ACCOUNT, an_order
from trading.errors import MaemaeError

ROOT = Path(__file__).parents[1]


class Holder:
    """The process as a test sees it."""

    def __init__(self, url: str, *, seconds: float) -> None:
        command = [sys.executable, "-m", "tests.lease_holders", url, str(seconds)]
        self.process = subprocess.Popen(  # noqa: S603 - our words
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def tell(self, words: str) -> None:
        """Say something without waiting for the answer."""
        assert self.process.stdin
        self.process.stdin.write(f"{words}\n")

    def hear(self) -> str:
        """Wait for an answer."""
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def ask(self, words: str) -> str:
        """Say something and wait for the answer."""
        self.tell(words)
        return self.hear()

    def is_silent(self, *, seconds: float) -> bool:
        """Tell whether no answer comes for so long."""
        assert self.process.stdout
        return not select([self.process.stdout], [], [], seconds)[0]

    def stop(self) -> None:
        """Make it stand still."""
        self.process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it in whatever it does."""
        self.process.kill()
        self.process.wait()


@contextmanager
def holders(url: str, *, count: int = 1, seconds: float = 60) -> Iterator[tuple[Holder, ...]]:
    """Start processes that are ready to take; kill those that are left."""
    started = tuple(Holder(url, seconds=seconds) for _ in range(count))
    try:
        assert [each.hear() for each in started] == ["ready"] * count
        yield started
    finally:
        for each in started:
            each.kill()
            for pipe in (each.process.stdin, each.process.stdout):
                assert pipe
                pipe.close()


def _live(url: str, seconds: float) -> None:
    # The database ends an idle transaction long before a lease is taken over; so here.
    engine.CONNECT["options"] = engine.SESSION.replace("=30s", f"={int(seconds * 500)}ms")
    stores = PostgresStores(url, channel="dev", account=ACCOUNT, lease_seconds=seconds)
    _say("ready")
    for _ in iter(_read, []):
        with stores.lease("orders") as lease:
            _say("nothing" if lease is None else f"{lease.token} {lease.needs_recovery}")
            if lease:
                _hold(lease)
                lease.recovered()
        _say("returned")


def _hold(lease: Lease) -> None:
    for words in iter(_read, ["return"]):
        try:
            _act(lease, *words)
        except MaemaeError as error:
            _say(type(error).__name__)


def _act(lease: Lease, act: str, client_order_id: str = "") -> None:
    if act == "check":
        lease.check()
        _say("held")
        return
    with lease.begin() as work:
        work.orders.add(an_order(client_order_id=client_order_id))
        if act == "open":
            _say("inside")
            _read()
    _say("written")


def _read() -> list[str]:
    return sys.stdin.readline().split()


def _say(words: str) -> None:
    print(words, flush=True)  # noqa: T201 - that is its answer


if __name__ == "__main__":
    _live(sys.argv[1], float(sys.argv[2]))
