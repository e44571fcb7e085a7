"""A trade as people read it begins with nothing held and ends with nothing held, whatever else is sold."""

from __future__ import annotations

from datetime import date

from backtest.round_trips import round_trips
from tests.builders import an_execution
from trading.executions import Execution
from trading.orders import Side
from trading.trades import closed_trades

DAYS = [date(2018, 1, day) for day in (2, 3, 4, 5)]


def test_a_sale_of_more_than_was_bought_belongs_to_no_trade() -> None:
    fills: list[Execution] = [
        an_execution(DAYS[0], Side.BUY, 100, quantity=10),
        an_execution(DAYS[1], Side.SELL, 100, quantity=15),
        an_execution(DAYS[2], Side.SELL, 120, quantity=10),
        an_execution(DAYS[3], Side.BUY, 130, quantity=1),
    ]
    first, second = round_trips(fills)
    assert (first.sold, first.left_on, first.result) == (10, DAYS[2], 200)
    assert (second.held, second.result, second.result_at(150)) == (1, None, 20)
    assert [trade.result for trade in closed_trades(fills)] == [first.result]
