"""This is the token office: access tokens, socket approvals and hash keys, by appkey."""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from adapters.kis_sim.faults import Fault, Faults, SameToken, TokenInterval
from adapters.kis_sim.orders import Environment
from adapters.kis_sim.refusals import Failed

LIFE: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Credential:
    """A pair of keys and the world that it opens, both for None."""

    appkey: str
    appsecret: str = field(repr=False)
    environment: Environment | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """An issued token; `issued_real` in seconds of real time."""

    text: str = field(repr=False)
    appkey: str
    issued_at: datetime
    issued_real: float

    @property
    def expires_at(self) -> datetime:
        """When it stops to be accepted."""
        return self.issued_at + LIFE


class TokenOffice:
    """Issues and checks. Lives run on the market's clock; the pace of issuing on whichever clock went further."""

    def __init__(
        self,
        credentials: Sequence[Credential],
        faults: Faults,
        *,
        interval: float,
        real_time: Callable[[], float],
    ) -> None:
        self._credentials = {each.appkey: each for each in credentials}
        self._faults = faults
        self._interval = interval
        self._real_time = real_time
        self._tokens: dict[str, Token] = {}
        self._last: dict[str, Token] = {}
        self._asked: dict[str, tuple[datetime, float]] = {}
        self._approvals: dict[str, tuple[str, datetime]] = {}

    def credential(self, appkey: str, appsecret: str) -> Credential:
        """Return the pair that both belong to.

        Raises:
            Failed: EGW00102 to EGW00105.
        """
        if not appkey:
            raise Failed("EGW00102", "AppKey는 필수입니다.", status=400)
        if appkey not in self._credentials:
            raise Failed("EGW00103", "유효하지 않은 AppKey입니다.", status=403)
        if not appsecret:
            raise Failed("EGW00104", "AppSecret은 필수입니다.", status=400)
        if appsecret != self._credentials[appkey].appsecret:
            raise Failed("EGW00105", "유효하지 않은 AppSecret입니다.", status=403)
        return self._credentials[appkey]

    def issue(self, appkey: str, at: datetime) -> Token:
        """Issue a token, or give the last one again within six hours.

        Raises:
            Failed: EGW00133 within a minute of the last time.
        """
        self._check_interval(appkey, at)
        token = self._last.get(appkey)
        if token is None or not self._is_given_again(token, at):
            text = f"sim.{secrets.token_urlsafe(24)}.{secrets.token_urlsafe(96)}"
            token = Token(text, appkey, at, self._real_time())
            self._tokens[text] = token
            self._last[appkey] = token
        self._asked[appkey] = (at, self._real_time())
        return token

    def check(self, text: str, appkey: str, at: datetime, names: Sequence[str] = ()) -> None:
        """Accept a token or say what is wrong with it.

        Raises:
            Failed: EGW00121 for an unknown, revoked or foreign one, EGW00123 for an expired one.
        """
        token = self._tokens.get(text)
        if token is None or token.appkey != appkey:
            raise Failed("EGW00121", "유효하지 않은 token 입니다.")
        if at >= token.expires_at or self._is_struck(token, names):
            raise Failed("EGW00123", "기간이 만료된 token 입니다.")

    def revoke(self, text: str) -> None:
        """Forget a token."""
        token = self._tokens.pop(text, None)
        if token is not None and self._last.get(token.appkey) is token:
            del self._last[token.appkey]

    def approve(self, appkey: str, at: datetime) -> str:
        """Issue a key for the socket, valid for 24 hours."""
        approval = str(uuid.uuid4())
        self._approvals[approval] = (appkey, at + LIFE)
        return approval

    def approved(self, approval: str, at: datetime) -> str | None:
        """Return the appkey of a valid approval, None for any other text."""
        appkey, expires_at = self._approvals.get(approval, ("", at))
        return appkey if at < expires_at else None

    def _check_interval(self, appkey: str, at: datetime) -> None:
        fault = self._faults.strike(TokenInterval, "token_interval")
        interval = fault.seconds if fault else self._interval
        if appkey not in self._asked:
            return
        asked_at, asked_real = self._asked[appkey]
        waited = max(self._real_time() - asked_real, (at - asked_at).total_seconds())
        if waited < interval:
            text = "접근토큰 발급 잠시 후 다시 시도하세요(1분당 1회)"
            raise Failed("EGW00133", text, status=403)

    def _is_given_again(self, token: Token, at: datetime) -> bool:
        fault = self._faults.strike(SameToken, "same_token")
        hours = fault.hours if fault else 6
        return at - token.issued_at < timedelta(hours=hours) and not self._is_condemned(token)

    def _is_condemned(self, token: Token) -> bool:
        """Tell whether the switched fault has expired the tokens that were there when it was switched."""
        is_on = self._faults.table.expired_token is not None
        return is_on and token.issued_real <= self._faults.switched_real("expired_token")

    def _is_struck(self, token: Token, names: Sequence[str]) -> bool:
        is_condemned = self._is_condemned(token)
        return is_condemned and self._faults.strike(Fault, "expired_token", "", names) is not None


def hash_of(body: Any) -> str:
    """Return the hash of an order body, the same however its JSON was written."""
    canonical = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def made_up_key(purpose: str, length: int) -> str:
    """Return a stand-in for a key: always the same for the same purpose, opening nothing anywhere else."""
    blocks = -(-length // 64)
    digests = (hashlib.sha256(f"{purpose} {place}".encode()).hexdigest() for place in range(blocks))
    return "".join(digests)[:length]
