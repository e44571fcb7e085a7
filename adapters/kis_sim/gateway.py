"""This is KIS's gateway: it checks key, token, TR id, pace and parameters, then asks who knows the answer."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from adapters.kis_sim import answers
from adapters.kis_sim.accounts import Account
from adapters.kis_sim.calls import CALL_OF_TR, Call
from adapters.kis_sim.faults import Fault, LedgerThrottled, Throttled
from adapters.kis_sim.orders import Environment
from adapters.kis_sim.paces import Pace
from adapters.kis_sim.refusals import Failed, Refused, words
from adapters.kis_sim.replies import Query, Reply, missing_field
from adapters.kis_sim.simulation import Simulation
from adapters.kis_sim.tokens import Credential, TokenOffice, hash_of


class Mode(StrEnum):
    """Which hosts the simulator stands for: one of KIS's two, strictly, or both on one port."""

    REAL = "real"
    PAPER = "paper"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Ask:
    """One HTTP request; header names in lower case, query names as they came."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: str
    address: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: status, JSON, and the headers of KIS."""

    body: Mapping[str, Any]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    call: Call | None = None
    symbol: str = ""

    @property
    def is_accepted(self) -> bool:
        """Whether an order or a change was taken."""
        return self.call is not None and self.call.is_order and self.body.get("rt_cd") == "0"


_THROTTLED: Final = ("EGW00201", "초당 거래건수를 초과하였습니다.")
_LEDGER_THROTTLED: Final = ("EGW00215", "원장 초당 거래건수를 초과하였습니다.")
_OVERSEAS: Final = "/uapi/overseas-stock/"
_NOTHING_OVERSEAS: Final = {
    "rt_cd": "0",
    "msg_cd": "KIOK0560",
    "msg1": "조회할 내용이 없습니다".ljust(80),
    **dict.fromkeys(("ctx_area_fk200", "ctx_area_nk200"), " " * 200),
    "output": [],
    "output1": [],
    "output2": [],
    "output3": {},
}
"""Clients that ask for everything they hold ask overseas too; these accounts have nothing there."""
_PADDED: Final = 80
"""KIS fills the texts of its answers to questions up with blanks."""
_BEARER: Final = "Bearer "


def envelope(code: str, text: str, *, rt_cd: str = "1") -> dict[str, str]:
    """Return the body of an answer without blocks."""
    return {"rt_cd": rt_cd, "msg_cd": code, "msg1": text}


def read_json(body: str) -> dict[str, Any]:
    """Read a JSON object, whatever the content type said.

    Raises:
        Failed: EGW00101 when it is none.
    """
    try:
        document = json.loads(body)
    except ValueError as problem:
        raise Failed("EGW00101", "유효하지 않은 요청입니다.", status=400) from problem
    if not isinstance(document, dict):
        raise Failed("EGW00101", "유효하지 않은 요청입니다.", status=400)
    return document


