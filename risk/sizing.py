"""This is how a signal becomes an order: how many whole shares, at which price, of which type."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from risk.limits import RiskLimits
from risk.views import RiskView
from trading.decisions import Breach
from trading.errors import InvalidSetting
from trading.instruments import Symbol
from trading.krx import round_price
from trading.orders import OrderIntent, OrderType, Side, client_order_id
from trading.signals import Direction, Signal

MARKET_TRIGGER: Final = "stop"
"""The trigger whose exits are market orders whatever the settings say: a stop must get out."""

SMALLEST_CHANGE: Final = Decimal("0.005")
"""The part of equity by which a holding may lie beside its target weight: a smaller order costs more than it brings."""

SIZING: Final = "SIZING"
"""The rule id of a refusal to size: there is no order that could be checked."""


type Lot = tuple[Side, int]
"""Which way, and how many shares."""


class SizingSettings(BaseModel):
    """How large an entry is and how far from the last price an order may fill."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    target_weight: Decimal = Field(
        default=Decimal("0.10"), gt=0, le=1, description="fraction of equity per entry"
    )
    limit_offset: Decimal = Field(
        default=Decimal("0.01"),
        ge=0,
        le=Decimal("0.29"),
        description="fraction of the last price that a limit order may pay more or take less",
    )
    exit_type: OrderType = Field(
        default=OrderType.MARKET,
        description="type of target and cross exits; a LIMIT that the market leaves behind keeps us in."
        " A stop is always MARKET",
    )

    def require_within(self, limits: RiskLimits) -> None:
        """Check that an entry of the target weight can pass the gate at all.

        Raises:
            InvalidSetting: when it cannot.
        """
        if self.target_weight > limits.maximum_weight:
            expected = f"at most risk.maximum_weight={limits.maximum_weight}"
            raise InvalidSetting("sizing.target_weight", self.target_weight, expected)
        if self.limit_offset > limits.price_collar:
            expected = f"at most risk.price_collar={limits.price_collar}"
            raise InvalidSetting("sizing.limit_offset", self.limit_offset, expected)


@dataclass(frozen=True, slots=True)
class EntrySize:
    """How large one entry shall be: so many shares, else what a `budget` in won buys, commission included."""

    budget: int = 0
    quantity: int | None = None


def size(
    signal: Signal,
    view: RiskView,
    settings: SizingSettings,
    *,
    owned: int | None = None,
    sequence: int = 0,
    entry: EntrySize | None = None,
) -> OrderIntent | Breach:
    """Turn a signal into an order, or say with the figures why there can be none.

    An entry takes the target weight of equity times the signal's strength, commission included, and no more
    than the available cash; it is a limit order. An entry that names its own target weight buys or sells what the
    strategy's holding differs from it, whole shares, nothing for less than `SMALLEST_CHANGE`. An exit takes every sellable share, at most the `owned` ones
    of the signal's strategy (None: all are its own). It takes one share less than an open order that would
    otherwise be its equal, because the broker's book could not tell the two apart. `sequence` tells a deliberate
    second order for the same signal from the first. `entry` takes the place of the settings' target weight.
    """
    is_entry = signal.direction is Direction.ENTRY
    needed = view.exposed_symbols | {signal.symbol} if is_entry else {signal.symbol}
    is_market = _is_market(signal, settings)
    unknown = sorted(s for s in needed if not _is_priced(s, view, needs_limits=not is_market))
    if unknown:
        return Breach(SIZING, f"no price for {', '.join(unknown)}", {"unknown": ", ".join(unknown)})
    lot = _lot(signal, view, settings, owned, entry)
    if isinstance(lot, Breach):
        return lot
    side, wanted = lot
    price = None if is_market else limit_price(signal.symbol, side, view, settings)
    quantity = _unlike_open(wanted, signal.symbol, side, price, view)
    if not quantity:
        message = f"open orders have every quantity up to {wanted:,} at this price"
        return Breach(SIZING, message, {"alike": str(wanted)})
    return _intent(signal, view, side=side, quantity=quantity, price=price, sequence=sequence)


def limit_price(symbol: Symbol, side: Side, view: RiskView, settings: SizingSettings) -> int:
    """Give the worst price that an order may trade at: the offset from the last price, on the grid.

    Rounded in our favour (buy down, sell up) and held within the day's price limits.
    """
    quote, instrument = view.quotes[symbol], view.instruments[symbol]
    factor = 1 + settings.limit_offset if side is Side.BUY else 1 - settings.limit_offset
    rounded = round_price(
        quote.last * factor,
        side,
        on=view.trading_day,
        market=instrument.market,
        kind=instrument.kind,
    )
    return min(max(rounded, quote.lower_limit), quote.upper_limit)


def _is_market(signal: Signal, settings: SizingSettings) -> bool:
    if signal.direction is Direction.ENTRY:
        return False
    return signal.trigger == MARKET_TRIGGER or settings.exit_type is OrderType.MARKET


