"""This is whole trading days: an entry, its fills, its exit, and the books to the won."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tasks.fills import NoticeOutcome
from tasks.reports import close_day
from tasks.signals import evaluate_bars, evaluate_exits, exits_at
from tests.builders import HYUNDAI, LG_CHEM, SAMSUNG, a_signal
from tests.desks import CASH, Floor, a_close, a_floor, an_exit, on
from trading.errors import BadInput, Rejected, Unavailable
from trading.halts import Halt, TradingState
from trading.instruments import Symbol
from trading.ledger import CashFlow
from trading.orders import OrderStatus, OrderType, Side
from trading.reports import EodReport
from trading.signals import Direction


async def test_an_entry_fills_in_the_opening_auction_and_is_stopped_the_same_day(
    floor: Floor,
) -> None:
    await floor.open("08:50")
    (entry,) = await floor.trade(a_signal())
    # 10 % of 100,000,000 at the limit of 404,000 (+1 %) with 60.6 won commission a share: 24 shares.
    assert (entry.status, entry.quantity) == (OrderStatus.ACCEPTED, 24)
    assert entry.intent.limit_price == 404_000

    floor.at("09:00")
    notices = floor.print(401_000, auction=True)
    assert floor.hear(*notices) == (NoticeOutcome.APPLIED,)
    assert floor.order().status is OrderStatus.FILLED
    assert floor.order().average_price == Decimal(401_000)

    floor.at("10:30")
    # The stop: 401,000 * 0.95 = 380,950; 381,000 is above it, 380,500 below.
    assert exits_at(floor.desk, {LG_CHEM: 381_000}) == ()
    floor.print(380_500)
    (stop,) = exits_at(floor.desk, {LG_CHEM: 380_500})
    (leaving,) = await floor.trade(stop)
    assert (leaving.side, leaving.intent.order_type) == (Side.SELL, OrderType.MARKET)
    floor.hear(*floor.print(380_000))
    assert floor.order().status is OrderStatus.FILLED

    # Bought 24 * 401,000 = 9,624,000, commission 1,443. Sold 24 * 380,000 = 9,120,000, commission 1,368,
    # tax 13,680 + 13,680 (KOSPI, January 2018: 0.15 % + 0.15 %).
    assert floor.ledger.cash == CASH - 9_624_000 - 1_443 + 9_120_000 - 1_368 - 27_360
    assert floor.ledger.held_symbols == ()
    floor.assert_books_agree()
    assert (await floor.reconcile()).is_clean


async def test_settlement_is_never_a_loss(floor: Floor) -> None:
    """Incident 43: the curve stands still while a buy and a sell wait for their settlement."""
    await floor.hold()
    curve = [await close(floor)]
    floor.night()
    await floor.open()
    await floor.trade(on(floor.desk.today(), an_exit(a_signal(), "target")))
    floor.at("10:00")
    floor.hear(*floor.print(401_000))
    curve.append(await close(floor))
    deposits = []
    for _ in range(4):
        floor.night()
        await floor.open()
        balance = await floor.broker.get_balance()
        deposits.append(balance.deposit)
        curve.append(await close(floor))
        assert balance.equity == curve[-1].result.closing

    # Day 1 costs 1,443 won commission; day 2 another 1,443 and 14,436 + 14,436 of tax; then nothing happens.
    assert [report.result.profit for report in curve] == [-1_443, -30_315, 0, 0, 0, 0]
    assert [report.carried_difference for report in curve] == [0] * 6
    assert deposits[-1] == curve[-1].result.closing == CASH - 1_443 - 30_315
    assert (
        len(set(deposits)) == 2
    )  # while the deposit moved: the buy left it before the sale came in
    assert curve[-1].drawdown == curve[1].drawdown


async def test_a_deposit_is_no_profit_and_a_withdrawal_no_loss_in_the_report(floor: Floor) -> None:
    await floor.hold()
    floor.print(410_000)
    first = await close(floor)
    assert (first.result.paid_in, first.result.profit) == (CASH, 24 * 9_000 - 1_443)
    for amount in (50_000_000, -70_000_000):
        floor.night()
        await floor.open()
        floor.broker.pay_in(amount)
        with floor.stores.begin() as work:
            flow = CashFlow(floor.desk.today(), amount)
            work.ledger.deposit(flow, reason="by hand", at=floor.clock.now())
        report = await close(floor)
        assert (report.result.paid_in, report.result.profit) == (amount, 0)
        assert report.day_return == 0
        assert report.drawdown == 0


async def test_two_strategies_hold_one_symbol_and_each_sells_its_own(floor: Floor) -> None:
    """Incidents 34 and 35: fills and funds of two strategies on one symbol."""
    await floor.open()
    trend, swing = a_signal(), a_signal(strategy_id="swing", reference_price=380_000)
    await floor.trade(trend)
    floor.at("09:00")
    floor.hear(*floor.print(401_000, auction=True))
    floor.at("09:30")
    floor.print(380_000, 1)
    (second,) = await floor.trade(swing)
    floor.hear(*floor.print(380_000))
    assert [order.filled_quantity for order in floor.orders] == [24, second.quantity]

    floor.at("10:00")
    # Stops: trend 401,000 * 0.95 = 380,950, reached; swing 380,000 * 0.95 = 361,000, not.
    (signal,) = exits_at(floor.desk, {LG_CHEM: 380_000})
    assert signal.strategy_id == "trend"
    (leaving,) = await floor.trade(signal)
    assert leaving.quantity == 24
    floor.hear(*floor.print(379_500))
    assert floor.ledger.position(LG_CHEM).quantity == second.quantity
    assert exits_at(floor.desk, {LG_CHEM: 379_500}) == ()
    floor.assert_books_agree()


async def test_two_strategies_never_spend_the_same_cash(tmp_path: Path) -> None:
    """Incident 35: two reservations of funds collided, and the second was dropped silently."""
    floor = a_floor(tmp_path, sizing={"target_weight": "0.6"}, risk={"maximum_weight": "0.9"})
    await floor.open()
    first, second = await floor.trade(a_signal(), a_signal(strategy_id="swing", symbol=HYUNDAI))
    assert (first.quantity, second.quantity) == (148, 265)
    # 148 * 404,000 + 8,968 = 59,800,968 are held; 40,199,032 pay for 265 * 151,500 + 6,022, not for 266.
    assert CASH >= 148 * 404_000 + 8_968 + 265 * 151_500 + 6_022
    floor.at("09:00")
    floor.hear(*floor.print(404_000, auction=True))
    floor.hear(*floor.print(151_500, symbol=HYUNDAI, auction=True))
    assert floor.ledger.cash >= 0
    floor.assert_books_agree()


async def test_a_cross_in_the_bars_becomes_a_position_the_next_morning(floor: Floor) -> None:
    """Incident 31: what is held is read from the fills, so that the cross is not bought twice."""
    await floor.open("08:30")
    keep(floor, LG_CHEM, 400_000, 390_000, 380_000, 420_000)
    found = evaluate_bars.fn(floor.desk)
    assert [signal.strategy_id for each in found for signal in each.signals] == ["trend", "swing"]
    signal = next(signal for each in found for signal in each.signals)
    assert (signal.direction, signal.trading_day) == (Direction.ENTRY, floor.desk.today())
    floor.market.set_base(LG_CHEM, 420_000)
    (order,) = await floor.trade(signal)
    floor.at("09:00")
    floor.hear(*floor.print(421_000, auction=True))
    assert order.quantity == floor.ledger.position(LG_CHEM).quantity > 0
    again = evaluate_bars.fn(floor.desk)
    assert [signal.strategy_id for each in again for signal in each.signals] == ["swing"]


async def test_a_price_that_cannot_be_read_hides_no_other_exit(floor: Floor) -> None:
    """Incident 51: a stop was dropped because of another symbol's throttled answer."""
    await floor.open()
    await floor.trade(a_signal(), a_signal(symbol=HYUNDAI))
    floor.at("09:00")
    floor.hear(*floor.print(401_000, auction=True))
    floor.hear(*floor.print(150_000, symbol=HYUNDAI, auction=True))
    floor.print(380_000)
    floor.market.lost.add(HYUNDAI)
    with pytest.raises(Unavailable, match=HYUNDAI):
        await evaluate_exits.fn(floor.desk)
    with floor.stores.begin() as work:
        stored = [signal.symbol for signal in work.signals.of_day(floor.desk.today())]
    assert stored == [LG_CHEM, HYUNDAI, LG_CHEM]  # two entries, one exit
    floor.market.lost.clear()
    assert [signal.symbol for signal in await evaluate_exits.fn(floor.desk)] == [LG_CHEM]


