"""This is the programs of the stack, put together: Prefect's server, worker, warm engine, and the relay."""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import httpx

from deployments.doors import Door
from deployments.environments import (
    engine_environment,
    plain_environment,
    server_environment,
    worker_environment,
)
from deployments.processes import Program


def prefect_server(home: Path, *, door: Door, database_url: str, is_scheduling: bool) -> Program:
    """Put Prefect's server together, listening at its door; its command line would cost seconds."""
    environment = server_environment(
        home, door=door, database_url=database_url, is_scheduling=is_scheduling
    )
    words = ["-m", "uvicorn", "--factory", "prefect.server.api.server:create_app"]
    words += ["--host", str(door.host), "--port", str(door.port), "--log-level", "warning"]
    return _python("prefect-server", words, environment, home, f"{door.api_url}/ready")


def worker(home: Path, *, door: Door, variables: Mapping[str, str]) -> Program:
    """Put the worker together; `variables` are what every flow run sees of ours."""
    port = free_port()
    environment = worker_environment(home, door=door, health_port=port, variables=variables)
    url = f"http://127.0.0.1:{port}/health"
    return _python("worker", ["-m", "deployments.worker"], environment, home, url)


def warm_engine(home: Path, address: str) -> Program:
    """Put the warm engine together, listening at a socket."""
    words = (sys.executable, "-m", "deployments.warm_engine", address)
    log = home / "logs" / "engine.log"
    return Program("engine", words, engine_environment(home), log, Path(address).exists)


def relay(home: Path, *, variables: Mapping[str, str]) -> Program:
    """Put the relay together."""
    log, words = home / "logs" / "relay.log", (sys.executable, "-m", "deployments.relay")
    return Program("relay", words, plain_environment() | dict(variables), log)


def free_port() -> int:
    """Return a port of this machine that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether nobody listens at `port` of this machine."""
    try:
        socket.create_server((host, port)).close()
    except OSError:
        return False
    return True


def _python(
    name: str, words: list[str], environment: Mapping[str, str], home: Path, url: str
) -> Program:
    log = home / "logs" / f"{name}.log"
    return Program(name, (sys.executable, *words), environment, log, lambda: _answers(url))


@cache
def _plain_http() -> httpx.Client:
    """Open one client for all polls: each new one would read every certificate of the machine again."""
    return httpx.Client(timeout=2, trust_env=False)


def _answers(url: str) -> bool:
    """Tell whether `url` answers well within two seconds."""
    try:
        return _plain_http().get(url).is_success
    except httpx.HTTPError:
        return False
