"""This is the hand on the simulator: its clock, its faults, its true book, and orders placed by hand."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from mmap import mmap
from typing import Any, Final
from urllib.parse import urlsplit

_MICROSECOND: Final = timedelta(microseconds=1)
_ORIGIN: Final = datetime.fromisoformat("2018-01-01T00:00:00+00:00")
_WIDTH: Final = 8


class SharedClock:
    """The market's time in memory that all processes of a job share: asking costs no round trip."""

    def __init__(self) -> None:
        """Make the memory; processes forked from here see it."""
        self._memory = mmap(-1, _WIDTH)

    def now(self) -> datetime:
        """Give the market's time."""
        return _ORIGIN + int.from_bytes(self._memory[:_WIDTH]) * _MICROSECOND

    def show(self, at: datetime) -> None:
        """Show another time."""
        self._memory[:_WIDTH] = ((at - _ORIGIN) // _MICROSECOND).to_bytes(_WIDTH)


@dataclass(frozen=True, slots=True)
class Hands:
    """The simulator's own door, without the product."""

    url: str
    account: str
    clock: SharedClock

    def advance(self, seconds: float) -> None:
        """Let so much market time pass."""
        self.advance_to(self.clock.now() + timedelta(seconds=seconds))

    def advance_to(self, at: datetime) -> None:
        """Play the market up to `at`; not if another process has just gone further."""
        if at > self.clock.now():
            status, _ = self._call("POST", "/sim/clock", {"advance_to": at.isoformat()})
            if status == http.client.OK:
                self.clock.show(max(at, self.clock.now()))

    def faults(self, table: Mapping[str, Any]) -> None:
        """Let nothing but these faults happen."""
        self._ask("PUT", "/sim/faults", table)

    def order(self, *, symbol: str, side: str, quantity: int, price: int) -> bool:
        """Place an order as the owner does in HTS, a market order for price 0; False if it is refused."""
        document = {"symbol": symbol, "side": side, "quantity": quantity, "price": price}
        status, _ = self._call("POST", "/sim/orders", document | {"account": self.account})
        return status == http.client.OK

    def book(self) -> Mapping[str, Any]:
        """Give what is true of the account."""
        (account,) = self._ask("GET", "/sim/book")["accounts"]
        return dict(account)

    def count_orders(self) -> int:
        """Count the rows that are true, those of cancels included."""
        return len(self.book()["orders"])

    def wait_for_orders(self, count: int) -> None:
        """Wait until so many rows are true; an order that is refused never makes one."""
        for _ in range(50):
            if self.count_orders() >= count:
                return
            time.sleep(0.002)

    def _ask(self, method: str, path: str, document: Mapping[str, Any] | None = None) -> Any:
        status, answer = self._call(method, path, document)
        if status != http.client.OK:
            raise RuntimeError(f"{method} {path}: {status} {answer}")
        return answer

    def _call(
        self, method: str, path: str, document: Mapping[str, Any] | None = None
    ) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        try:
            connection.request(
                method, path, body=None if document is None else json.dumps(document)
            )
            reply = connection.getresponse()
            return reply.status, json.loads(reply.read())
        finally:
            connection.close()
