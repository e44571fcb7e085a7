"""This is the start and the stop of a stack in the log, the database being there or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.clock import SystemClock
from adapters.stores import AuditEntry
from deployments.acts import noted
from deployments.keepers import GaveUp
from flows.settings import Settings, load_settings
from flows.sources import open_audit_file, open_stores
from tasks.versions import open_version
from tests.builders import ACCOUNT
from tests.database_servers import DatabaseServer
from tests.versions import a_file
from trading.audits import AuditRow

COMMIT = "c" * 40


@pytest.fixture
def settings(
    tmp_path: Path, spare_server: DatabaseServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """The settings of a running stack on paper whose version 1 is in force."""
    for name, value in {
        "ENVIRONMENT": "paper",
        "APPKEY": "the-appkey-of-a-test",
        "APPSECRET": "the-appsecret-of-a-test",
        "ACCOUNT": ACCOUNT,
    }.items():
        monkeypatch.setenv(f"MAEMAE_KIS__{name}", value)
    url = {"database_url": spare_server.database()}
    settings = load_settings(home=tmp_path, channel="paper", commit=COMMIT, **url)
    with closing(open_stores(settings)) as stores:
        open_version(stores, a_file("paper"), at=SystemClock().now())
    yield settings
    spare_server.start()


def log_of(settings: Settings) -> list[AuditRow]:
    """Give what the log says of the stack."""
    with closing(open_stores(settings)) as stores, stores.begin() as work:
        return [row for row in work.audit.chain() if not row.action.startswith("config ")]


def test_who_when_what_code_and_which_settings(settings: Settings) -> None:
    before = SystemClock().now()
    with noted(settings, "up", lambda: None):
        (up,) = log_of(settings)
    _, down = log_of(settings)
    running = {"channel": "paper", "commit": COMMIT, "version": 1}
    assert up.entry == AuditEntry("operator", "up", running)
    assert down.entry == AuditEntry("operator", "down", running)
    assert before <= up.at <= down.at <= SystemClock().now()


def test_a_stop_without_a_database_is_kept_and_comes_with_the_next_start(
    settings: Settings, spare_server: DatabaseServer
) -> None:
    with noted(settings, "up", lambda: None):
        spare_server.stop()
    (waiting,) = open_audit_file(settings).waiting.all()
    assert (waiting.entry.action, waiting.entry.detail["version"]) == ("down", None)
    stopped_at = SystemClock().now()
    spare_server.start()
    with noted(settings, "up", lambda: None):
        rows = log_of(settings)
    assert [row.action for row in rows] == ["up", "down", "up"]
    assert stopped_at - timedelta(minutes=1) < rows[1].at < stopped_at < rows[2].at
    assert open_audit_file(settings).waiting.all() == ()


def test_a_stack_that_gives_up_is_no_act_of_the_operators(settings: Settings) -> None:
    with noted(settings, "up", lambda: GaveUp("worker: no memory")):
        pass
    _, down = log_of(settings)
    assert (down.actor, down.entry.detail["reason"]) == ("stack", "worker: no memory")


def test_an_interrupted_stack_is_noted_all_the_same(settings: Settings) -> None:
    with pytest.raises(KeyboardInterrupt), noted(settings, "demo", lambda: None):
        raise KeyboardInterrupt
    assert [row.action for row in log_of(settings)] == ["demo", "down"]
