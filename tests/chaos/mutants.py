"""This is the test of the test: known ways to break the rules, each of which the runs must catch.

A mutant replaces one named function of the product in the processes of a run, and nowhere else.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from adapters.kis import broker as kis_broker
from adapters.kis.broker import KisBroker
from adapters.postgres.leases import PostgresLease
from adapters.stores import Lease
from risk.views import RiskView
from tasks import doubts as tasks_doubts
from tasks import fills, submissions
from tasks.desk import Desk
from tests.chaos.runs import Mutation
from tests.chaos.scenarios import Scenario, draw
from tests.chaos.stages import put
from tests.chaos.steps import Act, Moment, Step
from tests.chaos.wires import WatchedBroker
from trading import doubts
from trading.bookings import Terms, execution_from_notice
from trading.broker_books import Acceptance, BrokerOrder
from trading.doubts import Ground, Ruling, Scan, Verdict
from trading.errors import OutcomeUnknown, Rejected
from trading.executions import Execution
from trading.notices import Notice
from trading.orders import Order, OrderIntent, Side
from trading.submissions import Submission

DROPPING: Final = frozenset({"reply_lost", "timeout_after_accept"})


@dataclass(frozen=True, slots=True)
class Mutant:
    """One broken rule. Of the scenarios that can show it (`is_fit`), one of the first `limit` must."""

    name: str
    apply: Mutation
    is_fit: Callable[[Scenario], bool]
    limit: int = 10

    def scenarios(self) -> Iterator[Scenario]:
        """Give the first scenarios that can show it, by seed."""
        fitting = (scenario for seed in range(100_000) if self.is_fit(scenario := draw(seed)))
        return (scenario for scenario, _ in zip(fitting, range(self.limit), strict=False))


def send_before_commit() -> None:
    """Send first and write it down afterwards."""
    commit = submissions._commit  # noqa: SLF001 - a mutant goes for the inside

    async def submit(
        desk: Desk, lease: Lease, intent: OrderIntent, view: RiskView, **sizing: Any
    ) -> Order | None:
        receipt = await desk.broker.place(intent, last_look=lambda: None)
        order = commit(desk, lease, intent, view, **sizing)
        if order is None:
            return None
        accepted = order.accept(receipt.broker_order_id, branch=receipt.branch, at=desk.now())
        with lease.begin() as work:
            work.orders.save(accepted)
        return accepted

    _replace_everywhere(submissions.submit, submit)


def retry_on_time_out() -> None:
    """Send again when nobody answered."""
    place = WatchedBroker.place

    async def place_twice(self: WatchedBroker, intent: OrderIntent, **look: Any) -> Acceptance:
        try:
            return await place(self, intent, **look)
        except OutcomeUnknown:
            return await place(self, intent, **look)

    put(WatchedBroker, "place", place_twice)


def take_the_first_of_two() -> None:
    """Bind the first row that fits, however many do."""

    def judge(order: Order, submission: Submission, scan: Scan, **rule: Any) -> Verdict:
        found = doubts.matches(order, submission, scan)
        if found:
            return Verdict(Ruling.BIND, Ground.ONE_ROW, found[:1])
        return doubts.judge(order, submission, scan, **rule)

    put(tasks_doubts, "judge", judge)


def never_look_at_the_lease() -> None:
    """Order and write whoever holds the account by now."""

    def look_away(*_: Any) -> None:
        pass

    put(PostgresLease, "check", look_away)
    put(PostgresLease, "_verify", look_away)


def absent_at_first_sight() -> None:
    """Call an order absent when the first scan does not show it."""

    def judge(order: Order, submission: Submission, scan: Scan, **rule: Any) -> Verdict:
        verdict = doubts.judge(order, submission, scan, **rule)
        is_unseen = verdict.ruling is Ruling.KEEP and not verdict.rows
        return Verdict(Ruling.ABSENT, Ground.NOTHING_HELD) if is_unseen else verdict

    put(tasks_doubts, "judge", judge)


def every_channel_is_ours() -> None:
    """Take an order by hand for one that came in through the API."""
    read = kis_broker.read_order

    def read_order(*arguments: Any, **named: Any) -> BrokerOrder:
        return replace(read(*arguments, **named), is_ours=True, address="")

    put(kis_broker, "read_order", read_order)


def notices_without_identity() -> None:
    """Book every notice, the same one again too."""

    def blind(
        order: Order, booked: Sequence[Execution], notice: Notice, terms: Terms
    ) -> Execution | Any:
        del booked
        found = execution_from_notice(order, (), notice, terms)
        if isinstance(found, Execution):
            return replace(found, execution_id=secrets.token_hex(16))
        return found

    put(fills, "execution_from_notice", blind)


def guess_rejected() -> None:
    """Take silence for a no."""

    async def place(self: KisBroker, *arguments: Any, **named: Any) -> Acceptance:
        try:
            return await real(self, *arguments, **named)
        except OutcomeUnknown as problem:
            raise Rejected(problem.message, code="TIMEOUT") from problem

    real = KisBroker.place
    put(KisBroker, "place", place)


def _dies_at(*steps: tuple[Step, Moment]) -> Callable[[Scenario], bool]:
    def is_fit(scenario: Scenario) -> bool:
        first = scenario.spots[0]
        return (first.step, first.moment) in steps and scenario.act is Act.KILL

    return is_fit


def _on_the_way(scenario: Scenario) -> bool:
    dies = _dies_at(
        (Step.BYTES, Moment.AFTER), (Step.TAKEN, Moment.AFTER), (Step.REPLY, Moment.BEFORE)
    )
    return dies(scenario) and scenario.side is Side.BUY and scenario.fault == "none"


def _never_left(scenario: Scenario) -> bool:
    dies = _dies_at((Step.EVIDENCE, Moment.AFTER), (Step.SEND, Moment.AFTER))
    return dies(scenario) and "send" in scenario.adversary and scenario.fault == "none"


def _sleeps_before_sending(scenario: Scenario) -> bool:
    spot = scenario.spots[0]
    is_awake = scenario.act is not Act.STOP or scenario.fault != "none"
    before = ((Step.EVIDENCE, Moment.AFTER), (Step.SEND, Moment.BEFORE))
    return not is_awake and (spot.step, spot.moment) in before and scenario.side is Side.BUY


def _is_hidden(scenario: Scenario) -> bool:
    """Tell whether an order that left stays unseen for long."""
    faults = scenario.faults
    is_late = (
        faults.get("orders_lag", {}).get("seconds", 0) >= 300 and "seed" not in faults["orders_lag"]
    )
    dies = _dies_at((Step.BYTES, Moment.AFTER), (Step.TAKEN, Moment.AFTER))
    return is_late and dies(scenario) and scenario.side is Side.BUY


def _is_haunted(scenario: Scenario) -> bool:
    kinds = scenario.faults.get("ghost_rows", {}).get("kinds", ())
    return "twin" in kinds and _dies_at((Step.BYTES, Moment.AFTER), (Step.TAKEN, Moment.AFTER))(
        scenario
    )


def _hears_twice(scenario: Scenario) -> bool:
    is_partial = "partial_fills" in scenario.faults
    return scenario.fault == "duplicate_notice" and is_partial and scenario.act is Act.KILL


MUTANTS: Final = (
    Mutant("send before commit", send_before_commit, _on_the_way),
    Mutant("retry on time-out", retry_on_time_out, lambda s: s.fault in DROPPING),
    Mutant("take the first of two", take_the_first_of_two, _is_haunted),
    Mutant("never look at the lease", never_look_at_the_lease, _sleeps_before_sending),
    Mutant("absent at first sight", absent_at_first_sight, _is_hidden, limit=30),
    Mutant("every channel is ours", every_channel_is_ours, _never_left),
    Mutant("notices without identity", notices_without_identity, _hears_twice),
    Mutant("guess rejected", guess_rejected, lambda s: s.fault in DROPPING),
)


def _replace_everywhere(old: object, new: object) -> None:
    """Put a function in the place of another in every module that knows it."""
    for module in list(sys.modules.values()):
        for name, value in list(vars(module).items()) if hasattr(module, "__dict__") else ():
            if value is old:
                setattr(module, name, new)
