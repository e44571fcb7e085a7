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
from time import monotonic
from typing import Final

from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from adapters.clock import Clock
from adapters.kis import links
from adapters.kis.auth import Auth
from adapters.kis.backlogs import Backlog
from adapters.kis.dead_frames import DeadFrames
from adapters.kis.frames import (
    NOTICES_PAPER,
    NOTICES_REAL,
    PING,
    TRADES,
    BadFrame,
    Control,
    Frame,
    account_of,
    read_message,
    read_notice,
    read_trade,
    records,
    registration,
)
from adapters.kis.links import PATIENCE, Link, Patience, Queue, Received
from adapters.kis.settings import REGISTRATIONS, KisSettings
from adapters.market_data import Connected, StreamEvent, Unreadable
from trading.errors import BrokerError, Rejected, Throttled, Unauthorized, Unavailable
from trading.instruments import Symbol

_LOG = logging.getLogger(__name__)
_SOCKET_LOG = logging.getLogger(f"{__name__}.socket")
# Below INFO the library tells every message, and those that register hold the approval key.
_SOCKET_LOG.setLevel(logging.INFO)

_PATH: Final = "/tryitout"
_LARGEST_MESSAGE: Final = 4 * 1024 * 1024
_LONGEST_QUEUE: Final = 1024
LONGEST_BACKLOG: Final = 20_000
"""Frames of prices that may wait to be taken; older ones make room."""
APPROVAL_SECONDS: Final = 23 * 3600
"""An approval key opens connections for 24 hours."""
_ACCOUNT_WIDTH: Final = 10
_HEAD: Final = 12
"""Characters in which flag and TR id of a data frame stand."""


