"""This is changing the settings from a terminal, and proving who did."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from adapters.stores import AuditEntry
from flows.settings import load_channel, load_settings
from flows.sources import open_stores
from tasks.versions import open_version
from tests.builders import A_DAY, seoul
from tests.consoles import PROJECT, Console
from trading.errors import NotApproved

type Edit = Callable[[str, str], None]

WHY = ("--reason", "to see")


@pytest.fixture
def edit(database: str) -> Edit:
    """Change words of the channel's file."""
    assert database

    def change(old: str, new: str) -> None:
        file = Path(os.environ["MAEMAE_CHANNELS"]) / "dev.yaml"
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new), "utf-8")

    return change


@pytest.fixture
def live(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same settings on the live channel."""
    assert database
    folder = Path(os.environ["MAEMAE_CHANNELS"])
    text = (folder / "dev.yaml").read_text("utf-8")
    (folder / "live.yaml").write_text(text.replace("channel: dev", "channel: live"), "utf-8")
    monkeypatch.setenv("MAEMAE_CHANNEL", "live")


@pytest.mark.usefixtures("database")
def test_an_edited_file_counts_after_its_proposal(console: Console, edit: Edit) -> None:
    assert console("config", "propose", *WHY).code == 0
    edit("maximum_holdings: 5", "maximum_holdings: 6")
    assert console("config", "diff", "--json").document["changes"] == [
        {"path": "risk.maximum_holdings", "before": 5, "after": 6, "loosens": True}
    ]
    status = console("status", "--json").document
    assert (status["config_version"], status["is_file_ahead"]) == (1, True)
    assert (status["cash"], status["buyable_cash"]) == (None, None), "nobody has asked the broker"
    assert "differs from version 1 in force" in console("status").out
    assert "the file differs" in console("doctor").out
    answer = console("config", "propose", *WHY)
    assert (answer.code, answer.err) == (0, "")
    assert "Version 2 is in force" in answer.out
    assert "risk.maximum_holdings" in answer.out
    status = console("status", "--json").document
    assert (status["config_version"], status["is_file_ahead"]) == (2, False)
    assert console("config", "diff", "--json").document["changes"] == []
    assert "say this already" in console("config", "propose", *WHY).out
    assert "Version 3 is in force" in console("config", "rollback", *WHY).out
    versions = console("config", "history", "--json").document["versions"]
    assert [(v["version"], v["is_in_force"]) for v in versions] == [
        (3, True),
        (2, False),
        (1, False),
    ]
    assert versions[0]["digest"] == versions[2]["digest"]
    acts = console("audit", "--json").document["rows"]
    assert [row["action"] for row in acts[::-1]] == ["config propose", "config approve"] * 3
    assert acts[1]["detail"]["returns_to"] == 1


@pytest.mark.usefixtures("live")
def test_what_loosens_on_live_waits(console: Console) -> None:
    first = console("config", "propose", *WHY)
    assert first.code == 3
    assert "maemae config approve 1" in first.out
    early = console("config", "approve", "1", *WHY)
    assert (early.code, early.out) == (2, "")
    assert "10 minutes" in early.err
    assert console("config", "history", "--json").document["versions"][0]["approved_at"] is None
    assert "run approve-change" in first.out, "the form in the UI is named"
    assert "/deployments" in first.out


@pytest.mark.usefixtures("database")
def test_other_code_than_the_versions_is_told(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    approved, other = "a" * 40, "b" * 40
    monkeypatch.setenv("MAEMAE_COMMIT", approved)
    assert console("config", "propose", *WHY).code == 0
    assert (checked(console)["health"], "not its code" in console("status").out) == ("ok", False)
    monkeypatch.setenv("MAEMAE_COMMIT", other)
    document = console("status", "--json").document
    assert (document["config_commit"], document["running_commit"]) == (approved, other)
    assert f"{other[:12]}, is not {approved[:12]} of version 1" in console("status").out
    found = checked(console)
    assert found["health"] == "warn"
    assert f"{other[:12]} runs" in found["message"]
    assert "maemae rollback" in found["advice"]


def checked(console: Console) -> dict[str, str]:
    """Give what doctor finds about the settings' version."""
    rows: list[dict[str, str]] = console("doctor", "--json").document["checks"]
    return next(row for row in rows if row["check"] == "config")


@pytest.mark.usefixtures("database")
def test_a_change_needs_a_reason(console: Console) -> None:
    for words in (("propose",), ("approve", "1"), ("rollback",)):
        answer = console("config", *words)
        assert answer.code == 2
        assert "--reason" in answer.err


def test_a_forged_row_is_named(console: Console, home: Path, database: str) -> None:
    home.mkdir()
    stores = open_stores(load_settings())
    for n in range(3):
        with stores.begin() as work:
            work.audit.add(AuditEntry("operator", f"act {n}"), at=seoul(A_DAY, "09:00"))
    stores.close()
    whole = console("audit", "verify")
    assert (whole.code, whole.out.strip()) == (0, "3 rows, each fits the one before it.")
    with psycopg.connect(database) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE audit SET actor = 'nobody' WHERE number = 2")
    forged = console("audit", "verify")
    assert (forged.code, forged.out) == (1, "")
    assert "Row 2 is not what was written." in forged.err
    with psycopg.connect(database) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM audit WHERE number > 1")
    cut = console("audit", "verify", "--json")
    assert cut.code == 1
    assert cut.document["first_misfit"] == {"number": 2, "misfit": "cut"}


FORGERIES = {
    "document": ("document", "document = overlay(document::text PLACING '6' FROM {place})::jsonb"),
    "digest": ("document", "digest = reverse(digest)"),
    "commit": ("proposal", "commit = repeat('d', 40)"),
    "number": ("proposal", "version = 7"),
    "reason": ("proposal", "reason = 'other'"),
    "at": ("proposal", "at = at - interval '10 minutes'"),
}


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("column", FORGERIES)
def test_settings_that_somebody_changed_past_the_console_are_named_and_never_used(
    console: Console, database: str, column: str
) -> None:
    """One byte of the document, the limit of 5 holdings, is a 6 now."""
    assert console("config", "propose", *WHY).code == 0
    assert console("audit", "verify").code == 0
    forgery, change = FORGERIES[column]
    place = "position('\"maximum_holdings\": 5' IN document::text) + 20"
    with psycopg.connect(database) as connection:
        connection.execute(f"UPDATE configs SET {change.format(place=place)}".encode())  # noqa: S608 - our words
    found = console("audit", "verify", "--json")
    assert (found.code, found.document["first_misfit"]) == (1, None)
    version = 7 if column == "number" else 1
    assert found.document["first_forged"] == {"version": version, "forgery": forgery}
    assert f"Version {version} of the settings" in console("audit", "verify").err
    with pytest.raises(NotApproved, match=f"configs version {version}"):
        load_in_force()


def test_what_was_put_in_force_past_the_console_is_named_and_never_used(
    console: Console, database: str, live: None
) -> None:
    assert live is None
    assert console("config", "propose", *WHY).code == 3
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE configs SET approved_at = at")
    found = console("audit", "verify", "--json")
    assert found.document["first_forged"] == {"version": 1, "forgery": "approval"}
    with pytest.raises(NotApproved, match="approval"):
        load_in_force()


def load_in_force() -> None:
    """Load the settings in force as every run does."""
    settings = load_settings()
    with closing(open_stores(settings)) as stores:
        open_version(stores, load_channel(settings), at=seoul(A_DAY, "09:00"))


def test_an_end_that_nothing_proves_is_told(console: Console, home: Path, database: str) -> None:
    assert database
    stores = open_stores(load_settings())
    with stores.begin() as work:  # this home does not exist: nothing can be kept in it
        work.audit.add(AuditEntry("operator", "act"), at=seoul(A_DAY, "09:00"))
    stores.close()
    assert not home.exists()
    answer = console("audit", "verify")
    assert answer.code == 0
    assert "audit.json" in answer.err


def test_the_clock_is_that_of_the_version_in_force(
    console: Console, at_simulator: dict[str, Any], database: str, edit: Edit
) -> None:
    assert at_simulator
    assert database
    assert console("config", "propose", *WHY).code == 0
    edit("clock: simulator", "clock: system")
    assert console("status", "--json").document["trading_day"] == A_DAY.isoformat()
    assert console("config", "propose", *WHY).code == 0
    assert console("status", "--json").document["trading_day"] != A_DAY.isoformat()


def test_a_backtest_asks_the_version_in_force(console: Console, edit: Edit) -> None:
    assert console("config", "propose", *WHY).code == 0
    edit("id: trend-20-60", "id: trend-new")
    prices = PROJECT / "adapters/kis_sim/data/mit_daily_ohlcv_2016_2019.csv.gz"
    data = ("--data", str(prices), "--json", "--from", "2018-01-02", "--to", "2018-01-03")
    tried = [console("backtest", *data, *more) for more in ((), ("--file",))]
    assert [answer.document["strategies"][0] for answer in tried] == ["trend-20-60", "trend-new"]
