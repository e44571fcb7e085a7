"""This is the judgement of a run: our book against the simulator's own, order by order and won by won."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.chaos.scenarios import Scenario
from tests.chaos.steps import Diary
from trading.orders import Order, OrderStatus

if TYPE_CHECKING:
    from tests.chaos.lives import Books

type Row = Mapping[str, Any]
NEIGHBOUR: Final = "_order_neighbour"
"""What a process calls ordering another symbol."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run came to. All lists are empty when all is well, but for `unresolved`, which may happen.

    `problem` is a process that ended as none should, or a run that could not be played at all.
    """

    seed: int
    spot: str
    fault: str
    was_sprung: bool = False
    duplicates: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    wrong_bindings: tuple[str, ...] = ()
    unresolved: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    problem: str = ""
    seconds: float = 0.0
    notes: tuple[str, ...] = field(default_factory=tuple)

    @property
    def is_right(self) -> bool:
        """Whether nothing is wrong; what is honestly unresolved is not wrong."""
        wrong = (self.duplicates, self.losses, self.wrong_bindings, self.blocked)
        return not any(wrong) and not self.problem

    def as_json(self) -> dict[str, Any]:
        """Give it as a line of the results."""
        return asdict(self)


def judge(scenario: Scenario, diary: Diary, book: Row, ours: Books | None, problem: str) -> Verdict:
    """Compare our book with the true one. Without ours there is only the problem to tell."""
    head = Verdict(
        seed=scenario.seed,
        spot=scenario.name,
        fault=scenario.fault,
        was_sprung=sum(1 for _ in diary.of("sprung")) == len(scenario.spots),
        problem=problem,
    )
    if ours is None:
        return head
    case = Case(scenario, diary, book, ours)
    return Verdict(
        **{
            **{name: getattr(head, name) for name in ("seed", "spot", "fault", "was_sprung")},
            "duplicates": tuple(case.duplicates()),
            "losses": tuple(case.losses()),
            "wrong_bindings": tuple(case.wrong_bindings()),
            "unresolved": tuple(order.client_order_id for order in case.doubtful),
            "blocked": tuple(case.blocked()),
            "notes": tuple(sorted({entry["words"][:160] for entry in diary.of("stumbled")})),
        }
    )


class Case:
    """One run under judgement."""

    def __init__(self, scenario: Scenario, diary: Diary, book: Row, ours: Books) -> None:
        self._scenario, self._diary, self._book, self._ours = scenario, diary, book, ours
        before = max((entry["orders"] for entry in diary.of("opening")), default=0)
        self._rows = [row for row in book["orders"][before:] if row["act"] == "NEW"]
        """What came in since our book was opened; what was filled before is part of its opening."""
        self._truth = {entry["number"]: entry["order"] for entry in diary.of("true")}
        self._by_number = {o.broker_order_id: o for o in ours.orders if o.broker_order_id}
        self.doubtful = [order for order in ours.orders if order.is_in_doubt]

    def duplicates(self) -> Iterable[str]:
        """Name each order of ours that came in although an earlier one of the same decision lived or filled.

        An entry is one decision for the day. An exit may follow another that has ended.
        """
        groups: dict[tuple[str, str], list[Row]] = {}
        for row in self._rows:
            if row["channel"] == "OpnAPI":
                groups.setdefault((row["symbol"], row["side"]), []).append(row)
        for rows in groups.values():
            for earlier, later in _pairs(rows):
                if self._lives(earlier, later) or (
                    later["side"] == "BUY" and earlier["filled_quantity"]
                ):
                    yield f"{later['number']} beside {earlier['number']}"
        sent = Counter(entry["order"] for entry in self._diary.of("true"))
        yield from (f"{order} came in {times} times" for order, times in sent.items() if times > 1)

    def losses(self) -> Iterable[str]:
        """Name each true order that we do not know, each fill that we lack or made up, and wrong sums."""
        for row in self._rows:
            order = self._by_number.get(row["number"])
            if order is None:
                is_idle_by_hand = row["channel"] != "OpnAPI" and not row["filled_quantity"]
                if not is_idle_by_hand and not self._may_be_in_doubt(row):
                    yield f"{row['channel']} order {row['number']} is unknown to us"
            else:
                yield from self._compare(row, order)
        if self.doubtful:
            return
        if self._ours.cash != self._book["cash"]["after_settlement"]:
            yield f"cash {self._ours.cash}, true {self._book['cash']['after_settlement']}"
        true = {each["symbol"]: each["quantity"] for each in self._book["positions"]}
        if true != {str(symbol): held for symbol, held in self._ours.positions.items()}:
            yield f"positions {self._ours.positions}, true {true}"

    def wrong_bindings(self) -> Iterable[str]:
        """Name each number that we bound to an order whose it is not."""
        rows = {row["number"]: row for row in self._book["orders"]}
        for order in self._ours.orders:
            number = order.broker_order_id
            if not number:
                continue
            row, is_manual = rows.get(number), order.intent.strategy_id == "manual"
            if row is None:
                yield f"{order.client_order_id} bound to {number}, which does not exist"
            elif is_manual == (number in self._truth):
                yield f"{order.client_order_id} bound to {number} of {row['channel']}"
            elif not is_manual and self._truth[number] != order.client_order_id:
                yield f"{order.client_order_id} bound to {number} of {self._truth[number]}"

    def blocked(self) -> Iterable[str]:
        """Tell when an order of another symbol was not even sent because one was in doubt, at the last try too.

        After a death nobody orders while the broker shows nothing of a day that had orders. That passes; it is
        wrong only if it lasts as long as the doubt. One that was sent and is in doubt itself may be the third: then
        the kill switch trips, as it should.
        """
        last = ""
        for entry in self._diary.entries:
            if entry["event"] == "neighbour" and entry["became"] == ["SUBMITTED"]:
                return
            if entry["event"] == "neighbour" and entry["became"] in ([], ["DENIED"]):
                last = f"another symbol's order: {entry['became']}"
            elif entry["event"] == "stumbled" and entry["act"] == NEIGHBOUR:
                lasts = bool(self.doubtful) and entry["words"].startswith("NotReady")
                last = entry["words"] if lasts else last
            elif entry["event"] == "placing":
                last = ""
        if last:
            yield last

    def _compare(self, row: Row, order: Order) -> Iterable[str]:
        if (order.filled_quantity, order.filled_value) != (
            row["filled_quantity"],
            row["filled_value"],
        ):
            yield f"{row['number']}: booked {order.filled_quantity}, true {row['filled_quantity']}"
        booked = [
            fill for fill in self._ours.executions if fill.client_order_id == order.client_order_id
        ]
        if sum(fill.quantity for fill in booked) != order.filled_quantity:
            yield f"{row['number']}: executions do not add up"
        if row["filled_quantity"] and order.status is OrderStatus.REJECTED:
            yield f"{row['number']}: filled, and we call it rejected"

    def _may_be_in_doubt(self, row: Row) -> bool:
        """Tell whether an order that we call unresolved explains why we do not know this one."""
        return any(
            (order.symbol, order.side.value) == (row["symbol"], row["side"])
            for order in self.doubtful
        )

    def _lives(self, earlier: Row, later: Row) -> bool:
        """Tell whether `earlier` could still trade when `later` came in."""
        number = earlier["number"]
        changes = [row for row in self._book["orders"] if row["original"] == number]
        if any(row["number"] < later["number"] for row in changes):
            return False
        if earlier["rejected_quantity"]:
            return False
        fills = [fill for fill in self._book["fills"] if fill["number"] == number]
        is_filled = sum(fill["quantity"] for fill in fills) == earlier["quantity"]
        return not (is_filled and max(fill["at"] for fill in fills) <= later["at"])


def _pairs(rows: Sequence[Row]) -> Iterable[tuple[Row, Row]]:
    return ((earlier, later) for place, later in enumerate(rows) for earlier in rows[:place])
