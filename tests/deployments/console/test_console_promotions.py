"""This is promoting code from a terminal: refused piece by piece, then carried into the next channel's memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
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


def try_everything() -> None:
    """Leave every kind of evidence on dev."""
    now = SystemClock().now()
    with closing(open_stores(load_settings())) as stores, stores.begin() as work:
        for kind in EvidenceKind:
            for _ in range(3):
                work.evidence.record(Evidence(kind, COMMIT, "dev", now, is_passed=True))


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
def test_an_open_gate_needs_somewhere_to_go(console: Console) -> None:
    try_everything()
    answer = console("promote", *WHY)
    assert answer.code == 2
    assert "MAEMAE_CHANNEL=paper" in answer.err


@pytest.mark.usefixtures("running")
def test_what_passes_is_the_next_channels_version(
    console: Console, paper: Path, postgres_url: str
) -> None:
    try_everything()
    answer = console("promote", "--home", str(paper), *WHY)
    assert (answer.code, answer.err) == (0, "")
    assert "Version 1 is in force" in answer.out
    opened = closing(PostgresStores(postgres_url, channel="paper", account=ACCOUNT))
    with opened as stores, stores.begin() as work:
        current = work.configs.in_force()
        acts = [row.action for row in work.audit.chain()]
    assert current is not None
    assert (current.commit, current.reason) == (COMMIT, "ripe")
    assert acts == ["promote", "config propose", "config approve"]


@pytest.mark.usefixtures("database")
def test_code_that_nobody_can_name_stays_where_it_is(console: Console) -> None:
    answer = console("promote", *WHY)
    assert answer.code == 2
    assert "git commit" in answer.err


@pytest.mark.usefixtures("running")
def test_a_promotion_needs_a_reason(console: Console) -> None:
    assert console("promote", "--reason", " ").code == 2
