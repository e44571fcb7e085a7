"""This is the HTTP side: it turns requests into asks and answers into bytes, spelled as KIS spells them."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from aiohttp import web

from adapters.kis_sim import control
from adapters.kis_sim.faults import Delay, Fault
from adapters.kis_sim.figures import day_text
from adapters.kis_sim.gateway import Answer, Ask, Gateway, envelope, read_json
from adapters.kis_sim.hours import kst
from adapters.kis_sim.orders import Environment
from adapters.kis_sim.refusals import Failed, Refused, words
from adapters.kis_sim.simulation import Simulation
from adapters.kis_sim.tokens import TokenOffice, hash_of
from trading.errors import BadInput

_log: Final = logging.getLogger(__name__)
_SLASHES: Final = re.compile(r"/{2,}")
_JSON: Final = "application/json; charset=utf-8"

type Handler = Callable[[Ask], Awaitable[Answer | None]]
"""None leaves the caller without an answer: the connection is cut."""


class HttpSide:
    """Every path of the HTTP port. Header names of KIS go out in lower case, all others as HTTP writes them."""

    def __init__(
        self,
        simulation: Simulation,
        gateway: Gateway,
        office: TokenOffice,
        faults_changed: Callable[[], None],
    ) -> None:
        self._simulation = simulation
        self._gateway = gateway
        self._office = office
        self._faults_changed = faults_changed
        self._handlers: dict[tuple[str, str], Handler] = {
            ("POST", "/oauth2/tokenP"): self._token,
            ("POST", "/oauth2/revokeP"): self._revoke,
            ("POST", "/oauth2/Approval"): self._approval,
            ("POST", "/uapi/hashkey"): self._hashkey,
            ("GET", "/sim/health"): self._health,
            ("GET", "/sim/clock"): self._clock,
            ("POST", "/sim/clock"): self._set_clock,
            ("GET", "/sim/faults"): self._faults,
            ("PUT", "/sim/faults"): self._replace_faults,
            ("PATCH", "/sim/faults"): self._change_faults,
            ("GET", "/sim/book"): self._book,
            ("POST", "/sim/orders"): self._hand_order,
        }

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request, whatever it is, in JSON."""
        ask = await _ask(request)
        try:
            answer = await self._handler(ask)(ask)
        except Failed as failure:
            answer = Answer(envelope(failure.code, failure.text), failure.status)
        except BadInput as problem:
            answer = Answer({"error": str(problem)}, 422)
        except Exception:  # noqa: BLE001 - even a mistake of ours is answered in JSON
            _log.exception("%s %s", ask.method, ask.path)
            answer = Answer(envelope("EGW00002", "서버 에러가 발생했습니다."), 500)
        if answer is None:
            return _cut(request)
        response = _response(answer)
        await response.prepare(request)
        await response.write_eof()
        self._simulation.deliver()
        return response

    def _handler(self, ask: Ask) -> Handler:
        known = self._handlers.get((ask.method, ask.path))
        if known is not None:
            return known
        return self._uapi if ask.path.startswith("/uapi/") else self._nowhere

    async def _nowhere(self, ask: Ask) -> Answer:
        text = f"해당 서비스를 찾을수 없습니다.({ask.method} {ask.path})"
        return Answer(envelope("MCA00124", text), 404)

    async def _uapi(self, ask: Ask) -> Answer | None:
        answer = self._gateway.answer(ask)
        call, faults = answer.call, self._simulation.faults
        if call is None:
            return answer
        names, symbol = (answer.headers["tr_id"], call.name), answer.symbol
        if answer.is_accepted:
            early = faults.strike(Delay, "notice_before_reply", symbol, names)
            if early:
                self._simulation.deliver()
                await asyncio.sleep(early.seconds)
        late = faults.strike_reply(Delay, "reply_delayed", symbol, names, is_order=call.is_order)
        if late:
            await asyncio.sleep(late.seconds)
        is_at_stake = answer.is_accepted
        if faults.strike_reply(Fault, "reply_lost", symbol, names, is_order=is_at_stake):
            self._simulation.deliver()
            return None
        return answer

    async def _token(self, ask: Ask) -> Answer:
        return self._issued(ask, "appsecret", self._new_token)

    async def _approval(self, ask: Ask) -> Answer:
        return self._issued(ask, "secretkey", self._new_approval)

    def _issued(
        self, ask: Ask, secret_name: str, issue: Callable[[str], Mapping[str, Any]]
    ) -> Answer:
        """Check keys in the body and issue; refusals have names of their own here."""
        try:
            return Answer(issue(self._key_holder(read_json(ask.body), secret_name)))
        except Failed as failure:
            refusal = {"error_code": failure.code, "error_description": failure.text}
            return Answer(refusal, failure.status)

    def _key_holder(self, body: Mapping[str, Any], secret_name: str) -> str:
        if body.get("grant_type") != "client_credentials":
            raise Failed("EGW00114", "유효하지 않은 grant_type입니다.", status=400)
        secret = body.get(secret_name) or body.get("appsecret") or ""
        return self._office.credential(str(body.get("appkey") or ""), str(secret)).appkey

    def _new_token(self, appkey: str) -> Mapping[str, Any]:
        now = self._simulation.catch_up()
        token = self._office.issue(appkey, now)
        return {
            "access_token": token.text,
            "access_token_token_expired": f"{kst(token.expires_at):%Y-%m-%d %H:%M:%S}",
            "token_type": "Bearer",
            "expires_in": int((token.expires_at - now).total_seconds()),
        }

    def _new_approval(self, appkey: str) -> Mapping[str, Any]:
        return {"approval_key": self._office.approve(appkey, self._simulation.catch_up())}

    async def _revoke(self, ask: Ask) -> Answer:
        body = read_json(ask.body)
        self._office.credential(str(body.get("appkey", "")), str(body.get("appsecret", "")))
        self._office.revoke(str(body.get("token", "")))
        return Answer({"code": 200, "message": "접근토큰 폐기에 성공하였습니다"})

    async def _hashkey(self, ask: Ask) -> Answer:
        self._office.credential(ask.headers.get("appkey", ""), ask.headers.get("appsecret", ""))
        body = read_json(ask.body)
        return Answer({"BODY": body, "HASH": hash_of(body)})

    async def _health(self, _ask: Ask) -> Answer:
        return Answer({"status": "ok", "today": day_text(self._simulation.today())})

    async def _clock(self, _ask: Ask) -> Answer:
        return Answer(control.clock_state(self._simulation))

    async def _set_clock(self, ask: Ask) -> Answer:
        return Answer(await control.set_clock(self._simulation, _document(ask)))

    async def _faults(self, _ask: Ask) -> Answer:
        return Answer(self._simulation.faults.as_json())

    async def _replace_faults(self, ask: Ask) -> Answer:
        document = _document(ask)
        self._simulation.faults.replace(document, at=self._simulation.catch_up())
        self._faults_changed()
        return await self._faults(ask)

    async def _change_faults(self, ask: Ask) -> Answer:
        document = _document(ask)
        self._simulation.faults.change(document, at=self._simulation.catch_up())
        self._faults_changed()
        return await self._faults(ask)

    async def _book(self, _ask: Ask) -> Answer:
        return Answer(control.book(self._simulation))

    async def _hand_order(self, ask: Ask) -> Answer:
        try:
            return Answer(control.place_by_hand(self._simulation, _document(ask)))
        except Refused as refusal:
            code, text = words(refusal.reason, Environment.REAL)
            return Answer({"error": text, "code": code, "reason": refusal.reason.value}, 409)


def _document(ask: Ask) -> dict[str, Any]:
    try:
        return read_json(ask.body)
    except Failed as failure:
        raise BadInput("body", ask.body[:80], "a JSON object") from failure


async def _ask(request: web.BaseRequest) -> Ask:
    return Ask(
        method=request.method,
        path=_SLASHES.sub("/", request.path),
        headers={name.lower(): value for name, value in request.headers.items()},
        query=dict(request.query),
        body=(await request.read()).decode(errors="replace"),
        address=request.remote or "",
    )


def _response(answer: Answer) -> web.Response:
    text = json.dumps(answer.body, ensure_ascii=False)
    response = web.Response(text=text, status=answer.status, headers={"Content-Type": _JSON})
    for name, value in answer.headers.items():
        response.headers[name] = value
    return response


def _cut(request: web.BaseRequest) -> web.Response:
    """Close the connection before a byte of the answer has left."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
