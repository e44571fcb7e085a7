"""This is where the money between a replay and an account went, to the won.

An account's result over some days is, for every fill, shares times (last close - price), minus charges; what was
held before gains the same in both. So the difference of two results is a sum over fills, and every part of it has
one cause. Within one holding, shares that both traded differ by price or timing; shares that one of them alone
traded count from their price to the last close, and the cause is what kept the other from it. Shares that were
never bought cannot be sold: they keep the cause of the purchase.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import Final

from backtest.episodes import Episode, Key, Leg, Owner, episodes_of
from backtest.recordings import Happened, Recording
from backtest.scales import recounted, wanted
from trading.manual_orders import MANUAL
from trading.orders import Order, OrderStatus
from trading.sessions import seoul_date, session_of

AT_ONCE: Final = timedelta(minutes=1)
"""What fills within a minute of the replay's fill is no other moment."""

_DAY: Final = timedelta(days=1)


class Cause(StrEnum):
    """Why an account and its replay earned differently."""

    PRICE = "price"
    """The same shares at the same moment, at another price."""
    TIMING = "timing"
    """The same shares at another moment."""
    FEES = "fees"
    TAX = "tax"
    FILLS = "fills"
    """One of them filled more of its order, down to nothing of it."""
    SIZE = "size"
    """One of them ordered more shares, because equity or cash differed by then."""
    DENIAL = "denial"
    """The risk gate refused one of them."""
    DECISION = "decision"
    """One of them had no such signal."""
    SPLIT = "split"
    """Shares that a split made of those traded before it: the replay has them, the account's own book does not."""
    MANUAL = "manual"
    """Traded by hand, or taken over from the broker."""


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of the difference: won that the account earned more (or less) than its replay."""

    cause: Cause
    amount: int
    strategy_id: str
    symbol: str
    shares: int = 0


@dataclass(frozen=True, slots=True)
class Money:
    """Both results in won, and all parts of their difference."""

    actual: int
    modelled: int
    parts: tuple[Part, ...]

    @property
    def difference(self) -> int:
        """Won that the account earned more than its replay."""
        return self.actual - self.modelled

    @property
    def unexplained(self) -> int:
        """Won of the difference that no part explains: 0, or something is wrong."""
        return self.difference - sum(part.amount for part in self.parts)

    def of(self, cause: Cause) -> int:
        """Add up one cause."""
        return sum(part.amount for part in self.parts if part.cause is cause)


def attribute(recording: Recording, modelled: Happened) -> Money:
    """Compare the results of both books, and explain the difference from the fills alone.

    Raises:
        BadInput: for a symbol that was held or traded and has no close.
    """
    before = recording.worth(recording.opening, until=recording.first - _DAY) + recording.paid_in
    actual, model = (
        recording.worth(book, until=recording.last) - before
        for book in (recording.actual.closing, modelled.closing)
    )
    parts = _summed(_Attribution(recording, modelled).parts())
    return Money(actual - recording.taken_over, model, tuple(parts))


def _summed(parts: Iterable[Part]) -> Iterator[Part]:
    """Add up the parts of one cause, strategy and symbol; leave out what comes to nothing."""
    sums: dict[tuple[Cause, str, str], Part] = {}
    for part in parts:
        key = (part.cause, part.strategy_id, part.symbol)
        known = sums.get(key, Part(*key[:1], 0, *key[1:]))
        amount, shares = known.amount + part.amount, known.shares + part.shares
        sums[key] = replace(known, amount=amount, shares=shares)
    return (part for part in sums.values() if part.amount)


class _Attribution:
    """All fills of both sides, holding by holding."""

    def __init__(self, recording: Recording, modelled: Happened) -> None:
        self._recording = recording
        self._actual, self._model = recording.actual, modelled
        self._strategies = recording.strategies
        self._fates = Fates(recording.actual, partial(wanted, recording)), Fates(modelled)

    def parts(self) -> Iterator[Part]:
        """Give every part, those of 0 won too."""
        sides = (self._actual, self._model)
        actual, model = (episodes_of(s, self._recording, self._strategies) for s in sides)
        for key in dict.fromkeys((*model, *actual)):
            yield from self._holding(key, actual.get(key, Episode()), model.get(key, Episode()))
        yield from self._charges()
        yield from self._by_splits()
        yield from self._by_hand()

    def _holding(self, key: Key, actual: Episode, model: Episode) -> Iterator[Part]:
        """Explain one holding: what both traded, then what one of them traded alone."""
        strategy, symbol, _ = key
        close = self._recording.close(symbol, until=self._recording.last)
        buys = self._causes(actual.buys, model.buys)
        missing = model.buys.quantity - actual.buys.quantity
        unsold = model.sells.quantity - actual.sells.quantity
        known = _inherited(buys, missing, unsold)
        known = (*known, *_lost(actual, unsold - sum(shares for _, shares in known)))
        known = (*known, *_born(actual, unsold, sum(shares for _, shares in known)))
        sells = (*known, *self._causes(actual.sells, model.sells, known=known))
        for sign, ours, theirs, causes in (
            (1, actual.buys, model.buys, buys),
            (-1, actual.sells, model.sells, sells),
        ):
            both = min(ours.quantity, theirs.quantity)
            amount = sign * (theirs.part(both) - ours.part(both))
            yield Part(_moment(ours, theirs), amount, strategy, symbol, both)
            alone = _rest(ours, both, close) - _rest(theirs, both, close)
            for cause, shares, won in _shared(causes, sign * alone):
                yield Part(cause, won, strategy, symbol, shares)

    def _causes(self, ours: Leg, theirs: Leg, *, known: Causes = ()) -> Causes:
        """Say what kept one side from the shares that the other traded alone, beside those whose cause is known."""
        lacks = theirs.quantity - ours.quantity
        shares = abs(lacks) - sum(count for _, count in known)
        if shares == 0:
            return ()
        less, more, fates = (
            (ours, theirs, self._fates[0]) if lacks > 0 else (theirs, ours, self._fates[1])
        )
        return fates.causes(less, more, shares)

    def _charges(self) -> Iterator[Part]:
        for sign, side in ((-1, self._actual), (1, self._model)):
            for fill in side.executions:
                if fill.strategy_id != MANUAL:
                    owner = (fill.strategy_id, fill.symbol)
                    yield Part(Cause.FEES, sign * fill.commission, *owner)
                    yield Part(Cause.TAX, sign * fill.tax, *owner)

    def _by_splits(self) -> Iterator[Part]:
        """Take out again what splits made of the fills: the account's book has the shares that were traded."""
        recording = self._recording
        for fill in self._actual.executions:
            born = recounted(recording, fill).share_change - fill.share_change
            if born and fill.strategy_id in self._strategies:
                worth = born * recording.close(fill.symbol, until=recording.last)
                yield Part(Cause.SPLIT, -worth, fill.strategy_id, fill.symbol, abs(born))

    def _by_hand(self) -> Iterator[Part]:
        """Give what no strategy did: fills by hand, and shares taken over since the opening."""
        recording, last = self._recording, self._recording.last
        left = Counter[Owner]()
        for sign, book in ((1, recording.actual.closing), (-1, recording.opening)):
            for symbol, position in book.positions.items():
                left["", symbol] += sign * position.quantity
        for fill in recording.actual.executions:
            shares = fill.share_change
            left["", fill.symbol] -= shares
            if fill.strategy_id == MANUAL:
                owner = (fill.strategy_id, fill.symbol)
                left[owner] += shares
                yield Part(Cause.MANUAL, fill.cash_change, *owner, fill.quantity)
        for (strategy, symbol), shares in left.items():
            if shares:  # what was sold again needs no price
                worth = shares * recording.close(symbol, until=last)
                yield Part(Cause.MANUAL, worth, strategy, symbol, 0 if strategy else abs(shares))
        yield Part(Cause.MANUAL, -recording.taken_over, "", "")


