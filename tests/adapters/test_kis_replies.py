"""This is the reading of whole KIS answers: what is a yes, what is a no, and what is neither."""

from typing import Any

import httpx
import pytest

from adapters.kis.client import order_reply, read_reply
from trading.errors import (
    BrokerError,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Unauthorized,
    Unavailable,
)


def a_response(status: int, body: object) -> httpx.Response:
    if isinstance(body, str):
        return httpx.Response(status, text=body)
    return httpx.Response(status, json=body)


def a_receipt(**output: str) -> dict[str, Any]:
    return {
        "rt_cd": "0",
        "msg_cd": "APBK0013",
        "msg1": "주문 전송 완료 되었습니다.",
        "output": {
            "KRX_FWDG_ORD_ORGNO": "03930",
            "ODNO": "0000085100",
            "ORD_TMD": "094414",
            "SOR_ODNO": "",
        }
        | output,
    }


def test_a_captured_receipt_is_a_yes() -> None:
    assert order_reply(a_response(200, a_receipt())).row("output").text("odno") == "0000085100"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, a_receipt(ODNO="")),
        (200, a_receipt(ODNO="0000000000")),
        (200, a_receipt(ODNO="          ")),
        (200, a_receipt(ODNO="none")),
        (200, {"rt_cd": "0", "msg_cd": "APBK0013", "msg1": "", "output": {}}),
        (200, {"rt_cd": "0", "msg_cd": "APBK0013", "msg1": ""}),
        (500, a_receipt()),
        (502, {"rt_cd": "1", "msg_cd": "APBK0918", "msg1": "?"}),
        (503, "<html>busy</html>"),
        (504, ""),
        (200, "<html>maintenance</html>"),
        (200, []),
        (200, {}),
        (302, ""),
        (500, {"rt_cd": "1", "msg_cd": "EGW00302", "msg1": "이전 거래를 확인하세요"}),
        (500, {"rt_cd": "1", "msg_cd": "", "msg1": ""}),
        (200, {"rt_cd": "1", "msg_cd": "APBK0013", "msg1": "contradicts itself"}),
        (200, {"rt_cd": "1", "msg_cd": "EGW00215", "msg1": "원장 초당 거래건수 초과"}),
    ],
)
def test_no_clear_answer_to_an_order_leaves_it_in_doubt(status: int, body: object) -> None:
    """Incidents 2 and 4: a 504 that was sent again; accepted without an order number, or with one of all zeros."""
    with pytest.raises(OutcomeUnknown):
        order_reply(a_response(status, body))


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, {"rt_cd": "7", "msg_cd": "APBK0952", "msg1": "주문가능금액 초과  "}, Rejected),
        (200, {"rt_cd": "1", "msg_cd": "40250000", "msg1": "모의투자 주문가능금액"}, Rejected),
        (500, {"rt_cd": "1", "msg_cd": "EGW00201", "msg1": "초당"}, Throttled),
        (200, {"rt_cd": "1", "msg_cd": "EGW00201", "msg1": "초당"}, Throttled),
        (500, {"rt_cd": "1", "msg_cd": "EGW00123", "msg1": "만료"}, Unauthorized),
        (403, {"error_code": "EGW00103", "error_description": "appkey"}, Unauthorized),
    ],
)
def test_a_clear_no_to_an_order_is_told_in_the_brokers_words(
    status: int, body: dict[str, str], kind: type[BrokerError]
) -> None:
    with pytest.raises(kind) as caught:
        order_reply(a_response(status, body))
    assert caught.value.code == body.get("msg_cd", body.get("error_code"))
    assert caught.value.message == (body.get("msg1") or body["error_description"]).strip()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, {"rt_cd": "1", "msg_cd": "EGW00215", "msg1": "x"}, Throttled),
        (500, {"rt_cd": "1", "msg_cd": "EGW00201", "msg1": "x"}, Throttled),
        (500, {"rt_cd": "0", "msg_cd": "MCA00000", "output": {}}, Unavailable),
        (200, {"rt_cd": "1", "msg_cd": "APBK1631", "msg1": "no data"}, Unavailable),
        (200, {"output1": [], "output2": []}, Unavailable),
        (200, "maintenance", Unavailable),
        (200, {"rt_cd": "1", "msg_cd": "OPSQ2000", "msg1": "x"}, Unauthorized),
        (500, {"rt_cd": "1", "msg_cd": "EGW02006", "msg1": "x"}, Rejected),
    ],
)
def test_an_error_is_never_read_as_an_empty_result(
    status: int, body: object, kind: type[BrokerError]
) -> None:
    with pytest.raises(kind):
        read_reply(a_response(status, body))
