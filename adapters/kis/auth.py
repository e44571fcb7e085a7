"""This is who we are to KIS: one access token per appkey for all processes, encrypted in a file.

A file and not the database, because cancels and halts must go through when the database is down. The broker
gives one token a minute, tells the account's owner about each, and blocks who asks too often: so a token is
used until ten minutes before its end, asked for under a lock, and never twice a minute, whatever happened.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
from cryptography.fernet import Fernet, InvalidToken
from pydantic import SecretStr

from adapters.clock import Clock
from adapters.kis.errors import ISSUED_TOO_OFTEN, meaning_of
from adapters.kis.files import create_once, make_private_folder, shared_name, try_lock, write_whole
from adapters.kis.settings import KisSettings
from trading.errors import BrokerError, InvalidSetting, Throttled, Unavailable
from trading.sessions import KST

_LOG = logging.getLogger(__name__)
_NO_TOKEN: Final = SecretStr("")
_RESERVE: Final = timedelta(minutes=10)
_TRADING_DAY: Final = timedelta(hours=12)
_BETWEEN_ISSUES: Final = timedelta(seconds=60)
_LONGEST_LIFE: Final = timedelta(hours=25)
_LOCK_PAUSE: Final = 0.05
_LOCK_TRIES: Final = 400
_LONGEST_WAIT: Final = 70
_OTHERS: Final = 0o077


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """What is known of the token; `asked_at` counts failures too. `is_proven`: a call has succeeded with it."""

    asked_at: datetime | None = None
    token: SecretStr = _NO_TOKEN
    expires_at: datetime | None = None
    is_proven: bool = False

    def lasts(self, span: timedelta, *, at: datetime) -> bool:
        """Tell whether the token is good for `span` more. One that would last for days is no KIS token."""
        if not self.token or self.expires_at is None:
            return False
        return span < self.expires_at - at < _LONGEST_LIFE

    def seconds_to_wait(self, at: datetime) -> float:
        """Return how long no new token may be asked for; a clock that went back forgets the last time."""
        since = at - self.asked_at if self.asked_at else _BETWEEN_ISSUES
        is_free = not timedelta(0) <= since < _BETWEEN_ISSUES
        return 0.0 if is_free else (_BETWEEN_ISSUES - since).total_seconds()


class TokenVault:
    """The record of one appkey on disk, encrypted, shared by all processes with the same home."""

    def __init__(self, folder: Path, name: str) -> None:
        make_private_folder(folder)
        key = folder / "key"
        self._fernet = Fernet(create_once(key, Fernet.generate_key()))
        if key.stat().st_mode & _OTHERS:
            raise InvalidSetting(str(key), oct(key.stat().st_mode & 0o777), "mode 0600 (chmod 600)")
        self._file = folder / f"{name}.token"
        self._lock = folder / f"{name}.lock"

    def load(self) -> TokenRecord:
        """Read the record; none, a torn or a foreign one is an empty one."""
        try:
            document: dict[str, Any] = json.loads(self._fernet.decrypt(self._file.read_bytes()))
            return TokenRecord(
                asked_at=_moment(document["asked_at"]),
                token=SecretStr(document["token"]),
                expires_at=_moment(document["expires_at"]),
                is_proven=bool(document["is_proven"]),
            )
        except (OSError, InvalidToken, ValueError, KeyError, TypeError):
            return TokenRecord()

    def save(self, record: TokenRecord) -> None:
        """Replace the record in one step."""
        document = {
            "asked_at": record.asked_at and record.asked_at.isoformat(),
            "token": record.token.get_secret_value(),
            "expires_at": record.expires_at and record.expires_at.isoformat(),
            "is_proven": record.is_proven,
        }
        write_whole(self._file, self._fernet.encrypt(json.dumps(document).encode()))

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """Hold the lock of all processes.

        Raises:
            Unavailable: when another process does not let go of it.
        """
        for _ in range(_LOCK_TRIES):
            with try_lock(self._lock) as descriptor:
                if descriptor is not None:
                    yield
                    return
            await asyncio.sleep(_LOCK_PAUSE)
        raise Unavailable("the token is being fetched by a process that hangs")


class Auth:
    """Gives the token to every call, and the key that opens the socket."""

    def __init__(
        self, settings: KisSettings, *, http: httpx.AsyncClient, folder: Path, clock: Clock
    ) -> None:
        self._settings = settings
        self._http = http
        self._clock = clock
        appkey = settings.appkey.get_secret_value()
        self._vault = TokenVault(folder, shared_name(settings.base_url, appkey))
        self._record = self._vault.load()

    async def token(self) -> SecretStr:
        """Give a token that is good for the next minutes, fetching one only when there is none.

        Raises:
            Throttled: when the last one was asked for less than a minute ago and failed.
            Unauthorized: when the keys are refused.
            Unavailable: when the broker does not answer. In every case nothing was at stake.
        """
        return (await self._hold(_RESERVE)).token

    async def ensure(self) -> datetime:
        """Have a token that lasts the trading day, if the broker gives one, and return its end, aware UTC.

        Asks only if needed, and waits out the minute between two questions. Raises as `token` does.
        """
        for _ in range(_LONGEST_WAIT):
            try:
                return await self._ensure()
            except Throttled as problem:
                _LOG.info("%s", problem)
                await asyncio.sleep(1)
        return await self._ensure()

    async def drop(self, refused: SecretStr) -> None:
        """Forget a token that the broker refused (revoked by maintenance, whatever its end says)."""
        async with self._vault.locked():
            record = self._vault.load()
            if record.token == refused:
                record = TokenRecord(asked_at=record.asked_at)
                self._vault.save(record)
            self._record = record

    async def revoke(self) -> bool:
        """Give the token back, ours first; whether there was one that the broker has taken back.

        Raises:
            BrokerError: when the broker does not take it; it is forgotten here all the same.
        """
        async with self._vault.locked():
            record = self._vault.load()
            self._record = TokenRecord(asked_at=record.asked_at)
            self._vault.save(self._record)
        if not record.token:
            return False
        await self._post("/oauth2/revokeP", "appsecret", token=record.token.get_secret_value())
        return True

    @property
    def is_proven(self) -> bool:
        """Whether the keys have been seen to work in this environment with the present token."""
        return self._record.is_proven

    async def prove(self) -> None:
        """Remember that they do."""
        async with self._vault.locked():
            self._record = replace(self._vault.load(), is_proven=True)
            self._vault.save(self._record)

    async def approval_key(self) -> SecretStr:
        """Fetch a key that opens the socket; good for a day, and one a second at most.

        Raises:
            Unauthorized: when the keys are refused.
            Unavailable: when the broker does not answer.
        """
        reply = await self._post("/oauth2/Approval", "secretkey")
        key = SecretStr(str(reply.get("approval_key") or ""))
        if not key:
            raise Unavailable("no approval_key in the reply")
        return key

    async def _ensure(self) -> datetime:
        record = await self._hold(_TRADING_DAY)
        return record.expires_at or self._clock.now()

    async def _hold(self, span: timedelta) -> TokenRecord:
        if not self._record.lasts(span, at=self._clock.now()):
            async with self._vault.locked():
                self._record = self._vault.load()
                if not self._record.lasts(span, at=self._clock.now()):
                    await self._replace()
        return self._record

    async def _replace(self) -> None:
        """Fetch a new token; as long as the old one lives, a failure costs nothing but a warning."""
        at = self._clock.now()
        try:
            self._take_turn(at)
            self._record = await self._issue(at)
        except BrokerError as problem:
            if not self._record.lasts(timedelta(0), at=at):
                raise
            _LOG.warning("the token is not renewed yet, the old one is used: %s", problem)
        else:
            self._vault.save(self._record)

    def _take_turn(self, at: datetime) -> None:
        seconds = self._record.seconds_to_wait(at)
        if seconds:
            message = f"a token may be asked for again in {seconds:.0f} s"
            raise Throttled(message, code=ISSUED_TOO_OFTEN)
        self._record = replace(self._record, asked_at=at)
        self._vault.save(self._record)

    async def _issue(self, at: datetime) -> TokenRecord:
        reply = await self._post("/oauth2/tokenP", "appsecret")
        token = SecretStr(str(reply.get("access_token") or ""))
        if not token:
            raise Unavailable("no access_token in the reply")
        return TokenRecord(asked_at=at, token=token, expires_at=_end_of(reply, at))

    async def _post(self, path: str, secret_name: str, **further: str) -> dict[str, Any]:
        """Ask with our keys. The token calls answer without the usual envelope."""
        try:
            response = await self._http.post(
                path,
                json={
                    "grant_type": "client_credentials",
                    "appkey": self._settings.appkey.get_secret_value(),
                    secret_name: self._settings.appsecret.get_secret_value(),
                    **further,
                },
            )
            reply = response.json()
        except httpx.HTTPError as problem:
            raise Unavailable(f"{path}: {type(problem).__name__}") from None
        except ValueError:
            raise Unavailable(f"{path}: no JSON in the reply") from None
        if not isinstance(reply, dict):
            raise Unavailable(f"{path}: no object in the reply")
        code = str(reply.get("error_code") or reply.get("msg_cd") or "")
        if response.status_code != httpx.codes.OK or code:
            text = str(reply.get("error_description") or reply.get("msg1") or response.status_code)
            raise meaning_of(code).read(text.strip(), code=code)
        return reply


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _end_of(reply: dict[str, Any], at: datetime) -> datetime:
    """Return the end of a token from its span and from its KST text, the earlier of what lies ahead."""
    ends = []
    try:
        ends.append(at + timedelta(seconds=float(reply.get("expires_in") or 0)))
        text = str(reply.get("access_token_token_expired") or "")
        ends.append(datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=KST))
    except (ValueError, TypeError, OverflowError):
        _LOG.warning("the end of the token is not readable")
    return min((end for end in ends if end > at), default=at)
