"""This is the product's memory with traps in it: each commit is known by what was written before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from adapters.postgres.stores import PostgresStores
from adapters.stores import Lease, NameLock, UnitOfWork
from tests.chaos.steps import Moment, Step, Trap
from trading.orders import Order, OrderStatus

_OF_STATUS = {
    OrderStatus.SUBMITTED: Step.EVIDENCE,
    OrderStatus.ACCEPTED: Step.ACCEPTANCE,
    OrderStatus.REJECTED: Step.REFUSAL,
    OrderStatus.DENIED: Step.REFUSAL,
    OrderStatus.PENDING_CANCEL: Step.CANCEL_REQUEST,
    OrderStatus.CANCELED: Step.CANCELED,
}
_OF_CALL = {
    ("executions", "add"): Step.FILL,
    ("notices", "keep"): Step.NOTICE_KEPT,
    ("submissions", "note"): Step.SEARCH,
}


class WatchedStore:
    """One store of a unit of work; what is written through it is noted, and then done."""

    def __init__(self, store: object, name: str, note: Callable[[Step], None]) -> None:
        self._store, self._name, self._note = store, name, note

    def __getattr__(self, method: str) -> Any:
        """Give the store's own method behind the note."""
        done = getattr(self._store, method)

        def act(*arguments: Any, **named: Any) -> Any:
            step = _step(self._name, method, arguments)
            if step is not None:
                self._note(step)
            return done(*arguments, **named)

        return act


class WatchedWork:
    """A unit of work whose stores are watched; `steps` are what its commit will make durable."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work
        self.steps: list[Step] = []

    def __getattr__(self, name: str) -> Any:
        """Give one store, watched."""
        return WatchedStore(getattr(self._work, name), name, self.note)

    def note(self, step: Step) -> None:
        """Remember one step, once."""
        if step not in self.steps:
            self.steps.append(step)


class WatchedLease:
    """A lease that was taken, with traps around each of its commits."""

    def __init__(self, lease: Lease, trap: Trap) -> None:
        self._lease, self._trap = lease, trap

    def begin(self) -> AbstractContextManager[UnitOfWork]:
        """Open a transaction as the lease does."""
        return watched(self._lease.begin(), self._trap)

    def recovered(self) -> None:
        """Note that the account has been gone through, as the lease does."""
        self._trap.reach(Step.READY, Moment.BEFORE)
        self._lease.recovered()
        self._trap.reach(Step.READY, Moment.AFTER)

    def __getattr__(self, name: str) -> Any:
        """Give everything else of the lease."""
        return getattr(self._lease, name)


class WatchedStores:
    """`Stores` on PostgreSQL with traps around every commit and around the taking of a lease."""

    def __init__(self, stores: PostgresStores, trap: Trap) -> None:
        self._stores, self._trap = stores, trap

    def begin(self) -> AbstractContextManager[UnitOfWork]:
        """Open a transaction."""
        return watched(self._stores.begin(), self._trap)

    def lock(self, name: str) -> AbstractContextManager[NameLock]:
        """Try to be the only holder of `name`."""
        return self._stores.lock(name)

    @contextmanager
    def lease(self, name: str) -> Iterator[Lease | None]:
        """Try to take a lease."""
        self._trap.reach(Step.LEASE, Moment.BEFORE)
        with self._stores.lease(name) as lease:
            if lease is not None:
                self._trap.reach(Step.LEASE, Moment.AFTER)
            yield lease and WatchedLease(lease, self._trap)

    def __getattr__(self, name: str) -> Any:
        """Give everything else of the stores."""
        return getattr(self._stores, name)


@contextmanager
def watched(opening: AbstractContextManager[UnitOfWork], trap: Trap) -> Iterator[UnitOfWork]:
    """Carry out a unit of work; right before and right after its commit a trap may close."""
    steps: list[Step] = []
    with opening as work:
        watching = WatchedWork(work)
        yield watching
        steps += watching.steps
        for step in steps:
            trap.reach(step, Moment.BEFORE)
    for step in steps:
        trap.reach(step, Moment.AFTER)


def _step(store: str, method: str, arguments: tuple[Any, ...]) -> Step | None:
    if store == "orders" and method in {"add", "save"}:
        newest: Order = arguments[-1]
        return _OF_STATUS.get(newest.status)
    return _OF_CALL.get((store, method))
