"""This is what the owner is told, event by event, in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from adapters.halt_messages import rehearsal_told, trading_halted, trading_resumed
from adapters.messages import (
    cancel_failed,
    differences_found,
    execution_booked,
    flow_failed,
    order_accepted,
    order_denied,
    order_in_doubt,
    order_rejected,
    order_withheld,
    report_message,
)
from adapters.notifier import Message, Severity
from adapters.wording import Wording
from adapters.wording.figures import MINUS
from risk.sizing import SizingSettings, size
from tests.builders import A_DAY, a_fill, a_signal, an_accepted_order, an_order, seoul
from tests.report_days import (
    DENIAL_BREACHES,
    a_day_record,
    denied_order,
    partly_filled_order,
    rejected_order,
    stop_order,
)
from tests.risk_views import a_ledger, a_view, an_open_market_sell
from trading.decisions import Breach
from trading.halts import Halt, TradingState
from trading.orders import WITHHELD, Order
from trading.reconciliation import Difference, DifferenceKind
from trading.reports import build_report
from trading.signals import Direction

KO, EN = Wording("ko"), Wording("en")
NOW = seoul(A_DAY, "09:00:05")
LINK = "http://127.0.0.1:4200/artifacts/key/eod-report"
RAW_KEY = re.compile(r"\b(order|execution|halt|flow|report|field|reconciliation|side)\.[a-z]")


def a_filled_order(quantity: int) -> tuple[Order, Message]:
    order = an_accepted_order()
    fill = a_fill(order, quantity=quantity, price=428_500, at=NOW)
    order = order.fill(fill.quantity, fill.value, at=NOW)
    return order, execution_booked(fill, order, KO, name="LG화학")


def a_withheld_order() -> Order:
    return an_order().submit(at=NOW).reject(WITHHELD, "trading is HALTED (operator: 점검)", at=NOW)


def every_message(wording: Wording) -> Iterator[Message]:
    stop, fills = stop_order()
    partial, (part,) = partly_filled_order()
    halt = Halt("operator", TradingState.REDUCING, "점검", NOW, "trend")
    difference = Difference(DifferenceKind.POSITION, "005930", "200", "210")
    yield order_accepted(an_accepted_order(), wording)
    yield order_denied(denied_order(), DENIAL_BREACHES, wording)
    yield order_rejected(rejected_order(), wording)
    for cause in ("HALTED", "LATE", "READ_ONLY", "UNKNOWN"):
        yield order_withheld(a_withheld_order(), cause, wording)
    yield cancel_failed(an_accepted_order().request_cancel(at=NOW), "EGW00302", wording)
    yield order_in_doubt(an_order().submit(at=NOW), "time-out", wording)
    yield execution_booked(fills[-1], stop, wording)
    yield execution_booked(part, partial, wording)
    yield trading_halted(halt, wording)
    yield trading_resumed("점검 끝", halt, (), wording)
    yield trading_resumed("점검 끝", halt, (halt,), wording)
    yield rehearsal_told(["ok"], wording, is_passed=True)
    yield rehearsal_told(["not ok"], wording, is_passed=False)
    yield flow_failed("place-orders", "Crashed", "killed", wording, link=LINK)
    yield differences_found([difference], wording)
    yield report_message(build_report(a_day_record()), wording, link=LINK)


@pytest.mark.parametrize("wording", [KO, EN])
def test_every_event_is_said_in_words(wording: Wording) -> None:
    for message in every_message(wording):
        assert message.title
        said = "\n".join([message.title, message.text, *message.fields, *message.fields.values()])
        assert not RAW_KEY.search(said)
        assert "None" not in said


def test_an_accepted_order_tells_its_number_and_its_reason() -> None:
    message = order_accepted(an_accepted_order(), KO, name="LG화학")
    assert message.title == "LG화학 매수 23주 주문 접수 (428,500원)"
    assert message.text == "SMA20 crossed above SMA60"
    assert message.fields == {"전략": "trend", "증권사 주문번호": "0000000101"}


def test_a_denied_order_tells_every_reason() -> None:
    message = order_denied(denied_order(), DENIAL_BREACHES, KO, name="NAVER")
    assert message.severity is Severity.WARNING
    assert message.title == "NAVER 매수 12주 주문 거부 (915,000원)"
    assert len(message.text.splitlines()) == len(DENIAL_BREACHES)
    assert "종목 비중" in message.text
    assert "보유 종목 수" in message.text


def test_a_rejected_order_quotes_the_broker() -> None:
    message = order_rejected(rejected_order(), KO)
    assert message.text == "APBK0919 주문가능금액을 초과했습니다"


def test_an_order_in_doubt_is_urgent_and_says_that_it_is_not_sent_again() -> None:
    message = order_in_doubt(an_order().submit(at=NOW), "no answer in 5 s", KO)
    assert message.severity is Severity.CRITICAL
    assert "다시 보내지 않으며" in message.text
    assert "no answer in 5 s" in message.text
    assert message.fields["주문 ID"] == an_order().client_order_id


def test_a_partial_fill_says_how_far_the_order_is() -> None:
    _, message = a_filled_order(10)
    assert message.title == "LG화학 매수 10주 일부 체결 (428,500원), 누적 10/23주"
    _, message = a_filled_order(23)
    assert message.title == "LG화학 매수 23주 체결 (428,500원)"
    assert message.fields["수수료"] == "1,478원"


def test_an_exit_by_stop_is_told_as_one() -> None:
    order, fills = stop_order()
    message = execution_booked(fills[-1], order, KO, name="LG화학")
    assert message.title == "LG화학 손절 매도 13주 체결 (406,500원)"
    assert message.text.startswith("손절: 가격 407,000원")


def test_a_halt_is_urgent_and_names_who_and_what() -> None:
    message = trading_halted(Halt("operator", TradingState.HALTED, "점검", NOW), KO)
    assert (message.severity, message.title, message.text) == (
        Severity.CRITICAL,
        "매매 정지",
        "점검",
    )
    assert message.fields == {"정지 주체": "운영자", "전략": "전체"}


def test_a_halt_without_a_reason_says_so_in_the_owners_language() -> None:
    halt = Halt("operator", TradingState.HALTED, "operator", NOW)
    message = trading_resumed("점검 끝", halt, (halt,), KO)
    assert trading_halted(halt, KO).text == "이유를 적지 않았습니다"
    assert message.text == "점검 끝\n남은 정지: 운영자 (전체, 매매 정지) 이유를 적지 않았습니다"
    assert "operator" not in f"{message} {trading_halted(halt, KO)}"


def test_a_halt_of_one_symbol_names_it() -> None:
    message = trading_halted(
        Halt("operator", TradingState.HALTED, "점검", NOW, symbol="005930"), KO
    )
    assert message.fields["종목"] == "005930"


def test_a_resume_names_what_still_stops() -> None:
    lifted = Halt("operator", TradingState.HALTED, "점검", NOW)
    left = Halt("trip:clock", TradingState.HALTED, "6초", NOW, "trend")
    alone = trading_resumed("점검 끝", lifted, (), KO)
    message = trading_resumed("점검 끝", lifted, (left,), KO)
    assert (alone.title, alone.text) == ("매매 재개", "점검 끝")
    assert message.title == "정지를 풀었지만 다른 정지가 남아 있습니다"
    assert message.text == "점검 끝\n남은 정지: trip:clock (trend, 매매 정지) 6초"


def test_a_failed_flow_links_to_its_run() -> None:
    message = flow_failed("place-orders", "Crashed", "killed", KO, link=LINK)
    assert message.title == "주문 실패"
    assert message.link == LINK


def test_the_report_tells_result_reasons_and_link() -> None:
    message = report_message(build_report(a_day_record()), KO, link=LINK)
    assert message.title == f"2018-01-18 (목) 손익 {MINUS}186,894원 ({MINUS}0.37%)"
    assert message.fields["최대 낙폭"] == f"{MINUS}0.63%"
    assert "NAVER: 종목 비중" in message.text
    assert message.link == LINK


def test_a_day_without_denials_has_no_text() -> None:
    quiet = a_day_record(orders=(), risk_events=())
    assert report_message(build_report(quiet), KO).text == ""


@pytest.mark.parametrize("wording", [KO, EN])
def test_why_no_order_differs_from_the_open_ones_is_explained(wording: Wording) -> None:
    view = a_view(ledger=a_ledger(_051910=2), open_orders=(an_open_market_sell(1),))
    breach = size(a_signal(direction=Direction.EXIT), view, SizingSettings())
    assert isinstance(breach, Breach)
    assert wording.breach(breach) != f"{wording.rule('SIZING')}: {breach.message}"
