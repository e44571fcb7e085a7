"""This is what holds a foreign strategy, tried from inside: which calls, files, limits and lives it has left.

That each hostile one is contained in time while the others trade on, tests/scenarios/test_foreign_strategies.py shows.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest

from plugins import processes
from plugins.sources import PROJECT
from tests.plugin_files import a_strategy_file, a_universe, approved, runs, runs_file
from trading.errors import PluginFault

SPARE_SECONDS = 1.0
UNIVERSE = a_universe()


def test_no_call_that_harms_is_let_through(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("ours", encoding="utf-8")
    new = str(tmp_path / "new")
    attempts = (
        *(f"open({new!r}, 'w')", f"open({str(there)!r}, 'a')", f"open({str(there)!r}, 'r+')"),
        *(f"os.unlink({str(there)!r})", f"os.rename({str(there)!r}, {new!r})"),
        *(f"os.truncate({str(there)!r}, 0)", f"os.chmod({str(there)!r}, 0)", f"os.mkdir({new!r})"),
        *(f"os.symlink('/', {new!r})", "open('/proc/self/mem', 'r+b')", "os.memfd_create('new')"),
        *(f"open({str(there)!r})", f"open('/proc/{os.getpid()}/environ')", "open('/etc/passwd')"),
        *("os.listdir('/root')", "os.listdir('/')", f"open({str(PROJECT / 'prefect.yaml')!r})"),
        *("socket.socket(socket.AF_INET, socket.SOCK_DGRAM)", "socket.socket(socket.AF_UNIX)"),
        *(
            "socket.socketpair()",
            "subprocess.run(['/bin/true'])",
            "os.execv('/bin/true', ['true'])",
        ),
        *("os.kill(os.getppid(), 9)", "os.kill(os.getpid(), 9)", "os.fork()", "os.setuid(0)"),
    )
    trying = f"""
        held = []
        for attempt in {attempts!r}:
            try: eval(attempt)
            except PermissionError: continue
            except BaseException as error: attempt += f' {{type(error).__name__}}'
            held.append(attempt)
        raise RuntimeError(held)
    """
    with runs_file(tmp_path, trying) as settings, pytest.raises(PluginFault) as fault:
        settings.strategy.evaluate_all(UNIVERSE)
    assert fault.value.reason == "RuntimeError: []"
    assert there.read_text(encoding="utf-8") == "ours"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there", "tried.py"]


def test_nothing_of_our_environment_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAEMAE_KIS__APPSECRET", "very secret")
    telling = "raise RuntimeError(sorted(os.environ))"
    with runs_file(tmp_path, telling) as settings, pytest.raises(PluginFault) as fault:
        settings.strategy.evaluate_all(UNIVERSE)
    assert "PYTHONPATH" in fault.value.reason
    assert "MAEMAE" not in fault.value.reason


def test_a_listener_on_this_machine_is_not_reached(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        server.settimeout(0.2)
        connect = f"socket.create_connection({server.getsockname()!r}).send(b'bars')"
        with (
            runs_file(tmp_path, connect) as settings,
            pytest.raises(PluginFault, match="Permission"),
        ):
            settings.strategy.evaluate_all(UNIVERSE)
        with pytest.raises(TimeoutError):
            server.accept()


def test_processor_time_is_limited_besides_time(tmp_path: Path) -> None:
    with runs_file(tmp_path, "while True: pass", cpu_seconds=1, timeout_seconds=30) as settings:
        assert settings.strategy.warm_up
        began = monotonic()
        with pytest.raises(PluginFault, match="its process ended"):
            settings.strategy.evaluate_all(UNIVERSE)
        assert monotonic() - began < 15


ORPHAN = """
import os, sys, threading, time
from pathlib import Path
from tests.plugin_files import a_universe, runs_file
with runs_file(Path(sys.argv[1]), 'time.sleep(1000)', timeout_seconds=60) as settings:
    assert settings.strategy.warm_up
    threading.Thread(target=settings.strategy.evaluate_all, args=(a_universe(),)).start()
    time.sleep(0.5)
    print(settings.strategy._process._process.pid, flush=True)
    os.kill(os.getpid(), 9)
