"""This is the report on paper: complete, self-contained, and whole or not there."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from adapters.messages import report_message
from adapters.reports import ReportFiles, write_report
from adapters.reports.markdown import picture, render_markdown
from adapters.wording import Language, Wording
from adapters.wording.figures import MINUS
from tests.builders import ACCOUNT, HYUNDAI, LG_CHEM, NAVER
from tests.price_bars import some_bars
from tests.report_days import BOUGHT_BEFORE, CURVE, NAMES, a_day_record
from trading.day_records import DayRecord
from trading.equity import EquityPoint
from trading.ledger import Ledger
from trading.reports import build_report

VOID = {"meta", "br", "hr", "img", "input", "link"}
HISTORY = {LG_CHEM: some_bars(LG_CHEM, 40), HYUNDAI: some_bars(HYUNDAI, 40)}


def written(directory: Path, language: Language = "ko", **changes: object) -> ReportFiles:
    day = a_day_record(**changes)
    return write_report(
        build_report(day),
        HISTORY,
        directory,
        wording=Wording(language),
        executions=(*BOUGHT_BEFORE, *day.executions),
    )


class Page(HTMLParser):
    """Reads a page strictly: every tag closed in order, its visible text kept."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data.strip())

    @property
    def text(self) -> str:
        return " ".join(word for word in self.words if word)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_page_shows_every_figure_of_the_day(tmp_path: Path, language: Language) -> None:
    page = Page(written(tmp_path, language).html.read_text("utf-8")).text
    figures = [
        f"{MINUS}186,894",  # profit
        f"{MINUS}0.37%",  # return of the day
        f"{MINUS}0.63%",  # since start, and the drawdown
        "49,872,552",
        "+1,000,000",
        f"{MINUS}501,000",
        "+344,500",
        f"{MINUS}2,332",
        f"{MINUS}28,062",
        "50,685,658",
        f"{MINUS}531,394",
        "+220,000",
        "+26,500",
        "+17.1bp",
        "34,465,658",
        "33.33%",
        "12.31%",
        "19.69%",
        "9,354,500",
        "40 / 60",
        "406,717.39",
        "APBK0919",
        *NAMES.values(),
    ]
    assert [figure for figure in figures if figure not in page] == []


@pytest.mark.parametrize("language", ["ko", "en"])
def test_no_sentence_is_missing(tmp_path: Path, language: Language) -> None:
    files = written(tmp_path, language)
    page = Page(files.html.read_text("utf-8")).text
    text = re.sub(r"\(data:[^)]*\)", "", files.markdown.read_text("utf-8"))
    for shown in (page, text):
        assert not re.search(r"\b(report|formula|field|breach|signal|status)\.\w", shown)
        assert "None" not in shown


