"""This is the WebSocket side: sessions, their registrations, and what each of them gets to see."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from aiohttp import WSMsgType, web

from adapters.kis_sim import frames
from adapters.kis_sim.faults import Fault, MaxSubscriptions
from adapters.kis_sim.frames import BOOKS, NOTICES, OPERATION, TRADES, UNIFIED_TRADES, Seal
from adapters.kis_sim.gateway import Mode
from adapters.kis_sim.options import Options
from adapters.kis_sim.orders import Notice
from adapters.kis_sim.simulation import Simulation
from adapters.kis_sim.tapes import Print
from adapters.kis_sim.tokens import TokenOffice

MAX_REGISTRATIONS: Final = 41
_BACKLOG: Final = 100_000
"""Frames that may wait for a client that does not read; then it is cut off."""
_AHEAD: Final = 500
"""Frames that a client may be behind while time is stepped on."""
_BREATH_SECONDS: Final = 0.002
_PATIENCE_SECONDS: Final = 30
_OVERSEAS: Final = frozenset({"H0GSCNI0", "H0GSCNI9"})
_SILENT: Final = frozenset(
    [
        "H0NXCNT0",
        "H0NXASP0",
        "H0UNASP0",
        "H0STANC0",
        "H0NXANC0",
        "H0UNANC0",
        "H0STOUP0",
        "H0STOAA0",
        "H0STOAC0",
        "H0NXMKO0",
        "H0UNMKO0",
        "H0STPGM0",
        "H0STMBC0",
        "H0STNAV0",
    ]
)
_SPEAKING: Final = frozenset({TRADES, UNIFIED_TRADES, BOOKS, OPERATION}) | NOTICES
_KNOWN: Final = _SPEAKING | _SILENT | _OVERSEAS
_WATCHING: Final = frozenset({TRADES, UNIFIED_TRADES, BOOKS})
_NOT_ON: Final = {Mode.REAL: {frames.PAPER_NOTICES}, Mode.PAPER: {frames.REAL_NOTICES, OPERATION}}
"""What a strict mode takes a registration for and then never sends."""


@dataclass(frozen=True, slots=True)
class Registration:
    """One message of a client; `kind` 1 subscribes, 2 ends it."""

    approval: str
    kind: str
    tr: str
    key: str


class Refusal(Exception):
    """A message is answered with an error frame."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code)
        self.code = code
        self.text = text


@dataclass(eq=False, slots=True)
class Session:
    """One open socket. Frames wait in `waiting` for a writer of its own, so that nobody waits for a client."""

    cut: Callable[[], None]
    seal: Seal = field(default_factory=Seal)
    appkey: str = ""
    registered: set[tuple[str, str]] = field(default_factory=set)
    waiting: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    def send(self, frame: str) -> None:
        """Queue a frame."""
        if self.waiting.qsize() >= _BACKLOG:
            self.cut()
        else:
            self.waiting.put_nowait(frame)


