"""This is the one live connection to KIS: prints and notices, reconnecting with backoff, never replayed.

The receive loop does nothing but put text on a queue and answer pings: bursts at the open are larger than any
buffer. Reading and deciphering is done where events are taken. A notice that cannot be read yields `Connected`
too, because whoever gets that asks the broker's book, and no fill is lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from random import uniform
from time import monotonic
from typing import Final

from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from adapters.clock import Clock
from adapters.kis.auth import Auth
from adapters.kis.frames import (
    NOTICES_PAPER,
    NOTICES_REAL,
    PING,
    TRADES,
    BadFrame,
    Cipherment,
    Control,
    Frame,
    account_of,
    read_message,
    read_notice,
    read_trade,
    records,
    registration,
)
from adapters.kis.settings import KisSettings
from adapters.market_data import Connected, StreamEvent
from trading.errors import BrokerError, Rejected, Throttled, Unauthorized, Unavailable
from trading.instruments import Symbol

_LOG = logging.getLogger(__name__)
_SOCKET_LOG = logging.getLogger(f"{__name__}.socket")
# Below INFO the library tells every message, and those that register hold the approval key.
_SOCKET_LOG.setLevel(logging.INFO)

_PATH: Final = "/tryitout"
_LARGEST_MESSAGE: Final = 4 * 1024 * 1024
_LONGEST_QUEUE: Final = 1024
_ACCOUNT_WIDTH: Final = 10
_HEAD: Final = 12
"""Characters in which flag and TR id of a data frame stand."""

_SUBSCRIBED: Final = frozenset({"OPSP0000", "OPSP0002"})
_HARMLESS: Final = frozenset({"", "OPSP0001", "OPSP0003"})
_FULL: Final = "OPSP0008"
_WRONG_KEY_OF_ONE: Final = frozenset({"OPSP8992", "OPSP8993", "OPSP9990"})
_APPROVAL_REFUSED: Final = frozenset({"OPSP0011", "OPSP9994"})
_OCCUPIED: Final = "OPSP8996"
_WRONG_KEYS: Final = frozenset({"OPSP0010", "OPSP8994", "OPSP8995"})
_WRONG_CALL: Final = frozenset(
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
        if isinstance(problem, BrokerError) and problem.code == _OCCUPIED:
            seconds = max(seconds, self.occupied)
        if failures >= self.breaker_after:
            seconds = self.breaker
        return seconds * uniform(0.75, 1.25)  # noqa: S311 - jitter, no secret


@dataclass(frozen=True, slots=True)
class _Received:
    """A message as it came; `at` is told of notices only, since asking a simulator's clock takes a while."""

    text: str
    ciphers: dict[str, Cipherment]
    at: datetime | None


type _Queue = asyncio.Queue[_Received | Connected | None]


@dataclass(slots=True)
class _Link:
    """One connection: what is still to be answered, and the keys of its encrypted records.

    What stands in the queue behind its `Connected` came when everything was subscribed.
    """

    queue: _Queue
    clock: Clock
    waiting: set[tuple[str, str]]
    ciphers: dict[str, Cipherment] = field(default_factory=dict)
    is_full: bool = False
    is_up: asyncio.Event = field(default_factory=asyncio.Event)

    def answer(self, tr_id: str, tr_key: str) -> None:
        """Take note that a registration was answered; the last one makes the connection complete."""
        self.waiting.discard((tr_id, tr_key))
        if not self.waiting:
            self.complete()

    def complete(self) -> None:
        """Tell once that the connection is up."""
        if not self.is_up.is_set():
            self.is_up.set()
            _LOG.info("the stream is up")
            self.queue.put_nowait(Connected(self.clock.now()))


