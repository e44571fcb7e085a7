"""This is where tests get an order from that one rule refuses: every rule, and each of its reasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from risk.gate import RiskRule
from risk.limits import RiskLimits
from risk.rules import rules_for
from risk.views import Past, RiskView
from tests.builders import A_DAY, LG_CHEM, SAMSUNG
from tests.risk_views import (
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
from trading.halts import Halt, TradingState
from trading.instruments import Instrument, Symbol
from trading.orders import OrderIntent
from trading.positions import Position
from trading.sessions import Phase


@dataclass(frozen=True)
class Refusal:
    """An order and a view of which a rule says no; `limits` replace those of the channel."""

    rule_id: str
    intent: OrderIntent
    view: RiskView
    limits: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rule(self) -> RiskRule:
        """The rule with its limit."""
        rules = rules_for(RiskLimits().model_copy(update=dict(self.limits)))
        return next(rule for rule in rules if rule.rule_id == self.rule_id)


def refusals() -> Iterator[Refusal]:
    """Give every reason of every rule."""
    yield from _of_the_market()
    yield from _of_pace()
    yield from _of_size()
    yield from _of_loss()


def _of_the_market() -> Iterator[Refusal]:
    halt = Halt("operator", TradingState.HALTED, "점검", NOW)
    listed = {LG_CHEM: Instrument(LG_CHEM, "LG화학", listed_on=A_DAY)}
    old = {SAMSUNG: a_quote(SAMSUNG, at=NOW - timedelta(hours=1))}
    yield Refusal("HALTED", buy(), a_view(halts=(halt,)))
    yield Refusal("MARKET_CLOSED", buy(), a_view(phase=Phase.CLOSED))
    yield Refusal("MARKET_CLOSED", buy(), a_view(phase=None))
    yield Refusal("STANDING", buy(), a_view(quotes={LG_CHEM: a_quote(is_halted=True)}))
    yield Refusal("STANDING", buy(), a_view(instruments={}))
    yield Refusal("LISTING_DAY", buy(), a_view(instruments=listed))
    yield Refusal("CORPORATE_ACTION", buy(), a_view(past=Past(previous_close=800_000)))
    yield Refusal("STALE_DATA", buy(), a_view(quotes={}))
    yield Refusal("STALE_DATA", buy(symbol=SAMSUNG), a_view(quotes=old))
    yield Refusal("STALE_DATA", buy(), a_view(ledger=a_ledger(_005930=1), quotes=old))
    jumped = {LG_CHEM: a_quote(base_price=300_000)}
    yield Refusal("SUDDEN_MOVE", buy(), a_view(quotes=jumped))
    minutes = (a_minute(430_000, minutes_ago=1),)
    yield Refusal("QUICK_MOVE", buy(), a_view(minute_bars=minutes))
    yield Refusal("PRICE_COLLAR", buy(limit_price=500_000), a_view())


def _of_pace() -> Iterator[Refusal]:
    opened = an_open_buy(strategy_id="trend", client_order_id="20180116-051910-B-1")
    sent = (an_open_buy(created_at=NOW),)
    refused = (in_doubt(an_open_buy()).reject("APBK0000", "no", at=NOW),)
    yield Refusal("DUPLICATE", buy(), a_view(open_orders=(opened,)))
    yield Refusal("ORDER_RATE", buy(), a_view(day_orders=sent), {"orders_per_minute": 1})
    yield Refusal("REJECT_STREAK", buy(), a_view(day_orders=refused), {"reject_streak": 1})
    yield Refusal("FAILURE_COOLDOWN", buy(), a_view(day_orders=refused), {"symbol_failures": 1})
    yield Refusal("STOP_COOLDOWN", buy(), a_view(past=Past(sessions_since_stop=0)))


def _of_size() -> Iterator[Refusal]:
    symbols = [Symbol(f"{n:06d}") for n in range(10)]
    crowd = {symbol: Position(symbol, quantity=1, cost=1) for symbol in symbols}
    yield Refusal("MAXIMUM_ORDER_VALUE", buy(250), a_view())
    yield Refusal("MAXIMUM_DAILY_VALUE", buy(1_250), a_view())
    yield Refusal("MAXIMUM_QUANTITY", buy(10_001), a_view())
    yield Refusal("MAXIMUM_WEIGHT", buy(100), a_view())
    yield Refusal("MAXIMUM_WEIGHT", buy(), a_view(ledger=a_ledger(cash=0)))
    yield Refusal("MAXIMUM_HOLDINGS", buy(), a_view(ledger=replace(a_ledger(), positions=crowd)))
    yield Refusal("CASH", buy(), a_view(ledger=a_ledger(cash=1_000)))
    yield Refusal("SELLABLE", sell(), a_view())


def _of_loss() -> Iterator[Refusal]:
    yield Refusal("DAILY_LOSS", buy(), a_view(equity_opening=110_000_000))
    yield Refusal("DAILY_LOSS", buy(), a_view(equity_opening=None))
    yield Refusal("DRAWDOWN", buy(), a_view(past=Past(depth=Decimal("-0.2"))))
    yield Refusal("DRAWDOWN", buy(), a_view(equity_opening=None))
    yield Refusal("LOSING_STREAK", buy(), a_view(past=Past(losing_days=7)))
    yield Refusal("LOSING_TRADES", buy(), a_view(past=Past(losing_trades=5)))
