"""This is promoting code from a terminal: refused piece by piece, then carried into the next channel's memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from adapters.clock import SystemClock
from adapters.postgres import PostgresStores
from deployments.state import Footprint, StackNote, only_stack, write_note
from flows.settings import load_settings
from flows.sources import open_stores
from tests.builders import ACCOUNT
from tests.consoles import Console
from trading.evidence import Evidence, EvidenceKind
from trading.promotions import COMMANDS

COMMIT = "c" * 40
WHY = ("--reason", "ripe")


@pytest.fixture
def running(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack that runs a commit, as its commands see it."""
    assert database
    monkeypatch.setenv("MAEMAE_COMMIT", COMMIT)
    monkeypatch.setattr("deployments.console.promotions.PROJECT", Path("/nowhere"))


@pytest.fixture
def paper(tmp_path: Path, database: str) -> Iterator[Path]:
    """The home of a paper stack that seems to run, on the same server."""
    home = tmp_path / "paper"
    channels = tmp_path / "channels"
    text = (channels / "dev.yaml").read_text("utf-8")
    (channels / "paper.yaml").write_text(text.replace("channel: dev", "channel: paper"), "utf-8")
    with only_stack(home):
        note = StackNote(
            phase="ready",
            supervisor=Footprint(pid=1, birth="now"),
            channel="paper",
            prefect_api_url="http://127.0.0.1:1/api",
        )
        write_note(home, note)
        assert database
        yield home


def record(kind: EvidenceKind, *, at: datetime | None = None, is_passed: bool = True) -> None:
    """Leave one piece of evidence on dev."""
    evidence = Evidence(kind, COMMIT, "dev", at or SystemClock().now(), is_passed=is_passed)
    with closing(open_stores(load_settings())) as stores, stores.begin() as work:
        work.evidence.record(evidence)


def try_everything(*, without: EvidenceKind | None = None) -> None:
    """Leave every kind of evidence on dev but one."""
    for kind in EvidenceKind:
        for _ in range(3 if kind is not without else 0):
            record(kind)


@pytest.mark.usefixtures("running")
def test_what_is_missing_is_named_with_what_makes_it(console: Console) -> None:
    answer = console("promote", *WHY)
    assert (answer.code, answer.err) == (3, "")
    for command in (
        "make test makes",
        "make test ARGS=tests/scenarios",
        "prefect deployment run reconcile-fills",
        "maemae parity",
        "maemae halt --rehearse",
    ):
        assert command in answer.out
    document = console("promote", *WHY, "--json").document
    assert (document["is_open"], document["to"]) == (False, "paper")
    assert {row["lack"] for row in document["evidence"]} == {"missing"}


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("kind", EvidenceKind)
def test_each_missing_piece_alone_keeps_the_gate_shut_and_is_named(
    console: Console, kind: EvidenceKind
) -> None:
    try_everything(without=kind)
    answer = console("promote", *WHY)
    assert (answer.code, answer.err) == (3, "")
    rows = console("promote", *WHY, "--json").document["evidence"]
    assert {row["evidence"]: row["lack"] for row in rows if row["lack"]} == {kind.value: "missing"}
    told = [line for line in answer.out.splitlines() if "makes it" in line]
    assert len(told) == 1
    assert COMMANDS[kind] in told[0]


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize(("days", "lack"), [(6.99, None), (7.01, "old")])
def test_a_rehearsal_may_be_seven_days_old(console: Console, days: float, lack: str | None) -> None:
    try_everything(without=EvidenceKind.REHEARSAL)
    record(EvidenceKind.REHEARSAL, at=SystemClock().now() - timedelta(days=days))
    rows = console("promote", *WHY, "--json").document["evidence"]
    assert {row["evidence"]: row["lack"] for row in rows}[EvidenceKind.REHEARSAL] == lack


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize(("clean", "lack"), [(2, "too_few"), (3, None)])
def test_so_many_reconciliations_in_a_row_are_clean(
    console: Console, clean: int, lack: str | None
) -> None:
    try_everything(without=EvidenceKind.RECONCILIATION)
    for is_passed in (True, True, False, *[True] * clean):
        record(EvidenceKind.RECONCILIATION, is_passed=is_passed)
    rows = console("promote", *WHY, "--json").document["evidence"]
    assert {row["evidence"]: row["lack"] for row in rows}[EvidenceKind.RECONCILIATION] == lack


@pytest.mark.usefixtures("running")
def test_an_open_gate_needs_somewhere_to_go(console: Console) -> None:
    try_everything()
    answer = console("promote", *WHY)
    assert answer.code == 2
    assert "MAEMAE_CHANNEL=paper" in answer.err


@pytest.mark.usefixtures("running")
def test_what_passes_is_the_next_channels_version(
    console: Console, paper: Path, postgres_url: str, stores: PostgresStores
) -> None:
    try_everything()
    answer = console("promote", "--home", str(paper), *WHY)
    assert (answer.code, answer.err) == (0, "")
    assert "Version 1 is in force" in answer.out
    opened = closing(PostgresStores(postgres_url, channel="paper", account=ACCOUNT))
    with opened as theirs, theirs.begin() as work:
        current = work.configs.in_force()
        acts = [row.action for row in work.audit.chain()]
    assert current is not None
    assert (current.commit, current.reason) == (COMMIT, "ripe")
    assert acts == ["promote", "config propose", "config approve"]
    with stores.begin() as work:
        assert [row.action for row in work.audit.chain()] == ["promote"]


@pytest.mark.usefixtures("database")
def test_code_that_nobody_can_name_stays_where_it_is(console: Console) -> None:
    answer = console("promote", *WHY)
    assert answer.code == 2
    assert "git commit" in answer.err


@pytest.mark.usefixtures("running")
def test_a_promotion_needs_a_reason(console: Console) -> None:
    assert console("promote", "--reason", " ").code == 2
