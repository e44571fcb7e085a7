"""This is what the owner reads, held to: both languages complete, every figure in its form, nothing lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from adapters.notifier import Severity
from adapters.wording import Language, Wording
from adapters.wording.catalogues import catalogue
from adapters.wording.figures import MINUS, NONE, number, percent
from risk.gate import check, passed
from risk.limits import RiskLimits
from risk.rules import rules_for
from risk.sizing import SizingSettings, size
from risk.views import Past, RiskView
from strategies.evaluation import Validity, protective_signal
from strategies.exits import Trigger
from strategies.settings import StrategySettings
from tests.builders import A_DAY, LG_CHEM, a_signal, an_order, seoul
from tests.refusals import Refusal, refusals
from tests.report_days import CROSSED, STOPPED, a_day_record
from tests.risk_views import NOW, a_ledger, a_view, buy, sell
from trading.decisions import Breach
from trading.halts import TradingState
from trading.orders import OrderIntent, OrderStatus, OrderType, Side
from trading.positions import Position
from trading.reconciliation import DifferenceKind
from trading.reports import build_report
from trading.sessions import Phase
from trading.signals import Direction

PROJECT = Path(__file__).parents[2]
LANGUAGES: tuple[Language, ...] = ("ko", "en")
KO, EN = Wording("ko"), Wording("en")
HANGUL = re.compile("[가-힣]")

ONLY_KOREAN = "console.expected."
"""Translations of conditions that the code words in English."""


def fields(sentence: str) -> set[tuple[str, str]]:
    return {(name, form or "") for _, name, form, _ in Formatter().parse(sentence) if name}


# Both languages


def test_both_languages_say_the_same_things() -> None:
    ko, en = ({k for k in catalogue(each) if not k.startswith(ONLY_KOREAN)} for each in LANGUAGES)
    assert {key for key in ko ^ en if not key.startswith("short.")} == set()


def test_both_languages_need_the_same_figures() -> None:
    ko, en = catalogue("ko"), catalogue("en")
    differing = {
        key
        for key in ko.keys() & en.keys()
        if {name for name, _ in fields(ko[key])} != {name for name, _ in fields(en[key])}
    }
    assert differing == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_empty_or_written_twice(language: Language) -> None:
    assert [key for key, sentence in catalogue(language).items() if not sentence] == []
    written: list[str] = []
    for path in (PROJECT / "adapters" / "wording" / language).glob("*.yaml"):
        written += _keys(path)
    assert sorted(written) == sorted(catalogue(language))


def _keys(path: Path) -> list[str]:
    import yaml  # noqa: PLC0415 - only here

    def walk(tree: dict[str, Any], prefix: str) -> Iterator[str]:
        for name, value in tree.items():
            if isinstance(value, dict):
                yield from walk(value, f"{prefix}{name}.")
            else:
                yield f"{prefix}{name}"

    return list(walk(yaml.safe_load(path.read_text("utf-8")), ""))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_form_and_group_in_a_sentence_exists(language: Language) -> None:
    forms = {"", "won", "signed_won", "price", "count", "shares", "percent", "signed_percent"}
    forms |= {"points", "day", "short_day", "time", "span"}
    groups = {key.partition(".")[0] for key in catalogue(language)}
    unknown = {
        (key, form)
        for key, sentence in catalogue(language).items()
        if not key.startswith(ONLY_KOREAN)
        for _, form in fields(sentence)
        if form not in forms and form.removeprefix("@") not in groups
    }
    assert unknown == set()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("group", "values"),
    [
        ("side", Side),
        ("order_type", OrderType),
        ("status", OrderStatus),
        ("state", TradingState),
        ("severity", Severity),
        ("phase", Phase),
        ("direction", Direction),
        ("trigger", Trigger),
        ("difference", DifferenceKind),
    ],
)
def test_every_value_of_the_domain_has_a_name(
    language: Language, group: str, values: type[StrEnum]
) -> None:
    missing = [value for value in values if f"{group}.{value}" not in catalogue(language)]
    assert missing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rule_and_every_flow_has_a_name(language: Language) -> None:
    rules = {rule.rule_id for rule in rules_for(RiskLimits())}
    assert {rule for rule in rules if f"rule.{rule}" not in catalogue(language)} == set()
    flows = {
        name
        for path in (PROJECT / "flows").glob("*.py")
        for name in re.findall(r'@flow\(\s*name="([a-z-]+)"', path.read_text("utf-8"))
    }
    assert len(flows) >= 9
    assert {flow for flow in flows if f"flow.{flow}" not in catalogue(language)} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_that_the_code_asks_for_is_there(language: Language) -> None:
    asked = {
        key
        for folder in ("adapters", "tasks", "flows", "deployments")
        for path in (PROJECT / folder).rglob("*.py")
        for key in re.findall(r'\.text\(\s*"([a-z_]+\.[a-z_.]+)"', path.read_text("utf-8"))
    }
    template = PROJECT / "adapters" / "reports" / "templates" / "report.html.j2"
    asked |= set(re.findall(r'\bt\("([a-z_.]+)"[,)]', template.read_text("utf-8")))
    assert len(asked) > 60
    assert {key for key in asked if key not in catalogue(language)} == set()


# Figures


@pytest.mark.parametrize(
    ("form", "value", "ko", "en"),
    [
        ("won", 50_685_658, "50,685,658원", "50,685,658 KRW"),
        ("won", -186_894, f"{MINUS}186,894원", f"{MINUS}186,894 KRW"),
        ("signed_won", 40_000, "+40,000원", "+40,000 KRW"),
        ("signed_won", 0, "0원", "0 KRW"),
        ("won", "-201000", f"{MINUS}201,000원", f"{MINUS}201,000 KRW"),
        ("price", Decimal("406717.391304"), "406,717.39원", "406,717.39 KRW"),
        ("price", Decimal("428500.00"), "428,500원", "428,500 KRW"),
        ("shares", 1_200, "1,200주", "1,200 shares"),
        ("count", 1_200, "1,200", "1,200"),
        ("percent", Decimal("0.2"), "20.00%", "20.00%"),
        ("percent", "0.02", "2.00%", "2.00%"),
        ("signed_percent", Decimal("0.00645"), "+0.65%", "+0.65%"),
        ("signed_percent", Decimal("-0.00001"), "0.00%", "0.00%"),
        ("points", Decimal("17.0516"), "+17.1bp", "+17.1bp"),
        ("@side", Side.BUY, "매수", "Buy"),
        ("@side", "SHORT", "SHORT", "SHORT"),
        ("", date(2018, 1, 18), "2018-01-18 (목)", "2018-01-18 (Thu)"),
        ("short_day", date(2018, 1, 18), "01-18", "01-18"),
        ("", seoul(A_DAY, "09:31:02"), "2018-01-16 09:31:02", "2018-01-16 09:31:02"),
        ("time", seoul(A_DAY, "09:31:02"), "09:31:02", "09:31:02"),
        ("", timedelta(milliseconds=200), "200ms", "200 ms"),
        ("", timedelta(seconds=1.25), "1.3초", "1.3 s"),
        ("", timedelta(minutes=10), "10.0분", "10.0 min"),
        ("", timedelta(hours=17, minutes=30), "17.5시간", "17.5 h"),
        ("", 1_234, "1,234", "1,234"),
        ("", True, "True", "True"),
        ("", "text", "text", "text"),
        ("won", None, NONE, NONE),
        ("percent", None, NONE, NONE),
    ],
)
def test_a_figure_has_one_form(form: str, value: object, ko: str, en: str) -> None:
    assert KO.figure(value, form) == ko
    assert EN.figure(value, form) == en


def test_halves_are_rounded_away_from_zero() -> None:
    assert [number(Decimal(value)) for value in ("0.5", "1.5", "-0.5")] == ["1", "2", f"{MINUS}1"]
    assert percent(Decimal("0.00005")) == "0.01%"


def test_a_loss_that_rounds_to_nothing_has_no_sign() -> None:
    assert number(Decimal("-0.4")) == "0"
    assert number(Decimal("0.4"), is_signed=True) == "0"


@pytest.mark.parametrize(
    ("amounts", "written"),
    [
        ([50_000_000, 50_500_000], ["5,000만", "5,050만"]),
        ([100_000_000, 150_000_000], ["1.0억", "1.5억"]),
        ([50_000, 55_000], ["5.0만", "5.5만"]),
        ([99_990_000, 100_000_000, 100_010_000, 0], ["9,999만", "1억", "10,001만", "0만"]),
        ([50_005, 50_010], ["50,005", "50,010"]),
        ([0, 5_000], ["0", "5,000"]),
    ],
)
def test_amounts_along_an_axis_share_one_unit(amounts: list[int], written: list[str]) -> None:
    assert KO.short_amounts(amounts) == written


def test_what_the_program_gave_as_its_reason_is_told_in_korean() -> None:
    assert KO.own_words("first start") == "첫 시작"
    assert KO.own_words("first start: 0123456789ab") == "이 코드의 첫 시작: 0123456789ab"
    assert EN.own_words("first start") == "first start"


# Never raising


def test_a_sentence_that_cannot_be_said_is_said_as_key_and_figures() -> None:
    assert KO.text("no.such.key", count=3) == "no.such.key count=3"
    assert KO.text("halt.halted.title") == "halt.halted.title"
    assert KO.text("execution.title", symbol="005930", side="매수", quantity="many", price=1) == (
        "execution.title symbol=005930 side=매수 quantity=many price=1"
    )


# Breaches, as the rules really make them


@pytest.mark.parametrize("refusal", list(refusals()))
def test_every_rule_is_explained_from_its_own_figures(refusal: Refusal) -> None:
    rule = refusal.rule
    breach = rule.check(refusal.intent, refusal.view)
    assert breach is not None
    for wording in (KO, EN):
        said = wording.breach(breach)
        assert said.startswith(f"{wording.rule(rule.rule_id)}: ")
        assert said != f"{wording.rule(rule.rule_id)}: {breach.message}"
        assert "breach." not in said
    assert HANGUL.search(KO.breach(breach).partition(": ")[2])


def test_every_rule_is_in_the_test_above() -> None:
    covered = {refusal.rule_id for refusal in refusals()}
    assert covered == {rule.rule_id for rule in rules_for(RiskLimits())}


@pytest.mark.parametrize("wording", [KO, EN])
@pytest.mark.parametrize(
    ("intent", "view"),
    [
        (buy(), a_view()),
        (buy(), a_view(ledger=a_ledger(_005930=1), buyable_cash=1_000_000)),
        (sell(), a_view(ledger=a_ledger(_051910=1), past=Past(previous_close=400_000))),
        (buy(), a_view(past=Past(sessions_since_stop=1, previous_close=400_000))),
    ],
)
def test_a_rule_that_lets_pass_tells_what_it_looked_at(
    wording: Wording, intent: OrderIntent, view: RiskView
) -> None:
    rules = rules_for(RiskLimits())
    decision = check(intent, view, rules)
    assert decision.is_approved
    for verdict in passed(intent, view, rules, decision):
        said = wording.passed(verdict)
        assert said
        assert not re.search(r"passed\.|none|True|False|[A-Z]+_[A-Z]+|[0-9]{5}[^0-9(,)]", said), (
            said
        )
        assert bool(HANGUL.search(said)) is (wording is KO)


def test_a_rule_without_a_sentence_tells_its_plain_figures() -> None:
    assert EN.passed(Breach("OF_A_PLUG_IN", "", {"limit": "3", "seen": "none"})) == "limit 3"


@pytest.mark.parametrize(
    ("direction", "changes"),
    [
        (Direction.ENTRY, {"quotes": {}}),
        (Direction.ENTRY, {"ledger": a_ledger(cash=1_000)}),
        (Direction.EXIT, {}),
    ],
)
def test_why_no_order_could_be_sized_is_explained(
    direction: Direction, changes: dict[str, Any]
) -> None:
    signal = a_signal(direction=direction)
    breach = size(signal, a_view(**changes), SizingSettings(), owned=None, sequence=0)
    assert isinstance(breach, Breach)
    for wording in (KO, EN):
        assert wording.breach(breach) != f"{wording.rule('SIZING')}: {breach.message}"
    assert HANGUL.search(KO.breach(breach).partition(": ")[2])


def test_a_rule_that_failed_says_so() -> None:
    class Broken:
        rule_id = "CASH"

        def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
            raise ZeroDivisionError(f"{intent.quantity} / 0 at {view.at}")

        def figures(self, intent: OrderIntent, view: RiskView) -> dict[str, str]:
            return {"quantity": str(intent.quantity), "at": view.at.isoformat()}

    (breach,) = check(buy(), a_view(), [Broken()]).breaches
    assert "ZeroDivisionError" in KO.breach(breach)
    assert "점검 중 오류" in KO.breach(breach)


def test_an_unknown_rule_is_told_in_its_own_words() -> None:
    assert KO.breach(Breach("NEW_RULE", "too new")) == "NEW_RULE: too new"
    assert KO.breach(Breach("CASH", "no figures")) == "주문가능금액: no figures"


# Reasons


def a_protective_reason(price: int) -> str:
    settings = StrategySettings.model_validate(
        {"id": "trend", "kind": "moving_average_cross", "symbols": [LG_CHEM], "parameters": {}}
    )
    position = Position(LG_CHEM, quantity=23, cost=23 * 428_500)
    validity = Validity(A_DAY, NOW, NOW)
    signal = protective_signal(settings, position, price, validity=validity)
    assert signal is not None
    return signal.reason


def test_the_reason_that_a_signal_carries_is_said_in_the_owners_language() -> None:
    stopped, reached = a_protective_reason(407_000), a_protective_reason(480_000)
    assert KO.reason(stopped) == f"손절: 가격 407,000원, 평균 단가 428,500원 대비 {MINUS}5.02%"
    assert EN.reason(reached) == (
        "Price target: price 480,000 KRW, +12.02% against average cost 428,500 KRW"
    )
    assert KO.trigger(stopped) == "stop"
    assert KO.trigger(reached) == "target"


def test_a_signal_says_its_reason_from_its_indicators() -> None:
    signal = next(iter(CROSSED.values()))
    assert KO.reason(signal) == (
        "20일 평균선(402,350)이 60일 평균선(401,121)을 상향 돌파, 종가 154,500원, 거래량 398,211주"
    )
    assert "하향 돌파" in KO.reason(replace(signal, direction=Direction.EXIT))
    assert KO.reason(STOPPED) == KO.reason(STOPPED.reason)


@pytest.mark.parametrize(
    "reason",
    ["by hand", "", "Entry by moon at 1 won: phase full", "Exit by stop at 1 won: nothing"],
)
def test_a_reason_that_nobody_knows_stays_as_it_is(reason: str) -> None:
    assert KO.reason(reason) == reason
    assert KO.reason(a_signal(reason=reason, trigger="moon")) == reason


# Rows


def test_rows_of_tables_speak_the_owners_language() -> None:
    assert KO.signal_row(STOPPED)["신호"] == "청산"
    row = KO.order_row(an_order())
    assert (row["매매"], row["가격"], row["상태"]) == ("매수", "428,500원", "생성")
    market = an_order(order_type=OrderType.MARKET, limit_price=None)
    assert EN.order_row(market)["Price"] == "market price"


def test_the_day_in_rows_names_every_figure() -> None:
    rows = {row["항목"]: row["값"] for row in KO.report_rows(build_report(a_day_record()))}
    assert rows["당일 손익"] == f"{MINUS}186,894원"
    assert rows["실현손익 (비용 전)"] == f"{MINUS}501,000원"
    assert rows["실현손익 (비용 후)"] == f"{MINUS}531,394원"
    assert rows["슬리피지"] == "+26,500원"
    assert rows["주문 실패율"] == "33.33%"
    assert rows["신호 → 접수"] == "중앙값 5.0분, 최대 10.0분"
    assert rows["주문"].startswith("4건 (")


def test_a_day_without_orders_has_dashes_and_no_zeros() -> None:
    quiet = a_day_record(orders=(), risk_events=())
    rows = {row["항목"]: row["값"] for row in KO.report_rows(build_report(quiet))}
    assert rows["주문 실패율"] == rows["신호 → 접수"] == NONE
    assert rows["주문"] == "0건"
