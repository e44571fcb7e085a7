"""This is the audit log against somebody with every right on the database: whatever he changes is named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from adapters.audit_files import AuditFile
from adapters.postgres import PostgresStores
from adapters.stores import AuditEntry
from tests.builders import ACCOUNT
from tests.store_samples import AT
from trading.audits import AuditMark, Flaw, Misfit, first_flaw

FORGERIES = {
    "number": "UPDATE audit SET number = 9 WHERE number = 3",
    "actor": "UPDATE audit SET actor = 'operatoR' WHERE number = 3",
    "action": "UPDATE audit SET action = action || ' ' WHERE number = 3",
    "detail": """UPDATE audit SET detail = '{"n": 2.00}' WHERE number = 3""",
    "zero": """UPDATE audit SET detail = '{"n": 2.0}' WHERE number = 3""",
    "at": "UPDATE audit SET at = at + interval '1 microsecond' WHERE number = 3",
    "before": "UPDATE audit SET before = upper(before) WHERE number = 3",
    "digest": "UPDATE audit SET digest = left(digest, 63) WHERE number = 3",
    "order": "UPDATE audit SET number = CASE number WHEN 3 THEN 14 ELSE 13 END WHERE number IN (3, 4);"
    "UPDATE audit SET number = number - 10 WHERE number > 10",
    "deleted": "DELETE FROM audit WHERE number = 3",
    "channel": "UPDATE audit SET channel = 'deV' WHERE number = 3",
    "account": "UPDATE audit SET account = account || '0' WHERE number = 3",
}


@pytest.fixture
def file(tmp_path: Path) -> AuditFile:
    """Where the newest hash is kept."""
    return AuditFile(tmp_path / "audit.json", channel="dev", account=ACCOUNT)


@pytest.fixture
def acted(postgres_url: str, file: AuditFile) -> Iterator[PostgresStores]:
    """Six acts, each in a unit of work of its own."""
    stores = PostgresStores(postgres_url, channel="dev", account=ACCOUNT, audit_file=file)
    for n in range(6):
        with stores.begin() as work:
            work.audit.add(AuditEntry("operator", f"act {n}", {"n": n}), at=AT)
    yield stores
    stores.close()


def forge(url: str, statements: str) -> None:
    """Do as the owner of the database can: switch off what protects the table."""
    with psycopg.connect(url) as connection:
        connection.execute("ALTER TABLE audit DISABLE TRIGGER ALL")
        connection.execute(statements.encode())
        connection.execute("ALTER TABLE audit ENABLE TRIGGER ALL")


def flaw_of(stores: PostgresStores, mark: AuditMark | None = None) -> Flaw | None:
    """Verify."""
    with stores.begin() as work:
        return first_flaw(work.audit.chain(), mark=mark)


@pytest.mark.parametrize("forgery", FORGERIES)
def test_the_first_forged_row_is_named(
    acted: PostgresStores, postgres_url: str, forgery: str
) -> None:
    assert flaw_of(acted) is None
    forge(postgres_url, FORGERIES[forgery])
    flaw = flaw_of(acted)
    assert flaw is not None
    assert flaw.number == 3


LETTERS = ("channel", "account", "actor", "action", "detail", "before", "digest")
CHANGE = """
    UPDATE audit SET {column} = overlay({column}::text PLACING '{letter}' FROM {place})::{kind}
    WHERE number = 3
"""


@pytest.mark.parametrize("column", LETTERS)
def test_any_changed_letter_names_its_row(
    acted: PostgresStores, postgres_url: str, column: str
) -> None:
    """Every place of every column, one after the other; what JSON does not take cannot be written at all."""
    kind = "jsonb" if column == "detail" else "text"
    forged = 0
    with psycopg.connect(postgres_url) as connection:
        connection.execute("ALTER TABLE audit DISABLE TRIGGER ALL")
        (found,) = connection.execute(
            f"SELECT length({column}::text) FROM audit WHERE number = 3".encode()  # noqa: S608 - our names
        )
        connection.commit()
        for place in range(1, found[0] + 1):
            connection.execute("CREATE TEMP TABLE kept AS SELECT * FROM audit WHERE number = 3")
            words = CHANGE.format(
                column=column, letter="~" if kind == "text" else "7", place=place, kind=kind
            )
            try:
                connection.execute(words.encode())
            except psycopg.DataError:
                connection.rollback()
                continue
            connection.commit()
            flaw = flaw_of(acted)
            connection.execute("DELETE FROM audit WHERE number = 3 OR channel <> 'dev'")
            connection.execute("INSERT INTO audit SELECT * FROM kept")
            connection.execute("DROP TABLE kept")
            connection.commit()
            assert flaw is not None
            assert flaw.number == 3
            forged += 1
        connection.execute("ALTER TABLE audit ENABLE TRIGGER ALL")
    assert forged >= found[0] // 4
    assert flaw_of(acted) is None


def test_a_cut_end_is_named_by_the_hash_on_disk(
    acted: PostgresStores, postgres_url: str, file: AuditFile
) -> None:
    mark = file.read()
    assert mark is not None
    assert (mark.number, flaw_of(acted, mark)) == (6, None)
    forge(postgres_url, "DELETE FROM audit WHERE number > 4")
    assert flaw_of(acted) is None
    assert flaw_of(acted, mark) == Flaw(5, Misfit.CUT)
    with acted.begin() as work:  # what is written over the cut does not heal it
        for n in range(3):
            work.audit.add(AuditEntry("operator", f"other {n}"), at=AT)
    assert flaw_of(acted) is None
    assert flaw_of(acted, file.read()) == Flaw(6, Misfit.REWRITTEN)


def test_an_act_that_was_rolled_back_is_not_kept(acted: PostgresStores, file: AuditFile) -> None:
    before = file.read()
    with pytest.raises(ZeroDivisionError):
        _act_in_vain(acted)
    assert file.read() == before
    assert flaw_of(acted, before) is None


def _act_in_vain(stores: PostgresStores) -> None:
    with stores.begin() as work:
        work.audit.add(AuditEntry("operator", "never"), at=AT)
        assert work.audit.chain()[-1].action == "never"
        raise ZeroDivisionError


def test_the_mark_never_goes_back_and_accounts_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "audit.json"
    one = AuditFile(path, channel="dev", account=ACCOUNT)
    other = AuditFile(path, channel="live", account=ACCOUNT)
    for number in (2, 3, 1):
        one.keep(AuditMark(number, f"{number}" * 64), still_has=lambda mark: mark.number == 2)
    other.keep(AuditMark(9, "9" * 64), still_has=lambda _: False)
    assert (one.read(), other.read()) == (AuditMark(3, "3" * 64), AuditMark(9, "9" * 64))
    assert path.stat().st_mode & 0o777 == 0o600
    assert ACCOUNT not in path.read_text("utf-8")


def test_a_disk_that_refuses_does_not_undo_the_act(tmp_path: Path) -> None:
    AuditFile(tmp_path / "nowhere" / "audit.json", channel="dev", account=ACCOUNT).keep(
        AuditMark(1, "1" * 64), still_has=lambda _: True
    )
    assert not (tmp_path / "nowhere").exists()
