"""This is the proof of `maemae parity`: the demo's days held against their replay, told, drawn and kept as evidence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.memory.stores import MemoryStores
from adapters.parity_messages import parity_told
from adapters.postgres import PostgresStores
from adapters.reports.parity_pages import render_parity
from adapters.wording import Language, Wording
from backtest.attribution import Cause
from backtest.decisions import Why
from backtest.parity import compare
from backtest.plans import ReplayPlan
from backtest.recordings import Happened, Recording, replay
from deployments.console.parities import first_of
from deployments.examinations import bundled_bars
from tasks.channels import ChannelSettings, parse_channel
from tasks.parity import read_recording
from tests.adapters.test_report_files import Page
from tests.builders import ACCOUNT, LG_CHEM, seoul
from tests.consoles import PROJECT, Console
from tests.recordings import CALENDAR, store
from trading.errors import BadInput
from trading.evidence import EvidenceKind
from trading.ledger import Ledger

FIRST, LAST = date(2018, 1, 16), date(2018, 1, 18)
ASKED = ("parity", "--from", FIRST.isoformat(), "--to", LAST.isoformat())
CASH = 100_000_000
DEV: ChannelSettings = parse_channel(
    yaml.safe_load((PROJECT / "deployments/channels/dev.yaml").read_text("utf-8")), origin="dev"
)


def the_demo() -> Recording:
    """Give the demo's three days as an account without faults lives them."""
    bars = {
        symbol: [b for b in found if date(2017, 6, 1) <= b.trading_day <= LAST]
        for symbol, found in bundled_bars().items()
    }
    plan = ReplayPlan(
        strategies=DEV.strategies,
        limits=DEV.risk,
        sizing=DEV.sizing,
        costs=DEV.costs.schedule,
        cash=0,
        first=FIRST,
        last=LAST,
        opening=Ledger(ACCOUNT),
        deposits={FIRST: CASH},
    )
    recording = Recording((plan,), bars, Happened((), (), (), Ledger(ACCOUNT)))
    return replace(recording, actual=replay(recording, CALENDAR))


@pytest.fixture
def demo(stores: PostgresStores, database: str) -> Recording:
    """The demo's days in the database."""
    assert database
    recording = the_demo()
    store(recording, stores, channel="dev", account=ACCOUNT)
    return recording


@pytest.mark.usefixtures("demo")
def test_days_as_they_should_be_are_equal_and_become_evidence(
    console: Console, stores: PostgresStores, home: Path
) -> None:
    answer = console(*ASKED, "--json")
    assert (answer.code, answer.err) == (0, "")
    document = answer.document
    # Bought at 438,000, denied once, stopped at 416,000: 99,205,214 won (see test_demo_story.py).
    assert document["actual"] == document["modelled"] == 99_205_214 - CASH
    assert (document["difference"], document["unexplained"], document["unequal"]) == (0, 0, 0)
    assert (document["decisions"], document["looks"]) == (3, 3 * 2 * 6)
    assert document["holdings"] == [
        {"strategy_id": "trend-20-60", "symbol": "051910", "since": "2018-01-16", "sessions": 3, "modelled": 3}
    ]  # fmt: skip
    assert Path(document["page"]).is_file()
    with stores.begin() as work:
        evidence = work.evidence.latest(EvidenceKind.PARITY, channel="dev")
    assert evidence is not None
    assert (evidence.is_passed, evidence.figures["unexplained"]) == (True, 0)
    (line,) = (home / "inbox.jsonl").read_text("utf-8").splitlines()
    assert json.loads(line)["title"].startswith("Parity: all 3 decisions equal")


@pytest.mark.usefixtures("demo")
def test_days_without_a_decision_are_named_and_no_evidence(
    console: Console, stores: PostgresStores
) -> None:
    quiet = ("parity", "--from", "2018-01-17", "--to", "2018-01-17")
    answer = console(*quiet)
    assert answer.code == 0
    assert "That is no evidence" in answer.out
    with stores.begin() as work:
        assert work.evidence.latest(EvidenceKind.PARITY, channel="dev") is None


@pytest.mark.usefixtures("database")
def test_a_missed_stop_is_told_and_fails_the_evidence(
    console: Console, stores: PostgresStores
) -> None:
    recording = the_demo()
    bought, denied, _ = recording.actual.orders
    deaf = replace(
        recording.actual,
        signals=tuple(s for s in recording.actual.signals if s.trigger != "stop"),
        orders=(bought, denied),
        executions=recording.actual.executions[:1],
    )
    store(replace(recording, actual=deaf), stores, channel="dev", account=ACCOUNT)
    answer = console(*ASKED, "--json")
    assert answer.code == 3
    (difference,) = answer.document["differences"]
    assert (difference["trading_day"], difference["trigger"], difference["why"]) == (
        "2018-01-18", "stop", "not_made"
    )  # fmt: skip
    # Sold at 416,000 in the replay, still there at the close of 417,000; 2,121 and 42,432 were not paid.
    assert {name: won for name, won in answer.document["causes"].items() if won} == {
        "decision": 34 * 1_000, "fees": 2_121, "tax": 42_432
    }  # fmt: skip
    assert answer.document["unexplained"] == 0
    with stores.begin() as work:
        evidence = work.evidence.latest(EvidenceKind.PARITY, channel="dev")
    assert evidence is not None
    assert not evidence.is_passed
    shown = console(*ASKED)
    assert shown.code == 3
    assert "1 of 3 decisions differ" in shown.out
    assert "nobody decided in time" in shown.out


