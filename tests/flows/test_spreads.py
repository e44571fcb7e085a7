"""Behind Prefect's task runners, on a Dask or Ray cluster too, the rows of trials are those of one process.

Both are extras; `make dask` and `make ray` install one beside us and run these tests with it. CI does without: they take
half a minute.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from prefect.task_runners import ThreadPoolTaskRunner

from backtest.cells import Row, possible
from deployments.cli import main
from deployments.spreads import RUNNERS, Cluster, cluster
from tasks.spreads import Here, Spread
from tests.sweep_worlds import SPACE, WHOLE, a_question, write_bars

QUESTION = a_question()
TRIALS, _ = possible(QUESTION, WHOLE, SPACE.cells())
INSTALLED = [kind for kind in RUNNERS if find_spec(f"prefect_{kind}")]

pytestmark = [
    pytest.mark.skipif(not INSTALLED, reason="`make dask` and `make ray` have them"),
    pytest.mark.filterwarnings("default"),
    pytest.mark.timeout(600),
]
needs_dask = pytest.mark.skipif("dask" not in INSTALLED, reason="`make dask` has it")


def rows_of(spread: Spread) -> dict[str, Row]:
    """Run all trials."""
    return {row.key: row for rows in spread.run(QUESTION, TRIALS) for row in rows}


EXPECTED = rows_of(Here())


def test_a_task_runner_of_prefect_gives_the_rows_of_one() -> None:
    assert rows_of(Cluster(ThreadPoolTaskRunner(2), 2)) == EXPECTED


@pytest.mark.parametrize("kind", INSTALLED)
def test_a_cluster_gives_the_rows_of_one(kind: str) -> None:
    assert rows_of(cluster(kind, 2)) == EXPECTED


@pytest.fixture
def address() -> Iterator[str]:
    """A cluster that runs already, as on more machines."""
    from dask.distributed import LocalCluster  # noqa: PLC0415 - an extra

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as running:
        yield running.scheduler_address


@needs_dask
def test_a_dask_cluster_that_runs_already_gives_the_rows_of_one(address: str) -> None:
    assert rows_of(cluster(f"dask={address}", 2)) == EXPECTED


@pytest.fixture
def data(tmp_path: Path) -> str:
    """A file of the bars that wander."""
    return str(write_bars(tmp_path / "bars.csv"))


@pytest.mark.parametrize("kind", INSTALLED)
def test_the_command_says_the_same_and_goes_on_from_what_is_finished(
    kind: str,
    data: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def told(home: str, command: str, *words: str) -> dict[str, Any]:
        monkeypatch.setenv("MAEMAE_HOME", str(tmp_path / home))
        capfd.readouterr()
        asked = ("--kind", "moving_average_cross", "--set", "volume_ratio=none", "--market", "none")
        code = main((command, *asked, "--data", data, "--workers", "2", *words, "--json"))
        out, err = capfd.readouterr()
        assert code == 0, err
        document: dict[str, Any] = json.loads(out[out.index("{\n") :])
        return {name: value for name, value in document.items() if name not in {"page", "table"}}

    axes, more, there = ("fast=2", "slow=5,10"), ("fast=2,3", "slow=5,10"), ("--on", kind)
    told("there", "sweep", *axes)  # two of the four cells are finished here, by processes
    assert told("there", "sweep", *more, *there) == told("here", "sweep", *more)
    (kept,) = (tmp_path / "there" / "sweeps").rglob("*.jsonl")
    finished = kept.read_text("utf-8").splitlines()
    assert len(finished) == len(set(finished)) == 4
    days = ("--train", "100", "--test", "50")
    assert told("there", "walkforward", *more, *days, *there) == told(
        "here", "walkforward", *more, *days
    )
