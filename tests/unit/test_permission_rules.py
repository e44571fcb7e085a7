"""This is the test of the rules about moment, standing and repetition, at their boundaries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from risk.limits import RiskLimits
from risk.rules import rules_for
from risk.rules.duplicate import Duplicate
from risk.rules.halted import Halted
from risk.rules.market_closed import MarketClosed
from risk.rules.maximum_holdings import MaximumHoldings
from risk.rules.sellable import Sellable
from risk.rules.stale_data import StaleData
from risk.rules.standing import Standing
from tests.builders import (
    A_DAY,
    LG_CHEM,
    NAVER,
    SAMSUNG,
    an_order,
    seoul,
)
from tests.risk_views import (
    CASH,
    NOW,
    a_ledger,
    a_quote,
    a_view,
    an_open_buy,
    buy,
    in_doubt,
    refuses,
    sell,
)
from trading.halts import Halt, TradingState
from trading.instruments import Instrument
from trading.orders import ABSENT, OrderType, Side
from trading.sessions import Phase

BOTH_SIDES = pytest.mark.parametrize("side", list(Side))

# Market closed

ACCEPTING = {Phase.OPENING_AUCTION, Phase.CONTINUOUS, Phase.CLOSING_AUCTION}


@BOTH_SIDES
@pytest.mark.parametrize("order_type", list(OrderType))
@pytest.mark.parametrize("phase", [*Phase, None])
def test_orders_pass_only_in_phases_that_take_them(
    phase: Phase | None, order_type: OrderType, side: Side
) -> None:
    price = 400_000 if order_type is OrderType.LIMIT else None
    intent = buy(side=side, order_type=order_type, limit_price=price)
    assert refuses(MarketClosed(), intent, a_view(phase=phase)) is (phase not in ACCEPTING)


@BOTH_SIDES
@pytest.mark.parametrize("days", [-1, 1])
def test_an_order_for_another_day_is_refused(days: int, side: Side) -> None:
    intent = buy(side=side, trading_day=A_DAY + timedelta(days=days))
    assert refuses(MarketClosed(), intent, a_view())


# Stale data: 60 seconds

STALE = StaleData(60)


@BOTH_SIDES
@pytest.mark.parametrize(
    ("age", "is_refused"),
    [(59, False), (60, False), (60.001, True), (61, True), (0, False), (-5, False), (-6, True)],
)
def test_a_price_may_be_as_old_as_the_limit_and_not_from_the_future(
    age: float, *, is_refused: bool, side: Side
) -> None:
    view = a_view(quotes={LG_CHEM: a_quote(at=NOW - timedelta(seconds=age))})
    assert refuses(STALE, buy(side=side), view) is is_refused


@BOTH_SIDES
def test_a_missing_price_is_refused(side: Side) -> None:
    assert refuses(STALE, buy(side=side), a_view(quotes={}))
    assert refuses(STALE, buy(side=side), a_view(quotes={LG_CHEM: a_quote(last=0)}))


def test_a_buy_needs_the_prices_of_everything_that_makes_its_limits() -> None:
    old = {LG_CHEM: a_quote(), SAMSUNG: a_quote(SAMSUNG, at=NOW - timedelta(hours=1))}
    holding = a_view(ledger=a_ledger(_005930=1), quotes=old)
    buying = a_view(open_orders=(an_open_buy(symbol=SAMSUNG),), quotes=old)
    assert refuses(STALE, buy(), holding)
    assert refuses(STALE, buy(), buying)
    assert not refuses(STALE, buy(), a_view(quotes=old))


def test_a_sell_needs_only_its_own_price() -> None:
    old = {LG_CHEM: a_quote(), SAMSUNG: a_quote(SAMSUNG, at=NOW - timedelta(hours=1))}
    assert not refuses(STALE, sell(), a_view(ledger=a_ledger(_005930=1), quotes=old))


def test_the_age_of_the_last_price_is_told() -> None:
    view = a_view(quotes={LG_CHEM: a_quote(at=NOW - timedelta(seconds=75))})
    breach = STALE.check(buy(), view)
    assert breach is not None
    assert breach.figures == {
        "missing": "",
        "stale": "051910",
        "oldest_age": "75",
        "maximum_age": "60",
    }


# Duplicate


@BOTH_SIDES
def test_a_second_order_of_a_strategy_beside_its_open_one_is_refused(side: Side) -> None:
    open_one = an_open_buy(strategy_id="trend", side=side)
    view = a_view(open_orders=(open_one,))
    assert refuses(Duplicate(), buy(side=side), view)
    assert not refuses(Duplicate(), buy(side=side, symbol=NAVER), view)


def test_the_other_side_is_no_duplicate() -> None:
    assert not refuses(Duplicate(), sell(), a_view(open_orders=(an_open_buy(strategy_id="trend"),)))


@BOTH_SIDES
def test_doubt_blocks_its_symbol_and_side_for_everybody_and_nothing_else(side: Side) -> None:
    other = Side.SELL if side is Side.BUY else Side.BUY
    view = a_view(open_orders=(in_doubt(an_open_buy(7, side=side)),))
    assert refuses(Duplicate(), buy(side=side), view)
    assert not refuses(Duplicate(), buy(side=other), view)
    assert not refuses(Duplicate(), buy(side=side, symbol=NAVER), view)


@pytest.mark.parametrize(
    ("changes", "is_refused"),
    [
        ({}, True),
        ({"quantity": 6}, False),
        ({"quantity": 8}, False),
        ({"limit_price": 399_500}, False),
        ({"order_type": OrderType.MARKET, "limit_price": None}, False),
        ({"side": Side.SELL}, False),
        ({"symbol": NAVER}, False),
    ],
)
def test_another_strategys_open_order_is_a_duplicate_only_when_nobody_could_tell_them_apart(
    changes: dict[str, Any], *, is_refused: bool
) -> None:
    view = a_view(open_orders=(an_open_buy(7),))
    assert refuses(Duplicate(), buy(**{"quantity": 7} | changes), view) is is_refused


def test_the_equal_of_an_order_that_was_declared_absent_is_refused() -> None:
    absent = in_doubt(an_open_buy(7, strategy_id="trend")).reject(ABSENT, "no row", at=NOW)
    view = a_view(day_orders=(absent,))
    assert refuses(Duplicate(), buy(7), view)
    assert not refuses(Duplicate(), buy(6), view)


def test_an_order_by_hand_counts_among_those_that_must_differ() -> None:
    view = a_view(open_orders=(an_open_buy(7, strategy_id="manual"),))
    assert refuses(Duplicate(), buy(7), view)
    assert not refuses(Duplicate(), buy(8), view)


def test_a_closed_order_blocks_nothing_but_its_own_id() -> None:
    filled = an_open_buy(strategy_id="trend").fill(1, 400_000, at=NOW)
    assert not refuses(Duplicate(), buy(), a_view(day_orders=(filled,)))
    assert refuses(Duplicate(), buy(client_order_id="other"), a_view(day_orders=(filled,)))


def test_an_order_that_was_stored_and_never_sent_is_no_duplicate_of_itself() -> None:
    stored = an_order()
    assert not refuses(Duplicate(), stored.intent, a_view(day_orders=(stored,)))
    denied = stored.deny("cash", at=NOW)
    assert refuses(Duplicate(), stored.intent, a_view(day_orders=(denied,)))


# Halted


def halt(state: TradingState, strategy_id: str = "") -> Halt:
    """Give a halt by the operator."""
    return Halt("operator", state, "rehearsal", seoul(A_DAY, "09:30"), strategy_id)


@pytest.mark.parametrize(
    ("state", "buy_is_refused", "sell_is_refused"),
    [
        (TradingState.ACTIVE, False, False),
        (TradingState.REDUCING, True, False),
        (TradingState.HALTED, True, True),
    ],
)
def test_reducing_refuses_buys_and_halted_refuses_everything(
    state: TradingState, *, buy_is_refused: bool, sell_is_refused: bool
) -> None:
    view = a_view(halts=(halt(state),))
    assert refuses(Halted(), buy(), view) is buy_is_refused
    assert refuses(Halted(), sell(), view) is sell_is_refused


def test_the_strictest_halt_counts() -> None:
    view = a_view(halts=(halt(TradingState.HALTED), halt(TradingState.REDUCING)))
    assert refuses(Halted(), sell(), view)


def test_a_halt_of_another_strategy_does_not_count() -> None:
    assert not refuses(Halted(), buy(), a_view(halts=(halt(TradingState.HALTED, "other"),)))
    assert refuses(Halted(), buy(), a_view(halts=(halt(TradingState.HALTED, "trend"),)))


def test_a_quarantined_symbol_is_stopped_and_others_are_not() -> None:
    found = Halt("reconciliation", TradingState.HALTED, "1 share too many", NOW, symbol=LG_CHEM)
    view = a_view(halts=(found,))
    assert refuses(Halted(), buy(), view)
    assert refuses(Halted(), sell(), view)
    assert not refuses(Halted(), buy(symbol=NAVER), view)
    breach = Halted().check(buy(), view)
    assert breach is not None
    assert breach.figures["halts"] == "reconciliation: 1 share too many"


def test_who_stopped_and_why_is_told() -> None:
    breach = Halted().check(buy(), a_view(halts=(halt(TradingState.HALTED),)))
    assert breach is not None
    assert breach.figures == {"state": "HALTED", "halts": "operator: rehearsal"}


# Standing

FLAGS = ["is_halted", "is_administrative", "is_liquidation"]


@pytest.mark.parametrize("flag", FLAGS)
def test_a_buy_of_a_symbol_in_bad_standing_is_refused_whoever_says_so(flag: str) -> None:
    flags: dict[str, Any] = {flag: True}
    master = Instrument(LG_CHEM, "LG Chem", **flags)
    assert refuses(Standing(), buy(), a_view(instruments={LG_CHEM: master}))
    assert refuses(Standing(), buy(), a_view(quotes={LG_CHEM: a_quote(**flags)}))


@pytest.mark.parametrize("flag", FLAGS)
def test_a_sell_is_refused_only_when_the_symbol_is_halted(flag: str) -> None:
    flags: dict[str, Any] = {flag: True}
    view = a_view(quotes={LG_CHEM: a_quote(**flags)})
    assert refuses(Standing(), sell(), view) is (flag == "is_halted")


@BOTH_SIDES
def test_an_unknown_symbol_is_refused(side: Side) -> None:
    assert refuses(Standing(), buy(side=side), a_view(instruments={}))
    assert not refuses(Standing(), buy(side=side), a_view())


# Sellable


@pytest.mark.parametrize(("quantity", "is_refused"), [(9, False), (10, False), (11, True)])
def test_what_is_held_may_be_sold_and_no_more(quantity: int, *, is_refused: bool) -> None:
    assert refuses(Sellable(), sell(quantity), a_view(ledger=a_ledger(_051910=10))) is is_refused


@pytest.mark.parametrize(("quantity", "is_refused"), [(3, False), (4, False), (5, True)])
def test_what_open_sells_may_sell_cannot_be_sold_again(quantity: int, *, is_refused: bool) -> None:
    leaving = in_doubt(an_open_buy(6, side=Side.SELL))
    view = a_view(ledger=a_ledger(_051910=10), open_orders=(leaving,))
    assert refuses(Sellable(), sell(quantity), view) is is_refused


def test_an_open_buy_is_not_sellable() -> None:
    assert refuses(Sellable(), sell(1), a_view(open_orders=(an_open_buy(10),)))


# All of them


def test_a_protective_sell_passes_where_every_buy_is_refused() -> None:
    """A lost day, a symbol far over its weight, too many holdings and no cash must not keep us in."""
    ledger = a_ledger(0, _051910=100, _005930=1, _005380=1)
    limits = RiskLimits(maximum_holdings=1, maximum_quantity_per_symbol=1)
    view = a_view(ledger=ledger, equity_opening=2 * CASH, buyable_cash=0)
    stop = sell(100, order_type=OrderType.MARKET, limit_price=None)
    rules = rules_for(limits)
    assert [rule.rule_id for rule in rules if refuses(rule, stop, view)] == []
    assert {rule.rule_id for rule in rules if refuses(rule, buy(), view)} == {
        "DAILY_LOSS",
        "DRAWDOWN",
        "MAXIMUM_QUANTITY",
        "MAXIMUM_WEIGHT",
        "CASH",
    }
    assert refuses(MaximumHoldings(1), buy(symbol=NAVER), view)


def test_every_rule_has_its_own_name() -> None:
    names = [rule.rule_id for rule in rules_for(RiskLimits())]
    assert len(names) == len(set(names)) == 25
