"""This is what listens in while something is measured: bytes on the wire, calls to the broker, commits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Final
from unittest.mock import patch

import httpx
from sqlalchemy import Engine, event

_SENT: Final = "http11.send_request_body.complete"
_ORDER_PATH: Final = "order-cash"


@dataclass(slots=True)
class Probe:
    """What happened when, on the clock of `perf_counter`."""

    order_sent: list[float] = field(default_factory=list)
    """When the last byte of an order had been written."""
    reads: list[tuple[float, float]] = field(default_factory=list)
    """When each other call to the broker began and had its answer."""
    commits: list[float] = field(default_factory=list)
    """When each transaction ended well."""

    def clear(self) -> None:
        """Forget what was heard."""
        for heard in (self.order_sent, self.reads, self.commits):
            heard.clear()


@contextmanager
def listening() -> Iterator[Probe]:
    """Listen to every HTTP call and every commit of this process, beside whoever listens already."""
    probe = Probe()
    sending = httpx.AsyncHTTPTransport.handle_async_request

    async def handle(transport: Any, request: httpx.Request) -> httpx.Response:
        is_order = _ORDER_PATH in request.url.path
        request.extensions = {**request.extensions, "trace": _both(request, probe, is_order)}
        began = perf_counter()
        response = await sending(transport, request)
        if not is_order:
            probe.reads.append((began, perf_counter()))
        return response

    def committed(_: Any) -> None:
        probe.commits.append(perf_counter())

    event.listen(Engine, "commit", committed)
    try:
        with patch.object(httpx.AsyncHTTPTransport, "handle_async_request", handle):
            yield probe
    finally:
        event.remove(Engine, "commit", committed)


def _both(request: httpx.Request, probe: Probe, is_order: bool) -> Any:  # noqa: FBT001 - private
    theirs = request.extensions.get("trace")

    async def trace(name: str, info: Mapping[str, Any]) -> None:
        if theirs is not None:
            await theirs(name, info)
        if is_order and name == _SENT:
            probe.order_sent.append(perf_counter())

    return trace
