"""This is a broker that speaks Kafka's protocol, of a process of its own: it can be stopped and started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path

from adapters.kafka.settings import KafkaSettings

START_SECONDS = 10
SETTLE_SECONDS = 0.1
"""For a broker to answer what its clients have sent before they were paused."""


class Broker:
    """noida-db with nothing but Kafka on; its log is on disk after an orderly end."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, _free_port()
        folder.parent.mkdir(parents=True, exist_ok=True)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> KafkaSettings:
        """How to reach it."""
        return KafkaSettings(kafka_bootstrap=f"127.0.0.1:{self.port}")

    def start(self) -> None:
        """Start it and wait until it listens."""
        program = files("noida_db").joinpath("noida-db")
        Path(str(program)).chmod(0o755)
        words = [str(program), "start", "--data-dir", str(self.folder), "--only", "kafka"]
        with (self.folder.parent / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own words
                [*words, "--kafka-port", str(self.port)], stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_SECONDS
        while not _listens(self.port):
            assert self._process.poll() is None, "the broker has ended"
            assert time.monotonic() < deadline, "the broker does not listen"
            time.sleep(0.02)

    def stop(self, producer: int | None = None) -> None:
        """End it in order; `producer` is the process that is telling it something, paused meanwhile.

        It acknowledges what comes while it writes its log, and forgets it: no broker for anybody's money.
        """
        if self._process is None:
            return
        with paused(producer):
            self._process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Let it hang: connections stay open, nothing is answered."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)
        os.waitpid(
            self._process.pid, os.WUNTRACED
        )  # on a busy machine a thread may run on for a while

    def resume(self) -> None:
        """Let it go on."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)


@contextmanager
def a_broker(folder: Path) -> Iterator[Broker]:
    """Run a broker with an empty log."""
    broker = Broker(folder / "kafka")
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


@contextmanager
def paused(process: int | None) -> Iterator[None]:
    """Let a process stand still, if one is named, once it has its answers."""
    if process is None:
        yield
        return
    os.kill(process, signal.SIGSTOP)
    try:
        time.sleep(SETTLE_SECONDS)
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
