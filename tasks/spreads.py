"""This is how trials are spread: here, over processes of this machine, or over a cluster by Prefect's task runner.

All three call the same `try_cells`; they differ only in where it runs.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from mmap import ACCESS_READ, mmap
from multiprocessing.connection import Connection
from threading import Thread
from typing import Final, Protocol, Self

from backtest.cells import Question, Row, Trial, try_cell

BATCHES_EACH: Final = 4
"""Of what is left, for each worker: batches get smaller towards the end, so that none waits long for the last."""
LARGEST_BATCH: Final = 10
"""So many finished trials of each worker may be lost when all is stopped at once."""

AHEAD: Final = 3
"""Batches handed to a worker: the one it tries and what it begins until the next look, which may be a batch later."""

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
    """Cut the trials into batches, which end with single ones."""
    found: list[Batch] = []
    at = 0
    while left := len(trials) - at:
        size = min(max(left // (workers * BATCHES_EACH), 1), LARGEST_BATCH)
        found.append(tuple(trials[at : at + size]))
        at += size
    return found


class Here:
    """This process."""

    def run(self, question: Question, trials: Sequence[Trial]) -> Generator[tuple[Row, ...]]:
        """Try one batch after the other."""
        return (try_cells(question, batch) for batch in batches(trials, 1))


class Processes:
    """This process and more of this machine; each of those is given the bars once.

    They are forks of a server that has imported everything and loaded the kernels once. It begins at once, while the
    bars are still read, and until it is ready this process works alone: a small sweep waits for nobody.
    """

    def __init__(self, workers: int) -> None:
        """Take how many, this one included: two at least."""
        self._others = workers - 1
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tasks.workers"])
        self._starting = Thread(target=self._context.Process(target=int).start, daemon=True)
        self._starting.start()  # it ends when the server has made its first, idle process

    def ready(self) -> Self:
        """Wait until the others can be made at once."""
        self._starting.join()
        return self

    def run(self, question: Question, trials: Sequence[Trial]) -> Generator[tuple[Row, ...]]:
        """Hand batches out, try some here, and give all in order of finishing; who stops waits for none.

        Raises:
            BrokenProcessPool: when a worker dies, e.g. of too little memory.
        """
        with _handed(question) as handed:
            pool = ProcessPoolExecutor(self._others, self._context, _take, (handed,))
            try:
                yield from self._share(pool, question, deque(batches(trials, self._others + 1)))
            except (GeneratorExit, KeyboardInterrupt):
                for child in multiprocessing.active_children():
                    child.terminate()
                raise
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _share(
        self, pool: Executor, question: Question, left: deque[Batch]
    ) -> Generator[tuple[Row, ...]]:
        """Keep the others busy while this one works too; when nothing is left, wait for them."""
        out: set[Future[tuple[Row, ...]]] = set()
        while left or out:
            most = 0 if self._starting.is_alive() else self._others * AHEAD
            while left and len(out) < most:
                out.add(pool.submit(_try, left.popleft()))
            if left:
                yield try_cells(question, left.popleft())
            done, out = wait(out, 0 if left else None, FIRST_COMPLETED)
            for future in done:
                yield future.result()


def _handed(question: Question) -> Connection:
    """Put the question where each of the others reads it by itself: what is sent to a process is waited for.

    The memory has no name: it goes with the last process that holds it, however that one ends.
    """
    memory = Connection(os.memfd_create("question"))  # this class takes a descriptor to a process
    with open(memory.fileno(), "wb", closefd=False) as file:
        pickle.dump(question, file, pickle.HIGHEST_PROTOCOL)
    return memory


_taken: list[Question] = []
"""What this process was given when it began."""


def _take(handed: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that waits for us
    Thread(target=_end_with_parent, daemon=True).start()
    with handed, mmap(handed.fileno(), 0, access=ACCESS_READ) as question:
        _taken[:] = [pickle.loads(question)]  # noqa: S301 - ours


def _end_with_parent() -> None:
    """End when the process that waits for us was killed: a pool's worker would wait for its next batch for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _try(batch: Batch) -> tuple[Row, ...]:
    return try_cells(_taken[0], batch)
