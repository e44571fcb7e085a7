"""This is parity: what an account did against what its strategies would have done on the same days, to the won."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from backtest.attribution import Money, attribute
from backtest.decisions import Decision, compare_decisions
from backtest.episodes import Episode, Key, episodes_of
from backtest.recordings import Recording, replay
from trading.sessions import TradingCalendar, seoul_date


@dataclass(frozen=True, slots=True)
class Holding:
    """One round trip that both made: for how many sessions the account and its replay held it."""

    strategy_id: str
    symbol: str
    since: date
    sessions: int
    modelled: int


@dataclass(frozen=True, slots=True)
class ParityReport:
    """What came out. `looks` counts the closed bars at which the strategies looked, with or without a signal."""

    first: date
    last: date
    looks: int
    decisions: tuple[Decision, ...]
    money: Money
    holdings: tuple[Holding, ...]

    @property
    def unequal(self) -> tuple[Decision, ...]:
        """The decisions that only one of them made."""
        return tuple(decision for decision in self.decisions if not decision.is_equal)

    @property
    def is_equal(self) -> bool:
        """Whether every decision is equal and every won explained."""
        return not self.unequal and self.money.unexplained == 0


def compare(recording: Recording, calendar: TradingCalendar) -> ParityReport:
    """Replay the recorded days and hold the account against it.

    Raises:
        BadInput: when settings and bars do not fit, or a close is missing.
    """
    modelled = replay(recording, calendar)
    decisions, looks = compare_decisions(recording, calendar)
    sides = (recording.actual, modelled)
    actual, model = (episodes_of(side, recording, recording.strategies) for side in sides)
    return ParityReport(
        first=recording.first,
        last=recording.last,
        looks=looks,
        decisions=decisions,
        money=attribute(recording, modelled),
        holdings=tuple(_holdings(actual, model, calendar)),
    )


def _holdings(
    actual: Mapping[Key, Episode], model: Mapping[Key, Episode], calendar: TradingCalendar
) -> list[Holding]:
    found = []
    for key in actual.keys() & model.keys():
        spans = [_span(episodes[key]) for episodes in (actual, model)]
        if all(spans):
            (since, until), (other_since, other_until) = (span for span in spans if span)
            sessions = len(calendar.trading_days(since, until))
            modelled = len(calendar.trading_days(other_since, other_until))
            found.append(Holding(key[0], key[1], since, sessions, modelled))
    return sorted(found, key=lambda holding: (holding.since, holding.strategy_id, holding.symbol))


def _span(episode: Episode) -> tuple[date, date] | None:
    """Give first and last day of a round trip that began here and is over."""
    begun = episode.buys.first_at
    ends = [leg.last_at for leg in (episode.sells, episode.lost) if leg.last_at]
    if episode.carried or episode.held or begun is None or not ends:
        return None
    return seoul_date(begun), seoul_date(max(ends))