def test_trades_by_hand_are_told_and_no_reason_to_fail(
    console: Console, stores: PostgresStores, demo: Recording
) -> None:
    order, fill = demo.actual.orders[0], demo.actual.executions[0]
    named = {"client_order_id": "hand", "strategy_id": "manual"}
    by_hand = replace(
        order,
        intent=replace(order.intent, channel="dev", account=ACCOUNT, **named),  # type: ignore[arg-type] # names of texts
        broker_order_id="0000009999",
    )
    with stores.begin() as work:
        work.orders.add(by_hand)
        bought = replace(fill, execution_id="hand", account=ACCOUNT, **named)  # type: ignore[arg-type] # likewise
        work.executions.add(bought)
        work.ledger.post(bought)
    answer = console(*ASKED, "--json")
    assert answer.code == 0
    worth = 34 * (417_000 - 438_000) - 2_233  # at the close of the 18th
    causes = {name: won for name, won in answer.document["causes"].items() if won}
    assert causes == {"manual": worth}


def test_later_days_begin_with_what_was_held(stores: PostgresStores, demo: Recording) -> None:
    with stores.begin() as work:
        found = read_recording(work, DEV, CALENDAR, first=FIRST + timedelta(days=1), last=LAST)
    bought, sold = (replace(fill, account=ACCOUNT) for fill in demo.actual.executions)
    assert (found.past, found.actual.executions) == ((bought,), (sold,))
    assert (found.opening.cash, found.opening.position(LG_CHEM).quantity) == (85_105_767, 34)
    assert (found.paid_in, found.taken_over) == (0, 0)
    assert compare(found, CALENDAR).is_equal


@pytest.mark.usefixtures("demo")
def test_each_version_decides_from_the_morning_after_it_came(stores: PostgresStores) -> None:
    later = DEV.model_copy(
        update={"sizing": DEV.sizing.model_copy(update={"target_weight": Decimal("0.1")})}
    )
    with stores.begin() as work:
        for at, channel in (("2018-01-16 07:50", DEV), ("2018-01-17 08:00", later)):
            day, clock = at.split()
            moment = seoul(date.fromisoformat(day), clock)
            made = work.configs.propose(
                channel.model_dump(mode="json"), digest=channel.digest, at=moment
            )
            assert made
            work.configs.approve(made.version, at=moment)
        found = read_recording(work, DEV, CALENDAR, first=FIRST, last=LAST)
    assert [(p.first, p.last, p.sizing.target_weight) for p in found.plans] == [
        (FIRST, FIRST, Decimal("0.15")),
        (date(2018, 1, 17), LAST, Decimal("0.1")),
    ]
    assert compare(found, CALENDAR).is_equal  # a second 10 % beside 15 % is still too much


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("2018-01-20", "2018-01-21", "at least one trading day"),
        ("2018-01-10", "2018-01-11", "a day since the account's book was opened"),
    ],
)
def test_days_that_cannot_be_compared_say_why(
    console: Console, first: str, last: str, words: str
) -> None:
    answer = console("parity", "--from", first, "--to", last)
    assert answer.code == 2
    assert words in answer.err


def test_without_a_first_day_twenty_sessions_are_compared() -> None:
    stores = MemoryStores(channel="dev", account=ACCOUNT)
    friday, sunday = date(2018, 1, 26), date(2018, 1, 28)
    sessions = CALENDAR.trading_days(first_of(stores, CALENDAR, sunday), friday)
    assert len(sessions) == 20
    with pytest.raises(BadInput, match="a year from"):
        first_of(stores, CALENDAR, date.min)


def a_document(**changes: Any) -> Mapping[str, Any]:
    """Give a comparison with every cause and every reason in it."""
    amounts = {cause.value: (place + 1) * -1_000 for place, cause in enumerate(Cause)}
    difference = sum(amounts.values())
    return {
        "from": "2018-01-16",
        "to": "2018-01-18",
        "is_equal": False,
        "looks": 36,
        "decisions": 9,
        "unequal": len(Why) - 1,
        "actual": difference,
        "modelled": 0,
        "difference": difference,
        "unexplained": 0,
        "causes": amounts,
        "differences": [
            {
                "trading_day": FIRST + timedelta(days=place),
                "strategy_id": "trend",
                "symbol": LG_CHEM,
                "direction": "EXIT",
                "trigger": "stop",
                "why": why.value,
            }
            for place, why in enumerate(Why)
            if why is not Why.EQUAL
        ],
        "parts": [
            {"cause": cause, "amount": amount, "strategy_id": "", "symbol": "<b>", "shares": 0}
            for cause, amount in amounts.items()
        ],
        "holdings": [
            {
                "strategy_id": "trend",
                "symbol": LG_CHEM,
                "since": FIRST,
                "sessions": 3,
                "modelled": 4,
            }
        ],
    } | changes


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_page_tells_every_cause_and_reason_and_loads_nothing(language: Language) -> None:
    wording = Wording(language)
    text = render_parity(a_document(), wording, channel="paper")
    words = " ".join(Page(text).words)
    for cause in Cause:
        assert wording.text(f"parity.cause.{cause}") in words
    for why in Why:
        assert (wording.text(f"parity.why.{why}") in words) is (why is not Why.EQUAL)
    assert "parity." not in words
    assert "<b>" not in text
    assert "http" not in text


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_message_names_the_causes_that_cost_something(language: Language) -> None:
    wording = Wording(language)
    told = parity_told(a_document(), wording)
    assert (told.severity, len(told.fields)) == ("WARNING", len(Cause) + 1)
    quiet = parity_told(
        a_document(is_equal=True, causes={cause.value: 0 for cause in Cause}), wording
    )
    assert (quiet.severity, len(quiet.fields)) == ("INFO", 1)
    nothing = parity_told(a_document(is_equal=True, decisions=0), wording)
    assert nothing.title not in {told.title, quiet.title}
    assert "parity." not in told.title + told.text + quiet.title + nothing.title
