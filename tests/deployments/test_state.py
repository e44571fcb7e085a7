"""What a running stack leaves on disk: one stack per home, and nothing left after a kill."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.state import (
    AlreadyRunning,
    Footprint,
    StackNote,
    end_leftovers,
    forget,
    is_running,
    only_stack,
    read_note,
    write_note,
    write_runtime,
)

HOLDS_THE_LOCK = """
import sys, time
from pathlib import Path
from deployments.state import only_stack
with only_stack(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def a_note(**processes: Footprint) -> StackNote:
    return StackNote(
        phase="ready",
        supervisor=Footprint.of(os.getpid()),
        channel="dev",
        prefect_api_url="http://127.0.0.1:4200/api",
        processes=processes,
    )


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    words = (sys.executable, "-c", "import time; time.sleep(60)")
    with subprocess.Popen(words, start_new_session=True) as process:  # noqa: S603 - our words
        yield process
        process.kill()


def test_a_second_stack_is_refused_and_told_of_the_first(tmp_path: Path) -> None:
    with only_stack(tmp_path):
        write_note(tmp_path, a_note())
        with (
            pytest.raises(AlreadyRunning, match=rf"pid {os.getpid()}, http://127.0.0.1:4200"),
            only_stack(tmp_path),
        ):
            pytest.fail("there are two")
        assert is_running(tmp_path)
    assert not is_running(tmp_path)


def test_a_kill_frees_the_lock(tmp_path: Path) -> None:
    words = (sys.executable, "-c", HOLDS_THE_LOCK, str(tmp_path))
    with subprocess.Popen(words, stdout=subprocess.PIPE) as holder:  # noqa: S603 - our words
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert is_running(tmp_path)
        holder.send_signal(signal.SIGKILL)

    assert not is_running(tmp_path)


def test_what_a_killed_stack_left_running_is_ended(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    write_note(tmp_path, a_note(worker=Footprint.of(sleeper.pid)))
    write_runtime(tmp_path, {"MAEMAE_CHANNEL": "dev"})

    assert end_leftovers(tmp_path) == ("worker",)

    sleeper.wait(timeout=10)
    assert read_note(tmp_path) is None
    assert not (tmp_path / "runtime.env").exists()


def test_a_stranger_who_got_the_number_of_a_dead_process_is_left_alone(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    write_note(tmp_path, a_note(worker=Footprint(pid=sleeper.pid, birth="long ago")))

    assert end_leftovers(tmp_path) == ()

    assert sleeper.poll() is None


def test_what_says_where_the_database_is_can_be_read_by_us_only(tmp_path: Path) -> None:
    write_runtime(tmp_path, {"MAEMAE_DATABASE_URL": "postgresql://maemae:secret@127.0.0.1/maemae"})

    assert stat.S_IMODE((tmp_path / "runtime.env").stat().st_mode) == 0o600


def test_a_torn_note_is_no_note(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text('{"phase": "rea')

    assert read_note(tmp_path) is None
    assert end_leftovers(tmp_path) == ()


def test_forgetting_twice_is_fine(tmp_path: Path) -> None:
    forget(tmp_path)
    forget(tmp_path)

    assert read_note(tmp_path) is None
