"""This is KIS for tests: settings for a server on this machine, and doors opened on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from adapters.clock import Clock, FixedClock
from adapters.kis.access import Kis, open_kis
from adapters.kis.settings import KisSettings
from tests.builders import A_DAY, ACCOUNT, seoul
from tests.odd_servers import Answer, OddServer, Request, odd_server, reply

APPKEY = "APPKEY-THAT-NOBODY-MAY-SEE"
APPSECRET = "APPSECRET-THAT-NOBODY-MAY-SEE"
TOKEN = "TOKEN-THAT-NOBODY-MAY-SEE"  # noqa: S105 - made up
PRICE = {
    "output": {
        "stck_prpr": "70500",
        "stck_sdpr": "70000",
        "stck_mxpr": "91000",
        "stck_llam": "49000",
        "acml_vol": "1000",
    }
}


def settings_for(url: str, ws_url: str = "ws://127.0.0.1:9", **changes: Any) -> KisSettings:
    """Give settings that wait and retry in milliseconds instead of seconds."""
    values = {
        "environment": "paper",
        "base_url": url,
        "ws_url": ws_url,
        "appkey": APPKEY,
        "appsecret": APPSECRET,
        "account": ACCOUNT,
        "hts_id": "hts01",
        "calls_per_second": 100,
        "timeout_seconds": 1,
        "retry_seconds": 0.01,
        "registration_seconds": 0.001,
    }
    return KisSettings.model_validate(values | changes)


def token_reply(
    text: str = TOKEN, *, ends: str = "2018-01-17 08:50:00", seconds: int = 86_400
) -> bytes:
    """Give the answer of the token office; a token until 08:50 of the next day in Seoul, if not told otherwise."""
    body = {
        "access_token": text,
        "access_token_token_expired": ends,
        "token_type": "Bearer",
        "expires_in": seconds,
    }
    return reply(body)


def success(**blocks: Any) -> bytes:
    """Give an answer of success."""
    return reply({"rt_cd": "0", "msg_cd": "MCA00000", "msg1": "정상처리 되었습니다."} | blocks)


def refusal(code: str, text: str = "no", *, status: int = 500) -> bytes:
    """Give an answer of failure."""
    return reply({"rt_cd": "1", "msg_cd": code, "msg1": text}, status=status)


def answer_of(path: str, answer: Answer) -> Any:
    """Make a server function that gives tokens and prices as KIS does, and `answer` on `path`."""

    def find(request: Request) -> Answer:
        if path in request.path:
            return answer
        if "tokenP" in request.path:
            return token_reply()
        return success(**PRICE)

    return find


def a_clock(time: str = "09:05") -> FixedClock:
    """Give a clock that stands at `time` in Seoul."""
    return FixedClock(seoul(A_DAY, time))


@asynccontextmanager
async def opened_on(
    path: str, answer: Answer, *, home: Path, clock: Clock | None = None, **changes: Any
) -> AsyncIterator[tuple[Kis, OddServer]]:
    """Open KIS on a server that answers oddly on `path`."""
    async with (
        odd_server(answer_of(path, answer)) as server,
        open_kis(settings_for(server.url, **changes), home=home, clock=clock or a_clock()) as kis,
    ):
        yield kis, server
