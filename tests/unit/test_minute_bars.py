"""This is bars made of prints: equal to the history, whatever comes late, twice or never."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest

from tests.builders import A_DAY, LG_CHEM, SAMSUNG, seoul
from trading.bars import Bar, Interval
from trading.instruments import Symbol
from trading.minute_bars import Arrival, Difference, MinuteBars
from trading.sessions import session_of
from trading.ticks import TradePrint

SESSION = session_of(A_DAY)
END = seoul(A_DAY, "15:40")


class Tape:
    """Prints of one symbol with the day's volume in each."""

    def __init__(self, symbol: Symbol = LG_CHEM, *, volume: int = 0) -> None:
        self.symbol, self.volume = symbol, volume

    def trade(self, time: str | datetime, price: int, quantity: int = 10) -> TradePrint:
        """Give the next print."""
        at = seoul(A_DAY, time) if isinstance(time, str) else time
        self.volume += quantity
        return TradePrint(self.symbol, price, quantity, at, self.volume)


def a_bar(
    time: str, first: int, high: int, low: int, last: int, *, volume: int, provisional: bool = False
) -> Bar:
    """Give a minute bar of the stream."""
    return Bar(
        LG_CHEM,
        Interval.MINUTE,
        A_DAY,
        seoul(A_DAY, time),
        first,
        high,
        low,
        last,
        volume=volume,
        source="stream",
        is_provisional=provisional,
        is_adjusted=False,
    )


def bars_of(prints: Iterable[TradePrint], until: datetime = END) -> tuple[Bar, ...]:
    """Count the prints and give the bars."""
    bars = MinuteBars(SESSION)
    for each in prints:
        bars.add(each)
    return bars.closed(until)


def test_a_bar_is_named_after_its_end_and_has_the_first_and_the_last_price() -> None:
    tape = Tape()
    prints = [
        tape.trade("09:00:00", 400_000, 5),
        tape.trade("09:00:30", 402_000),
        tape.trade("09:00:31", 399_000),
        tape.trade("09:00:59", 401_000),
        tape.trade("09:01:00", 400_500),
    ]
    assert bars_of(prints) == (
        a_bar("09:01", 400_000, 402_000, 399_000, 401_000, volume=35),
        a_bar("09:02", 400_500, 400_500, 400_500, 400_500, volume=10),
    )


def test_a_bar_is_given_once_and_not_before_its_minute_is_over() -> None:
    bars, tape = MinuteBars(SESSION), Tape()
    bars.add(tape.trade("09:00:00", 400_000))
    assert bars.closed(seoul(A_DAY, "09:00:59")) == ()
    assert len(bars.closed(seoul(A_DAY, "09:01:00"))) == 1
    assert bars.closed(END) == ()


def test_the_closing_auction_is_the_bar_of_half_past_three_whenever_it_ends() -> None:
    tape = Tape()
    prints = [
        tape.trade("09:00:00", 400_000),
        tape.trade("15:19:59", 401_000),
        tape.trade("15:30:00", 402_000, 300),
        tape.trade("15:30:29", 402_000, 20),  # a random end
    ]
    assert [(bar.at, bar.volume) for bar in bars_of(prints)] == [
        (seoul(A_DAY, "09:01"), 10),
        (seoul(A_DAY, "15:20"), 10),
        (seoul(A_DAY, "15:30"), 320),
    ]
    assert len(bars_of(prints, until=seoul(A_DAY, "15:30:59"))) == 2


@pytest.mark.parametrize("time", ["08:35:00", "15:25:00", "15:41:00"])
def test_trades_outside_continuous_trading_and_auctions_make_no_bar(time: str) -> None:
    tape = Tape()
    odd = tape.trade(time, 500_000)
    later = tape.trade("15:45:00", 1)
    assert bars_of([odd, later]) == ()


def test_an_interruption_leaves_a_gap_and_its_auction_falls_into_its_minute() -> None:
    """VI: two minutes and up to thirty seconds without a trade, expected prices meanwhile."""
    tape = Tape()
    before = tape.trade("10:00:10", 400_000, 100)
    expected = TradePrint(LG_CHEM, 440_000, 50, seoul(A_DAY, "10:01:00"), 100, is_auction=True)
    auction = tape.trade("10:02:20", 430_000, 50)
    bars = MinuteBars(SESSION)
    bars.add(before)
    assert bars.add(expected) is Arrival.REPEATED
    assert bars.add(auction) is Arrival.IN_ORDER
    found = bars.closed(END)
    assert [(f"{bar.at:%M}", bar.high, bar.volume) for bar in found] == [
        ("01", 400_000, 100),
        ("03", 430_000, 50),
    ]


