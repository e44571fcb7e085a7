"""This is many runs at once: each job has a warm process, a database and a clock of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import Final

import structlog

from adapters.postgres import embedded
from adapters.postgres.databases import make_database
from adapters.postgres.migrations import migrate
from tests.chaos.runs import Mutation, rehearse, run, unchanged
from tests.chaos.scenarios import Scenario, draw
from tests.chaos.stages import Stage, a_stage
from tests.chaos.tables import Results
from tests.chaos.verdicts import Verdict
from tests.secret_scans import finds_below

NO_DISK: Final = {
    **dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes"), "off"),
    "autovacuum": "off",
}
"""Only processes die here, never the machine, and the databases are thrown away."""
_SILENT: Final = 50


@contextmanager
def a_server() -> Iterator[str]:
    """Run a PostgreSQL server of our own, gone even if we are killed; gives its address."""
    folder = Path(tempfile.mkdtemp(prefix="maemae-chaos-"))
    folder.chmod(0o711)  # the server's user must pass through
    server = embedded.start(folder, settings=NO_DISK)
    watcher = embedded.stop_when_we_die(folder)
    try:
        yield server.url
    finally:
        embedded.stop(folder)
        watcher.terminate()
        watcher.wait()
        shown = finds_below(folder)
        shutil.rmtree(folder, ignore_errors=True)
    assert shown == [], "a run has written a secret into its database"


class Job:
    """A warm process that carries out one run after the other, each for an account of its own."""

    def __init__(self, server: str, name: str, folder: Path) -> None:
        """Make database and stage, and play once so that nothing is done for the first time later."""
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(_SILENT))
        url = make_database(server, f"chaos_{name}", is_fresh=True)
        migrate(url)
        self._folder = folder / f"job-{name}"
        shutil.rmtree(self._folder, ignore_errors=True)
        self._stage: Stage = a_stage(url)
        self._runs = 0
        rehearse(self._stage, self._folder / "rehearsal")

    def carry_out(self, scenario: Scenario, mutate: Mutation = unchanged) -> Verdict:
        """Carry out one run; its folder stays when something was wrong."""
        self._runs += 1
        folder = self._folder / f"seed-{scenario.seed}-{self._runs}"
        return run(self._stage, scenario, folder, f"{self._runs:08d}-01", mutate)


def carry_out_all(
    seeds: Sequence[int],
    *,
    server: str,
    jobs: int,
    folder: Path,
    tell: Callable[[str], None],
    seconds: float = inf,
) -> float:
    """Carry out the runs that are not finished yet, `jobs` at a time; give the runs per second.

    None is begun when `seconds` are over.
    """
    finished = {line["seed"] for line in Results(folder).lines}
    left = [seed for seed in seeds if seed not in finished]
    started = time.monotonic()
    workers = [
        _fork(left[number::jobs], server, str(number), folder, until=started + seconds)
        for number in range(jobs)
    ]
    while workers:
        pid, status = os.wait()
        if pid in workers:
            workers.remove(pid)
            if status:
                tell(f"a job ended with wait status {status}; run again to resume")
    done = {line["seed"] for line in Results(folder).lines} - finished
    return len(done) / (time.monotonic() - started)


def _fork(seeds: Sequence[int], server: str, name: str, folder: Path, *, until: float) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        job, results = Job(server, name, folder), Results(folder)
        for seed in seeds:
            is_orphaned = os.getppid() != parent  # a next run may use the folder already
            if is_orphaned or time.monotonic() > until:
                break
            results.keep(job.carry_out(draw(seed)))
        code = 0
    finally:
        os._exit(code)
