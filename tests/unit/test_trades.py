"""This is the test of closed trades: what they brought after charges, and how many in a row lost."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.builders import A_DAY, HYUNDAI, LG_CHEM, a_fill, an_order, seoul
from trading.executions import Execution
from trading.orders import Side
from trading.trades import ClosedTrade, closed_trades, losing_streak

YESTERDAY = date(2018, 1, 15)


def fill(side: Side, quantity: int, price: int, **changes: Any) -> Execution:
    """Give a fill at a price, with the charges of a KOSPI stock."""
    order = an_order(side=side, quantity=quantity, limit_price=price, **changes)
    at = seoul(order.intent.trading_day, "10:00")
    return a_fill(order, quantity=quantity, price=price, at=at)


def results(*executions: Execution) -> list[int]:
    return [trade.result for trade in closed_trades(executions)]


def test_a_trade_is_closed_when_nothing_is_left_and_pays_all_its_charges() -> None:
    # 10 x 400,000 and 600 commission; 4 x 410,000 with 246 + 4,920; 6 x 410,000 with 369 + 7,380
    bought, part = fill(Side.BUY, 10, 400_000), fill(Side.SELL, 4, 410_000)
    rest = fill(Side.SELL, 6, 410_000)
    assert results(bought, part) == []
    assert results(bought, part, rest) == [100_000 - 600 - 246 - 4_920 - 369 - 7_380]


def test_what_charges_eat_up_is_a_loss() -> None:
    (result,) = results(fill(Side.BUY, 10, 400_000), fill(Side.SELL, 10, 401_000))
    assert result == 10_000 - 600 - 601 - 12_030


def test_strategies_and_symbols_close_trades_of_their_own() -> None:
    other: dict[str, Any] = {"strategy_id": "swing"}
    trades = closed_trades(
        [
            fill(Side.BUY, 10, 400_000),
            fill(Side.BUY, 10, 300_000, **other),
            fill(Side.BUY, 1, 150_000, symbol=HYUNDAI),
            fill(Side.SELL, 10, 350_000, **other),
        ]
    )
    assert [(trade.strategy_id, trade.symbol) for trade in trades] == [("swing", LG_CHEM)]


def test_a_sale_of_shares_that_came_from_elsewhere_closes_nothing() -> None:
    by_hand: dict[str, Any] = {"strategy_id": "manual"}
    sold = fill(Side.SELL, 10, 350_000, **by_hand)
    assert results(sold) == []
    mixed = (fill(Side.BUY, 4, 400_000, **by_hand), sold, fill(Side.SELL, 4, 410_000, **by_hand))
    assert results(*mixed) == [40_000 - 240 - 246 - 4_920]


def closed(*outcomes: int, on: date = A_DAY) -> list[ClosedTrade]:
    return [ClosedTrade("trend", LG_CHEM, on, outcome) for outcome in outcomes]


@pytest.mark.parametrize(
    ("outcomes", "streak"),
    [((), 0), ((-1,), 1), ((-1, -1), 2), ((-1, 0, -1), 1), ((-1, 1), 0), ((-1, 0), 0)],
)
def test_a_trade_without_a_loss_ends_the_streak(outcomes: tuple[int, ...], streak: int) -> None:
    assert losing_streak(closed(*outcomes), today=A_DAY) == streak


def test_a_streak_goes_over_days_and_rests_while_nothing_is_closed() -> None:
    earlier = closed(-1, -1, on=YESTERDAY)
    assert losing_streak(earlier, today=A_DAY) == 0
    assert losing_streak([*earlier, *closed(-1)], today=A_DAY) == 3
