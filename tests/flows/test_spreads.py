"""Behind Prefect's task runners, on a Dask cluster too, the rows of trials are those of one process.

Dask is an extra; `make dask` installs it beside us and runs these tests with it. CI does without: it takes half a minute.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from prefect.task_runners import ThreadPoolTaskRunner

from backtest.cells import Row, possible
from deployments.spreads import Cluster, cluster
from tasks.spreads import Here, Spread
from tests.sweep_worlds import SPACE, WHOLE, a_question

QUESTION = a_question()
TRIALS, _ = possible(QUESTION, WHOLE, SPACE.cells())
needs_dask = pytest.mark.skipif(not find_spec("prefect_dask"), reason="`make dask` has it")


def rows_of(spread: Spread) -> dict[str, Row]:
    """Run all trials."""
    return {row.key: row for rows in spread.run(QUESTION, TRIALS) for row in rows}


EXPECTED = rows_of(Here())


@needs_dask
@pytest.mark.filterwarnings("default")
def test_a_task_runner_of_prefect_gives_the_rows_of_one() -> None:
    assert rows_of(Cluster(ThreadPoolTaskRunner(2), 2)) == EXPECTED


@needs_dask
@pytest.mark.filterwarnings("default")
def test_a_dask_cluster_gives_the_rows_of_one() -> None:
    assert rows_of(cluster("dask", 2)) == EXPECTED


@pytest.fixture
def address() -> Iterator[str]:
    """A cluster that runs already, as on more machines."""
    from dask.distributed import LocalCluster  # noqa: PLC0415 - an extra

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as running:
        yield running.scheduler_address


@needs_dask
@pytest.mark.filterwarnings("default")
def test_a_dask_cluster_that_runs_already_gives_the_rows_of_one(address: str) -> None:
    assert rows_of(cluster(f"dask={address}", 2)) == EXPECTED