type Causes = tuple[tuple[Cause, int], ...]
"""What kept somebody from how many shares."""


class Fates:
    """What became of the signals on one side."""

    def __init__(
        self, side: Happened, shares: Callable[[Order], int] = lambda order: order.quantity
    ) -> None:
        """Sort its orders by their signal; `shares` tells how many each was for."""
        self._shares = shares
        self._known = {signal.signal_id for signal in side.signals}
        self._orders: dict[str, list[Order]] = {}
        for order in side.orders:
            self._orders.setdefault(order.intent.signal_id, []).append(order)

    def causes(self, own: Leg, other: Leg, shares: int) -> Causes:
        """Say why `shares` of the other side's were not traded on this one: what its orders lack, then what it did not order."""
        found, left = [], shares
        for cause, count in (*self._unfilled(own), *self._missed(own, other), (Cause.SIZE, shares)):
            taken = min(count, left)
            left -= taken
            if taken:
                found.append((cause, taken))
        return tuple(found)

    def _unfilled(self, own: Leg) -> Iterator[tuple[Cause, int]]:
        for signal, filled in own.signals.items():
            yield Cause.FILLS, max(self._wanted(signal) - filled, 0)

    def _missed(self, own: Leg, other: Leg) -> Iterator[tuple[Cause, int]]:
        """Give what became of each signal from which the other side alone has traded."""
        for signal, filled in other.signals.items():
            orders = self._orders.get(signal, ())
            if signal in own.signals:
                continue
            if signal not in self._known:
                yield Cause.DECISION, filled
            elif not orders:
                yield Cause.SIZE, filled  # nothing could be ordered: no money, nothing to sell
            elif all(order.status is OrderStatus.DENIED for order in orders):
                yield Cause.DENIAL, filled
            else:
                yield Cause.FILLS, min(self._wanted(signal), filled)

    def _wanted(self, signal: str) -> int:
        """Give the shares of a signal's largest order: one that followed it was for what it had left."""
        sent = (o for o in self._orders.get(signal, ()) if o.status is not OrderStatus.DENIED)
        return max(map(self._shares, sent), default=0)