"""


def test_none_outlives_who_asked_it(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", ORPHAN, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT,
    )
    assert done.returncode == -9
    orphan = Path(f"/proc/{int(done.stdout)}")
    deadline = monotonic() + SPARE_SECONDS
    while orphan.exists() and "State:\tZ" not in _status(orphan) and monotonic() < deadline:
        sleep(0.01)
    assert "State:\tS" not in _status(orphan)


def _status(process: Path) -> str:
    try:
        return (process / "status").read_text(encoding="utf-8")
    except OSError:
        return ""


def test_a_machine_that_cannot_hold_it_refuses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "missing", lambda: ("seccomp", "Landlock"))
    with (
        runs_file(tmp_path, "return self.quiet(columns)") as settings,
        pytest.raises(PluginFault) as fault,
    ):
        settings.strategy.evaluate_all(UNIVERSE)
    assert "this machine has no seccomp and no Landlock" in fault.value.reason
    assert "limits.isolation: limits lets it run without" in fault.value.reason


def test_with_limits_only_the_limits_hold_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "missing", lambda: ("seccomp", "Landlock"))
    told = "raise RuntimeError(len(open('/etc/passwd').read()) > 0)"
    with (
        runs_file(tmp_path, told, isolation="limits") as settings,
        pytest.raises(PluginFault, match="RuntimeError: True"),
    ):
        settings.strategy.evaluate_all(UNIVERSE)
    with (
        runs_file(tmp_path, "np.ones(4 << 27)", isolation="limits") as settings,
        pytest.raises(PluginFault, match="Unable to allocate"),
    ):
        settings.strategy.evaluate_all(UNIVERSE)


def test_what_it_prints_goes_nowhere(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    printing = "print('a' * 1_000_000, flush=True); return self.quiet(columns)"
    with runs_file(tmp_path, printing) as settings:
        decided = settings.strategy.evaluate_all(UNIVERSE)
    assert not any(d.entry.any() for d in decided.values())
    assert capfd.readouterr() == ("", "")


def test_harm_at_import_is_held_too(tmp_path: Path) -> None:
    path = tmp_path / "tried.py"
    path.write_text("INTERFACE = 1\nwhile True: pass\n", encoding="utf-8")
    plugin = approved(f"{path}:Tried", limits={"timeout_seconds": 1})
    with runs(plugin) as settings, pytest.raises(PluginFault, match="took too long"):
        assert settings.strategy.warm_up


@pytest.mark.parametrize("length", [0, -5, 2001])
def test_a_warm_up_is_a_number_of_bars(length: int, tmp_path: Path) -> None:
    path = a_strategy_file(tmp_path, "return self.quiet(columns)")
    with (
        runs(approved(f"{path}:Tried"), {"length": length}) as settings,
        pytest.raises(PluginFault, match="whole number from 1 to 2000"),
    ):
        assert settings.strategy.warm_up


def test_a_harmless_one_decides_as_it_would_here(tmp_path: Path) -> None:
    rising = """
        entry = np.zeros(len(columns), dtype=np.bool_)
        entry[1:] = columns.close[1:] > columns.close[:-1]
        return Decisions(entry, ~entry, {'close': columns.close.astype(np.float64)})
    """
    with runs_file(tmp_path, rising) as settings:
        decided = settings.strategy.evaluate_all(UNIVERSE)
        again = settings.strategy.evaluate(next(iter(UNIVERSE.values())))
    assert list(decided) == list(UNIVERSE)
    for symbol, columns in UNIVERSE.items():
        rises = np.concatenate(([False], np.diff(columns.close) > 0))
        assert (decided[symbol].entry == rises).all()
        assert (decided[symbol].exit == ~rises).all()
        assert (decided[symbol].indicators["close"] == columns.close).all()
    assert (again.entry == next(iter(decided.values())).entry).all()
