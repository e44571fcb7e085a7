"""This is what every memory promises about the lease: one holder, rising tokens, nothing written by who lost it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from adapters.stores import Lease, Stores
from tests.builders import an_order
from tests.store_samples import AT, in_one
from trading.errors import LeaseLost
from trading.halts import Halt, TradingState

type Lose = Callable[[str], None]


def take(memory: Stores, *, recovers: bool = False) -> tuple[int, bool]:
    """Take the lease and end in order; give its token, and whether recovery was asked for."""
    with memory.lease("orders") as lease:
        assert lease
        asked = lease.needs_recovery
        if recovers:
            lease.recovered()
        return lease.token, asked


def fail(memory: Stores) -> None:
    with memory.lease("orders"):
        raise ZeroDivisionError


def write(memory: Stores, lose: Lose | None = None) -> None:
    with memory.lease("orders") as lease:
        assert lease
        if lose:
            lose("orders")
        add_order(lease)


def add_order(lease: Lease, and_then: Callable[[], object] = lambda: None) -> None:
    with lease.begin() as work:
        work.orders.add(an_order())
        and_then()


def is_written(memory: Stores) -> bool:
    order = in_one(memory, lambda work: work.orders.get(an_order().client_order_id))
    return order is not None


def test_a_lease_has_one_holder_until_the_block_ends(memory: Stores) -> None:
    with memory.lease("orders") as ours, memory.lease("orders") as theirs:
        assert ours
        assert theirs is None
        with memory.lease("relay") as another, memory.lock("orders") as is_locked:
            assert another
            assert is_locked
        ours.check()
    with memory.lease("orders") as again:
        assert again


def test_the_token_rises_with_every_taking(memory: Stores) -> None:
    tokens = [take(memory)[0] for _ in range(4)]
    assert tokens == sorted(set(tokens))


def test_who_does_not_get_it_leaves_the_token_alone(memory: Stores) -> None:
    with memory.lease("orders") as ours:
        assert ours
        with memory.lease("orders"):
            ours.check()
            add_order(ours)
    assert is_written(memory)
    assert take(memory) == (ours.token + 1, False)


def test_of_two_threads_one_gets_it(memory: Stores) -> None:
    for _ in range(5):
        start, end = Barrier(2), Barrier(2)

        def attempt(start: Barrier = start, end: Barrier = end) -> bool:
            start.wait()
            with memory.lease("orders") as lease:
                end.wait()
                return lease is not None

        with ThreadPoolExecutor(2) as pool:
            attempts = [pool.submit(attempt) for _ in range(2)]
            assert sorted(each.result() for each in attempts) == [False, True]


def test_what_is_written_under_the_lease_is_there_afterwards(memory: Stores) -> None:
    write(memory)
    assert is_written(memory)


def test_an_exception_in_a_fenced_unit_of_work_leaves_no_trace(memory: Stores) -> None:
    with memory.lease("orders") as lease:
        assert lease
        with pytest.raises(ZeroDivisionError):
            add_order(lease, and_then=lambda: 1 // 0)
        lease.check()
    assert not is_written(memory)


def test_an_orderly_end_asks_for_no_recovery(memory: Stores) -> None:
    assert [take(memory)[1] for _ in range(3)] == [False, False, False]


def test_a_block_that_fails_asks_the_next_one_to_recover(memory: Stores) -> None:
    with pytest.raises(ZeroDivisionError):
        fail(memory)
    assert take(memory)[1], "the failed one may have been in mid-order"
    assert take(memory, recovers=True)[1], "the one before ended well, but recovered nothing"
    assert not take(memory)[1]


def test_a_holder_that_lost_it_writes_nothing(memory: Stores, lose: Lose) -> None:
    with pytest.raises(LeaseLost):
        write(memory, lose)
    assert not is_written(memory)
    assert take(memory) == (2, True)


def test_a_lost_lease_does_not_come_back(memory: Stores, lose: Lose) -> None:
    with memory.lease("orders") as first:
        assert first
        lose("orders")
        for _ in range(2):
            with pytest.raises(LeaseLost):
                first.check()
        with memory.lease("orders") as second:
            assert second
            assert second.token > first.token
            for act in (first.check, lambda: add_order(first)):
                with pytest.raises(LeaseLost):
                    act()
            second.check()
            add_order(second)
    assert is_written(memory)


def test_a_look_gives_the_halts_that_stand_at_that_moment(memory: Stores, lose: Lose) -> None:
    halt = Halt("operator", TradingState.HALTED, "stop", AT)
    with memory.lease("orders") as ours:
        assert ours
        assert ours.look() == ()
        in_one(memory, lambda work: work.halts.put(halt))
        assert ours.look() == (halt,)
        in_one(memory, lambda work: work.halts.lift("operator", reason="resume", at=AT))
        assert ours.look() == ()
        lose("orders")
        for _ in range(2):
            with pytest.raises(LeaseLost):
                ours.look()


def test_the_end_of_who_lost_it_takes_nothing_from_its_next_holder(
    memory: Stores, lose: Lose
) -> None:
    first = memory.lease("orders")
    first.__enter__()
    lose("orders")
    with memory.lease("orders") as second:
        assert second
        assert second.needs_recovery
        first.__exit__(None, None, None)
        second.check()
        with memory.lease("orders") as third:
            assert third is None
    assert take(memory)[1], "neither the first nor the second recovered anything"