class SocketSide:
    """Every session of the WebSocket port, and the audience of the simulation."""

    def __init__(self, simulation: Simulation, office: TokenOffice, options: Options) -> None:
        self._simulation = simulation
        self._faults = simulation.faults
        self._office = office
        self._options = options
        self._sessions: set[Session] = set()

    async def serve(self, request: web.BaseRequest) -> web.WebSocketResponse:
        """Hold one session, on any path."""
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        transport = request.transport
        session = Session(transport.abort if transport else lambda: None)
        self._sessions.add(session)
        writer = asyncio.create_task(self._write(session, socket))
        pinger = asyncio.create_task(self._ping(session))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._receive(session, message.data)
        finally:
            self._sessions.discard(session)
            for task in (writer, pinger):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        return socket

    def watched(self) -> set[str]:
        """Return the symbols whose trades or books somebody wants."""
        known = set(self._simulation.market.securities.symbols())
        return {
            key
            for session in self._sessions
            for tr, key in session.registered
            if tr in _WATCHING and key in known
        }

    def show_print(self, symbol: str, each: Print) -> None:
        """Send a trade and the book after it, unless the symbol is halted, interrupted or stale."""
        wanted = {tr for tr in _WATCHING if any(key == symbol for key in self._keys(tr))}
        faults, market = self._faults, self._simulation.market
        is_hidden = faults.is_interrupted(symbol, each.at)
        if not wanted or is_hidden or faults.seen_at(symbol, each.at) < each.at:
            return
        snapshot, profile = market.snapshot(symbol, each.at), self._options.profile
        if snapshot is None or snapshot.today is None:
            return
        book, phase = market.book(symbol, each.at), market.timetable.phase(each.at)
        if wanted & {TRADES, UNIFIED_TRADES}:
            trade = frames.trade_record(snapshot, snapshot.today, book, phase, profile)
            self._broadcast(TRADES, symbol, trade)
            self._broadcast(UNIFIED_TRADES, symbol, trade)
        if BOOKS in wanted:
            self._broadcast(BOOKS, symbol, frames.book_record(snapshot, book, phase, profile))

    async def keep_up(self) -> None:
        """Let the clients read while time is stepped on; who does not read for a while is cut off."""
        for session in list(self._sessions):
            waited = 0
            while session.waiting.qsize() > _AHEAD and session in self._sessions:
                await asyncio.sleep(_BREATH_SECONDS)
                waited += 1
                if waited * _BREATH_SECONDS > _PATIENCE_SECONDS:
                    session.cut()
                    break

    def show_operation(self, symbol: str, code: str, at: datetime) -> None:
        """Send the market's phase for a symbol, or for every registered one."""
        keys = [symbol] if symbol else sorted(set(self._keys(OPERATION)))
        for key in keys:
            record = frames.operation_record(key, code, self._faults, at)
            self._broadcast(OPERATION, key, record)

    def notify(self, notice: Notice) -> None:
        """Send a notice to everybody registered for them; faults may swallow or double it."""
        symbol = notice.order.symbol
        if self._faults.strike(Fault, "no_notice", symbol):
            return
        notice = replace(notice, at=self._faults.written_at(notice.at))
        times = 2 if self._faults.strike(Fault, "duplicate_notice", symbol) else 1
        for _ in range(times):
            for session in self._sessions:
                for tr, customer in sorted(session.registered):
                    if tr in NOTICES and self._is_sent(tr):
                        profile = self._options.profile
                        record = frames.notice_record(notice, customer, tr, profile)
                        session.send(frames.data_frame(tr, record, session.seal))

    def faults_changed(self) -> None:
        """Cut sessions when the table says so now."""
        for session in list(self._sessions):
            if self._faults.strike(Fault, "socket_drop"):
                session.cut()

    def cut_all(self) -> None:
        """End every session."""
        for session in list(self._sessions):
            session.cut()

    def _keys(self, wanted: str) -> Iterable[str]:
        return (key for each in self._sessions for tr, key in each.registered if tr == wanted)

    def _is_sent(self, tr: str) -> bool:
        return tr not in _NOT_ON.get(self._options.mode, set())

    def _broadcast(self, tr: str, key: str, record: str) -> None:
        if self._is_sent(tr):
            frame = frames.data_frame(tr, record)
            for session in self._sessions:
                if (tr, key) in session.registered:
                    session.send(frame)

    async def _write(self, session: Session, socket: web.WebSocketResponse) -> None:
        while True:
            frame = await session.waiting.get()
            if self._faults.active(Fault, "silent_socket") is None:
                with suppress(ConnectionError):
                    await socket.send_str(frame)

    async def _ping(self, session: Session) -> None:
        while True:
            await asyncio.sleep(self._options.ping_seconds)
            session.send(frames.ping_frame(self._simulation.now()))

    def _receive(self, session: Session, text: str) -> None:
        """Answer a message; an echoed PINGPONG needs no answer."""
        tr = key = ""
        try:
            document = _document(text)
            if document.get("header", {}).get("tr_id") == "PINGPONG":
                return
            wanted = _registration(document)
            tr, key = wanted.tr, wanted.key
            self._register(session, wanted)
        except Refusal as refusal:
            session.send(frames.reply_frame(tr, key, refusal.code, refusal.text))

    def _register(self, session: Session, wanted: Registration) -> None:
        if self._faults.strike(Fault, "socket_drop"):
            session.cut()
            return
        appkey = self._office.approved(wanted.approval, self._simulation.catch_up())
        if appkey is None:
            raise Refusal("OPSP0011", "invalid approval : NOT FOUND")
        if self._is_in_use(session, appkey):
            text = "ALREADY IN USE appkey"
            session.send(frames.reply_frame("(null)", "", "OPSP8996", text, rt_cd="9"))
            return
        session.appkey = appkey
        if wanted.kind == "1":
            self._subscribe(session, wanted)
        else:
            self._unsubscribe(session, wanted)

    def _is_in_use(self, session: Session, appkey: str) -> bool:
        others = (each.appkey for each in self._sessions if each is not session)
        return appkey in others or self._faults.strike(Fault, "appkey_in_use") is not None

    def _subscribe(self, session: Session, wanted: Registration) -> None:
        entry = (wanted.tr, wanted.key)
        if entry in session.registered:
            raise Refusal("OPSP0002", "ALREADY IN SUBSCRIBE")
        fault = self._faults.strike(MaxSubscriptions, "max_subscriptions")
        if len(session.registered) >= (fault.limit if fault else MAX_REGISTRATIONS):
            raise Refusal("OPSP0008", "MAX SUBSCRIBE OVER")
        own_id = self._options.hts_id
        if wanted.tr in NOTICES and own_id and wanted.key != own_id:
            session.cut()
            return
        session.registered.add(entry)
        self._acknowledge(session, wanted, "OPSP0000", "SUBSCRIBE SUCCESS")

    def _unsubscribe(self, session: Session, wanted: Registration) -> None:
        entry = (wanted.tr, wanted.key)
        if entry not in session.registered:
            raise Refusal("OPSP0003", "UNSUBSCRIBE ERROR(not found!)")
        session.registered.discard(entry)
        self._acknowledge(session, wanted, "OPSP0001", "UNSUBSCRIBE SUCCESS")

    def _acknowledge(self, session: Session, wanted: Registration, code: str, text: str) -> None:
        frame = frames.reply_frame(wanted.tr, wanted.key, code, text, rt_cd="0", seal=session.seal)
        session.send(frame)


