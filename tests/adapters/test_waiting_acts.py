"""This is acts while the database is away: on disk, then in the log before the next one, each once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.audit_files import AUDIT_FILE, AuditFile
from adapters.postgres import PostgresStores
from adapters.waiting_acts import WaitingActs
from tests.builders import ACCOUNT
from tests.consoles import NOWHERE
from tests.full_disks import a_full_disk
from tests.store_samples import AT
from trading.audits import WAITED, AuditEntry, AuditRow, Flaw, Misfit, first_flaw
from trading.errors import DiskFull

HALT = AuditEntry("operator", "halt", {"reason": "점심"})
DOWN = AuditEntry("operator", "down", {"version": 3})
RESUME = AuditEntry("operator", "resume")


@pytest.fixture
def file(tmp_path: Path) -> AuditFile:
    """Where a home keeps what the log is held against."""
    return AuditFile(tmp_path / AUDIT_FILE, channel="dev", account=ACCOUNT)


@pytest.fixture
def log(postgres_url: str, file: AuditFile) -> Iterator[PostgresStores]:
    """The account's memory, which answers."""
    log = PostgresStores(postgres_url, channel="dev", account=ACCOUNT, audit_file=file)
    with closing(log):
        yield log


def leave_two(file: AuditFile) -> None:
    """Do two things while nobody answers."""
    with closing(PostgresStores(NOWHERE, channel="dev", account=ACCOUNT, audit_file=file)) as away:
        away.keep_act(DOWN, at=AT + timedelta(seconds=1))
        away.keep_act(HALT, at=AT)


def act(log: PostgresStores, entry: AuditEntry = RESUME) -> tuple[AuditRow, ...]:
    """Do one more, two seconds later; give the log."""
    with log.begin() as work:
        work.audit.add(entry, at=AT + timedelta(seconds=2))
    with log.begin() as work:
        return work.audit.chain()


def test_the_next_act_takes_them_in_before_it(log: PostgresStores, file: AuditFile) -> None:
    leave_two(file)
    rows = act(log)
    assert [row.action for row in rows] == ["halt", "down", "resume"]
    assert [row.at - AT for row in rows] == [timedelta(seconds=n) for n in range(3)]
    assert rows[0].entry.detail["reason"] == "점심"
    assert [WAITED in row.entry.detail for row in rows] == [True, True, False]
    assert verified(rows, file) is None
    assert file.waiting.all() == ()
    leave_two(file)
    assert verified(rows, file) is None, "what waits is no flaw yet"
    assert verified(act(log), file) is None


def verified(rows: tuple[AuditRow, ...], file: AuditFile) -> Flaw | None:
    """Do what `maemae audit verify` does."""
    return first_flaw(rows, mark=file.read(), awaited=file.waiting.missed())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("점심", "저녁"),
        ('"operator"', '"strategy"'),
        ('"halt"', '"resume"'),
        ("T00:00:00", "T00:00:09"),
    ],
)
def test_what_was_changed_while_it_waited_is_named(
    log: PostgresStores, file: AuditFile, tmp_path: Path, old: str, new: str
) -> None:
    leave_two(file)
    path, _ = sorted((tmp_path / "acts").rglob("*.json"))
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    assert verified(act(log), file) == Flaw(1, Misfit.CONTENT)


def test_who_writes_its_name_anew_is_missed_by_the_one_behind(
    log: PostgresStores, file: AuditFile, tmp_path: Path
) -> None:
    leave_two(file)
    others = WaitingActs(tmp_path / "others")
    others.keep(DOWN, at=AT + timedelta(seconds=1, milliseconds=1))
    (forged,) = (tmp_path / "others").glob("*.json")
    _, down = sorted((tmp_path / "acts").rglob("*.json"))
    forged.rename(down.with_name(forged.name))
    down.unlink()
    rows = act(log)
    assert [row.action for row in rows] == ["halt", "down", "resume"]
    assert verified(rows, file) == Flaw(1, Misfit.ORDER)


@pytest.mark.parametrize(("place", "flaw"), [(0, Flaw(3, Misfit.CUT)), (1, Flaw(1, Misfit.ORDER))])
def test_one_that_was_taken_away_is_missed(
    log: PostgresStores, file: AuditFile, tmp_path: Path, place: int, flaw: Flaw
) -> None:
    leave_two(file)
    sorted((tmp_path / "acts").rglob("*.json"))[place].unlink()  # the later act came first
    assert verified(act(log), file) == flaw


def test_figures_keep_their_seal_however_the_database_writes_them(
    log: PostgresStores, file: AuditFile
) -> None:
    figures = {"b": 1.50, "a": [1e16, 2.5e-7, 100, True, None], "1": {"가": "0"}}
    with closing(PostgresStores(NOWHERE, channel="dev", account=ACCOUNT, audit_file=file)) as away:
        away.keep_act(AuditEntry("operator", "halt", figures), at=AT)
    assert verified(act(log), file) is None


def test_a_process_that_died_before_it_let_go_brings_none_twice(
    log: PostgresStores, file: AuditFile, tmp_path: Path
) -> None:
    leave_two(file)
    kept = {path: path.read_bytes() for path in (tmp_path / "acts").rglob("*.json")}
    act(log)
    for path, content in kept.items():
        path.write_bytes(content)
    assert [row.action for row in act(log)] == ["halt", "down", "resume", "resume"]
    assert file.waiting.all() == ()


def test_a_unit_of_work_that_fails_lets_go_of_none(log: PostgresStores, file: AuditFile) -> None:
    leave_two(file)
    with pytest.raises(ZeroDivisionError):
        _fail(log)
    assert len(file.waiting.all()) == 2
    assert len(act(log)) == 3


def _fail(log: PostgresStores) -> None:
    with log.begin() as work:
        work.audit.add(RESUME, at=AT)
        assert len(work.audit.chain()) == 3
        raise ZeroDivisionError


def test_what_cannot_be_read_is_left_lying_and_keeps_nothing_back(
    log: PostgresStores, file: AuditFile, tmp_path: Path
) -> None:
    leave_two(file)
    first, _ = sorted((tmp_path / "acts").rglob("*.json"))
    first.write_text('{"actor": ', "utf-8")
    assert [row.action for row in act(log)] == ["down", "resume"]
    assert first.exists()


def test_another_account_takes_none_of_them(
    postgres_url: str, file: AuditFile, tmp_path: Path
) -> None:
    leave_two(file)
    others = AuditFile(tmp_path / AUDIT_FILE, channel="live", account=ACCOUNT)
    log = PostgresStores(postgres_url, channel="live", account=ACCOUNT, audit_file=others)
    with closing(log):
        assert [row.action for row in act(log)] == ["resume"]
    assert len(file.waiting.all()) == 2


def test_they_are_for_the_owners_eyes_only(file: AuditFile, tmp_path: Path) -> None:
    leave_two(file)
    places = [path.stat().st_mode & 0o777 for path in (tmp_path / "acts").rglob("*.json")]
    assert places == [0o600, 0o600]
    assert ACCOUNT not in "".join(map(str, tmp_path.rglob("*")))


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    with a_full_disk(tmp_path / "small") as disk:
        waiting = WaitingActs(disk.folder / "acts")
        disk.fill()
        with pytest.raises(DiskFull):
            waiting.keep(HALT, at=AT)
        assert waiting.all() == ()
