"""This is where every rule's boundary stands: what to ask one step before it, at it, and one step behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from risk.limits import RiskLimits
from risk.rules import rules_for
from risk.views import Past, RiskView
from tests.builders import A_DAY, HYUNDAI, LG_CHEM, NAVER, SAMSUNG
from tests.risk_views import (
    CASH,
    NOW,
    a_ledger,
    a_minute,
    a_quote,
    a_view,
    an_open_buy,
    buy,
    in_doubt,
    sell,
)
from trading.costs import CostSchedule
from trading.halts import Halt, TradingState
from trading.instruments import Instrument
from trading.orders import Order, OrderIntent, Side
from trading.sessions import Phase, phase_at, session_of

STEPS: Final = (-1, 0, 1)
FROM_IT_ON: Final = (False, True, True)
BEHIND_IT: Final = (False, False, True)
BEFORE_IT: Final = (True, False, False)
AT_IT_ALONE: Final = (False, True, False)
BESIDE_IT: Final = (True, False, True)
FREE: Final = CostSchedule(commission_rate=Decimal(0))
COST: Final = 4_000_600
"""Won of ten LG Chem at 400,000 with the commission."""


@dataclass(frozen=True)
class Asked:
    """An order, what the gate sees of the account, and the limits besides the usual ones."""

    intent: OrderIntent
    view: RiskView
    limits: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Boundary:
    """One boundary of one rule; `limit` is the setting that moves it, "" where none does.

    `refuses` tells of each of `STEPS` whether the rule says no.
    """

    rule_id: str
    what: str
    refuses: tuple[bool, bool, bool]
    ask: Callable[[int], Asked]
    limit: str = ""

    @property
    def name(self) -> str:
        """Name it for people."""
        return f"{self.rule_id}: {self.limit or self.what}"

    @property
    def counts_doubts(self) -> bool:
        """Whether an order in doubt is part of the question."""
        return any(order.is_in_doubt for order in self.ask(0).view.open_orders)


def boundaries() -> tuple[Boundary, ...]:
    """Give all of them."""
    return (*_of_the_moment(), *_of_prices(), *_of_pace(), *_of_loss(), *_of_size())


def rule_ids() -> frozenset[str]:
    """Name the rules that there are."""
    return frozenset(rule.rule_id for rule in rules_for(RiskLimits()))


def _of_the_moment() -> Iterator[Boundary]:
    today = session_of(A_DAY)
    opening = today.window(Phase.OPENING_AUCTION).starts_at
    closing = today.window(Phase.CLOSING_AUCTION).ends_at
    levels = (TradingState.ACTIVE, TradingState.REDUCING, TradingState.HALTED)
    flags: tuple[dict[str, Any], ...] = ({}, {"is_administrative": True}, {"is_halted": True})

    def halted(step: int) -> RiskView:
        return a_view(halts=(Halt("operator", levels[step + 1], "점검", NOW),))

    def standing(step: int) -> RiskView:
        return a_view(quotes={LG_CHEM: a_quote(**flags[step + 1])})

    def listed(step: int) -> RiskView:
        day = A_DAY + timedelta(days=step)
        return a_view(instruments={LG_CHEM: Instrument(LG_CHEM, "LG화학", listed_on=day)})

    def session(at: datetime, step: int) -> RiskView:
        moment = at + timedelta(seconds=step)
        return a_view(phase=phase_at(moment, today))

    def day(step: int) -> OrderIntent:
        return buy(trading_day=A_DAY + timedelta(days=step))

    def aged(step: int) -> RiskView:
        at = NOW - timedelta(seconds=60 + step)
        return a_view(quotes={LG_CHEM: a_quote(at=at)})

    yield Boundary("HALTED", "a buy", FROM_IT_ON, lambda n: Asked(buy(), halted(n)))
    yield Boundary("HALTED", "a sell", BEHIND_IT, lambda n: Asked(sell(), halted(n)))
    yield Boundary(
        "MARKET_CLOSED", "opening", BEFORE_IT, lambda n: Asked(buy(), session(opening, n))
    )
    yield Boundary(
        "MARKET_CLOSED", "closing", FROM_IT_ON, lambda n: Asked(buy(), session(closing, n))
    )
    yield Boundary("MARKET_CLOSED", "day", BESIDE_IT, lambda n: Asked(day(n), a_view()))
    yield Boundary("STANDING", "a buy", FROM_IT_ON, lambda n: Asked(buy(), standing(n)))
    yield Boundary("STANDING", "a sell", BEHIND_IT, lambda n: Asked(sell(), standing(n)))
    yield Boundary("LISTING_DAY", "day", AT_IT_ALONE, lambda n: Asked(buy(), listed(n)))
    yield Boundary(
        "STALE_DATA", "age", BEHIND_IT, lambda n: Asked(buy(), aged(n)), "maximum_price_age"
    )


def _of_prices() -> Iterator[Boundary]:
    def closed(close: int) -> Asked:
        return Asked(buy(), a_view(past=Past(previous_close=close)))

    def moved(last: int) -> Asked:
        view = a_view(quotes={LG_CHEM: a_quote(last=last, base_price=400_000)})
        return Asked(buy(), view, {"sudden_move": Decimal("0.10")})

    def ran(price: int, *, minutes_ago: float) -> Asked:
        view = a_view(minute_bars=(a_minute(price, minutes_ago=minutes_ago),))
        return Asked(buy(), view, {"quick_move": Decimal("0.05"), "quick_move_minutes": 5})

    def priced(price: int, reference: int) -> Asked:
        intent = buy(limit_price=price, reference_price=reference)
        return Asked(intent, a_view(), {"price_collar": Decimal("0.05")})

    # half a per cent of 398,010 are 1,990.05 won, of 402,010 are 2,010.05
    yield Boundary("CORPORATE_ACTION", "down", BEHIND_IT, lambda n: closed(398_010 - n))
    yield Boundary("CORPORATE_ACTION", "up", BEHIND_IT, lambda n: closed(402_010 + n))
    yield Boundary(
        "SUDDEN_MOVE", "up", FROM_IT_ON, lambda n: moved(440_000 + n), limit="sudden_move"
    )
    yield Boundary("SUDDEN_MOVE", "down", FROM_IT_ON, lambda n: moved(360_000 - n))
    yield Boundary(
        "QUICK_MOVE", "up", FROM_IT_ON, lambda n: ran(420_000 + n, minutes_ago=1), "quick_move"
    )
    # 1.05 x 380,952.4 is 400,000
    yield Boundary("QUICK_MOVE", "down", FROM_IT_ON, lambda n: ran(380_952 - n, minutes_ago=1))
    yield Boundary(
        "QUICK_MOVE",
        "seconds",
        BEFORE_IT,
        lambda n: ran(440_000, minutes_ago=5 + n / 60),
        "quick_move_minutes",
    )
    yield Boundary("PRICE_COLLAR", "up", BEHIND_IT, lambda n: priced(420_000 + n, 0))
    yield Boundary("PRICE_COLLAR", "down", BEHIND_IT, lambda n: priced(380_000 - n, 0))
    # 400,000 is 5 % above 380,952.4
    yield Boundary(
        "PRICE_COLLAR", "signal", BEHIND_IT, lambda n: priced(400_000, 380_953 - n), "price_collar"
    )


def _of_pace() -> Iterator[Boundary]:
    def sent(count: int, *, seconds_ago: float) -> Asked:
        at = NOW - timedelta(seconds=seconds_ago)
        orders = tuple(_sent(number, at=at) for number in range(count))
        return Asked(buy(), a_view(day_orders=orders), {"orders_per_minute": 3})

    def refused(count: int, *, seconds_ago: float = 1) -> Asked:
        at = NOW - timedelta(seconds=seconds_ago)
        orders = tuple(_sent(n, at=at).reject("APBK0000", "no", at=at) for n in range(count))
        limits = {"reject_streak": 3, "symbol_failures": 3, "failure_cooldown_minutes": 30}
        return Asked(buy(), a_view(day_orders=orders), limits)

    def stopped(since: int) -> Asked:
        view = a_view(past=Past(sessions_since_stop=since))
        return Asked(buy(), view, {"stop_cooldown_sessions": 2})

    def beside(quantity: int) -> Asked:
        return Asked(buy(quantity), a_view(open_orders=(an_open_buy(7),)))

    yield Boundary("DUPLICATE", "its equal", AT_IT_ALONE, lambda n: beside(7 + n))
    yield Boundary(
        "ORDER_RATE",
        "count",
        FROM_IT_ON,
        lambda n: sent(3 + n, seconds_ago=1),
        "orders_per_minute",
    )
    yield Boundary("ORDER_RATE", "seconds", BEFORE_IT, lambda n: sent(3, seconds_ago=60 + n))
    yield Boundary("REJECT_STREAK", "", FROM_IT_ON, lambda n: refused(3 + n), "reject_streak")
    yield Boundary("FAILURE_COOLDOWN", "", FROM_IT_ON, lambda n: refused(3 + n), "symbol_failures")
    yield Boundary(
        "FAILURE_COOLDOWN",
        "seconds",
        BEFORE_IT,
        lambda n: refused(3, seconds_ago=1800 + n),
        "failure_cooldown_minutes",
    )
    yield Boundary(
        "STOP_COOLDOWN", "", BEFORE_IT, lambda n: stopped(2 + n), "stop_cooldown_sessions"
    )


def _sent(number: int, *, at: Any, **changes: Any) -> Order:
    intent = buy(client_order_id=f"sent-{number}", strategy_id="other", **changes)
    return Order.initialize(intent).submit(at=at)


def _of_loss() -> Iterator[Boundary]:
    def lost(won: int, *, open_orders: tuple[Order, ...] = ()) -> Asked:
        return Asked(buy(), a_view(ledger=a_ledger(CASH - won), open_orders=open_orders))

    def days(count: int) -> Asked:
        return Asked(buy(), a_view(past=Past(losing_days=count)), {"losing_days": 3})

    def trades(count: int) -> Asked:
        return Asked(buy(), a_view(past=Past(losing_trades=count)), {"losing_trades": 3})

    # 50 shares at 400,200 cost 10,000 more than they are worth, and 3,001 commission
    dear = (in_doubt(an_open_buy(50, limit_price=400_200)),)
    yield Boundary("DAILY_LOSS", "", FROM_IT_ON, lambda n: lost(2_000_000 + n), "daily_loss")
    yield Boundary(
        "DAILY_LOSS",
        "in doubt",
        FROM_IT_ON,
        lambda n: lost(2_000_000 - 13_001 + n, open_orders=dear),
    )
    yield Boundary("DRAWDOWN", "", FROM_IT_ON, lambda n: lost(20_000_000 + n), "drawdown")
    yield Boundary(
        "DRAWDOWN",
        "in doubt",
        FROM_IT_ON,
        lambda n: lost(20_000_000 - 13_001 + n, open_orders=dear),
    )
    yield Boundary("LOSING_STREAK", "", FROM_IT_ON, lambda n: days(3 + n), "losing_days")
    yield Boundary("LOSING_TRADES", "", FROM_IT_ON, lambda n: trades(3 + n), "losing_trades")


def _of_size() -> Iterator[Boundary]:
    doubtful = in_doubt(an_open_buy(10))
    leaving = in_doubt(an_open_buy(6, side=Side.SELL))
    several = (SAMSUNG, HYUNDAI)

    def quantity(ordered: int, *open_orders: Order) -> Asked:
        view = a_view(open_orders=open_orders)
        return Asked(buy(ordered), view, {"maximum_quantity_per_symbol": 10})

    def weight(ordered: int, *open_orders: Order) -> Asked:
        return Asked(buy(ordered), a_view(costs=FREE, open_orders=open_orders))

    def held(count: int) -> Asked:
        shares = {f"_{symbol}": 1 for symbol in several[:count]}
        return Asked(buy(), a_view(ledger=a_ledger(**shares)), {"maximum_holdings": 2})

    def ordered(count: int) -> Asked:
        orders = tuple(in_doubt(an_open_buy(symbol=symbol)) for symbol in several[:count])
        view = a_view(open_orders=orders)
        return Asked(buy(symbol=NAVER), view, {"maximum_holdings": 2})

    def day(limit: int) -> Asked:
        filled = an_open_buy(10, client_order_id="filled").fill(10, 4_000_000, at=NOW)
        view = a_view(open_orders=(doubtful,), day_orders=(filled, doubtful))
        return Asked(buy(10), view, {"maximum_daily_value": limit})

    def cash(won: int, *open_orders: Order) -> Asked:
        return Asked(buy(10), a_view(ledger=a_ledger(won), open_orders=open_orders))

    def shares(count: int, *open_orders: Order) -> Asked:
        view = a_view(ledger=a_ledger(_051910=10), open_orders=open_orders)
        return Asked(sell(count), view)

    yield Boundary(
        "MAXIMUM_ORDER_VALUE",
        "",
        BEHIND_IT,
        lambda n: Asked(buy(10), a_view(), {"maximum_order_value": COST - n}),
        "maximum_order_value",
    )
    yield Boundary(
        "MAXIMUM_DAILY_VALUE",
        "in doubt",
        BEHIND_IT,
        lambda n: day(4_000_000 + 2 * COST - n),
        "maximum_daily_value",
    )
    yield Boundary(
        "MAXIMUM_QUANTITY", "", BEHIND_IT, lambda n: quantity(10 + n), "maximum_quantity_per_symbol"
    )
    four = in_doubt(an_open_buy(4))
    yield Boundary("MAXIMUM_QUANTITY", "in doubt", BEHIND_IT, lambda n: quantity(6 + n, four))
    yield Boundary("MAXIMUM_WEIGHT", "", BEHIND_IT, lambda n: weight(50 + n), "maximum_weight")
    yield Boundary("MAXIMUM_WEIGHT", "in doubt", BEHIND_IT, lambda n: weight(40 + n, doubtful))
    yield Boundary("MAXIMUM_HOLDINGS", "", BEHIND_IT, lambda n: held(1 + n), "maximum_holdings")
    yield Boundary("MAXIMUM_HOLDINGS", "in doubt", BEHIND_IT, lambda n: ordered(1 + n))
    yield Boundary("CASH", "won", BEHIND_IT, lambda n: cash(COST - n))
    yield Boundary("CASH", "in doubt", BEHIND_IT, lambda n: cash(2 * COST - n, doubtful))
    yield Boundary("SELLABLE", "shares", BEHIND_IT, lambda n: shares(10 + n))
    yield Boundary("SELLABLE", "in doubt", BEHIND_IT, lambda n: shares(4 + n, leaving))
