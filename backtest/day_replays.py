"""This is a recorded day replayed: signals, sizes and verdicts made anew from what each looked at, the rest from its events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from backtest.plans import ReplayPlan
from backtest.recordings import Recording
from backtest.signal_makers import SignalMaker
from risk.inputs import Inputs
from risk.judgements import Judgement, unsized
from risk.sizing import size
from trading.day_records import DayRecord
from trading.day_stories import DayStory, OrderState, differing_parts, digest_of, in_order, retell
from trading.decisions import Breach, RiskEvent
from trading.errors import ReportImbalance
from trading.manual_orders import of_strategies
from trading.orders import Order, OrderIntent, OrderStatus
from trading.sessions import TradingCalendar
from trading.signals import Signal


@dataclass(frozen=True)
class RecordedDay:
    """All that is stored of a day, in any order of arrival.

    `record` has every verdict. `inputs` are kept by the order or the signal that was decided about, `intents` are
    those of all orders that were looked at. `plans` are those of the versions of the settings that made the day's
    signals and orders; what has none counts as of the plan in force in the morning.
    """

    record: DayRecord
    states: tuple[OrderState, ...]
    recording: Recording
    inputs: Mapping[str, Breach]
    intents: Mapping[str, OrderIntent]
    plans: Mapping[int, ReplayPlan] = field(default_factory=dict)

    def plan_of(self, version: int) -> ReplayPlan:
        """Give the settings of a version."""
        morning = self.recording.plan_of(self.record.trading_day)
        return self.plans.get(version, morning)


@dataclass(frozen=True, slots=True)
class DayReplay:
    """A day as it was recorded and as it is told anew."""

    recorded: DayRecord
    replayed: DayRecord
    unjudged: tuple[str, ...] = ()
    """Orders of strategies that lack what the gate was asked with: nobody can tell whether it would say the same."""

    @property
    def is_equal(self) -> bool:
        """Whether all was made anew and came out the same."""
        recorded, replayed = self.digests
        return recorded == replayed and not self.differences

    @property
    def digests(self) -> tuple[str, str]:
        """The fingerprints of both, recorded first; "" where a report cannot be made."""
        return _digest(self.recorded), _digest(self.replayed)

    @property
    def differences(self) -> tuple[str, ...]:
        """What of the record differs, by name."""
        missing = ("inputs",) if self.unjudged else ()
        return (*missing, *differing_parts(self.recorded, self.replayed))


def replay_recorded(day: RecordedDay, calendar: TradingCalendar) -> DayReplay:
    """Decide, size, judge and book the day anew; what only the broker knew is taken as recorded."""
    made = SignalMaker(day.recording, calendar, day.plan_of).made_anew()
    judge = _Judge(day, {signal.signal_id: signal for signal in made})
    orders, events = [], list(judge.unsized())
    for order in day.record.orders:
        again = judge.order(order)
        if again is not None:
            orders.append(again)
            events += judge.events(order, again.intent)
    record = replace(day.record, signals=made, orders=tuple(orders), risk_events=tuple(events))
    plan = day.recording.plan_of(day.record.trading_day)
    paid_in = plan.deposits.get(day.record.trading_day, 0)
    story = DayStory(record, day.states, plan.costs, plan.instruments, paid_in)
    unjudged = tuple(sorted(judge.unjudged()))
    return DayReplay(in_order(day.record), retell(story), unjudged)


def _digest(record: DayRecord) -> str:
    try:
        return digest_of(record)
    except ReportImbalance:
        return ""


class _Judge:
    """Sizes each signal and asks the gate about each order as on the day, with what was known then."""

    def __init__(self, day: RecordedDay, signals: Mapping[str, Signal]) -> None:
        self._day = day
        self._signals = signals
        self._inputs = {
            key: inputs
            for key, kept in day.inputs.items()
            if (inputs := Inputs.of(kept, day.intents)) is not None
        }

    def unjudged(self) -> Iterator[str]:
        """Name the orders of strategies whose inputs are not there or cannot be read."""
        for order in of_strategies(self._day.record.orders):
            if order.client_order_id not in self._inputs:
                yield order.client_order_id

    def order(self, order: Order) -> Order | None:
        """Give the order as it is made again, None where it is not; without inputs nothing of ours made it."""
        inputs, intent = self._inputs.get(order.client_order_id), order.intent
        if inputs is None or inputs.owned is None:
            return order
        signal = self._signals.get(intent.signal_id)
        sized = signal and self._sized(signal, inputs)
        if not isinstance(sized, OrderIntent):
            return None
        return replace(order, intent=replace(sized, config_version=intent.config_version))

    def events(self, order: Order, intent: OrderIntent) -> tuple[RiskEvent, ...]:
        """Give the verdicts about an order; none where it was not judged."""
        inputs = self._inputs.get(order.client_order_id)
        if inputs is None:
            return ()
        rules = self._day.plan_of(intent.config_version).rules_about(intent.strategy_id)
        judgement, _ = Judgement.of(intent, inputs.view, rules).at_commit(inputs.halts)
        judged = (OrderStatus.DENIED, OrderStatus.SUBMITTED)
        own = (s for s in self._day.states if s.client_order_id == order.client_order_id)
        at = min((s.at for s in own if s.status in judged), default=inputs.view.at)
        return judgement.events(at=at)

    def unsized(self) -> Iterator[RiskEvent]:
        """Give the refusals to size."""
        for signal in self._signals.values():
            inputs = self._inputs.get(signal.signal_id)
            sized = inputs and self._sized(signal, inputs)
            if inputs and isinstance(sized, Breach):
                refusal, _ = unsized(signal, inputs.view, sized, owned=inputs.owned or 0)
                yield refusal

    def _sized(self, signal: Signal, inputs: Inputs) -> OrderIntent | Breach:
        view = inputs.view
        earlier = [o for o in view.day_orders if o.intent.signal_id == signal.signal_id]
        sizing = self._day.plan_of(signal.config_version).sizing
        return size(signal, view, sizing, owned=inputs.owned, sequence=len(earlier))
