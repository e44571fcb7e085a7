"""This is the lease in memory: between the units of work of one process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from adapters.stores import UnitOfWork
from trading.errors import LeaseLost
from trading.halts import Halt


@dataclass(slots=True)
class LeaseRow:
    """What outlives a holder."""

    token: int = 0
    is_held: bool = False
    is_returned: bool = True


class MemoryLease:
    """One taking of a lease."""

    def __init__(
        self, row: LeaseRow, begin: Callable[[], AbstractContextManager[UnitOfWork]]
    ) -> None:
        self._row, self._begin = row, begin
        self.needs_recovery = not row.is_returned
        row.token += 1
        row.is_held, row.is_returned = True, False
        self.token = row.token

    def recovered(self) -> None:
        """Note that the account has been gone through."""
        self.needs_recovery = False

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        """Open a unit of work that is only kept while the lease is held.

        Raises:
            LeaseLost: when it is lost; nothing is written.
        """
        with self._begin() as work:
            self.check()
            yield work
            self.check()

    def check(self) -> None:
        """Make sure that the lease is still held.

        Raises:
            LeaseLost: when it is lost.
        """
        if not self._is_ours:
            raise LeaseLost(f"token {self.token} is over, {self._row.token} is the newest")

    def look(self) -> tuple[Halt, ...]:
        """Give the halts in force, and make sure after that that the lease is still held.

        Raises:
            LeaseLost: when it is lost.
        """
        with self._begin() as work:
            halts = work.halts.in_force()
        self.check()
        return halts

    def give_back(self) -> None:
        """End in order."""
        if self._is_ours:
            self._row.is_returned = not self.needs_recovery

    def let_go(self) -> None:
        """End in any way."""
        if self._is_ours:
            self._row.is_held = False

    @property
    def _is_ours(self) -> bool:
        return self._row.is_held and self._row.token == self.token
