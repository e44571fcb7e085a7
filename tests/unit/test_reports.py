"""This is the day's report held against figures worked out by hand (see tests/report_days.py)."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import (
    ACCOUNT,
    HYUNDAI,
    LG_CHEM,
    SAMSUNG,
    a_fill,
    an_accepted_order,
    an_order,
    seoul,
)
from tests.report_days import (
    BOUGHT_BEFORE,
    CURVE,
    DENIAL_BREACHES,
    THE_DAY,
    a_day_record,
    denied_order,
    stop_order,
)
from trading.day_records import DayRecord
from trading.decisions import Breach
from trading.equity import EquityPoint, curve_returns
from trading.errors import BadInput, ReportImbalance
from trading.ledger import Ledger
from trading.orders import OrderStatus, Side
from trading.reports import build_report


def test_the_day_gives_the_figures_worked_out_by_hand() -> None:
    result = build_report(a_day_record()).result
    assert result.opening == 49_872_552
    assert result.paid_in == 1_000_000
    assert result.realized == -501_000
    assert result.unrealized_change == 344_500
    assert result.commission == 2_332
    assert result.tax == 28_062
    assert result.closing == 50_685_658
    assert result.profit == -186_894
    assert result.realized_net == -501_000 - 2_332 - 28_062


def test_returns_leave_deposits_out() -> None:
    report = build_report(a_day_record())
    assert report.day_return == Decimal(49_685_658) / 49_872_552 - 1
    # (49,685,658 / 49,872,552) of what stood at 49,872,552 of 50,000,000 paid in at the start
    assert report.total_return == pytest.approx(Decimal(49_685_658) / 50_000_000 - 1)
    assert report.drawdown == report.max_drawdown == pytest.approx(report.total_return)


def test_a_withdrawal_is_no_loss_and_no_drawdown() -> None:
    curve = (
        EquityPoint(date(2018, 1, 15), 0, 50_000_000, 50_000_000),
        EquityPoint(date(2018, 1, 16), 50_000_000, 20_000_000, -30_000_000),
    )
    assert curve_returns(curve) == (Decimal(0), Decimal(0))
    ledger = Ledger(ACCOUNT).deposit(50_000_000, on=date(2018, 1, 15))
    after = ledger.deposit(-30_000_000, on=date(2018, 1, 16))
    day = DayRecord(date(2018, 1, 16), "dev", ACCOUNT, curve, ledger, after, {}, {})
    report = build_report(day)
    assert report.result.profit == report.drawdown == report.max_drawdown == 0


def test_the_curve_begins_with_its_own_opening_when_there_was_money() -> None:
    curve = (EquityPoint(date(2018, 1, 15), 100, 150, 40), EquityPoint(date(2018, 1, 16), 150, 75))
    assert curve_returns(curve) == (Decimal("0.1"), Decimal("-0.5"))
    assert curve_returns(()) == ()


def test_settlement_two_days_later_changes_no_figure() -> None:
    day = a_day_record()
    assert day.closing.settled_cash(THE_DAY) != day.closing.cash
    slower = day.opening.deposit(1_000_000, on=THE_DAY)
    for execution in day.executions:
        slower = slower.post(
            replace(execution, settles_on=execution.settles_on + timedelta(days=5))
        )
    assert build_report(replace(day, closing=slower)).result == build_report(day).result


def test_holdings_and_sales_are_valued_to_the_won() -> None:
    report = build_report(a_day_record())
    hyundai, samsung = sorted(report.holdings, key=lambda holding: holding.cost)
    assert (hyundai.symbol, hyundai.quantity, hyundai.value) == (HYUNDAI, 40, 6_240_000)
    assert (hyundai.unrealized, samsung.unrealized) == (40_000, 180_000)
    assert hyundai.average_cost == 155_000
    assert hyundai.change == Decimal(40_000) / 6_200_000
    assert samsung.weight == Decimal(9_980_000) / 50_685_658
    assert report.unrealized == 220_000
    (sale,) = report.sales
    assert (sale.symbol, sale.quantity, sale.proceeds) == (LG_CHEM, 23, 9_354_500)
    assert (sale.cost, sale.realized, sale.charges) == (9_855_500, -501_000, 1_402 + 28_062)
    assert sale.change == Decimal(-501_000) / 9_855_500


def test_orders_are_told_from_signal_to_fill() -> None:
    report = build_report(a_day_record())
    assert report.orders_by_status == {
        OrderStatus.FILLED: 1,
        OrderStatus.EXPIRED: 1,
        OrderStatus.DENIED: 1,
        OrderStatus.REJECTED: 1,
    }
    funnel = report.funnel
    assert (funnel.signals, funnel.signals_without_order) == (5, 1)
    assert (funnel.orders, funnel.denied, funnel.sent) == (4, 1, 3)
    assert (funnel.accepted, funnel.filled) == (2, 2)
    assert report.failure_rate == Decimal(1) / 3


def test_an_order_in_doubt_counts_as_failed() -> None:
    order = an_order().submit(at=seoul(THE_DAY, "09:00"))
    report = build_report(a_day_record(orders=(order,)))
    assert report.failure_rate == 1


def test_nothing_sent_has_no_failure_rate() -> None:
    report = build_report(a_day_record(orders=(denied_order(),)))
    assert report.failure_rate is None
    assert report.latency is None
    assert report.broker_latency is None


def test_latency_runs_from_the_signal_to_the_acceptance() -> None:
    # stop: accepted 1.2 s after its signal; Hyundai: ordered ten minutes after its signal, then 1.2 s
    report = build_report(a_day_record())
    assert report.latency is not None
    assert report.latency.maximum == timedelta(minutes=10, seconds=1.2)
    assert report.latency.median == timedelta(minutes=5, seconds=1.2)
    assert report.latency.count == 2
    assert report.broker_latency is not None
    assert report.broker_latency.maximum == timedelta(seconds=0.2)


def test_slippage_is_what_fills_cost_beyond_the_price_of_the_signal() -> None:
    slippage = build_report(a_day_record()).slippage
    assert slippage.cost == 6_500 + 20_000
    assert slippage.reference_value == 23 * 407_000 + 40 * 154_500
    assert slippage.basis_points == Decimal(26_500) * 10_000 / 15_541_000
    assert slippage.unmeasured == 0


def test_fills_of_orders_that_are_not_ours_are_counted_not_guessed() -> None:
    slippage = build_report(a_day_record(orders=())).slippage
    assert (slippage.cost, slippage.unmeasured) == (0, 3)
    assert slippage.basis_points is None


def test_a_denial_keeps_all_its_reasons() -> None:
    (denial,) = build_report(a_day_record()).denials
    assert denial.client_order_id == denied_order().client_order_id
    assert denial.breaches == DENIAL_BREACHES


def test_a_denied_order_without_events_keeps_its_plain_reason() -> None:
    (denial,) = build_report(a_day_record(risk_events=())).denials
    assert denial.breaches == (Breach("DENIED", "MAXIMUM_WEIGHT, MAXIMUM_HOLDINGS"),)


def test_a_duplicate_is_told_although_the_order_it_repeats_was_filled() -> None:
    stop, _ = stop_order()
    day = a_day_record()
    event = replace(
        day.risk_events[0], client_order_id=stop.client_order_id, breach=Breach("DUPLICATE", "")
    )
    denials = build_report(replace(day, risk_events=(*day.risk_events, event))).denials
    assert [d.breaches[0].rule_id for d in denials] == ["MAXIMUM_WEIGHT", "DUPLICATE"]


@pytest.mark.parametrize("price", [None, 0])
def test_a_holding_without_a_price_is_an_error_and_never_zero(price: int | None) -> None:
    prices = {SAMSUNG: 49_900} | ({} if price is None else {HYUNDAI: price})
    with pytest.raises(BadInput, match=r"closing_prices.*005380"):
        build_report(a_day_record(closing_prices=prices))
    with pytest.raises(BadInput, match=r"opening_prices.*051910"):
        build_report(a_day_record(opening_prices={SAMSUNG: 49_700}))


@pytest.mark.parametrize("off", [-1, 1])
def test_one_won_of_difference_stops_the_report(off: int) -> None:
    day, point = a_day_record(), CURVE[-1]
    wrong = [
        replace(day, curve=(*CURVE[:-1], replace(point, closing=point.closing + off))),
        replace(day, curve=(*CURVE[:-1], replace(point, opening=point.opening + off))),
        replace(day, curve=(*CURVE[:-1], replace(point, paid_in=point.paid_in + off))),
        replace(day, closing=day.closing.deposit(off, on=THE_DAY)),
    ]
    for record in wrong:
        with pytest.raises(ReportImbalance, match="won"):
            build_report(record)


def test_a_fill_that_the_books_do_not_know_stops_the_report() -> None:
    day = a_day_record()
    with pytest.raises(ReportImbalance, match="profit of the day"):
        build_report(replace(day, executions=day.executions[:-1]))


def test_a_curve_of_other_days_is_refused() -> None:
    with pytest.raises(BadInput, match="curve"):
        a_day_record(curve=CURVE[:-1])
    with pytest.raises(BadInput, match="curve"):
        a_day_record(curve=())


def test_won_that_no_day_accounts_for_are_shown() -> None:
    assert build_report(a_day_record()).carried_difference == 0
    late = (*CURVE[:-2], replace(CURVE[-2], closing=49_872_000), CURVE[-1])
    assert build_report(a_day_record(curve=late)).carried_difference == 552


@given(
    fills=st.lists(
        st.tuples(st.sampled_from(Side), st.integers(1, 60), st.integers(1_000, 50_000)),
        max_size=8,
    ),
    close=st.integers(1_000, 900_000),
    paid_in=st.integers(-10_000_000, 10_000_000),
)
def test_profit_by_equity_equals_profit_by_trades(
    fills: list[tuple[Side, int, int]], close: int, paid_in: int
) -> None:
    opening = Ledger(ACCOUNT).deposit(50_000_000, on=date(2018, 1, 15)).post(BOUGHT_BEFORE[0])
    opening_equity = opening.equity({LG_CHEM: 417_000})
    closing, executions = opening.deposit(paid_in, on=THE_DAY), []
    for ordinal, (side, quantity, price) in enumerate(fills):
        if side is Side.SELL and quantity > closing.position(LG_CHEM).quantity:
            continue
        order = an_accepted_order(side=side, quantity=quantity, trading_day=THE_DAY)
        at = seoul(THE_DAY, "10:00")
        executions.append(a_fill(order, quantity=quantity, price=price, at=at, ordinal=ordinal))
        closing = closing.post(executions[-1])
    prices = {LG_CHEM: close}
    point = EquityPoint(THE_DAY, opening_equity, closing.equity(prices), paid_in)
    day = DayRecord(
        THE_DAY,
        "dev",
        ACCOUNT,
        (point,),
        opening,
        closing,
        {LG_CHEM: 417_000},
        prices,
        executions=tuple(executions),
    )
    result = build_report(day).result
    assert result.profit == result.closing - result.opening - paid_in