def test_half_ticks_are_data() -> None:
    """Since March 2025 mid-point trades lie between two ticks: 194,350 on a grid of 100."""
    assert bars_of([Tape().trade("09:00:00", 194_350)])[0].close == 194_350


def test_a_print_sent_again_counts_once() -> None:
    tape, bars = Tape(), MinuteBars(SESSION)
    one = tape.trade("09:00:00", 400_000)
    two = tape.trade("09:00:02", 400_500)
    assert [bars.add(each) for each in (one, two, two, one)] == [
        Arrival.IN_ORDER,
        Arrival.IN_ORDER,
        Arrival.REPEATED,
        Arrival.REPEATED,
    ]
    assert bars.closed(END)[0].volume == 20


def test_a_lost_print_makes_every_minute_that_it_may_belong_to_provisional() -> None:
    tape, bars = Tape(), MinuteBars(SESSION)
    bars.add(tape.trade("09:00:00", 400_000))
    bars.add(tape.trade("09:01:50", 400_000))
    tape.trade("09:02:30", 400_000)  # lost
    bars.add(tape.trade("09:03:10", 400_000))
    bars.add(tape.trade("09:04:10", 400_000))
    assert [bar.is_provisional for bar in bars.closed(END)] == [False, True, True, False]
    assert bars.holes() == {LG_CHEM: (seoul(A_DAY, "09:01:50"), seoul(A_DAY, "09:03:10"))}


def test_a_hole_takes_back_what_was_said_of_a_minute() -> None:
    tape, bars = Tape(), MinuteBars(SESSION)
    bars.add(tape.trade("09:00:00", 400_000))
    assert [bar.is_provisional for bar in bars.closed(seoul(A_DAY, "09:01"))] == [False]
    tape.trade("09:00:40", 410_000)  # lost
    bars.add(tape.trade("09:05:00", 400_000))
    again = bars.closed(seoul(A_DAY, "09:05"))
    assert [(bar.at, bar.is_provisional) for bar in again] == [(seoul(A_DAY, "09:01"), True)]


def test_a_late_print_changes_the_bar_of_its_minute() -> None:
    tape, bars = Tape(), MinuteBars(SESSION)
    bars.add(tape.trade("09:00:00", 400_000))
    late = tape.trade("09:00:59", 390_000)
    bars.add(tape.trade("09:01:10", 400_000))
    first = bars.closed(seoul(A_DAY, "09:01"))
    assert first == (
        a_bar("09:01", 400_000, 400_000, 400_000, 400_000, volume=10, provisional=True),
    )
    assert bars.add(late) is Arrival.LATE
    assert bars.closed(seoul(A_DAY, "09:01")) == (
        a_bar("09:01", 400_000, 400_000, 390_000, 390_000, volume=20),
    )
    assert bars.holes() == {}


def test_a_print_that_nothing_overtook_changes_its_bar_although_that_was_given() -> None:
    tape, bars = Tape(), MinuteBars(SESSION)
    bars.add(tape.trade("09:00:00", 400_000))
    bars.closed(seoul(A_DAY, "09:01"))
    assert bars.add(tape.trade("09:00:59", 390_000)) is Arrival.IN_ORDER
    assert [bar.volume for bar in bars.closed(seoul(A_DAY, "09:01"))] == [20]


def test_who_joins_in_the_middle_knows_that_the_morning_is_missing() -> None:
    bars = MinuteBars(SESSION)
    bars.add(Tape(volume=5_000).trade("11:00:10", 400_000))
    assert bars.holes() == {LG_CHEM: (SESSION.opens_at, seoul(A_DAY, "11:00:10"))}
    assert bars.closed(END)[0].is_provisional


