"""This is the flow place-orders: reconcile first, then the day's live signals through the gate to the broker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from prefect import flow
from prefect.client.schemas.objects import State

from flows.desk import open_desk
from flows.hooks import tell_failure
from flows.stories import Guard, Story, perform
from tasks.orders import trade
from tasks.reconciliation import reconcile
from trading.orders import Order, OrderStatus


@flow(name="place-orders", retries=0, on_failure=[tell_failure], on_crashed=[tell_failure])
async def place_orders() -> State[None]:
    """오늘의 유효한 신호를 리스크 점검 후 주문합니다. 재시도하지 않습니다."""

    async with open_desk() as desk:

        async def story() -> Story:
            await reconcile(desk)
            with desk.stores.begin() as work:
                signals = work.signals.of_day(desk.today())
            orders = await trade(desk, signals)
            figures = {"signals": len(signals), **count_orders(orders)}
            sentence = desk.wording.text("story.orders", **figures)
            return Story(sentence, [desk.wording.order_row(order) for order in orders])

        guard = Guard(is_time_critical=True, needs_trading=True, follows_session=True)
        return await perform(desk, "place-orders", guard, story)


def count_orders(orders: Sequence[Order]) -> dict[str, int]:
    """Count what became of the orders; one without a clear answer is not called placed."""
    states = Counter(order.status for order in orders)
    others = {
        "denied": states[OrderStatus.DENIED],
        "rejected": states[OrderStatus.REJECTED],
        "doubtful": states[OrderStatus.SUBMITTED],
    }
    return {"placed": len(orders) - sum(others.values()), **others}