class KisStream:
    """`MarketStream` over the KIS socket. One at a time per appkey: KIS refuses a second one."""

    def __init__(
        self,
        settings: KisSettings,
        *,
        auth: Auth,
        clock: Clock,
        patience: Patience = Patience(),
    ) -> None:
        self._settings = settings
        self._auth = auth
        self._clock = clock
        self._patience = patience
        self._approval_key = SecretStr("")
        self._queue: _Queue = asyncio.Queue()
        self._notices = NOTICES_PAPER if settings.is_paper else NOTICES_REAL
        self.dropped = 0
        """Frames and records that could not be read, since the start."""

    @property
    def backlog(self) -> int:
        """Messages received and not yet taken."""
        return self._queue.qsize()

    async def events(self, symbols: Sequence[Symbol]) -> AsyncGenerator[StreamEvent]:
        """Yield prints and notices for ever; `Connected` after each (re)connect, when all is subscribed.

        Raises:
            Unauthorized: when keys or HTS login are refused: connecting again would not help.
            Rejected: when the broker calls our registrations wrong.
        """
        queue: _Queue = asyncio.Queue()
        self._queue = queue
        keeper = asyncio.create_task(self._stay_connected(tuple(dict.fromkeys(symbols)), queue))
        keeper.add_done_callback(lambda _: queue.put_nowait(None))
        try:
            while (item := await queue.get()) is not None:
                if isinstance(item, Connected):
                    yield item
                else:
                    for event in self._read(item):
                        yield event
            await keeper
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)

    async def _stay_connected(self, symbols: tuple[Symbol, ...], queue: _Queue) -> None:
        failures = 0
        while True:
            began, problem = monotonic(), None
            try:
                await self._run_connection(symbols, queue)
            except (Unavailable, Throttled, OSError, WebSocketException) as cause:
                problem = cause
            stood = monotonic() - began >= self._patience.stable
            failures = 0 if stood else failures + 1
            pause = self._patience.pause(failures, problem)
            level = logging.ERROR if failures >= self._patience.breaker_after else logging.WARNING
            _LOG.log(level, "the stream broke (%s), next attempt in %.0f s", _name(problem), pause)
            await asyncio.sleep(pause)

    async def _run_connection(self, symbols: tuple[Symbol, ...], queue: _Queue) -> None:
        """Connect, subscribe and receive until something breaks."""
        registrations = self._registrations(symbols)
        link = _Link(queue, self._clock, set(registrations))
        self._approval_key = self._approval_key or await self._auth.approval_key()
        async with connect(
            self._settings.ws_url + _PATH,
            ping_interval=None,
            open_timeout=self._settings.timeout_seconds,
            close_timeout=1,
            max_size=_LARGEST_MESSAGE,
            max_queue=_LONGEST_QUEUE,
            compression=None,
            proxy=None,
            logger=_SOCKET_LOG,
        ) as socket:
            tasks = [
                asyncio.create_task(self._receive(socket, link)),
                asyncio.create_task(self._subscribe(socket, link, registrations)),
            ]
            try:
                await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def _registrations(self, symbols: tuple[Symbol, ...]) -> list[tuple[str, str]]:
        """List what to subscribe, notices first: they matter most when the broker's limit cuts the list."""
        if not self._settings.hts_id:
            _LOG.warning("no HTS login is set: fills are found by inquiry only")
        notices = [(self._notices, self._settings.hts_id)] if self._settings.hts_id else []
        return [*notices, *((TRADES, str(symbol)) for symbol in symbols)]

    async def _subscribe(
        self, socket: ClientConnection, link: _Link, registrations: list[tuple[str, str]]
    ) -> None:
        for tr_id, tr_key in registrations:
            if link.is_full:
                link.answer(tr_id, tr_key)
                continue
            key = self._approval_key.get_secret_value()
            await socket.send(registration(key, tr_id, tr_key))
            await asyncio.sleep(self._settings.registration_seconds)
        await self._wait_for_answers(link)

    async def _wait_for_answers(self, link: _Link) -> None:
        """Wait until all is answered; prices may stay away, notices may not."""
        with suppress(TimeoutError):
            if link.waiting:
                await asyncio.wait_for(link.is_up.wait(), self._patience.answers)
        if any(tr_id == self._notices for tr_id, _ in link.waiting):
            raise Unavailable("the registration of fill notices is not answered")
        if link.waiting:
            _LOG.warning("%d registrations of prices are not answered", len(link.waiting))
        link.complete()

    async def _receive(self, socket: ClientConnection, link: _Link) -> None:
        """Take messages until the connection breaks, or nothing comes for too long."""
        while True:
            async with asyncio.timeout(self._settings.silence_seconds):
                message = await socket.recv()
            text = message if isinstance(message, str) else message.decode(errors="replace")
            if text.startswith("{"):
                await self._on_control(socket, link, text)
            else:
                is_notice = self._notices in text[:_HEAD]
                at = self._clock.now() if is_notice else None
                link.queue.put_nowait(_Received(text, link.ciphers, at))

    async def _on_control(self, socket: ClientConnection, link: _Link, text: str) -> None:
        try:
            control = read_message(text)
        except BadFrame as problem:
            self._drop(problem)
            return
        if not isinstance(control, Control):
            return
        if control.tr_id == PING:
            await socket.send(text)
        elif control.code in _SUBSCRIBED:
            if control.cipherment is not None:
                link.ciphers[control.tr_id] = control.cipherment
            link.answer(control.tr_id, control.tr_key)
        elif control.code not in _HARMLESS:
            self._on_refusal(link, control)

    def _on_refusal(self, link: _Link, control: Control) -> None:
        """Go without one symbol, give up, or connect again.

        Raises:
            Unauthorized, Rejected: when connecting again would not help.
            Unavailable: when it may.
        """
        code, message = control.code, f"{control.tr_id} {control.tr_key}: {control.text}"
        is_symbol = control.tr_id == TRADES
        if is_symbol and (code == _FULL or code in _WRONG_KEY_OF_ONE):
            _LOG.error("no prices: %s %s", code, message)
            link.is_full = link.is_full or code == _FULL
            link.answer(control.tr_id, control.tr_key)
            return
        if code in _WRONG_KEYS or (code in _WRONG_KEY_OF_ONE and control.tr_id == self._notices):
            raise Unauthorized(message, code=code)
        if code in _WRONG_CALL:
            raise Rejected(message, code=code)
        if code in _APPROVAL_REFUSED:
            self._approval_key = SecretStr("")
        raise Unavailable(message, code=code)

    def _read(self, received: _Received) -> Iterator[StreamEvent]:
        try:
            frame = read_message(received.text)
            if isinstance(frame, Frame):
                for fields in records(frame, received.ciphers.get(frame.tr_id)):
                    yield from self._read_record(frame.tr_id, fields, received.at)
        except BadFrame as problem:
            self._drop(problem)
            if received.at is not None:
                yield Connected(received.at)

    def _read_record(
        self, tr_id: str, fields: list[str], received_at: datetime | None
    ) -> Iterator[StreamEvent]:
        try:
            if tr_id == TRADES:
                yield read_trade(fields)
            elif received_at is not None and self._is_own(fields):
                yield read_notice(fields, received_at=received_at)
        except BadFrame as problem:
            self._drop(problem)
            if received_at is not None:
                yield Connected(received_at)

    def _is_own(self, fields: list[str]) -> bool:
        """Tell whether a notice is about this account; a number in an unknown form counts as ours."""
        account = account_of(fields)
        own = self._settings.account_number + self._settings.product_code
        return len(account) != _ACCOUNT_WIDTH or account == own

    def _drop(self, problem: BadFrame) -> None:
        """Count what cannot be read, and warn ever more rarely."""
        self.dropped += 1
        if self.dropped & (self.dropped - 1) == 0:
            _LOG.warning("%d messages dropped so far, the last one: %s", self.dropped, problem)


def _name(problem: BaseException | None) -> str:
    if isinstance(problem, BrokerError):
        return str(problem)
    return type(problem).__name__