def _inherited(buys: Causes, missing: int, unsold: int) -> Causes:
    """Give the causes of shares that were not sold because they were never bought."""
    if missing * unsold <= 0:
        return ()
    found, left = [], min(abs(unsold), abs(missing))
    for cause, count in buys:
        found.append((cause, min(count, left)))
        left -= min(count, left)
    return tuple((cause, count) for cause, count in found if count)


def _lost(actual: Episode, unsold: int) -> Causes:
    """Give the cause of shares that the strategy did not sell because the owner had."""
    by_hand = min(actual.lost.quantity, unsold)
    return ((Cause.MANUAL, by_hand),) if by_hand > 0 else ()


def _born(actual: Episode, unsold: int, known: int) -> Causes:
    """Give the cause of shares that only one side had to sell because a split had made them."""
    shares = min(abs(actual.born), abs(unsold) - known)
    return ((Cause.SPLIT, shares),) if actual.born * unsold > 0 and shares > 0 else ()


def _moment(ours: Leg, theirs: Leg) -> Cause:
    """Tell a price from a moment; the replay does not know when within a day a level was reached."""
    if ours.first_at is None or theirs.first_at is None:
        return Cause.PRICE
    day, model_day = seoul_date(ours.first_at), seoul_date(theirs.first_at)
    opens_at = session_of(model_day).opens_at
    is_known = theirs.first_at == opens_at
    if day != model_day or (is_known and ours.first_at > opens_at + AT_ONCE):
        return Cause.TIMING
    return Cause.PRICE


def _rest(leg: Leg, both: int, close: int) -> int:
    """Give what the shares beyond `both` gained up to the last close, as if bought."""
    return (leg.quantity - both) * close - (leg.value - leg.part(both))


def _shared(causes: Causes, amount: int) -> Iterator[tuple[Cause, int, int]]:
    """Share won out by shares; the last takes what rounding leaves."""
    total, left = sum(shares for _, shares in causes), amount
    for place, (cause, shares) in enumerate(causes, start=1):
        won = left if place == len(causes) else amount * shares // total
        left -= won
        yield cause, shares, won