def _document(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError as problem:
        raise Refusal("OPSP9999", "JSON PARSING ERROR") from problem
    if not isinstance(document, dict) or not isinstance(document.get("header"), dict):
        raise Refusal("OPSP9997", "JSON PARSING ERROR : header not found")
    return document


def _registration(document: dict[str, Any]) -> Registration:
    """Read a registration.

    Raises:
        Refusal: naming the part that is missing or wrong.
    """
    header, body = document["header"], document.get("body")
    if not isinstance(body, dict):
        raise Refusal("OPSP9992", "JSON PARSING ERROR : body not found")
    given = body.get("input")
    if not isinstance(given, dict):
        raise Refusal("OPSP9991", "JSON PARSING ERROR : input not found")
    wanted = Registration(
        str(header.get("approval_key", "")),
        str(header.get("tr_type", "")),
        str(given.get("tr_id", "")),
        str(given.get("tr_key", "")).strip(),
    )
    if wanted.kind not in {"1", "2"}:
        raise Refusal("OPSP8997", "ERROR : INVALID tr_type")
    if wanted.tr not in _KNOWN:
        raise Refusal("OPSP8991", "ERROR : INVALID tr_id")
    if not wanted.key:
        raise Refusal("OPSP8992", "ERROR : INVALID tr_key")
    return wanted
