"""This is the flow place-orders: first make both books agree, then the live signals go through the gate to the broker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from prefect import flow
from prefect.client.schemas.objects import State

from flows.desk import open_desk
from flows.hooks import tell_failure
from flows.stories import Guard, Story, perform
from tasks.desk import Desk
from tasks.orders import trade
from tasks.readiness import make_ready, settle_doubts
from trading.orders import WITHHELD, Order, OrderStatus

DOUBT_SECONDS = 30.0
"""So long a run looks for an order in doubt before it leaves it to the stream and to reconcile-fills."""


@flow(name="place-orders", retries=0, on_failure=[tell_failure], on_crashed=[tell_failure])
async def place_orders() -> State[None]:
    """오늘의 유효한 신호를 리스크 점검 후 주문합니다. 재시도하지 않습니다."""

    async with open_desk() as desk:

        async def story() -> Story:
            await make_ready(desk)
            with desk.stores.begin() as work:
                signals = work.signals.of_day(desk.today())
            orders = await trade(desk, signals)
            if await settle_doubts(desk, within=DOUBT_SECONDS):
                orders = _as_they_stand(desk, orders)
            figures = {"signals": len(signals), **count_orders(orders)}
            sentence = desk.wording.text("story.orders", **figures)
            return Story(sentence, [desk.wording.order_row(order) for order in orders])

        guard = Guard(is_time_critical=True, needs_trading=True, follows_session=True)
        return await perform(desk, "place-orders", guard, story)


def _as_they_stand(desk: Desk, orders: Sequence[Order]) -> tuple[Order, ...]:
    with desk.stores.begin() as work:
        return tuple(work.orders.get(order.client_order_id) or order for order in orders)


def count_orders(orders: Sequence[Order]) -> dict[str, int]:
    """Count what became of the orders; one without a clear answer is not called placed.

    What we held back at the last moment was denied by us, whatever its status says.
    """
    fates = {WITHHELD: OrderStatus.DENIED}
    states = Counter(fates.get(order.error_code, order.status) for order in orders)
    others = {
        "denied": states[OrderStatus.DENIED],
        "rejected": states[OrderStatus.REJECTED],
        "doubtful": states[OrderStatus.SUBMITTED],
    }
    return {"placed": len(orders) - sum(others.values()), **others}
