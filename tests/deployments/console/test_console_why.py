"""This is the proof that `why` tells the whole chain of an order: bars, signal, verdicts, broker, fills, costs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.stores import Stores
from risk.gate import check, largest_quantity, passed
from risk.judgements import LARGEST_QUANTITY
from risk.limits import RiskLimits
from risk.rules import rules_for
from tests.builders import A_DAY, LG_CHEM, a_signal, an_order, seoul
from tests.consoles import Console, a_bar
from tests.risk_views import a_view, buy
from tests.store_samples import a_submission
from trading.decisions import Breach, RiskEvent, Verdict
from trading.orders import Order
from trading.signals import Signal
from trading.submissions import Search

HEADING = {"channel", "account", "trading_day"}
CHAIN = HEADING | {"bars", "signal", "refusals", "orders"}
PART = {"order", "verdicts", "largest_quantity", "timeline", "fills", "doubt", "costs"}
VERDICT = {"rule_id", "verdict", "message", "figures", "at"}
REFUSED = "20180116-051910-B-refused"
REJECTED = "20180116-051910-B-rejected"

pytestmark = pytest.mark.usefixtures("filled")


def other_signal(trigger: str) -> Signal:
    """Give a signal with indicators."""
    indicators = {"average_20": "431250", "average_60": "428333"}
    return replace(a_signal(trigger=trigger), indicators=indicators)


@pytest.fixture
def refused(stores: Stores) -> Order:
    """An order for 100 LG Chem that the gate refuses, as the gate really does."""
    signal, view, rules = other_signal("cross2"), a_view(), rules_for(RiskLimits())
    intent = buy(100, client_order_id=REFUSED, signal_id=signal.signal_id)
    decision = check(intent, view, rules)
    order = Order.initialize(intent).deny(decision.reason, at=view.at)
    largest = Breach(LARGEST_QUANTITY, "", {"largest": str(largest_quantity(intent, view, rules))})
    figures = (*passed(intent, view, rules, decision), largest)

    def event(breach: Breach, verdict: Verdict) -> RiskEvent:
        return RiskEvent(REFUSED, "trend", LG_CHEM, breach, view.at, A_DAY, verdict)

    with stores.begin() as work:
        work.signals.add(signal)
        work.bars.upsert([a_bar(A_DAY - timedelta(days=n), close=430_000 + n) for n in range(1, 8)])
        work.orders.add(Order.initialize(intent))
        work.orders.save(order)
        work.risk_events.add(event(breach, Verdict.DENIED) for breach in decision.breaches)
        work.risk_events.add(event(breach, Verdict.PASSED) for breach in figures)
    return order


@pytest.fixture
def rejected(stores: Stores) -> Order:
    """An order that the broker refused in its own words."""
    at = seoul(A_DAY, "09:30")
    order = an_order(client_order_id=REJECTED, quantity=7, signal_id="by hand")
    sent = order.submit(at=at)
    with stores.begin() as work:
        work.orders.add(order)
        work.orders.save(sent)
        work.orders.save(sent.reject("APBK0952", "주문가능금액을 초과 했습니다.", at=at))
    return order


def chain(console: Console, identity: str) -> dict[str, Any]:
    """Read a chain as a program does."""
    answer = console("why", identity, "--json")
    assert (answer.code, answer.err) == (0, "")
    document: dict[str, Any] = answer.document
    assert document.keys() == CHAIN
    return document


def test_a_refusal_is_told_from_bars_to_what_would_have_passed(
    console: Console, refused: Order
) -> None:
    told = chain(console, refused.client_order_id)
    assert told["signal"]["indicators"] == {"average_20": "431250", "average_60": "428333"}
    assert [bar["close"] for bar in told["bars"]] == [430_000 + n for n in range(7, 0, -1)]
    (part,) = told["orders"]
    assert part.keys() == PART
    assert (part["order"]["status"], part["order"]["quantity"]) == ("DENIED", 100)
    verdicts = {each["rule_id"]: each for each in part["verdicts"]}
    assert all(each.keys() == VERDICT for each in part["verdicts"])
    denied = [name for name, each in verdicts.items() if each["verdict"] == "DENIED"]
    assert denied == ["MAXIMUM_WEIGHT"]
    # every other rule with its figures; a buy has nothing to do with what can be sold
    rules = {rule.rule_id for rule in rules_for(RiskLimits())}
    assert verdicts.keys() == rules - {"SELLABLE"}
    assert verdicts["CASH"]["figures"]["need"] == "40006000"
    assert part["largest_quantity"] == 49
    assert [each["status"] for each in part["timeline"]] == ["INITIALIZED", "DENIED"]
    assert part["fills"] == []
    assert part["costs"] == {"value": 0, "commission": 0, "tax": 0}


def test_an_order_is_told_with_its_fills_and_what_they_cost(console: Console) -> None:
    (part,) = chain(console, an_order().client_order_id)["orders"]
    assert [fill["quantity"] for fill in part["fills"]] == [10, 13]
    charged = [fill["commission"] for fill in part["fills"]]
    assert part["costs"] == {
        "value": 10 * 428_000 + 13 * 428_500,
        "commission": sum(charged),
        "tax": 0,
    }
    assert part["largest_quantity"] is None


def test_a_signal_is_told_with_every_order_that_came_of_it(
    console: Console, refused: Order
) -> None:
    told = chain(console, refused.intent.signal_id)
    assert [part["order"]["client_order_id"] for part in told["orders"]] == [REFUSED]
    assert told == chain(console, REFUSED)


def test_a_signal_that_became_no_order_is_told_with_the_reason(
    console: Console, stores: Stores
) -> None:
    signal = other_signal("gap")
    breach = Breach("SIZING", "no price for 051910", {"unknown": "051910"})
    event = RiskEvent(signal.signal_id, "trend", LG_CHEM, breach, seoul(A_DAY, "09:01"), A_DAY)
    with stores.begin() as work:
        work.signals.add(signal)
        work.risk_events.add([event])
    told = chain(console, signal.signal_id)
    assert told["orders"] == []
    assert [refusal["rule_id"] for refusal in told["refusals"]] == ["SIZING"]
    assert "no price is known for 051910" in console("why", signal.signal_id).out


@pytest.mark.parametrize(
    ("language", "searched"), [("en", "read 4 times"), ("ko", "4번")], ids=["en", "ko"]
)
def test_an_order_in_doubt_is_told_with_what_to_look_for_and_how_to_end_it(
    console: Console,
    stores: Stores,
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    searched: str,
) -> None:
    monkeypatch.setenv("MAEMAE_LANGUAGE", language)
    order, at = an_order(client_order_id="lost", quantity=7), seoul(A_DAY, "09:30")
    search = Search(scans=4, first_at=at, last_at=at + timedelta(seconds=9))
    with stores.begin() as work:
        work.orders.add(order)
        work.submissions.add(a_submission("lost"))
        work.orders.save(order.submit(at=at))
        work.submissions.note("lost", search)
    (part,) = chain(console, "lost")["orders"]
    assert (part["order"]["status"], part["doubt"]["scans"]) == ("SUBMITTED", 4)
    said = console("why", "lost").out
    assert searched in said
    for sentence in part["doubt"]["sentences"]:
        assert sentence in said
    for command in ("maemae orders bind lost", "maemae orders absent lost"):
        assert command in said
    assert chain(console, an_order().client_order_id)["orders"][0]["doubt"] is None


def test_the_brokers_words_are_told(console: Console, rejected: Order) -> None:
    told = chain(console, rejected.client_order_id)
    assert told["signal"] is None
    (part,) = told["orders"]
    assert part["order"]["error_code"] == "APBK0952"
    assert [each["status"] for each in part["timeline"]] == ["INITIALIZED", "SUBMITTED", "REJECTED"]
    said = console("why", rejected.client_order_id).out
    assert "APBK0952 주문가능금액을 초과 했습니다." in said


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        (
            "en",
            [
                "Indicators",
                "What would have made it pass",
                "Weight per symbol: a value of at most 20.00%",
                "needs 40,006,000 KRW",
                "49 shares would have passed",
            ],
        ),
        ("ko", ["지표", "통과하려면", "종목 비중: ", "필요 40,006,000원", "49주까지는 통과"]),
    ],
)
def test_people_read_it_in_their_language(
    console: Console,
    refused: Order,
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    sentences: list[str],
) -> None:
    monkeypatch.setenv("MAEMAE_LANGUAGE", language)
    answer = console("why", refused.client_order_id)
    assert answer.code == 0
    for sentence in sentences:
        assert sentence in answer.out


def test_the_brokers_number_finds_the_order_of_today_only(console: Console) -> None:
    answer = console("why", "0000000101")
    assert answer.code == 2
    assert "0000000101" in answer.err


def test_what_there_is_not_is_refused_by_name(console: Console) -> None:
    answer = console("why", "nothing")
    assert (answer.code, answer.out) == (2, "")
    assert "nothing" in answer.err
