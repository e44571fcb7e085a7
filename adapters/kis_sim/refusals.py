"""This is how the simulated broker says no: one reason, and its code and words in either world.

Codes without a published text for a reason (wrong tick, price outside the limits on real) are the nearest ones
of KIS's table; a client must read any of them as a plain refusal.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from adapters.kis_sim.orders import Environment


class Reason(StrEnum):
    """Why an order, a change or a call is refused."""

    NOT_OPEN_YET = "NOT_OPEN_YET"
    CLOSED = "CLOSED"
    HOLIDAY = "HOLIDAY"
    CASH = "CASH"
    SHARES = "SHARES"
    QUANTITY = "QUANTITY"
    TICK = "TICK"
    LIMITS = "LIMITS"
    DIVISION = "DIVISION"
    HALTED = "HALTED"
    SYMBOL = "SYMBOL"
    ORDER_NUMBER = "ORDER_NUMBER"
    NOTHING_LEFT = "NOTHING_LEFT"
    TOO_MANY = "TOO_MANY"
    EXCHANGE = "EXCHANGE"
    RESERVATION_HOURS = "RESERVATION_HOURS"
    RESERVATION_NUMBER = "RESERVATION_NUMBER"


class Refused(Exception):
    """An order or a change is refused for `reason`."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Failed(Exception):
    """A call is answered with an error of the gateway or of a server behind it."""

    def __init__(self, code: str, text: str, *, status: int = 500) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text
        self.status = status


_R = Reason
_REAL: Final[dict[Reason, tuple[str, str]]] = {
    _R.NOT_OPEN_YET: ("APBK0918", "장운영시간이 아닙니다.(주문불가)"),
    _R.CLOSED: ("APBK0918", "장운영시간이 아닙니다.(주문불가)"),
    _R.HOLIDAY: ("APBK0919", "장운영일자가 주문일과 상이합니다"),
    _R.CASH: ("APBK0952", "주문가능금액을 초과 했습니다"),
    _R.SHARES: ("APBK0400", "주문가능수량을 초과 했습니다."),
    _R.QUANTITY: ("APBK0400", "주문수량을 확인하여 주십시오."),
    _R.TICK: ("APBK0656", "호가단위 오류입니다."),
    _R.LIMITS: ("APBK0656", "주문단가가 상/하한가를 벗어났습니다."),
    _R.DIVISION: ("APBK0963", "주문구분코드 오류 입니다."),
    _R.HALTED: ("APBK0634", "거래정지종목으로 주문이 불가합니다."),
    _R.SYMBOL: ("APBK0656", "해당종목정보가 없습니다."),
    _R.ORDER_NUMBER: ("APBK1663", "원주문번호를 확인하여 주십시오."),
    _R.NOTHING_LEFT: ("APBK0927", "정정취소 가능수량이 없습니다."),
    _R.TOO_MANY: ("APBK0927", "정정취소 가능수량을 초과하였습니다."),
    _R.EXCHANGE: ("APBK0656", "해당 거래소에서 거래할 수 없는 종목입니다."),
    _R.RESERVATION_HOURS: ("KIER3672", "예약주문은 15:40 ~ 07:30 에만 가능합니다."),
    _R.RESERVATION_NUMBER: ("APBK1663", "예약주문번호를 확인하여 주십시오."),
}
_PAPER: Final[dict[Reason, tuple[str, str]]] = {
    _R.NOT_OPEN_YET: ("40570000", "모의투자 장시작전 입니다."),
    _R.CLOSED: ("40580000", "모의투자 장종료 입니다."),
    _R.HOLIDAY: ("40100000", "모의투자 영업일이 아닙니다."),
    _R.CASH: ("40250000", "모의투자 주문가능금액이 부족 합니다."),
    _R.SHARES: ("40240000", "모의투자 잔고내역이 없습니다"),
    _R.TICK: ("40030000", "모의투자 호가단위 오류"),
    _R.LIMITS: ("40030000", "모의투자 상/하한가 오류"),
    _R.HALTED: ("40070000", "모의투자 주문처리가 안되었습니다(매매불가 종목)"),
    _R.SYMBOL: ("40070000", "모의투자 주문처리가 안되었습니다(매매불가 종목)"),
    _R.NOTHING_LEFT: ("40330000", "모의투자 정정/취소할 수량이 없습니다."),
    _R.TOO_MANY: ("40330000", "모의투자 정정/취소할 수량이 없습니다."),
    _R.ORDER_NUMBER: ("40330000", "모의투자 정정/취소할 수량이 없습니다."),
    _R.EXCHANGE: ("90000000", "모의투자에서는 해당업무가 제공되지 않습니다."),
}


def words(reason: Reason, environment: Environment) -> tuple[str, str]:
    """Return message code and text of a refusal."""
    if environment is Environment.PAPER and reason in _PAPER:
        return _PAPER[reason]
    return _REAL[reason]
