"""This is trading by the minute: strategies of minute bars decide in the stream, through the gate and the one writer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.notifier import Severity
from backtest.decisions import Why
from strategies.evaluation import bars_to_read
from strategies.opening_range import OpeningRangeBreakout
from tasks import streaming
from tasks.day_replays import replay_day
from tasks.desk import Desk
from tasks.intraday import decide
from tasks.parity import examine_parity
from tasks.reports import close_day
from tasks.signals import evaluate_bars
from tasks.streaming import StreamSession
from tasks.versions import open_version
from tests.bar_columns import a_bar as a_daily_bar
from tests.builders import A_DAY, HYUNDAI, LG_CHEM, seoul
from tests.desks import Floor, a_floor
from tests.minute_days import day_of
from trading.bars import Bar, Interval
from trading.errors import Throttled
from trading.halts import Halt, TradingState
from trading.instruments import Symbol
from trading.orders import OrderStatus, Side

STRATEGIES = [
    {
        "id": "range",
        "kind": OpeningRangeBreakout.kind,
        "symbols": [LG_CHEM, HYUNDAI],
        "parameters": {"minutes": 2, "enter_until": 60, "leave_after": 300},
    }
]


@dataclass
class Market:
    """A floor with a session, and prints that carry the day's volume."""

    floor: Floor
    session: StreamSession
    volume: int = 0

    async def trade(self, time: str, price: int, *, symbol: Symbol = LG_CHEM) -> None:
        """Let the market trade 1,000 shares, and the session hear of it."""
        self.floor.at(time)
        self.volume += 1_000
        notices = self.floor.print(price, 1_000, symbol=symbol)
        tick = replace(self.floor.tick(price, 1_000, symbol=symbol), cumulative_volume=self.volume)
        await self.session.take(tick)
        for notice in notices:
            await self.session.take(notice)

    async def pulse(self, time: str) -> None:
        """Let the minute before be over."""
        self.floor.at(time)
        await self.session.pulse()

    async def minute(self, end: str, price: int) -> None:
        """Let one price be made in the minute before `end` (09:03), and be over."""
        hour, minute = map(int, end.split(":"))
        await self.trade(f"{hour:02d}:{minute - 1:02d}:30", price)
        await self.pulse(f"{end}:02")

    async def make_range(self) -> None:
        """Let the first two minutes trade between 399,000 and 401,000."""
        await self.trade("09:00:00", 399_000)
        await self.trade("09:00:10", 400_000)
        await self.pulse("09:01:02")
        await self.minute("09:02", 401_000)

    @property
    def orders(self) -> list[tuple[Side, OrderStatus]]:
        """Which way today's orders went, and how far."""
        return [(order.side, order.status) for order in self.floor.orders]