def _is_priced(symbol: Symbol, view: RiskView, *, needs_limits: bool) -> bool:
    """Tell whether there is a price; the day's limits, which liquidation trading has none of, only if needed."""
    quote = view.quotes.get(symbol)
    if quote is None or symbol not in view.instruments:
        return False
    return quote.last > 0 and (not needs_limits or min(quote.lower_limit, quote.upper_limit) > 0)


def _lot(
    signal: Signal,
    view: RiskView,
    settings: SizingSettings,
    owned: int | None,
    entry: EntrySize | None,
) -> Lot | Breach:
    """Say how many shares to buy or sell."""
    if signal.direction is Direction.EXIT:
        return _exit(signal, view, owned)
    if signal.target_weight is not None:
        return _adjustment(signal, view, settings, owned, weight=signal.target_weight)
    if entry is None:
        entry = EntrySize(int(view.equity * settings.target_weight * signal.strength))
    if entry.quantity is not None:
        return Side.BUY, entry.quantity
    return _entry(signal, view, settings, entry.budget)


def _adjustment(
    signal: Signal, view: RiskView, settings: SizingSettings, owned: int | None, *, weight: Decimal
) -> Lot | Breach:
    """Buy or sell what the holding differs from its target, both at the last price."""
    held = view.ledger.position(signal.symbol).quantity if owned is None else owned
    last = view.quotes[signal.symbol].last
    target, value = int(view.equity * weight), held * last
    smallest = max(last, int(view.equity * SMALLEST_CHANGE))
    if held and abs(target - value) < smallest:
        figures = {"target": str(target), "value": str(value), "smallest": str(smallest)}
        return Breach(SIZING, f"{value:,} won held, {target:,} won wanted: near enough", figures)
    if target >= value:
        return _entry(signal, view, settings, target - value)
    return _exit(signal, view, min(held, (value - target) // last))


def _entry(signal: Signal, view: RiskView, settings: SizingSettings, budget: int) -> Lot | Breach:
    price = limit_price(signal.symbol, Side.BUY, view, settings)
    funds = min(budget, view.available_cash)
    quantity = _affordable(signal.symbol, max(0, funds), price, view)
    if quantity:
        return Side.BUY, quantity
    figures = {
        "budget": str(budget),
        "available": str(view.available_cash),
        "limit_price": str(price),
    }
    message = f"one share at {price:,} won is more than {funds:,}"
    return Breach(SIZING, message, figures)


def _affordable(symbol: Symbol, funds: int, price: int, view: RiskView) -> int:
    """Give the most shares that the funds pay, commission included.

    That is between what they pay without one and a part of it: what a share costs of `most` is at most what floored
    charges leave out, a won in all, too cheap.
    """

    def cost(quantity: int) -> int:
        return view.cost(symbol, quantity, price)

    most = funds // price
    if not most:
        return 0
    least = min(most, max(0, most * (funds - view.costs.unit) // cost(most)))
    return bisect_right(range(most + 1), funds, lo=least, key=cost) - 1


def _unlike_open(wanted: int, symbol: Symbol, side: Side, price: int | None, view: RiskView) -> int:
    """Give the largest quantity up to `wanted` by which the order differs from all whose row may turn up; 0 if none."""
    taken = {
        order.quantity
        for order in (*view.open_orders, *view.day_orders)
        if order.may_turn_up
        and (order.symbol, order.side, order.intent.limit_price) == (symbol, side, price)
    }
    return next((quantity for quantity in range(wanted, 0, -1) if quantity not in taken), 0)


def _exit(signal: Signal, view: RiskView, owned: int | None) -> Lot | Breach:
    sellable = view.sellable_quantity(signal.symbol)
    quantity = sellable if owned is None else min(owned, sellable)
    if quantity > 0:
        return Side.SELL, quantity
    figures = {"sellable": str(sellable), "owned": "all" if owned is None else str(owned)}
    return Breach(SIZING, f"nothing of {signal.symbol} to sell", figures)


def _intent(
    signal: Signal, view: RiskView, *, side: Side, quantity: int, price: int | None, sequence: int
) -> OrderIntent:
    signal_id = signal.signal_id
    return OrderIntent(
        client_order_id=client_order_id(
            channel=view.channel,
            account=view.account,
            strategy_id=signal.strategy_id,
            symbol=signal.symbol,
            side=side,
            trading_day=signal.trading_day,
            signal_id=signal_id,
            sequence=sequence,
        ),
        channel=view.channel,
        account=view.account,
        strategy_id=signal.strategy_id,
        symbol=signal.symbol,
        side=side,
        quantity=quantity,
        order_type=OrderType.MARKET if price is None else OrderType.LIMIT,
        limit_price=price,
        trading_day=signal.trading_day,
        signal_id=signal_id,
        reason=signal.reason,
        created_at=view.at,
        reference_price=signal.reference_price,
        parameter_hash=signal.parameter_hash,
    )
