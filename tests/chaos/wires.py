"""This is the product's way to the broker with traps in it: around a send, along its bytes, around each notice."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx

from adapters.broker import BrokerAdapter, LastLook
from adapters.kis.stream import KisStream
from adapters.market_data import Notice, StreamEvent
from tests.chaos.hands import Hands
from tests.chaos.steps import Diary, Moment, Step, Trap
from trading.broker_books import Acceptance
from trading.instruments import Symbol
from trading.orders import OrderIntent, OrderType

MARK: Final = "x-chaos-order"
"""The header that tells the simulator whose order this is: for the oracle only, the product never sees it."""
_HEAD: Final = "http11.send_request_headers.started"
_BODY: Final = "http11.send_request_body.started"
_SENT: Final = "http11.send_request_body.complete"
_WAITS: Final = "http11.receive_response_headers.started"
_READ: Final = "http11.receive_response_body.complete"

type Trace = Callable[[str, Mapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Leg:
    """What the steps of one kind of order call are named."""

    send: Step
    taken: Step
    reply: Step


_LEGS: Final = {
    "order-cash": Leg(Step.SEND, Step.TAKEN, Step.REPLY),
    "order-rvsecncl": Leg(Step.CANCEL_SEND, Step.CANCEL_TAKEN, Step.CANCEL_REPLY),
}


@dataclass(slots=True)
class Wire:
    """Watches the bytes of the order calls."""

    trap: Trap
    diary: Diary
    hands: Hands
    order: str = ""
    """The client order id that is being sent."""

    async def watch(self, request: httpx.Request) -> None:
        """Follow one request if it is an order call; an event hook of the client."""
        leg = _LEGS.get(request.url.path.rpartition("/")[2])
        if leg is None:
            return
        if leg.send is Step.SEND:
            request.headers[MARK] = self.order
        inner: Trace = request.extensions["trace"]
        request.extensions = {**request.extensions, "trace": self._follow(leg, inner)}

    def _follow(self, leg: Leg, inner: Trace) -> Trace:
        known = self.hands.count_orders() if self.trap.is_set_on(leg.taken, Moment.AFTER) else 0

        async def trace(event: str, details: Mapping[str, Any]) -> None:
            if event == _WAITS and self.trap.is_set_on(leg.taken, Moment.AFTER):
                self.hands.wait_for_orders(known + 1)
                self.trap.reach(leg.taken, Moment.AFTER)
            if event == _READ:
                self.trap.reach(leg.reply, Moment.BEFORE)
            await inner(event, details)  # the last look is in here
            if event == _HEAD:
                self.trap.reach(leg.send, Moment.AFTER)
            if event == _BODY and leg.send is Step.SEND:
                self.trap.reach(Step.BYTES, Moment.BEFORE)
            if event == _SENT:
                self._sent(leg)

        return trace

    def _sent(self, leg: Leg) -> None:
        if leg.send is Step.SEND:
            self.diary.write("left", order=self.order)
            self.trap.reach(Step.BYTES, Moment.AFTER)
        self.trap.reach(leg.taken, Moment.BEFORE)


type Greeting = Callable[[OrderIntent, str], None]
"""Called with an order and "commit", "send" or "reply": what the adversary does meanwhile."""


class WatchedBroker:
    """`BrokerAdapter` with traps around each send."""

    def __init__(self, broker: BrokerAdapter, wire: Wire, greet: Greeting) -> None:
        self._broker, self._wire, self._greet = broker, wire, greet

    def wire_fields(self, intent: OrderIntent) -> Mapping[str, str]:
        """Give every field of the order; it is about to be committed."""
        self._greet(intent, "commit")
        return self._broker.wire_fields(intent)

    async def place(self, intent: OrderIntent, *, last_look: LastLook) -> Acceptance:
        """Send the order."""
        trap = self._wire.trap
        self._wire.order = intent.client_order_id
        self._wire.diary.write("placing", order=intent.client_order_id)
        self._greet(intent, "send")
        trap.reach(Step.SEND, Moment.BEFORE)
        receipt = await self._broker.place(intent, last_look=last_look)
        self._greet(intent, "reply")
        trap.reach(Step.REPLY, Moment.AFTER)
        return receipt

    async def cancel(
        self, *, broker_order_id: str, branch: str, order_type: OrderType
    ) -> Acceptance:
        """Cancel what is left of an order."""
        trap = self._wire.trap
        trap.reach(Step.CANCEL_SEND, Moment.BEFORE)
        receipt = await self._broker.cancel(
            broker_order_id=broker_order_id, branch=branch, order_type=order_type
        )
        trap.reach(Step.CANCEL_REPLY, Moment.AFTER)
        return receipt

    def __getattr__(self, name: str) -> Any:
        """Give everything else of the broker."""
        return getattr(self._broker, name)


class WatchedStream:
    """`MarketStream` with traps around each notice: before it is handed over, and after it was worked off."""

    def __init__(self, stream: KisStream, trap: Trap) -> None:
        self._stream, self._trap = stream, trap

    @property
    def heard(self) -> frozenset[Symbol]:
        """The symbols whose prices come."""
        return self._stream.heard

    def watch(self, symbols: Sequence[Symbol]) -> None:
        """Change what is wanted."""
        self._stream.watch(symbols)

    async def events(self, symbols: Sequence[Symbol]) -> AsyncGenerator[StreamEvent]:
        """Yield prints and notices for ever."""
        async for event in self._stream.events(symbols):
            if isinstance(event, Notice):
                self._trap.reach(Step.NOTICE, Moment.BEFORE)
            yield event
            if isinstance(event, Notice):
                self._trap.reach(Step.NOTICE, Moment.AFTER)
