"""This is the test of the rules about pace, value and the days before, at their boundaries -1, 0, +1."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from risk.limits import RiskLimits
from risk.rules.drawdown import Drawdown
from risk.rules.failure_cooldown import FailureCooldown
from risk.rules.losing_streak import LosingStreak
from risk.rules.losing_trades import LosingTrades
from risk.rules.maximum_daily_value import MaximumDailyValue
from risk.rules.maximum_order_value import MaximumOrderValue
from risk.rules.order_rate import OrderRate
from risk.rules.reject_streak import RejectStreak
from risk.rules.stop_cooldown import StopCooldown
from risk.views import Past, RiskView
from tests.builders import A_DAY, LG_CHEM, SAMSUNG
from tests.risk_views import (
    CASH,
    NOW,
    a_ledger,
    a_view,
    an_open_buy,
    buy,
    in_doubt,
    refuses,
    sell,
)
from trading.equity import EquityPoint
from trading.errors import InvalidSetting
from trading.instruments import Symbol
from trading.ledger import CashFlow
from trading.orders import ABSENT, Order, OrderType, Side


def at_market(side: Side, **changes: Any) -> Any:
    """Give a market order of LG Chem."""
    return buy(side=side, order_type=OrderType.MARKET, limit_price=None, **changes)


# Drawdown: 20 % of the peak

FALL = Drawdown(Decimal("0.20"))


def fallen(depth: str, equity: int, opening: int = CASH) -> RiskView:
    """Give an account that last closed `depth` below its peak and now has `equity` of `opening`."""
    return a_view(ledger=a_ledger(equity), equity_opening=opening, past=Past(depth=Decimal(depth)))


@pytest.mark.parametrize(
    ("equity", "is_refused"), [(80_000_001, False), (80_000_000, True), (79_999_999, True)]
)
def test_a_fall_that_reaches_its_limit_within_one_day_refuses_buys(
    equity: int, *, is_refused: bool
) -> None:
    assert refuses(FALL, buy(), fallen("0", equity)) is is_refused
    assert not refuses(FALL, sell(), fallen("0", equity))


@pytest.mark.parametrize(
    ("equity", "is_refused"), [(88_888_889, False), (88_888_888, True), (100_000_000, False)]
)
def test_the_fall_of_the_days_before_counts(equity: int, *, is_refused: bool) -> None:
    # 10 % below the peak at the last close: 0.9 x 88,888,888.8 / 100,000,000 = 0.8
    assert refuses(FALL, buy(), fallen("-0.10", equity)) is is_refused


def test_money_paid_in_or_out_today_is_no_fall() -> None:
    paid_out = a_view(ledger=a_ledger(CASH // 2), paid_in_today=-CASH // 2)
    assert not refuses(FALL, buy(), paid_out)
    hidden = a_view(ledger=a_ledger(CASH), equity_opening=CASH // 2, paid_in_today=CASH)
    assert refuses(FALL, buy(), hidden)


def test_an_open_buy_falls_as_deep_as_it_may_fill() -> None:
    view = a_view(
        ledger=a_ledger(80_000_100), open_orders=(in_doubt(an_open_buy(limit_price=400_200)),)
    )
    assert refuses(FALL, buy(), view)
    assert not refuses(FALL, buy(), a_view(ledger=a_ledger(80_000_100)))


def test_an_unknown_opening_refuses_the_buys() -> None:
    assert refuses(FALL, buy(), a_view(equity_opening=None))
    assert not refuses(FALL, sell(), a_view(equity_opening=None))


def test_an_account_that_begins_empty_has_not_fallen() -> None:
    assert not refuses(FALL, buy(), a_view(ledger=a_ledger(0), equity_opening=0))


# The days before, as the equity curve tells them


def points(*closings: int, paid_in: int = 0) -> list[EquityPoint]:
    """Give a curve that opens at 100; `paid_in` came on the last day."""
    openings = (100, *closings[:-1])
    days = [A_DAY + timedelta(days=n) for n in range(len(closings))]
    curve = [EquityPoint(*point) for point in zip(days, openings, closings, strict=True)]
    last = curve[-1]
    return [*curve[:-1], EquityPoint(last.trading_day, last.opening, last.closing, paid_in)]


@pytest.mark.parametrize(
    ("curve", "depth", "losing_days"),
    [
        ([], "0", 0),
        (points(110), "0", 0),
        (points(200, 150), "-0.25", 1),
        (points(200, 150, 120), "-0.40", 2),
        (points(90, 90), "-0.10", 0),
        (points(200, 150, 160), "-0.20", 0),
        (points(200, 100, paid_in=-100), "0", 0),  # the half was paid out
        (points(200, 250, paid_in=100), "-0.25", 1),  # and what was paid in hides no loss
    ],
)
def test_the_curve_tells_depth_and_losing_days(
    curve: list[EquityPoint], depth: str, losing_days: int
) -> None:
    assert Past.of(curve) == Past(depth=Decimal(depth), losing_days=losing_days)


@pytest.mark.parametrize(("days", "is_refused"), [(2, False), (3, True), (4, True)])
def test_losing_days_in_a_row_refuse_buys(days: int, *, is_refused: bool) -> None:
    view = a_view(past=Past(losing_days=days))
    assert refuses(LosingStreak(3), buy(), view) is is_refused
    assert not refuses(LosingStreak(3), sell(), view)


@pytest.mark.parametrize(("trades", "is_refused"), [(2, False), (3, True), (4, True)])
def test_losing_trades_in_a_row_refuse_buys(trades: int, *, is_refused: bool) -> None:
    view = a_view(past=Past(losing_trades=trades))
    assert refuses(LosingTrades(3), buy(), view) is is_refused
    assert not refuses(LosingTrades(3), sell(), view)


# Value of one order and of a day; 10 shares at 400,000 with a commission of 600 are 4,000,600


@pytest.mark.parametrize(
    ("limit", "is_refused"), [(4_000_599, True), (4_000_600, False), (4_000_601, False)]
)
def test_an_order_may_cost_its_limit(limit: int, *, is_refused: bool) -> None:
    assert refuses(MaximumOrderValue(limit), buy(10), a_view()) is is_refused
    assert not refuses(MaximumOrderValue(limit), sell(10), a_view())


def test_a_market_buy_costs_what_the_upper_limit_asks() -> None:
    # 10 x 520,000 and 780 commission
    assert refuses(MaximumOrderValue(5_200_779), at_market(Side.BUY, quantity=10), a_view())
    assert not refuses(MaximumOrderValue(5_200_780), at_market(Side.BUY, quantity=10), a_view())


@pytest.mark.parametrize(
    ("limit", "is_refused"), [(12_001_199, True), (12_001_200, False), (12_001_201, False)]
)
def test_a_days_buys_may_cost_their_limit(limit: int, *, is_refused: bool) -> None:
    # 4,000,000 filled, 4,000,600 in doubt, 4,000,600 ordered
    filled = an_open_buy(10, client_order_id="filled").fill(10, 4_000_000, at=NOW)
    doubtful = in_doubt(an_open_buy(10))
    view = a_view(open_orders=(doubtful,), day_orders=(filled, doubtful))
    assert refuses(MaximumDailyValue(limit), buy(10), view) is is_refused
    assert not refuses(MaximumDailyValue(limit), sell(10), view)


def test_only_what_filled_of_a_closed_buy_counts_and_no_sell() -> None:
    part = an_open_buy(10, client_order_id="part").fill(1, 400_000, at=NOW).cancel(at=NOW)
    sold = an_open_buy(10, client_order_id="sold", side=Side.SELL).fill(10, 4_000_000, at=NOW)
    view = a_view(day_orders=(part, sold))
    assert not refuses(MaximumDailyValue(4_400_600), buy(10), view)
    assert refuses(MaximumDailyValue(4_400_599), buy(10), view)


# Order rate: 3 a minute


def sent(number: int, seconds_ago: float, side: Side = Side.BUY) -> Order:
    """Give an order that left so long ago."""
    intent = buy(client_order_id=f"sent-{number}", side=side)
    return Order.initialize(intent).submit(at=NOW - timedelta(seconds=seconds_ago))


@pytest.mark.parametrize(("count", "is_refused"), [(2, False), (3, True), (4, True)])
def test_so_many_orders_may_leave_within_a_minute(count: int, *, is_refused: bool) -> None:
    view = a_view(day_orders=tuple(sent(n, 1, side=list(Side)[n % 2]) for n in range(count)))
    assert refuses(OrderRate(3), buy(), view) is is_refused
    assert not refuses(OrderRate(3), sell(), view)


@pytest.mark.parametrize(("age", "is_refused"), [(59.999, True), (60, False), (60.001, False)])
def test_a_minute_is_sixty_seconds(age: float, *, is_refused: bool) -> None:
    view = a_view(day_orders=(sent(1, age), sent(2, 5), sent(3, 5)))
    assert refuses(OrderRate(3), buy(), view) is is_refused


def test_what_was_never_sent_is_no_pace() -> None:
    denied = [Order.initialize(buy(client_order_id=f"{n}")).deny("no", at=NOW) for n in range(9)]
    assert not refuses(OrderRate(3), buy(), a_view(day_orders=tuple(denied)))


# Cooldown after refusals: 2 in a row, 30 minutes

REST = FailureCooldown(failures=2, minutes=30)


def refused(
    number: int, *, minutes_ago: float = 1, symbol: Symbol = LG_CHEM, code: str = "APBK0000"
) -> Order:
    """Give an order that the broker refused."""
    at = NOW - timedelta(minutes=minutes_ago)
    intent = buy(client_order_id=f"refused-{number}", symbol=symbol)
    return Order.initialize(intent).submit(at=at).reject(code, "refused", at=at)


@pytest.mark.parametrize(("count", "is_refused"), [(1, False), (2, True), (3, True)])
def test_a_symbol_rests_after_so_many_refusals(count: int, *, is_refused: bool) -> None:
    view = a_view(day_orders=tuple(refused(n) for n in range(count)))
    assert refuses(REST, buy(), view) is is_refused
    assert not refuses(REST, sell(), view)
    assert not refuses(REST, buy(symbol=SAMSUNG), view)


@pytest.mark.parametrize(
    ("minutes_ago", "is_refused"), [(29.99, True), (30, False), (30.01, False)]
)
def test_a_symbol_rests_for_so_many_minutes(minutes_ago: float, *, is_refused: bool) -> None:
    view = a_view(day_orders=(refused(1, minutes_ago=40), refused(2, minutes_ago=minutes_ago)))
    assert refuses(REST, buy(), view) is is_refused


@pytest.mark.parametrize("code", [ABSENT, "WITHHELD"])
def test_what_the_broker_did_not_refuse_is_no_failure(code: str) -> None:
    orders = (refused(1, code=code), refused(2, code=code), refused(3, code=code))
    assert not refuses(REST, buy(), a_view(day_orders=orders))
    assert not refuses(RejectStreak(2), buy(), a_view(day_orders=orders))


def test_an_accepted_order_ends_the_row() -> None:
    taken = replace(an_open_buy(client_order_id="taken"), submitted_at=NOW)
    orders = (refused(1, minutes_ago=9), refused(2, minutes_ago=8), taken)
    assert not refuses(REST, buy(), a_view(day_orders=orders))
    assert not refuses(RejectStreak(2), buy(), a_view(day_orders=orders))


# Refusals in a row, whatever the symbol: 3


@pytest.mark.parametrize(("count", "is_refused"), [(2, False), (3, True), (4, True)])
def test_refusals_of_any_symbol_add_up(count: int, *, is_refused: bool) -> None:
    symbols = [LG_CHEM, SAMSUNG]
    orders = tuple(refused(n, symbol=symbols[n % 2]) for n in range(count))
    assert refuses(RejectStreak(3), buy(), a_view(day_orders=orders)) is is_refused
    assert not refuses(RejectStreak(3), sell(), a_view(day_orders=orders))


def test_refusals_up_to_the_owners_resumption_are_forgiven() -> None:
    orders = tuple(refused(n, minutes_ago=5) for n in range(3))
    resumed = Past(rejects_forgiven_at=NOW - timedelta(minutes=5))
    assert not refuses(RejectStreak(3), buy(), a_view(day_orders=orders, past=resumed))
    earlier = Past(rejects_forgiven_at=NOW - timedelta(minutes=6))
    assert refuses(RejectStreak(3), buy(), a_view(day_orders=orders, past=earlier))


# Cooldown after a stop: 2 sessions


@pytest.mark.parametrize(
    ("since", "is_refused"), [(0, True), (1, True), (2, False), (3, False), (None, False)]
)
def test_a_stopped_symbol_is_not_bought_for_some_sessions(
    since: int | None, *, is_refused: bool
) -> None:
    view = a_view(past=Past(sessions_since_stop=since))
    assert refuses(StopCooldown(2), buy(), view) is is_refused
    assert not refuses(StopCooldown(2), sell(), view)
    assert not refuses(StopCooldown(0), buy(), view)


# A strategy's own limits


@pytest.mark.parametrize(
    ("name", "stricter", "looser"),
    [
        ("maximum_weight", "0.19", "0.21"),
        ("maximum_holdings", 9, 11),
        ("stop_cooldown_sessions", 2, 0),
        ("failure_cooldown_minutes", 31, 29),
        ("quick_move_minutes", 6, 4),
    ],
)
def test_a_strategy_may_only_be_stricter(name: str, stricter: Any, looser: Any) -> None:
    channel = RiskLimits()
    assert channel.tightened({}) == channel
    assert channel.tightened({name: getattr(channel, name)}) == channel
    own = channel.tightened({name: stricter})
    assert own.looser_than(channel) == ()
    assert channel.looser_than(own) == (name,)
    with pytest.raises(InvalidSetting, match=f"risk.{name}"):
        channel.tightened({name: looser})


def test_settled_and_unsettled_cash_are_one_equity() -> None:
    """D+2: what a sale brings in two days is neither profit nor loss on any day between."""
    later = a_ledger(0).deposit(50_000_000, on=date(2018, 1, 18))
    both = later.deposit(50_000_000, on=A_DAY)
    assert both.flows != (CashFlow(A_DAY, CASH),)
    assert not refuses(Drawdown(Decimal("0.0001")), buy(), a_view(ledger=both))