class KisStream:
    """`MarketStream` over the KIS socket. One at a time per appkey: KIS refuses a second one."""

    def __init__(
        self,
        settings: KisSettings,
        *,
        auth: Auth,
        clock: Clock,
        patience: Patience = PATIENCE,
        dead_frames: DeadFrames | None = None,
        longest_backlog: int = LONGEST_BACKLOG,
    ) -> None:
        self._settings = settings
        self._auth = auth
        self._clock = clock
        self._patience = patience
        self._dead_frames = dead_frames
        self._longest_backlog = longest_backlog
        self._approval_key = SecretStr("")
        self._approved_at = 0.0
        self._queue: Queue = Backlog(longest_backlog)
        self._notices = NOTICES_PAPER if settings.is_paper else NOTICES_REAL
        self._wanted: tuple[Symbol, ...] = ()
        self._changed = asyncio.Event()
        self._cap = REGISTRATIONS
        self._link: Link | None = None
        self.dropped = 0
        """Frames and records that could not be read, since the start."""

    @property
    def backlog(self) -> int:
        """Messages received and not yet taken."""
        return len(self._queue)

    @property
    def lost(self) -> int:
        """Frames of prices that nobody took in time."""
        return self._queue.lost

    @property
    def heard(self) -> frozenset[Symbol]:
        """The symbols whose prices come now."""
        return frozenset(self._link.heard) if self._link else frozenset()

    def watch(self, symbols: Sequence[Symbol]) -> None:
        """Change which prints are wanted, the most important first: beyond the broker's cap the last go without."""
        wanted = tuple(dict.fromkeys(symbols))
        if wanted != self._wanted:
            self._wanted = wanted
            self._changed.set()

    async def events(self, symbols: Sequence[Symbol]) -> AsyncGenerator[StreamEvent]:
        """Yield prints and notices for ever; `Connected` after each (re)connect, when all is subscribed.

        Raises:
            Unauthorized: when keys or HTS login are refused: connecting again would not help.
            Rejected: when the broker calls our registrations wrong.
        """
        queue: Queue = Backlog(self._longest_backlog)
        self._queue = queue
        self.watch(symbols)
        keeper = asyncio.create_task(self._stay_connected(queue))
        keeper.add_done_callback(lambda _: queue.put(None))
        try:
            while (item := await queue.take()) is not None:
                if isinstance(item, Received):
                    for event in self._read(item):
                        yield event
                else:
                    yield item
            await keeper
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)

    async def _stay_connected(self, queue: Queue) -> None:
        failures = 0
        while True:
            began, problem = monotonic(), None
            try:
                await self._run_connection(queue)
            except (Unavailable, Throttled, OSError, WebSocketException) as cause:
                problem = cause
            finally:
                self._link = None
            stood = monotonic() - began >= self._patience.stable
            failures = 0 if stood else failures + 1
            pause = self._patience.pause(failures, problem)
            level = logging.ERROR if failures >= self._patience.breaker_after else logging.WARNING
            _LOG.log(level, "the stream broke (%s), next attempt in %.0f s", _name(problem), pause)
            await asyncio.sleep(pause)

    async def _run_connection(self, queue: Queue) -> None:
        """Connect, subscribe and receive until something breaks."""
        link = self._link = Link(queue, self._clock, self._own_notices())
        self._cap = REGISTRATIONS  # a forerunner's last connection may still have held places
        await self._renew_approval()
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
                asyncio.create_task(self._keep_subscribed(socket, link)),
            ]
            try:
                await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _renew_approval(self) -> None:
        """Have an approval key that opens connections; a session that is open needs no renewal."""
        is_old = monotonic() - self._approved_at > APPROVAL_SECONDS
        if is_old or not self._approval_key:
            self._approval_key = await self._auth.approval_key()
            self._approved_at = monotonic()

    def _own_notices(self) -> list[tuple[str, str]]:
        """Name the registration of notices: before all prices, for when the broker's limit cuts the list."""
        if not self._settings.hts_id:
            _LOG.warning("no HTS login is set: fills are found by inquiry only")
            return []
        return [(self._notices, self._settings.hts_id)]

    async def _keep_subscribed(self, socket: ClientConnection, link: Link) -> None:
        """Subscribe the notices and what is wanted, then follow every change of it."""
        link.waiting |= {*link.notices, *((TRADES, symbol) for symbol in self._fitting(link))}
        for tr_id, tr_key in link.notices:
            await self._register(socket, tr_id, tr_key)
        while True:
            self._changed.clear()
            await self._adjust(socket, link)
            if not link.is_up.is_set():
                await self._wait_for_answers(link)
            await self._changed.wait()

    def _fitting(self, link: Link) -> tuple[Symbol, ...]:
        """Give the symbols that the broker's cap has room for."""
        wanted = [symbol for symbol in self._wanted if symbol not in link.refused]
        return tuple(wanted[: max(0, self._cap - len(link.notices))])

    async def _adjust(self, socket: ClientConnection, link: Link) -> None:
        """End what is not wanted any more, then ask for what is new."""
        for symbol in link.asked - set(self._fitting(link)):
            link.asked.discard(symbol)
            link.heard.discard(symbol)
            await self._register(socket, TRADES, symbol, ends=True)
        for symbol in self._fitting(link):
            if symbol not in link.asked and symbol in self._fitting(link):
                link.asked.add(symbol)
                link.waiting.add((TRADES, symbol))
                await self._register(socket, TRADES, symbol)
        link.wait_for_asked()

    async def _register(
        self, socket: ClientConnection, tr_id: str, tr_key: str, *, ends: bool = False
    ) -> None:
        key = self._approval_key.get_secret_value()
        await socket.send(registration(key, tr_id, tr_key, ends=ends))
        await asyncio.sleep(self._settings.registration_seconds)

    async def _wait_for_answers(self, link: Link) -> None:
        """Wait until all is answered; prices may stay away, notices may not."""
        with suppress(TimeoutError):
            if link.waiting:
                await asyncio.wait_for(link.is_up.wait(), self._patience.answers)
        if any(tr_id == self._notices for tr_id, _ in link.waiting):
            raise Unavailable("the registration of fill notices is not answered")
        if link.waiting:
            _LOG.warning("%d registrations of prices are not answered", len(link.waiting))
        link.complete()

    async def _receive(self, socket: ClientConnection, link: Link) -> None:
        """Take messages until the connection breaks, or nothing comes for too long."""
        while True:
            async with asyncio.timeout(self._settings.silence_seconds):
                message = await socket.recv()
            text = message if isinstance(message, str) else message.decode(errors="replace")
            if text.startswith("{"):
                await self._on_control(socket, link, text)
            elif self._notices in text[:_HEAD]:
                link.queue.put(Received(text, link.ciphers, self._clock.now()))
            else:
                link.queue.put_price(Received(text, link.ciphers))

    async def _on_control(self, socket: ClientConnection, link: Link, text: str) -> None:
        try:
            control = read_message(text)
        except BadFrame as problem:
            link.queue.put(self._drop(text, problem))
            return
        if not isinstance(control, Control):
            return
        if control.tr_id == PING:
            await socket.send(text)
        elif control.code in links.SUBSCRIBED:
            if control.cipherment is not None:
                link.ciphers[control.tr_id] = control.cipherment
            link.take_up(control.tr_id, control.tr_key)
        elif control.code not in links.HARMLESS:
            self._on_refusal(link, control)

    def _on_refusal(self, link: Link, control: Control) -> None:
        """Go without one symbol, give up, or connect again.

        Raises:
            Unauthorized, Rejected: when connecting again would not help.
            Unavailable: when it may.
        """
        code, message = control.code, f"{control.tr_id} {control.tr_key}: {control.text}"
        if control.tr_id == TRADES and (code == links.FULL or code in links.WRONG_KEY_OF_ONE):
            _LOG.error("no prices: %s %s", code, message)
            if code == links.FULL:
                self._learn_cap(link)
            link.go_without(control.tr_key, for_good=code != links.FULL)
            self._changed.set()  # another may have its place
            return
        is_of_one = code in links.WRONG_KEY_OF_ONE and control.tr_id == self._notices
        if code in links.WRONG_KEYS or is_of_one:
            raise Unauthorized(message, code=code)
        if code in links.WRONG_CALL:
            raise Rejected(message, code=code)
        if code in links.APPROVAL_REFUSED:
            self._approval_key = SecretStr("")
        raise Unavailable(message, code=code)

    def _learn_cap(self, link: Link) -> None:
        """Ask for no more from now on than what was taken before the broker refused one."""
        self._cap = min(self._cap, len(link.notices) + len(link.heard))
        _LOG.warning("the broker takes %d registrations", self._cap)

    def _read(self, received: Received) -> Iterator[StreamEvent]:
        try:
            frame = read_message(received.text)
            if isinstance(frame, Frame):
                for fields in records(frame, received.ciphers.get(frame.tr_id)):
                    yield from self._read_record(frame.tr_id, fields, received)
        except BadFrame as problem:
            yield from self._bury(received, problem)

    def _read_record(
        self, tr_id: str, fields: list[str], received: Received
    ) -> Iterator[StreamEvent]:
        try:
            if tr_id == TRADES:
                yield read_trade(fields)
            elif received.at is not None and self._is_own(fields):
                yield read_notice(fields, received_at=received.at)
        except BadFrame as problem:
            yield from self._bury(received, problem)

    def _is_own(self, fields: list[str]) -> bool:
        """Tell whether a notice is about this account; a number in an unknown form counts as ours."""
        account = account_of(fields)
        own = self._settings.account_number + self._settings.product_code
        return len(account) != _ACCOUNT_WIDTH or account == own

    def _bury(self, received: Received, problem: BadFrame) -> Iterator[StreamEvent]:
        """Keep what cannot be read; of a notice, have the broker's book asked for what it would have said."""
        yield self._drop(received.text, problem)
        if received.at is not None:
            yield Connected(received.at)

    def _drop(self, text: str, problem: BadFrame) -> Unreadable:
        """Count what cannot be read, keep it, and warn ever more rarely."""
        self.dropped += 1
        if self.dropped & (self.dropped - 1) == 0:
            _LOG.warning("%d messages dropped so far, the last one: %s", self.dropped, problem)
        if self._dead_frames is not None:
            self._dead_frames.keep(text, str(problem), at=self._clock.now())
        return Unreadable(text, str(problem))


def _name(problem: BaseException | None) -> str:
    if isinstance(problem, BrokerError):
        return str(problem)
    return type(problem).__name__
