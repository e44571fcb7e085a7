"""This is the test of target weights: from a weight to the order that brings a holding there, and no further."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.gate import check
from risk.limits import RiskLimits
from risk.rules import rules_for
from risk.sizing import SMALLEST_CHANGE, SizingSettings, size
from risk.views import Past, RiskView
from strategies.base import Decisions
from strategies.evaluation import signals_at, target_at
from strategies.exits import ExitParameters
from tasks.channels import parse_channel
from tests.bar_columns import columns_of
from tests.builders import A_DAY, ACCOUNT, LG_CHEM, a_signal
from tests.desks import a_channel
from tests.planted_strategies import Planted
from tests.risk_views import a_ledger, a_quote, a_view, an_open_buy
from tests.unit.test_evaluation import FLAT, TREND, VALIDITY, held
from trading.decisions import Breach
from trading.errors import BadInput, InvalidSetting
from trading.halts import Halt, TradingState
from trading.ledger import CashFlow, Ledger
from trading.orders import OrderIntent, OrderType, Side
from trading.positions import Position
from trading.signals import Direction, Signal

SETTINGS = SizingSettings(target_weight=Decimal("0.15"), limit_offset=Decimal("0.01"))
TEN_SHARES = a_ledger(96_000_000, _051910=10)
"""100,000,000 won of equity, 4,000,000 of it in 10 shares of LG Chem."""


def wanting(weight: str, **changes: Any) -> Signal:
    """Give a signal that wants a part of equity."""
    return a_signal(trigger="weight", target_weight=Decimal(weight), **changes)


def order(weight: str, view: RiskView | None = None, owned: int | None = 10) -> tuple[Side, int]:
    """Give which way and how many; 0 shares for a refusal."""
    sized = size(wanting(weight), view or a_view(ledger=TEN_SHARES), SETTINGS, owned=owned)
    return (sized.side, sized.quantity) if isinstance(sized, OrderIntent) else (Side.BUY, 0)


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        # 500,000 won, half a hundredth of equity, is the smallest change. A share costs 404,060 at its limit.
        ("0.0449", (Side.BUY, 0)),
        ("0.0450", (Side.BUY, 1)),
        ("0.0480", (Side.BUY, 1)),
        ("0.0481", (Side.BUY, 2)),  # 810,000 pays for two with commission, 808,121
        ("0.0400", (Side.BUY, 0)),
        ("0.0351", (Side.BUY, 0)),
        ("0.0350", (Side.SELL, 1)),
        ("0.0321", (Side.SELL, 1)),
        ("0.0320", (Side.SELL, 2)),  # 800,000 too much at 400,000 each
        ("0.0001", (Side.SELL, 9)),  # a weight above 0 keeps what the last share is worth
    ],
)
def test_the_difference_to_the_target_is_bought_or_sold(
    weight: str, expected: tuple[Side, int]
) -> None:
    assert order(weight) == expected


def test_a_holding_near_enough_is_left_alone_and_says_why() -> None:
    refusal = size(wanting("0.0449"), a_view(ledger=TEN_SHARES), SETTINGS, owned=10)
    assert isinstance(refusal, Breach)
    assert refusal.figures == {"target": "4490000", "value": "4000000", "smallest": "500000"}


@pytest.mark.parametrize(("weight", "quantity"), [("0.2000", 1), ("0.2001", 0), ("0.5999", 0)])
def test_less_than_one_share_is_no_change(weight: str, quantity: int) -> None:
    # Equity 2,000,000, 800,000 in shares: 400,000 a share is more than half a hundredth of it.
    view = a_view(ledger=a_ledger(1_200_000, _051910=2))
    assert order("0.6100", view, owned=2) == (Side.BUY, 1)
    assert order(weight, view, owned=2) == (Side.SELL if quantity else Side.BUY, quantity)


def test_the_first_purchase_takes_its_weight_with_commission() -> None:
    # 5 % of 100,000,000 at 404,000: 12 shares are 4,848,000 and 727 commission.
    assert order("0.0500", a_view(), owned=0) == (Side.BUY, 12)
    assert order("0.0040", a_view(), owned=0) == (Side.BUY, 0)  # 400,000 buys no share at 404,000


def test_a_buy_takes_no_more_than_the_cash_that_there_is() -> None:
    view = a_view(ledger=TEN_SHARES, buyable_cash=1_300_000)
    assert order("0.2000", view) == (Side.BUY, 3)


@pytest.mark.parametrize(("owned", "quantity"), [(0, 0), (1, 0), (2, 1), (10, 9)])
def test_only_what_the_strategy_owns_is_sold(owned: int, quantity: int) -> None:
    side, sold = order("0.0001", owned=owned)
    assert sold == quantity
    assert side is Side.SELL or not quantity


def test_what_an_open_sell_has_promised_is_not_sold_again() -> None:
    view = a_view(ledger=TEN_SHARES, open_orders=(an_open_buy(7, side=Side.SELL),))
    assert order("0.0001", view) == (Side.SELL, 3)


def test_an_adjustment_is_a_limit_order_both_ways() -> None:
    for weight, price in (("0.1000", 404_000), ("0.0100", 396_000)):
        intent = size(wanting(weight), a_view(ledger=TEN_SHARES), SETTINGS, owned=10)
        assert isinstance(intent, OrderIntent)
        assert (intent.order_type, intent.limit_price) == (OrderType.LIMIT, price)


def test_a_sell_that_reduces_is_refused_by_no_rule_for_buys() -> None:
    """Every limit is passed: a day's loss, a fall, streaks, a move, a halt of buys, a stop on the same day."""
    moved = a_quote(base_price=600_000)
    view = a_view(
        ledger=TEN_SHARES,
        quotes={LG_CHEM: moved},
        equity_opening=200_000_000,
        halts=(Halt("trip", TradingState.REDUCING, "loss", a_view().at),),
        past=Past(
            depth=Decimal("-0.9"),
            losing_days=99,
            losing_trades=99,
            previous_close=600_000,
            sessions_since_stop=0,
        ),
    )
    strict = RiskLimits(maximum_weight=Decimal("0.01"), maximum_order_value=10_000)
    reducing = size(wanting("0.0200"), view, SETTINGS, owned=10)
    adding = size(wanting("0.1000"), view, SETTINGS, owned=10)
    assert isinstance(reducing, OrderIntent)
    assert isinstance(adding, OrderIntent)
    assert check(reducing, view, rules_for(strict)).breaches == ()
    refusing = {breach.rule_id for breach in check(adding, view, rules_for(strict)).breaches}
    assert {"DAILY_LOSS", "DRAWDOWN", "HALTED", "STOP_COOLDOWN", "MAXIMUM_WEIGHT"} <= refusing