def test_one_print_with_a_wrong_volume_makes_no_symbol_dumb() -> None:
    """What comes after it is newer and counts; what lies around it is the history's to tell."""
    tape, bars = Tape(), MinuteBars(SESSION)
    bars.add(tape.trade("09:00:00", 400_000))
    bars.add(replace(tape.trade("09:01:10", 400_500), cumulative_volume=9_000_000))
    after = [tape.trade("09:01:20", 401_000), tape.trade("09:02:20", 401_500)]
    assert [bars.add(each) for each in after] == [Arrival.CONTRADICTORY, Arrival.IN_ORDER]
    assert bars.holes() == {LG_CHEM: (seoul(A_DAY, "09:00:00"), seoul(A_DAY, "09:01:20"))}
    assert [bar.is_provisional for bar in bars.closed(END)] == [True, True, False]
    history = [
        a_bar("09:01", 400_000, 400_000, 400_000, 400_000, volume=10),
        a_bar("09:02", 400_500, 401_000, 400_500, 401_000, volume=20),
    ]
    bars.mend(LG_CHEM, history, at=seoul(A_DAY, "09:04"))
    assert bars.holes() == {}
    last = [tape.trade("09:05:00", 402_000), after[1], tape.trade("09:05:30", 402_500)]
    assert [bars.add(each) for each in last] == [
        Arrival.IN_ORDER,
        Arrival.REPEATED,
        Arrival.IN_ORDER,
    ]
    assert bars.closed(END) == (a_bar("09:06", 402_000, 402_500, 402_000, 402_500, volume=20),)


def test_a_print_that_tells_too_small_a_volume_leaves_a_hole_to_be_mended() -> None:
    tape, bars = Tape(), MinuteBars(SESSION)
    bars.add(tape.trade("09:00:00", 400_000, 1_000))
    wrong = replace(tape.trade("09:01:10", 400_500), cumulative_volume=10)
    assert bars.add(wrong) is Arrival.CONTRADICTORY
    assert bars.add(tape.trade("09:01:20", 401_000)) is Arrival.IN_ORDER
    assert bars.add(tape.trade("09:02:20", 401_500)) is Arrival.IN_ORDER
    assert [bar.is_provisional for bar in bars.closed(END)] == [True, True, False]
    assert bars.holes() == {LG_CHEM: (seoul(A_DAY, "09:00:00"), seoul(A_DAY, "09:01:20"))}


def test_the_history_mends_holes_and_names_what_it_tells_otherwise() -> None:
    tape, bars = Tape(), MinuteBars(SESSION)
    bars.add(tape.trade("09:00:00", 400_000))
    bars.add(tape.trade("09:01:00", 400_000))
    tape.trade("09:02:00", 410_000)  # lost
    bars.add(tape.trade("09:03:00", 400_000))
    history = (
        a_bar("09:01", 400_000, 400_000, 400_000, 400_000, volume=12),
        a_bar("09:02", 400_000, 400_000, 400_000, 400_000, volume=10),
        a_bar("09:03", 410_000, 410_000, 410_000, 410_000, volume=10),
    )
    assert bars.mend(LG_CHEM, history, at=END) == (
        Difference(LG_CHEM, seoul(A_DAY, "09:01"), "volume", 10, 12),
    )
    assert LG_CHEM in bars.holes(), "the minute of the print after it may hold it too"
    last = a_bar("09:04", 400_000, 400_000, 400_000, 400_000, volume=10)
    assert bars.mend(LG_CHEM, (*history, last), at=END) == ()
    assert bars.holes() == {}
    assert bars.closed(END) == ()
    assert bars.compare(LG_CHEM, (*history, last)) == ()


def test_what_the_history_has_told_counts_no_more_however_late_it_comes() -> None:
    """In order, into a hole that reaches further, or into the minute that was just forming."""
    tape, bars = Tape(), MinuteBars(SESSION)
    bars.add(tape.trade("09:00:00", 400_000))
    late = tape.trade("09:00:40", 400_000)
    bars.add(tape.trade("09:02:30", 400_000))
    history = [a_bar("09:01", 400_000, 400_000, 400_000, 400_000, volume=20)]
    bars.mend(LG_CHEM, history, at=seoul(A_DAY, "09:02"))
    assert bars.add(late) is Arrival.LATE
    assert bars.holes() == {}
    in_order = tape.trade("09:02:40", 400_000)
    later = [*history, a_bar("09:03", 400_000, 400_000, 400_000, 400_000, volume=20)]
    assert bars.mend(LG_CHEM, later, at=seoul(A_DAY, "09:03:29")) == (), (
        "too young to be held against it"
    )
    assert bars.mend(LG_CHEM, later, at=seoul(A_DAY, "09:03:30")) == (
        Difference(LG_CHEM, seoul(A_DAY, "09:03"), "volume", 10, 20),
    )
    assert bars.add(in_order) is Arrival.REPEATED
    assert bars.compare(LG_CHEM, later) == ()
    assert bars.add(tape.trade("09:03:00", 400_000)) is Arrival.IN_ORDER


