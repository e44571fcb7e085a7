"""This is HTTP to KIS: reads that may repeat, orders that are sent once, every reply classified."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Generator, Mapping
from typing import Any, Final

import httpx
from pydantic import SecretStr
from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential,
    wait_random,
)

from adapters.broker import LastLook, looks_on
from adapters.kis.auth import Auth
from adapters.kis.calls import Call
from adapters.kis.errors import (
    ISSUED_TOO_OFTEN,
    TOKEN_REFUSED,
    WRONG_ENVIRONMENT,
    ErrorClass,
    meaning_of,
)
from adapters.kis.settings import KisSettings
from adapters.kis.throttle import Priority, Throttle
from adapters.kis.wire import Reply, order_number
from trading.errors import (
    BrokerError,
    OutcomeUnknown,
    Throttled,
    Unauthorized,
    Unavailable,
)

_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_GATEWAY_FAILED: Final = frozenset({502, 503, 504})
_MOST_PAGES: Final = 200
_FILTER_KEY: Final = "CTX_AREA_FK100"
_NEXT_KEY: Final = "CTX_AREA_NK100"
"""Replies spell these in lower case."""
_LONGEST_PAUSE: Final = 8.0
_FIRST_BYTE: Final = "http11.send_request_headers.started"
"""What httpx tells on a connection that is open, right before it writes to it."""

# httpx tells every address at INFO, and the query of an address holds the account number.
logging.getLogger("httpx").setLevel(logging.WARNING)


def open_http(
    settings: KisSettings, tls: ssl.SSLContext, *, keeps_alive: bool
) -> httpx.AsyncClient:
    """Open a client on KIS over HTTP/1.1; without `keeps_alive` every call has a connection of its own.

    KIS cuts idle connections without a word, so an order must never ride on a used one.
    """
    return httpx.AsyncClient(
        base_url=settings.base_url,
        verify=tls,
        http2=False,
        trust_env=False,
        timeout=settings.timeout_seconds,
        limits=httpx.Limits(max_keepalive_connections=5 if keeps_alive else 0, keepalive_expiry=3),
    )


class _Keys(httpx.Auth):
    """Puts token and keys on a request at the last moment, so that no frame of ours holds them."""

    def __init__(self, settings: KisSettings, token: SecretStr) -> None:
        self._settings = settings
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        request.headers["authorization"] = f"Bearer {self._token.get_secret_value()}"
        request.headers["appkey"] = self._settings.appkey.get_secret_value()
        request.headers["appsecret"] = self._settings.appsecret.get_secret_value()
        yield request


class KisClient:
    """Makes the calls of one account. Opened by `adapters.kis.access`."""

    def __init__(
        self,
        settings: KisSettings,
        *,
        auth: Auth,
        throttle: Throttle,
        reading: httpx.AsyncClient,
        ordering: httpx.AsyncClient,
    ) -> None:
        self.settings = settings
        self._auth = auth
        self._throttle = throttle
        self._reading = reading
        self._ordering = ordering

    async def read(
        self,
        call: Call,
        parameters: Mapping[str, str],
        *,
        priority: Priority,
        is_next_page: bool = False,
        attempts: int | None = None,
    ) -> Reply:
        """Make one call that changes nothing, again after `Throttled` and `Unavailable`.

        `attempts` if not as many as the settings say.

        Raises:
            Rejected, Unauthorized, Throttled, Unavailable: never an empty reply in their place.
        """
        first = self.settings.retry_seconds
        retrying = AsyncRetrying(
            retry=retry_if_exception(_may_repeat),
            stop=stop_after_attempt(attempts or self.settings.read_attempts),
            wait=wait_exponential(first, max=_LONGEST_PAUSE) + wait_random(0, first),
            reraise=True,
        )
        tr_id = call.tr_id(self.settings.environment)
        headers = self._headers(tr_id, "N" if is_next_page else "")
        return await retrying(self._read_with_token, call.path, parameters, headers, priority)

    async def read_pages(
        self,
        call: Call,
        parameters: Mapping[str, str],
        *,
        priority: Priority,
    ) -> tuple[Reply, ...]:
        """Read every page.

        Raises:
            Unavailable: when the list does not end; a part is never given for the whole.
        """
        keys = {_FILTER_KEY: "", _NEXT_KEY: ""}
        pages: list[Reply] = []
        while len(pages) < _MOST_PAGES:
            page = await self.read(
                call, {**parameters, **keys}, priority=priority, is_next_page=bool(pages)
            )
            pages.append(page)
            last_keys, keys = keys, {name: page.key(name.lower()) for name in keys}
            if not page.has_more(_NEXT_KEY.lower()) or keys == last_keys:
                return tuple(pages)
        raise Unavailable(f"{call.path}: more than {_MOST_PAGES} pages")

    async def order(
        self,
        call: Call,
        body: Mapping[str, str],
        *,
        priority: Priority,
        last_look: LastLook | None = None,
    ) -> Reply:
        """Send an order or a cancel, once, on a fresh connection. There is no second try in here.

        Whoever cancels this task in the midst must take the order for one in doubt. `last_look` runs when
        pace, token, connection and TLS are behind us and no byte of the order has been written.

        Raises:
            whatever `last_look` raises: nothing was written.
            Withheld: when the keys are for looking on; nobody was asked for anything.
            Rejected, Unauthorized, Throttled, Unavailable: it is certainly not in.
            OutcomeUnknown: it may be in.
        """
        if self.settings.is_read_only:
            raise looks_on()
        headers = self._headers(call.tr_id(self.settings.environment))
        token = await self._auth.token()
        await self._throttle.wait_turn(priority)
        keys = _Keys(self.settings, token)
        try:
            response = await self._ordering.post(
                call.path,
                json=dict(body),
                headers=headers,
                auth=keys,
                extensions=_before_first_byte(last_look),
            )
        except _NEVER_SENT as problem:
            raise Unavailable(f"not sent: {type(problem).__name__}") from None
        except httpx.HTTPError as problem:
            raise OutcomeUnknown(f"sent, no answer: {type(problem).__name__}") from None
        try:
            return order_reply(response)
        except BrokerError as problem:
            await self._take_note(problem, token)
            raise

    async def _read_with_token(
        self,
        path: str,
        parameters: Mapping[str, str],
        headers: Mapping[str, str],
        priority: Priority,
    ) -> Reply:
        """Read once; with a fresh token a second time if the token was refused."""
        token = await self._auth.token()
        try:
            return await self._read_once(path, parameters, headers, priority, token)
        except Unauthorized as problem:
            if problem.code not in TOKEN_REFUSED:
                raise
        token = await self._auth.token()
        return await self._read_once(path, parameters, headers, priority, token)

    async def _read_once(
        self,
        path: str,
        parameters: Mapping[str, str],
        headers: Mapping[str, str],
        priority: Priority,
        token: SecretStr,
    ) -> Reply:
        await self._throttle.wait_turn(priority)
        keys = _Keys(self.settings, token)
        try:
            response = await self._reading.get(
                path, params=dict(parameters), headers=dict(headers), auth=keys
            )
        except httpx.HTTPError as problem:
            raise Unavailable(f"{path}: {type(problem).__name__}") from None
        try:
            return read_reply(response)
        except BrokerError as problem:
            await self._take_note(problem, token)
            raise

    async def _take_note(self, problem: BrokerError, token: SecretStr) -> None:
        """Draw the lesson for all processes: a refused token is dropped, a broken pace slows everyone."""
        if problem.code in TOKEN_REFUSED:
            await self._auth.drop(token)
        if isinstance(problem, Throttled):
            await self._throttle.hold_back()

    @staticmethod
    def _headers(tr_id: str, tr_cont: str = "") -> dict[str, str]:
        return {
            "content-type": "application/json; charset=utf-8",
            "tr_id": tr_id,
            "tr_cont": tr_cont,
            "custtype": "P",
        }


def _before_first_byte(look: LastLook | None) -> dict[str, Any]:
    """Make a request call `look` at the last moment; its exception passes httpx as it is."""

    async def watch(event: str, _: Mapping[str, Any]) -> None:
        if event == _FIRST_BYTE and look is not None:
            look()

    return {"trace": watch}


def read_reply(response: httpx.Response) -> Reply:
    """Take the reply to a read.

    Raises:
        Rejected, Unauthorized, Throttled, Unavailable: for anything but HTTP 200 with `rt_cd` 0.
    """
    body = _object(response)
    if body is None:
        raise Unavailable(f"HTTP {response.status_code} without an answer in JSON")
    if _is_success(response, body):
        return Reply(body, response.headers.get("tr_cont", ""))
    raise _error(body, response, meaning_of(_code(body)).read)


def order_reply(response: httpx.Response) -> Reply:
    """Take the reply to an order: only HTTP 200, `rt_cd` 0 and a number say yes.

    Raises:
        Rejected, Unauthorized, Throttled: a certain no.
        OutcomeUnknown: for anything that is neither.
    """
    body = _object(response)
    if body is None or response.status_code in _GATEWAY_FAILED:
        raise OutcomeUnknown(f"HTTP {response.status_code} without a clear answer")
    if _is_yes(body):
        if _is_success(response, body) and order_number_of(body):
            return Reply(body)
        raise _error(body, response, OutcomeUnknown)
    raise _error(body, response, meaning_of(_code(body)).order)


def order_number_of(body: Mapping[str, Any]) -> str:
    """Return the number of an accepted order; "" when it is missing, blank or all zeros."""
    try:
        number = order_number(Reply(body).row("output").text("odno"))
    except Unavailable:
        return ""
    return number if number.isdigit() else ""


def _object(response: httpx.Response) -> dict[str, Any] | None:
    try:
        body = response.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _is_success(response: httpx.Response, body: Mapping[str, Any]) -> bool:
    return response.status_code == httpx.codes.OK and _is_yes(body)


def _is_yes(body: Mapping[str, Any]) -> bool:
    return str(body.get("rt_cd")).strip() == "0"


def _code(body: Mapping[str, Any]) -> str:
    return str(body.get("msg_cd") or body.get("error_code") or "").strip()


def _error(body: Mapping[str, Any], response: httpx.Response, kind: ErrorClass) -> BrokerError:
    code = _code(body)
    text = str(body.get("msg1") or body.get("error_description") or "").strip()
    if code in WRONG_ENVIRONMENT:
        text = f"{text} (this appkey belongs to the other environment, real or paper)".strip()
    return kind(text or f"HTTP {response.status_code}", code=code)


def _may_repeat(problem: BaseException) -> bool:
    if isinstance(problem, Throttled):
        return problem.code != ISSUED_TOO_OFTEN
    return isinstance(problem, Unavailable)