async def test_a_strategy_that_cannot_look_says_so(floor: Floor) -> None:
    """Incident 23: the slow indicator never had enough bars and was silently never evaluated."""
    floor.at("08:30")
    found = evaluate_bars.fn(floor.desk)
    assert [each.notice for each in found] == ["not enough bars: 1 of 4"] * 6


async def test_the_report_shows_the_way_from_signal_to_fill(floor: Floor) -> None:
    """Incidents 37 and 54: signals, orders, denials and fills of one day, none of them zero by mistake."""
    await floor.hold()
    await floor.trade(a_signal(symbol=SAMSUNG))
    floor.broker.refusal = Rejected("주문가능금액을 초과 했습니다", code="APBK0952")
    await floor.trade(a_signal(symbol=HYUNDAI))
    floor.desk.halt_file.put(Halt("operator", TradingState.HALTED, "enough", floor.clock.now()))
    await floor.trade(a_signal(strategy_id="swing", symbol=SAMSUNG))
    report = await close(floor)
    assert report.orders_by_status == {
        OrderStatus.FILLED: 1,
        OrderStatus.EXPIRED: 1,
        OrderStatus.REJECTED: 1,
        OrderStatus.DENIED: 1,
    }
    assert [breach.rule_id for denial in report.denials for breach in denial.breaches] == ["HALTED"]
    assert (report.funnel.signals, report.funnel.filled) == (4, 1)
    assert report.result.commission == 1_443


async def test_a_day_before_the_account_had_a_book_has_no_report(floor: Floor) -> None:
    await floor.open("08:50")
    before = floor.desk.calendar.previous_trading_day(floor.desk.today())
    with pytest.raises(BadInput, match="a day since the account's book was opened"):
        await close_day(floor.desk, before)


async def close(floor: Floor) -> EodReport:
    """End the day as the schedule does: bars, reconciliation, report."""
    floor.at("15:50")
    assert (await floor.reconcile()).is_clean
    return await close_day(floor.desk, floor.desk.today())


def keep(floor: Floor, symbol: Symbol, *closes: int) -> None:
    """Store daily bars that end with the last session before today."""
    day = floor.desk.calendar.previous_trading_day(floor.desk.today())
    with floor.stores.begin() as work:
        for close_price in reversed(closes):
            work.bars.upsert([a_close(symbol, day, close_price)])
            day = floor.desk.calendar.previous_trading_day(day)
