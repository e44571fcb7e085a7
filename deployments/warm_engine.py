"""This is the warm engine: Prefect and our flows imported once, copied by fork for every flow run.

Forking is safe here because nothing runs yet: one thread, no event loop, no connection. It is Linux only;
without it runs start cold and are slower, that is all.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any, Final

from adapters.calendars import XkrxCalendar
from adapters.kafka.envelopes import read_schemas
from deployments.entries import read_entries

PROJECT: Final = Path(__file__).resolve().parent.parent
_NEEDED: Final = (
    "prefect.flow_engine",
    "prefect.task_engine",
    "prefect.artifacts",
    "prefect.client.orchestration",
    "prefect.logging.handlers",
    # What Prefect itself puts off until a run needs it.
    "prefect._internal.observers",
    "prefect._vendor.croniter.croniter",
    "prefect.utilities.visualization",
    "encodings.idna",
    "pytz",
)
_FOLDERS: Final = (
    "trading",
    "strategies",
    "risk",
    "backtest",
    "adapters",
    "plugins",
    "tasks",
    "flows",
    "sql",
)
_SUFFIXES: Final = (".py", ".yaml", ".sql")
_LARGEST: Final = 1 << 20


def main() -> None:
    """Listen at the address in the first argument; in a copy, become the flow run."""
    newest = newest_change()
    for name in (*_NEEDED, *(entry.entrypoint.rpartition(".")[0] for entry in read_entries())):
        importlib.import_module(name)
    read_schemas()
    XkrxCalendar()  # imports its holidays when it is first made
    sys.modules.pop("prefect.engine", None)  # what a copy runs, anew
    if threading.active_count() > 1:
        sys.exit("more than one thread after the imports: cannot be copied")
    link = serve(sys.argv[1], newest)
    become(link)


def serve(address: str, newest: int) -> socket.socket:
    """Make a copy for everyone who connects; returns only in a copy, with its link."""
    Path(address).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(address)
    listener.listen(16)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system clears ended copies away
    gc.freeze()  # pages that nobody writes stay shared
    while True:
        link, _ = listener.accept()
        if (
            newest_change() != newest
        ):  # what we imported is stale: run this one cold and import anew
            link.close()
            listener.close()
            os.execv(sys.executable, (sys.executable, *sys.orig_argv[1:]))  # noqa: S606 - ourselves
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            return link
        link.close()


def become(link: socket.socket) -> None:
    """Take on environment, folder and outputs of the process at the other end, and run its flow run."""
    words, descriptors, _, _ = socket.recv_fds(link, _LARGEST, 3)
    made_of: dict[str, Any] = json.loads(words)
    for target, descriptor in enumerate(descriptors):
        os.dup2(descriptor, target)
        os.close(descriptor)
    os.chdir(made_of["folder"])
    os.environ.clear()
    os.environ.update(made_of["environment"])
    _refresh_settings()
    link.send(str(os.getpid()).encode())
    threading.Thread(target=_die_with, args=(link,), daemon=True).start()
    _run_engine(link)


def _run_engine(link: socket.socket) -> None:
    code = [1]
    atexit.register(lambda: link.send(str(code[0]).encode()))  # registered first, so called last
    sys.argv = ["prefect.engine"]
    try:
        runpy.run_module("prefect.engine", run_name="__main__", alter_sys=False)
        code[0] = 0
    except SystemExit as ending:
        code[0] = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
        raise


def _die_with(link: socket.socket) -> None:
    """End violently when the process that stands for us to Prefect is gone."""
    if not link.recv(1):
        os.kill(os.getpid(), signal.SIGKILL)


def _refresh_settings() -> None:
    from prefect.context import refresh_global_settings_context  # noqa: PLC0415 - Prefect is loaded late

    refresh_global_settings_context()


def newest_change() -> int:
    """Return when one of the files that runs are made of changed last, in nanoseconds since 1970."""
    places = (place for folder in _FOLDERS for place in os.walk(PROJECT / folder))
    files = (f"{place}/{file}" for place, _, names in places for file in names)
    return max(os.stat(file).st_mtime_ns for file in files if file.endswith(_SUFFIXES))  # noqa: PTH116 - ten times faster


if __name__ == "__main__":
    main()