@pytest.fixture
async def market(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Market:
    """A morning at which a strategy of minute bars has yesterday's, and no pauses."""
    monkeypatch.setattr(streaming, "INQUIRY_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(streaming, "REFRESH_SECONDS", 0.0)
    floor = a_floor(tmp_path, strategies=STRATEGIES)
    yesterday = floor.desk.calendar.previous_trading_day(A_DAY)
    count = bars_to_read(OpeningRangeBreakout().warm_up)
    with floor.stores.begin() as work:
        for symbol in (LG_CHEM, HYUNDAI):
            work.bars.upsert(day_of(yesterday, [400_000] * count, symbol=symbol))
    await floor.open()
    session = StreamSession(floor.desk)
    await session.pulse()
    return Market(floor, session)


async def test_a_minute_that_closes_above_the_range_is_bought_once(market: Market) -> None:
    await market.make_range()
    await market.minute("09:03", 401_000)
    assert market.orders == [], "at the range is not above it"
    await market.minute("09:04", 401_500)
    for second in ("03", "10", "20"):
        await market.pulse(f"09:04:{second}")
    await market.minute("09:05", 401_500)
    (order,) = market.floor.orders
    assert (order.side, order.intent.strategy_id) == (Side.BUY, "range")
    assert order.intent.limit_price is not None
    figures = market.session.figures()
    assert [figures[name] for name in ("decisions", "entries", "exits")] == [5, 1, 0]
    assert order.status is OrderStatus.FILLED
    market.floor.assert_books_agree()


async def test_it_is_left_on_a_minute_that_closes_below_the_range(market: Market) -> None:
    await market.make_range()
    await market.minute("09:03", 402_000)
    await market.minute("09:04", 402_000)  # the buy is filled
    await market.minute("09:05", 398_500)  # the range's low is 399,000, the stop 381,900
    await market.trade("09:05:30", 398_000)
    assert market.orders == [(Side.BUY, OrderStatus.FILLED), (Side.SELL, OrderStatus.FILLED)]
    assert market.session.exits == 1
    assert market.floor.ledger.held_symbols == ()
    market.floor.assert_books_agree()


async def test_the_stop_of_what_was_bought_is_kept_between_two_minutes(market: Market) -> None:
    await market.make_range()
    await market.minute("09:03", 402_000)
    await market.trade("09:03:20", 402_000)
    await market.trade("09:03:21", 380_000)
    assert market.orders[1:] == [(Side.SELL, OrderStatus.ACCEPTED)]


async def test_the_gate_may_refuse_and_an_entry_is_not_made_up_for(market: Market) -> None:
    await market.make_range()
    halt = Halt("operator", TradingState.REDUCING, "no buys", market.floor.clock.now())
    market.floor.desk.halt_file.put(halt)
    await market.minute("09:03", 402_000)
    assert market.orders == [(Side.BUY, OrderStatus.DENIED)]
    market.floor.desk.halt_file.lift("operator", at=market.floor.clock.now())
    await market.minute("09:04", 402_000)
    with market.floor.stores.begin() as work:
        (signal,) = work.signals.of_day(A_DAY)
    assert signal.expires_at == seoul(A_DAY, "09:04")
    await market.floor.trade(signal)
    assert market.orders == [(Side.BUY, OrderStatus.DENIED)]


async def test_an_exit_that_could_not_be_placed_is_tried_again_with_the_next_minute(
    market: Market,
) -> None:
    await market.make_range()
    await market.minute("09:03", 402_000)
    await market.minute("09:04", 402_000)
    market.floor.market.lost.add(LG_CHEM)
    await market.minute("09:05", 398_500)
    assert market.orders[1:] == []
    market.floor.market.lost.clear()
    await market.minute("09:06", 399_500)  # back in the range: the strategy itself says nothing
    assert market.orders[1:] == [(Side.SELL, OrderStatus.ACCEPTED)]


async def test_a_bar_that_may_lack_something_decides_nothing_until_it_is_mended(
    market: Market,
) -> None:
    await market.make_range()
    market.volume += 500  # never heard
    await market.minute("09:03", 402_000)
    assert market.orders == []
    (told,) = [m for m in market.floor.notifier.of(Severity.INFO) if "not whole" in m.title]
    assert "range 051910" in told.text
    market.floor.market.load(
        a_bar(end, price, volume)
        for end, price, volume in (("09:02", 401_000, 1_000), ("09:03", 400_500, 1_500))
    )
    market.floor.at("09:04:20")
    assert await market.session.minutes.follow_up(market.floor.desk, at=1_000)
    await market.minute("09:05", 402_000)
    assert market.orders == [(Side.BUY, OrderStatus.ACCEPTED)]


async def test_a_minute_that_is_told_late_is_not_traded_on(market: Market) -> None:
    await market.make_range()
    await market.trade("09:02:30", 402_000)
    await market.pulse("09:04:02")  # nothing was looked at for a minute
    assert market.orders == []


async def test_what_changes_within_its_minute_is_decided_on_again(market: Market) -> None:
    await market.make_range()
    late = market.volume = market.volume + 1_000
    await market.minute("09:03", 401_000)
    assert market.orders == []
    tick = replace(market.floor.tick(401_500, 1_000), cumulative_volume=late)
    await market.session.take(replace(tick, at=seoul(A_DAY, "09:02:10")))
    await market.pulse("09:03:05")
    assert market.orders == [], "the late print is not the close"


async def test_nothing_is_decided_after_continuous_trading(market: Market) -> None:
    await market.make_range()
    market.floor.at("15:20:02")
    last = a_bar("15:20", 402_000, 10)
    with market.floor.stores.begin() as work:
        work.bars.upsert([last])
    decided = decide(market.floor.desk, [last])
    assert (decided.looked, decided.signals) == (1, ())
    market.floor.at("15:30:02")
    assert decide(market.floor.desk, [a_bar("15:30", 500_000, 10)]).looked == 0


async def test_the_scheduled_evaluation_leaves_the_minutes_to_the_stream(market: Market) -> None:
    assert evaluate_bars.fn(market.floor.desk) == ()


async def test_its_symbols_are_heard_before_the_rest_of_the_watch_list(market: Market) -> None:
    assert market.session.watched == (LG_CHEM, HYUNDAI, *market.session.watched[2:])
    assert len(market.session.watched) == 3


async def test_a_throttled_broker_costs_the_entry_and_nothing_else(market: Market) -> None:
    await market.make_range()
    market.floor.broker.refusal = Throttled("too fast", code="EGW00201")
    await market.minute("09:03", 402_000)
    market.floor.broker.refusal = None
    await market.minute("09:04", 402_500)
    bought = [order for order in market.floor.orders if order.status is not OrderStatus.REJECTED]
    assert bought == []


def a_bar(end: str, price: int, volume: int) -> Bar:
    """Give a minute of the broker's history in which one price was made."""
    prices = (price, price, price, price)
    at = seoul(A_DAY, end)
    return Bar(LG_CHEM, Interval.MINUTE, A_DAY, at, *prices, volume, is_adjusted=False)


async def a_whole_day(market: Market) -> Desk:
    """Let a range be left upwards and downwards, and the day be reported."""
    desk, calendar = market.floor.desk, market.floor.desk.calendar
    await market.make_range()
    await market.minute("09:03", 402_000)
    await market.minute("09:04", 402_000)
    await market.minute("09:05", 398_500)
    await market.trade("09:05:30", 398_000)
    market.floor.at("15:45")
    days = (calendar.previous_trading_day(A_DAY), A_DAY)
    with desk.stores.begin() as work:
        for symbol in (LG_CHEM, HYUNDAI):
            work.bars.upsert([a_daily_bar(day, 398_000, symbol=symbol) for day in days])
    await close_day(desk, A_DAY)
    return desk


async def test_a_day_by_the_minute_is_told_anew_and_equal_to_its_replay(market: Market) -> None:
    desk = await a_whole_day(market)
    replay = replay_day(desk.stores, desk.channel, desk.calendar, A_DAY)
    assert replay.differences == ()
    assert [signal.trigger for signal in replay.replayed.signals] == ["range", "range"]
    assert replay.is_equal
    report = examine_parity(desk.stores, desk.channel, desk.calendar, first=A_DAY, last=A_DAY)
    assert [(d.direction, d.why) for d in report.decisions] == [
        ("ENTRY", Why.EQUAL),
        ("EXIT", Why.EQUAL),
    ]
    assert (report.looks, report.money.unexplained) == (5, 0)


async def test_the_settings_of_each_orders_version_judge_it_again(market: Market) -> None:
    desk = market.floor.desk
    standing = open_version(desk.stores, desk.channel, at=desk.now())
    assert standing.version == desk.version
    await a_whole_day(market)
    sizing = desk.channel.sizing.model_copy(update={"target_weight": Decimal("0.01")})
    other = desk.channel.model_copy(update={"sizing": sizing})
    assert replay_day(desk.stores, other, desk.calendar, A_DAY).is_equal, "the file is not asked"