@pytest.mark.parametrize(("weight", "is_fine"), [("0.2000", True), ("0.2001", False)])
def test_a_weight_that_no_order_could_have_is_refused_with_the_settings(
    weight: str, *, is_fine: bool
) -> None:
    momentum = {"holdings": 2, "weight": weight}
    strategy = {"id": "strong", "kind": "momentum", "parameters": momentum, "symbols": [LG_CHEM]}
    risk = RiskLimits(maximum_weight=Decimal("0.20")).model_dump(mode="json")
    document = a_channel().model_dump(mode="json") | {"strategies": [strategy], "risk": risk}
    if is_fine:
        assert parse_channel(document, origin="test").strategies[0].id == "strong"
    else:
        with pytest.raises(
            InvalidSetting, match=r"strong\.parameters\.weight=.*0\.2001.*: at most"
        ):
            parse_channel(document, origin="test")


@settings(max_examples=60)
@given(
    last=st.integers(1, 1_000_000),
    cash=st.integers(1, 10**9),
    held=st.integers(0, 5_000),
    owned=st.integers(0, 5_000),
    weight=st.integers(1, 10_000),
)
def test_an_order_never_goes_past_its_target_nor_beyond_what_there_is(
    last: int, cash: int, held: int, owned: int, weight: int
) -> None:
    owned = min(owned, held)
    position = {LG_CHEM: Position(LG_CHEM, quantity=held, cost=held * last)} if held else {}
    ledger = Ledger(ACCOUNT, (CashFlow(A_DAY, cash),), position)
    quotes = {LG_CHEM: a_quote(last=last, upper_limit=2 * last)}
    view = a_view(ledger=ledger, quotes=quotes)
    part = Decimal(weight).scaleb(-4)
    sized = size(wanting(str(part)), view, SETTINGS, owned=owned)
    target = int(view.equity * part)
    if isinstance(sized, Breach):
        return
    if sized.side is Side.BUY:
        assert sized.limit_price is not None
        assert view.cost(LG_CHEM, sized.quantity, sized.limit_price) <= target - owned * last
        assert view.cost(LG_CHEM, sized.quantity, sized.limit_price) <= view.available_cash
    else:
        assert sized.quantity <= owned
        assert (owned - sized.quantity) * last >= target
    assert not owned or abs(target - owned * last) >= view.equity * SMALLEST_CHANGE


