"""This is what every memory promises about a unit of work and a lock; it runs on each of them."""

from __future__ import annotations

from datetime import date

import pytest

from adapters.stores import AuditEntry, Stores, UnitOfWork
from tests.builders import A_DAY, LG_CHEM, SAMSUNG, a_fill, a_signal, an_accepted_order, an_order
from tests.store_samples import (
    AT,
    NEXT_DAY,
    a_bar,
    a_notice,
    a_risk_event,
    a_submission,
    in_one,
)
from trading.bars import BarGap, Interval
from trading.equity import EquityPoint
from trading.halts import Halt, TradingState
from trading.instruments import Instrument
from trading.ledger import CashFlow
from trading.orders import Order


class TestUnitOfWork:
    def test_what_ends_well_is_there_afterwards(self, memory: Stores) -> None:
        with memory.begin() as work:
            assert work.orders.add(an_order())
        assert (
            in_one(memory, lambda work: work.orders.get(an_order().client_order_id)) == an_order()
        )

    def test_an_exception_leaves_no_trace_of_anything(self, memory: Stores) -> None:
        order = an_accepted_order()
        with memory.begin() as work:
            work.bars.upsert([a_bar()])
            work.orders.add(order)
            work.configs.propose({"a": 1}, digest="first", at=AT)
            work.ledger.deposit(CashFlow(A_DAY, 10_000_000), reason="start", at=AT)
        before = self._everything(memory)
        with pytest.raises(ZeroDivisionError):
            in_one(memory, lambda work: self._write_everything(work, order) / 0)
        assert self._everything(memory) == before
        with memory.begin() as work:
            self._write_everything(work, order)
        changed = [a != b for a, b in zip(self._everything(memory), before, strict=True)]
        assert all(changed), "the test must look at everything that was written"

    @staticmethod
    def _write_everything(work: UnitOfWork, order: Order) -> int:
        work.bars.upsert([a_bar(close=425_000), a_bar(date(2017, 5, 2), is_provisional=True)])
        work.bars.put_gaps([BarGap(LG_CHEM, NEXT_DAY, "no row")])
        work.instruments.upsert([Instrument(LG_CHEM, "LG화학")])
        work.signals.add(a_signal())
        work.submissions.add(a_submission(order.client_order_id))
        work.notices.keep(A_DAY, a_notice())
        fill = a_fill(order, quantity=3, price=428_000, at=AT)
        work.executions.add(fill)
        work.orders.save(order.fill(3, 3 * 428_000, at=AT))
        work.ledger.deposit(CashFlow(A_DAY, 5), reason="more", at=AT)
        work.ledger.post(fill)
        work.ledger.adopt(SAMSUNG, quantity=1, cost=50_000, at=AT)
        work.risk_events.add([a_risk_event()])
        work.halts.put(Halt("operator", TradingState.HALTED, "lunch", AT))
        work.equity.put(EquityPoint(A_DAY, 1, 2, 3))
        work.calendar.put({A_DAY: True}, at=AT)
        work.configs.propose({"a": 2}, digest="second", at=AT)
        work.audit.add(AuditEntry("owner", "halt"), at=AT)
        return 1

    @staticmethod
    def _everything(memory: Stores) -> tuple[object, ...]:
        with memory.begin() as work:
            return (
                work.bars.between(LG_CHEM, Interval.DAY, first=date(2017, 1, 1), last=A_DAY),
                work.bars.provisional_days(LG_CHEM, Interval.DAY),
                work.bars.gaps(),
                work.instruments.all(),
                work.signals.of_day(A_DAY),
                work.orders.of_day(A_DAY),
                work.orders.timeline(an_order().client_order_id),
                work.submissions.get(an_order().client_order_id),
                work.notices.waiting(A_DAY),
                work.executions.all(),
                work.ledger.load(),
                work.ledger.deposits(),
                work.ledger.paid_in(A_DAY),
                work.risk_events.of_day(A_DAY),
                work.halts.in_force(),
                work.equity.all(),
                work.calendar.all(),
                work.configs.all(),
                [event.topic for event in work.outbox.pending()],
                work.audit.last(),
            )


class TestLocks:
    def test_a_name_has_one_holder_until_the_block_ends(self, memory: Stores) -> None:
        with memory.lock("place-orders") as is_ours, memory.lock("place-orders") as is_theirs:
            assert is_ours
            assert not is_theirs
            with memory.lock("eod-report") as is_another:
                assert is_another
            with memory.begin() as work:  # a lock does not stop the work that it guards
                work.orders.open()
        with memory.lock("place-orders") as is_ours:
            assert is_ours

    def test_who_keeps_asking_has_it_when_its_holder_is_gone(self, memory: Stores) -> None:
        first = memory.lock("relay")
        holder = first.__enter__()
        with memory.lock("relay") as second:
            assert [holder.keep(), second.keep(), holder.keep()] == [True, False, True]
            first.__exit__(None, None, None)
            assert second.keep()

    def test_an_exception_frees_the_lock(self, memory: Stores) -> None:
        with pytest.raises(ZeroDivisionError), memory.lock("place-orders"):
            1 / 0  # noqa: B018 - the failure
        with memory.lock("place-orders") as is_ours:
            assert is_ours