def test_the_page_needs_nothing_from_outside(tmp_path: Path) -> None:
    page = written(tmp_path).html.read_text("utf-8")
    addresses = re.findall(r"https?://[^\"' )]+", page)
    assert set(addresses) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<script|<link|@import|url\(|src=", page)
    assert len(page) < 300_000


def test_the_page_fits_a_phone_and_the_dark(tmp_path: Path) -> None:
    page = written(tmp_path).html.read_text("utf-8")
    assert 'name="viewport"' in page
    assert "prefers-color-scheme: dark" in page
    assert "max-width: 680px" in page


def test_settings_code_and_parameters_are_named_everywhere(tmp_path: Path) -> None:
    record = a_day_record()
    record = replace(record, config_version=4, config_digest="d" * 64, commit="c" * 40)
    signal = replace(record.signals[0], config_version=3, parameter_hash="p" * 64)
    record = replace(record, signals=(signal, *record.signals[1:]))
    report = build_report(record)
    files = write_report(report, {}, tmp_path, wording=Wording("en"), executions=())
    message = report_message(report, Wording("en"))
    told = " ".join(message.fields.values())
    for text in (files.html.read_text("utf-8"), files.markdown.read_text("utf-8"), told):
        assert "version 3, 4 (dddddddddddd), code cccccccccccc, parameters" in text
        assert f"{signal.strategy_id} pppppppppppp" in text
    document = json.loads(files.json.read_text("utf-8"))
    assert (document["config_versions"], document["commit"]) == ([3, 4], "c" * 40)
    assert {"strategy_id": signal.strategy_id, "parameter_hash": "p" * 64} in document["parameters"]
    assert {"parameter_hash", "config_version"} <= set(document["orders"][0])


def test_the_account_is_half_hidden_everywhere(tmp_path: Path) -> None:
    files = written(tmp_path)
    for path in (files.html, files.markdown, files.json):
        text = path.read_text("utf-8")
        assert "50******-01" in text
        assert ACCOUNT.partition("-")[0] not in text


def test_a_name_is_text_and_never_markup(tmp_path: Path) -> None:
    names = {**NAMES, HYUNDAI: "<script>alert(1)</script> | A&B"}
    files = written(tmp_path, names=names)
    assert "<script" not in files.html.read_text("utf-8")
    assert "&lt;script&gt;" in files.html.read_text("utf-8")
    rows = [r for r in files.markdown.read_text("utf-8").splitlines() if "alert" in r]
    assert rows
    assert all("\\| A&B" in row for row in rows)


def test_programs_get_exact_figures(tmp_path: Path) -> None:
    document = json.loads(written(tmp_path).json.read_text("utf-8"))
    assert document["trading_day"] == "2018-01-18"
    assert document["profit"] == -186_894
    assert document["realized"] - document["commission"] - document["tax"] == -531_394
    assert document["orders_by_status"] == {"EXPIRED": 1, "DENIED": 1, "REJECTED": 1, "FILLED": 1}
    assert document["funnel"]["signals_without_order"] == 1
    assert [b["rule_id"] for b in document["denials"][0]["reasons"]] == [
        "MAXIMUM_WEIGHT",
        "MAXIMUM_HOLDINGS",
    ]
    assert document["signal_to_accept"] == {
        "median_seconds": 301.2,
        "maximum_seconds": 601.2,
        "orders": 2,
    }
    assert document["denials"][0]["symbol"] == NAVER


def test_the_picture_of_the_markdown_carries_its_own_data() -> None:
    report = build_report(a_day_record())
    found = re.fullmatch(r"!\[.+\]\(data:image/svg\+xml;base64,(.+)\)", picture(report, Wording()))
    assert found
    drawing = ET.fromstring(b64decode(found[1]))  # noqa: S314 - our own drawing
    assert drawing.attrib["width"] == "752"
    assert len(render_markdown(report, Wording())) < 200_000


def test_tables_of_the_markdown_are_square() -> None:
    text = render_markdown(build_report(a_day_record()), Wording())
    for table in re.findall(r"(?:^\|.*\|\n?)+", text, re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(widths) == 1


def test_a_first_quiet_day_makes_a_report_too(tmp_path: Path) -> None:
    ledger = Ledger(ACCOUNT)
    point = EquityPoint(CURVE[0].trading_day, 0, 50_000_000, 50_000_000)
    funded = ledger.deposit(50_000_000, on=point.trading_day)
    day = DayRecord(point.trading_day, "dev", ACCOUNT, (point,), ledger, funded, {}, {})
    files = write_report(build_report(day), {}, tmp_path, wording=Wording())
    page = Page(files.html.read_text("utf-8")).text
    assert "보유 종목이 없습니다." in page
    assert "주문이 없었습니다." in page


def test_a_symbol_that_never_traded_gets_no_chart(tmp_path: Path) -> None:
    halted = [replace(b, open=0, high=0, low=0, volume=0) for b in some_bars(LG_CHEM, 5)]
    history = {LG_CHEM: halted, HYUNDAI: ()}
    report = build_report(a_day_record())
    page = write_report(report, history, tmp_path, wording=Wording()).html.read_text("utf-8")
    assert "<figure>" not in page


def test_a_second_report_of_a_day_replaces_the_first(tmp_path: Path) -> None:
    first = written(tmp_path, "ko").html.read_text("utf-8")
    second = written(tmp_path, "en").html.read_text("utf-8")
    assert first != second
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "2018-01-18.html",
        "2018-01-18.json",
        "2018-01-18.md",
    ]


def test_a_disk_that_fails_leaves_the_old_report_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = written(tmp_path, "ko").html.read_text("utf-8")

    def fail(self: Path, content: str, **_: object) -> int:
        with self.open("w", encoding="utf-8") as file:
            file.write(content[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", fail)
    with pytest.raises(OSError, match="No space"):
        written(tmp_path, "en")
    assert (tmp_path / "2018-01-18.html").read_text("utf-8") == old
    assert len(list(tmp_path.iterdir())) == 3


def test_money_that_no_day_accounts_for_is_a_warning_on_the_page(tmp_path: Path) -> None:
    curve = (*CURVE[:-2], replace(CURVE[-2], closing=49_872_000), CURVE[-1])
    assert "+552원" in Page(written(tmp_path, curve=curve).html.read_text("utf-8")).text