class Gateway:
    """Answers every call below /uapi."""

    def __init__(self, simulation: Simulation, office: TokenOffice, mode: Mode, pace: Pace) -> None:
        self._simulation = simulation
        self._office = office
        self._mode = mode
        self._pace = pace

    def answer(self, ask: Ask) -> Answer:
        """Answer a call; every outcome is an answer."""
        self._simulation.calls += 1
        tr = ask.headers.get("tr_id", "").strip()
        call = CALL_OF_TR.get(tr)
        try:
            if call is None and ask.method == "GET" and ask.path.startswith(_OVERSEAS):
                self._authorize(ask)
                return self._answer(_NOTHING_OVERSEAS, tr, None, tr_cont="D")
            query = self._admit(ask, tr, call)
            reply = answers.BY_CALL[query.call.name](query)
        except Failed as failure:
            return self._answer(envelope(failure.code, failure.text), tr, call, failure.status)
        except Refused as refusal:
            environment = self._environment(tr, None)
            rt_cd = "1" if environment is Environment.PAPER else "7"
            body = envelope(*words(refusal.reason, environment), rt_cd=rt_cd)
            return self._answer(body, tr, call)
        return self._reply(query, reply)

    def _admit(self, ask: Ask, tr: str, call: Call | None) -> Query:
        credential = self._authorize(ask)
        if call is None:
            raise Failed("EGW00310", f"유효하지 않은 TR_ID 입니다.({tr})")
        environment = self._check_world(credential, tr, call)
        if ask.method != call.method:
            raise Failed("OPSQ0002", "없는 서비스 코드 입니다.")
        given = _given(ask, call)
        self._check_pace(credential.appkey, _symbol(given), tr, call)
        parameters = self._checked(ask, call, given)
        return Query(
            call=call,
            tr=tr,
            environment=environment,
            parameters=parameters,
            simulation=self._simulation,
            at=self._simulation.catch_up(),
            account=self._account(parameters) if call.is_trading else None,
            address=ask.address,
        )

    def _authorize(self, ask: Ask) -> Credential:
        authorization = ask.headers.get("authorization", "").strip()
        if not authorization:
            raise Failed("EGW00122", "토큰을 찾을 수 없습니다.")
        if not authorization.startswith(_BEARER):
            raise Failed("EGW00205", "credentials_type이 유효하지 않습니다.(Bearer)")
        credential = self._office.credential(
            ask.headers.get("appkey", "").strip(), ask.headers.get("appsecret", "").strip()
        )
        token = authorization.removeprefix(_BEARER).strip()
        names = (ask.headers.get("tr_id", "").strip(),)
        self._office.check(token, credential.appkey, self._simulation.catch_up(), names)
        if ask.headers.get("custtype", "").strip() not in {"", "P", "B"}:
            raise Failed("EGW00208", "고객타입이 유효하지 않습니다.")
        return credential

    def _check_world(self, credential: Credential, tr: str, call: Call) -> Environment:
        if self._mode is Mode.BOTH:
            return self._environment(tr, credential.environment)
        key_world = credential.environment
        if self._mode is Mode.REAL:
            if key_world is Environment.PAPER or tr not in call.trs[Environment.REAL]:
                raise Failed("EGW02004", "실전투자 TR 이 아닙니다.")
            return Environment.REAL
        if key_world is Environment.REAL:
            raise Failed("EGW02007", "모의투자에서 사용할 수 없는 AppKey입니다.")
        if tr not in call.trs[Environment.PAPER]:
            if call.name.startswith("order-resv"):
                raise Failed("IGW00009", "응답 전문 생성 중 오류가 발생하였습니다.")
            raise Failed("EGW02006", "모의투자 TR 이 아닙니다.")
        return Environment.PAPER

    def _environment(self, tr: str, of_key: Environment | None) -> Environment:
        """Return the world of a call: the mode's, the only one that knows the TR, else the key's."""
        if self._mode is not Mode.BOTH:
            return Environment(self._mode.value)
        call = CALL_OF_TR.get(tr)
        worlds = [world for world in Environment if call and tr in call.trs[world]]
        return worlds[0] if len(worlds) == 1 else of_key or Environment.REAL

    def _check_pace(self, appkey: str, symbol: str, tr: str, call: Call) -> None:
        names = (tr, call.name)
        faults = self._simulation.faults
        throttled = faults.strike(Throttled, "throttled", symbol, names)
        if throttled:
            raise Failed(*_THROTTLED, status=throttled.http)
        if call.is_trading:
            ledger = faults.strike(LedgerThrottled, "ledger_throttled", symbol, names)
            if ledger:
                raise Failed(*_LEDGER_THROTTLED, status=ledger.http)
        if not self._pace.admits(appkey):
            raise Failed(*_THROTTLED)

    def _checked(self, ask: Ask, call: Call, given: Mapping[str, Any]) -> dict[str, str]:
        """Return the parameters as text under upper-case names; all that are needed must be there."""
        hashkey = ask.headers.get("hashkey", "").strip()
        if call.is_order and hashkey and hashkey != hash_of(given):
            raise Failed("EGW00131", "유효하지 않은 hashkey입니다.")
        parameters = {name.upper(): str(value) for name, value in given.items()}
        for name in call.needs:
            if name not in parameters:
                raise missing_field(name)
        return parameters

    def _account(self, parameters: Mapping[str, str]) -> Account:
        number = f"{parameters['CANO'].strip()}-{parameters['ACNT_PRDT_CD'].strip()}"
        for account in self._simulation.accounts:
            if account.number == number:
                return account
        raise Failed("OPSQ2000", "ERROR : INPUT INVALID_CHECK_ACNO", status=200)

    def _reply(self, query: Query, reply: Reply) -> Answer:
        symbol = reply.symbol or _symbol(query.parameters)
        names, is_order = (query.tr, query.call.name), query.call.is_order
        faults = self._simulation.faults
        if faults.strike_reply(Fault, "timeout_after_accept", symbol, names, is_order=is_order):
            text = "거래시간이 초과되었습니다. 이전 거래를 확인하세요."
            return self._answer(envelope("EGW00302", text), query.tr, query.call, 500)
        code, text = reply.message
        body: dict[str, Any] = envelope(code, text if is_order else text.ljust(_PADDED), rt_cd="0")
        tr_cont, page = "", query.call.page
        if page is not None and reply.next_key is not None:
            tr_cont = "M" if reply.next_key else "D"
            body[page.first_key] = reply.first_key.ljust(page.width)
            body[page.next_key] = reply.next_key.ljust(page.width)
        answer = self._answer(body | dict(reply.blocks), query.tr, query.call, tr_cont=tr_cont)
        return replace(answer, symbol=symbol)

    def _answer(
        self,
        body: Mapping[str, Any],
        tr: str,
        call: Call | None,
        status: int = 200,
        *,
        tr_cont: str = "",
    ) -> Answer:
        headers = {"tr_id": tr, "tr_cont": tr_cont, "gt_uid": secrets.token_hex(16)}
        return Answer(body, status, headers, call)


def _given(ask: Ask, call: Call) -> Mapping[str, Any]:
    """Return what the client sent: the body of an order, the query of anything else."""
    if not call.is_order:
        return ask.query
    if not ask.headers.get("content-type", "").startswith("application/json"):
        raise Failed("EGW00132", "content-type이 유효하지 않습니다.", status=400)
    return read_json(ask.body)


def _symbol(parameters: Mapping[str, Any]) -> str:
    """Return the symbol that a call names, in whichever parameter."""
    named = parameters.get("PDNO") or parameters.get("FID_INPUT_ISCD") or ""
    return str(named).strip()
