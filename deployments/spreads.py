"""This is how trials are spread over a cluster: by Prefect's task runner, Dask's or Ray's, with the code of one process."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, Final

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import as_completed
from prefect.task_runners import TaskRunner

from backtest.cells import Question, Row, Trial
from tasks.spreads import Batch, batches, try_cells
from trading.errors import BadInput


@task(name="hand-over-bars", cache_policy=NO_CACHE, persist_result=False)
def hand_over(question: Question) -> Question:
    """Bring the bars to the cluster, where workers take them from each other; with each batch they would go anew."""
    return question


@task(name="try-cells", cache_policy=NO_CACHE, persist_result=False)
def try_batch(question: Question, batch: Batch) -> tuple[Row, ...]:
    """Try a batch, as every other place does."""
    return try_cells(question, batch)


class Cluster:
    """Workers behind a task runner of Prefect. Every batch is a task run that the UI shows."""

    def __init__(self, runner: TaskRunner[Any], workers: int) -> None:
        """Take the runner and for how many workers to cut the batches."""
        self._runner = runner
        self._workers = workers

    def run(self, question: Question, trials: Sequence[Trial]) -> Generator[tuple[Row, ...]]:
        """Submit the batches in a flow run and give what comes back, in order of finishing."""

        @flow(name="spread-trials", task_runner=self._runner, validate_parameters=False)
        def spread() -> Generator[tuple[Row, ...]]:
            there: Any = hand_over.submit(question)  # what it holds is given to the tasks
            futures = [try_batch.submit(there, b) for b in batches(trials, self._workers)]
            for future in as_completed(futures):
                yield future.result()

        yield from spread()


def _dask(address: str, workers: int) -> TaskRunner[Any]:
    from prefect_dask import DaskTaskRunner  # noqa: PLC0415 - an extra

    own = {"cluster_kwargs": {"n_workers": workers, "threads_per_worker": 1}}
    runner: TaskRunner[Any] = DaskTaskRunner(**({"address": address} if address else own))
    return runner


def _ray(address: str, workers: int) -> TaskRunner[Any]:
    from prefect_ray import RayTaskRunner  # noqa: PLC0415 - an extra

    own = {"init_kwargs": {"num_cpus": workers}}
    runner: TaskRunner[Any] = RayTaskRunner(**({"address": address} if address else own))
    return runner


RUNNERS: Final[dict[str, Callable[[str, int], TaskRunner[Any]]]] = {"dask": _dask, "ray": _ray}


def cluster(where: str, workers: int) -> Cluster:
    """Open `dask`, `ray`, or one that runs already, e.g. `dask=tcp://10.0.0.2:8786`.

    Raises:
        BadInput: for another word, or when the extra is not installed.
    """
    kind, _, address = where.partition("=")
    if kind not in RUNNERS:
        raise BadInput("--on", where, "processes, dask, ray, dask=ADDRESS or ray=ADDRESS")
    try:
        return Cluster(RUNNERS[kind](address, workers), workers)
    except ImportError:
        expected = f"the extra {kind}: .venv/bin/python -m pip install prefect-{kind}"
        raise BadInput("--on", where, expected) from None