def test_a_bar_that_one_side_lacks_differs_in_its_volume() -> None:
    bars = MinuteBars(SESSION)
    bars.add(Tape().trade("09:00:00", 400_000))
    theirs = a_bar("09:02", 1, 1, 1, 1, volume=7)
    assert bars.compare(LG_CHEM, [theirs]) == (
        Difference(LG_CHEM, seoul(A_DAY, "09:01"), "volume", 10, 0),
        Difference(LG_CHEM, seoul(A_DAY, "09:02"), "volume", 0, 7),
    )


@pytest.mark.parametrize("seed", range(20))
def test_bars_equal_a_plain_grouping_however_the_prints_are_shuffled_and_repeated(
    seed: int,
) -> None:
    random = Random(seed)  # noqa: S311 - no secret
    tapes = [Tape(LG_CHEM), Tape(SAMSUNG)]
    prints: list[TradePrint] = []
    at = seoul(A_DAY, "09:00:00")
    while at < seoul(A_DAY, "09:20:00"):
        tape = random.choice(tapes)
        prints.append(tape.trade(at, random.randrange(390_000, 410_000, 500), random.randint(1, 9)))
        at += timedelta(seconds=random.randint(0, 20))
    sent = shuffled([*prints, *random.choices(prints, k=30)], random)
    found = bars_of(sent)
    assert not any(bar.is_provisional for bar in found)
    assert [(b.symbol, b.at, b.open, b.high, b.low, b.close, b.volume) for b in found] == grouped(
        prints
    )


@pytest.mark.parametrize("seed", range(20))
def test_whatever_volumes_a_few_prints_claim_no_whole_bar_is_wrong(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - no secret
    tape, prints = Tape(), list[TradePrint]()
    at = seoul(A_DAY, "09:00:00")
    while at < seoul(A_DAY, "11:00:00"):
        prints.append(tape.trade(at, random.randrange(390_000, 410_000, 500), random.randint(1, 9)))
        at += timedelta(seconds=random.randint(1, 20))
    sent, true = list(prints), {each.cumulative_volume for each in prints}
    for number in random.sample(range(len(sent) - 1), 6):
        near = sent[number].cumulative_volume + random.randint(-20, 20)
        claimed = random.choice((0, 1, near, 10**6, 10**9))
        if claimed not in true:  # else the one that tells it truly looks sent again
            sent[number] = replace(sent[number], cumulative_volume=max(claimed, 0))
    found = bars_of(sent)
    whole = [b for b in found if not b.is_provisional]
    told = [(b.symbol, b.at, b.open, b.high, b.low, b.close, b.volume) for b in whole]
    assert set(told) <= set(grouped(prints))
    assert len(told) > 90


def shuffled(prints: Sequence[TradePrint], random: Random) -> list[TradePrint]:
    """Let each print come up to a minute too late."""
    return sorted(prints, key=lambda each: each.at + timedelta(seconds=random.randint(0, 60)))


def grouped(prints: Sequence[TradePrint]) -> list[tuple[object, ...]]:
    """Group as a textbook would: by minute, first, highest, lowest, last, sum."""
    minutes: defaultdict[tuple[datetime, Symbol], list[TradePrint]] = defaultdict(list)
    for each in prints:
        minutes[each.at.replace(second=0) + timedelta(minutes=1), each.symbol].append(each)
    return [
        (
            symbol,
            at,
            found[0].price,
            max(each.price for each in found),
            min(each.price for each in found),
            found[-1].price,
            sum(each.quantity for each in found),
        )
        for (at, symbol), found in sorted(minutes.items())
    ]