# From a strategy's weights to its signals


def signals(weight: float, position: Position, *, exit_flag: bool = False) -> tuple[Signal, ...]:
    """Let a strategy that gives this weight decide at one bar."""
    flags = np.array([exit_flag])
    decisions = Decisions(flags, flags, {"rank": np.array([2.0])}, np.array([weight]))
    settings = TREND.run_by(Planted(decide=lambda _: decisions))
    return signals_at(
        -1, columns_of([100]), decisions, settings, position=position, validity=VALIDITY
    )


@pytest.mark.parametrize("position", [FLAT, held(100)], ids=["flat", "held"])
def test_a_weight_is_wanted_whether_or_not_something_is_held(position: Position) -> None:
    (signal,) = signals(0.095, position)
    assert (signal.direction, signal.target_weight) == (Direction.ENTRY, Decimal("0.0950"))
    assert signal.indicators["target_weight"] == "0.0950"
    assert signal.reason.startswith("Entry by cross at 100 won: rank 2.00, target_weight 0.0950")


def test_weight_zero_leaves_what_is_held_and_wants_nothing_otherwise() -> None:
    (signal,) = signals(0.0, held(100))
    assert (signal.direction, signal.target_weight) == (Direction.EXIT, Decimal(0))
    assert signals(0.0, FLAT) == ()


def test_without_a_new_weight_the_flags_count() -> None:
    assert signals(np.nan, held(100)) == ()
    (signal,) = signals(np.nan, held(100), exit_flag=True)
    assert (signal.direction, signal.target_weight) == (Direction.EXIT, None)


def test_a_stop_goes_before_a_weight() -> None:
    assert ExitParameters().stop_loss == Decimal("0.05")
    (signal,) = signals(0.1, held(106))
    assert (signal.direction, signal.trigger, signal.target_weight) == (
        Direction.EXIT,
        "stop",
        None,
    )


def test_a_weight_is_read_as_the_nearest_ten_thousandth() -> None:
    weights = np.array([1 / 3, 0.1 + 0.2, 1.0, 0.00004])
    none = np.zeros(4, dtype=np.bool_)
    found = [target_at(Decisions(none, none, {}, weights), i) for i in range(4)]
    assert [str(each) for each in found] == ["0.3333", "0.3000", "1.0000", "0.0000"]


@pytest.mark.parametrize(
    ("direction", "weight", "is_fine"),
    [
        (Direction.ENTRY, "0.0001", True),
        (Direction.ENTRY, "1", True),
        (Direction.ENTRY, "1.0001", False),
        (Direction.ENTRY, "0", False),
        (Direction.ENTRY, "0.00005", False),
        (Direction.EXIT, "0", True),
        (Direction.EXIT, "0.1", False),
        (Direction.EXIT, "-0.1", False),
    ],
)
def test_a_signal_has_no_weight_that_its_direction_cannot_have(
    direction: Direction, weight: str, *, is_fine: bool
) -> None:
    if is_fine:
        assert wanting(weight, direction=direction).target_weight == Decimal(weight)
    else:
        with pytest.raises(BadInput, match="target_weight"):
            wanting(weight, direction=direction)


def test_a_weight_is_no_part_of_a_signals_identity() -> None:
    assert wanting("0.1").signal_id == wanting("0.2").signal_id
