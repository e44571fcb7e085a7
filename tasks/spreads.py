"""This is how trials are spread: here, over processes of this machine, or over a cluster by Prefect's task runner.

All three call the same `try_cells`; they differ only in where it runs.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Final, Protocol

from backtest.cells import Question, Row, Trial, try_cell

BATCHES_EACH: Final = 8
"""Batches for each worker: few enough to be cheap to hand over, many enough that none waits long at the end."""
LARGEST_BATCH: Final = 20
"""So many finished trials of each worker may be lost when all is stopped at once."""

type Batch = tuple[Trial, ...]


class Spread(Protocol):
    """Somewhere to run trials."""

    def run(self, question: Question, trials: Sequence[Trial]) -> Generator[tuple[Row, ...]]:
        """Give the rows in batches, as they are finished; closing the generator abandons the rest."""
        ...


def try_cells(question: Question, batch: Batch) -> tuple[Row, ...]:
    """Try one cell after the other."""
    return tuple(try_cell(question, trial) for trial in batch)


def batches(trials: Sequence[Trial], workers: int) -> list[Batch]:
    """Cut the trials into batches of equal size, a handful for each worker."""
    size = min(max(len(trials) // (workers * BATCHES_EACH), 1), LARGEST_BATCH)
    return [tuple(trials[at : at + size]) for at in range(0, len(trials), size)]


class Here:
    """This process."""

    def run(self, question: Question, trials: Sequence[Trial]) -> Generator[tuple[Row, ...]]:
        """Try one batch after the other."""
        return (try_cells(question, batch) for batch in batches(trials, 1))


class Processes:
    """Processes of this machine; each is given the bars once."""

    def __init__(self, workers: int) -> None:
        """Take how many."""
        self._workers = workers

    def run(self, question: Question, trials: Sequence[Trial]) -> Generator[tuple[Row, ...]]:
        """Hand the batches out and give what comes back, in order of finishing; who stops waits for none.

        Raises:
            BrokenProcessPool: when a worker dies, e.g. of too little memory.
        """
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(self._workers, context, _take, (question,))
        try:
            futures = [pool.submit(_try, batch) for batch in batches(trials, self._workers)]
            for future in as_completed(futures):
                yield future.result()
        except (GeneratorExit, KeyboardInterrupt):
            for child in multiprocessing.active_children():
                child.terminate()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_taken: list[Question] = []
"""What this process was given when it began."""


def _take(question: Question) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that waits for us
    _taken[:] = [question]


def _try(batch: Batch) -> tuple[Row, ...]:
    return try_cells(_taken[0], batch)
