"""This is the gate on trading days: every reason kept, told once, and never in the way of an exit."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.notifier import Severity
from risk.inputs import INPUTS
from risk.rules import rules_for
from strategies.holdings import entries_of
from tasks.channels import parse_channel
from tasks.peaks import highest_since
from tasks.scales import comparable_fills
from tasks.signals import exits_at
from tests.builders import HYUNDAI, LG_CHEM, NAVER, SAMSUNG, a_signal, seoul
from tests.desks import Floor, a_channel, a_close, a_floor, an_exit, on
from trading.bars import Bar, Interval
from trading.decisions import Breach, Verdict
from trading.equity import EquityPoint
from trading.errors import InvalidSetting, Throttled
from trading.halts import Halt, TradingState
from trading.instruments import Instrument
from trading.ledger import CashFlow
from trading.orders import OrderStatus


async def test_a_denial_keeps_every_breach_and_tells_them_all(floor: Floor) -> None:
    """Incident 30: an issue about to be delisted, and before the auction too."""
    floor.market.set_instrument(Instrument(LG_CHEM, "LG화학", is_liquidation=True))
    await floor.open("07:45")
    (order,) = await floor.trade(a_signal())
    assert order.status is OrderStatus.DENIED
    assert floor.breaches == ("MARKET_CLOSED", "STANDING")
    (told,) = floor.notifier.of(Severity.WARNING)
    assert len(told.text.splitlines()) == 2
    assert floor.broker.sent == []


async def test_a_symbol_without_a_price_is_refused_and_kept_on_record_once(floor: Floor) -> None:
    floor.market.unpriced.add(LG_CHEM)
    await floor.open()
    for _ in range(3):
        assert await floor.trade(a_signal()) == ()
    assert floor.breaches == ("SIZING",)
    assert floor.broker.sent == []


async def test_buying_power_that_cannot_be_read_is_never_taken_for_any(floor: Floor) -> None:
    """Incident 51: a throttled answer is no answer."""
    await floor.open()
    floor.broker.reading = Throttled("초당 거래건수를 초과하였습니다.", code="EGW00201")
    with pytest.raises(Throttled):
        await floor.trade(a_signal())
    assert (floor.orders, floor.broker.sent) == ((), [])
    floor.broker.reading = None
    (order,) = await floor.trade(a_signal())
    assert order.status is OrderStatus.ACCEPTED


async def test_a_holding_of_unknown_worth_refuses_buys_and_lets_exits_pass(floor: Floor) -> None:
    """Shares from before maemae, of a symbol whose bars nobody keeps: the opening equity is unknown."""
    floor.market.set_instrument(Instrument(NAVER, "NAVER"))
    floor.market.set_base(NAVER, 180_000)
    floor.broker.hand_over(NAVER, 10, 1_800_000)
    entry = await floor.hold()
    tomorrow = floor.night()
    await floor.open()
    (buy,) = await floor.trade(on(tomorrow, a_signal(symbol=SAMSUNG)))
    assert (buy.status, floor.breaches) == (OrderStatus.DENIED, ("DAILY_LOSS", "DRAWDOWN"))
    (leaving,) = await floor.trade(on(tomorrow, an_exit(entry)))
    assert leaving.status is OrderStatus.ACCEPTED


async def test_a_days_loss_refuses_buys_and_lets_exits_pass(floor: Floor) -> None:
    """Bought for 9,624,000; at 316,000 more than 2,000,000 of 100,000,000 won are lost."""
    entry = await floor.hold()
    floor.print(316_000)
    (buy,) = await floor.trade(a_signal(symbol=SAMSUNG, reference_price=50_000))
    assert (buy.status, floor.breaches) == (OrderStatus.DENIED, ("DAILY_LOSS",))
    (leaving,) = await floor.trade(an_exit(entry))
    assert leaving.status is OrderStatus.ACCEPTED


@pytest.mark.parametrize("amount", [30_000_000, -30_000_000])
async def test_money_paid_in_or_out_is_neither_profit_nor_loss_of_the_day(
    floor: Floor, amount: int
) -> None:
    """The opening is 99,998,557 won; 24 shares that fall from 401,000 to 316,000 lose 2,040,000 of them."""
    await floor.hold()
    tomorrow = floor.night()
    await floor.open()
    floor.broker.pay_in(amount)
    flow = CashFlow(floor.desk.today(), amount)
    with floor.stores.begin() as work:
        work.ledger.deposit(flow, reason="by hand", at=floor.clock.now())
    (buy,) = await floor.trade(on(tomorrow, a_signal(symbol=SAMSUNG)))
    assert buy.status is OrderStatus.ACCEPTED

    floor.print(316_000)
    (denied,) = await floor.trade(on(tomorrow, a_signal(symbol=HYUNDAI)))
    assert (denied.status, floor.breaches) == (OrderStatus.DENIED, ("DAILY_LOSS",))


async def test_denials_do_not_use_up_the_attempts_of_an_exit(floor: Floor) -> None:
    """A strategy halted for an hour must still be able to sell when it goes on."""
    entry = await floor.hold()
    halt = Halt("operator", TradingState.HALTED, "look first", floor.clock.now(), "trend")
    floor.desk.halt_file.put(halt)
    for _ in range(20):
        await floor.trade(an_exit(entry))
    assert [order.status for order in floor.orders[1:]] == [OrderStatus.DENIED]
    assert floor.breaches == ("HALTED",)

    floor.desk.halt_file.lift("operator", strategy_id="trend", at=floor.clock.now())
    (leaving,) = await floor.trade(an_exit(entry))
    assert leaving.status is OrderStatus.ACCEPTED


async def test_a_new_reason_to_deny_an_exit_is_told_as_well_and_uses_up_nothing(
    floor: Floor,
) -> None:
    entry = await floor.hold()
    halt = Halt("operator", TradingState.HALTED, "look first", floor.clock.now())
    floor.desk.halt_file.put(halt)
    for is_halted in (False, True) * 4:
        floor.market.set_instrument(Instrument(LG_CHEM, "LG화학", is_halted=is_halted))
        await floor.trade(an_exit(entry))
    assert floor.breaches == ("HALTED", "HALTED", "STANDING") * 4

    floor.desk.halt_file.lift("operator", at=floor.clock.now())
    floor.market.set_instrument(Instrument(LG_CHEM, "LG화학"))
    (leaving,) = await floor.trade(an_exit(entry))
    assert leaving.status is OrderStatus.ACCEPTED


async def test_an_exit_sells_what_the_entry_filled_after_the_first_exit(floor: Floor) -> None:
    """Ten of 24 filled and were stopped; the rest fills on the way down and must not stay."""
    await floor.open()
    await floor.trade(entry := a_signal())
    floor.at("09:00")
    floor.hear(*floor.print(401_000, 100, auction=True))
    (first,) = await floor.trade(an_exit(entry))
    assert first.quantity == 10
    floor.hear(*floor.print(380_000, 240))
    assert [order.filled_quantity for order in floor.orders] == [24, 10]
    (second,) = await floor.trade(an_exit(entry))
    assert second.quantity == 14
    floor.hear(*floor.print(380_000))
    assert await floor.trade(an_exit(entry)) == ()
    assert floor.ledger.held_symbols == ()
    floor.assert_books_agree()


async def test_a_position_is_not_entered_again_after_its_stop(floor: Floor) -> None:
    """Incident 29: re-entry 42 seconds after a stop-loss."""
    entry = await floor.hold()
    await floor.trade(an_exit(entry))
    floor.hear(*floor.print(380_000))
    floor.at("10:00:42")
    assert await floor.trade(entry) == ()
    assert await floor.trade(replace(entry, reference_price=380_000)) == ()
    assert floor.ledger.held_symbols == ()


async def test_every_verdict_is_kept_with_its_figures(floor: Floor) -> None:
    await floor.open()
    (bought,) = await floor.trade(a_signal())
    with floor.stores.begin() as work:
        events = work.risk_events.of_order(bought.client_order_id, floor.desk.today())
    assert {event.verdict for event in events} == {Verdict.PASSED}
    # what only sells are asked has nothing to say
    rules = {rule.rule_id for rule in rules_for(floor.desk.channel.risk)} - {"SELLABLE"}
    assert {event.breach.rule_id for event in events} == rules | {INPUTS}
    assert floor.breaches == ()


async def test_a_refusal_keeps_how_many_shares_would_have_passed(tmp_path: Path) -> None:
    floor = a_floor(tmp_path, risk={"maximum_order_value": 2_000_000})
    await floor.open()
    (denied,) = await floor.trade(a_signal())
    with floor.stores.begin() as work:
        events = work.risk_events.of_order(denied.client_order_id, floor.desk.today())
    assert floor.breaches == ("MAXIMUM_ORDER_VALUE",)
    # 4 x 404,000 and 242 commission fit into 2,000,000
    assert events[-2].breach == Breach("LARGEST_QUANTITY", "", {"largest": "4"})
    assert events[-1].breach.rule_id == INPUTS


async def test_a_strategy_has_its_own_stricter_limits(tmp_path: Path) -> None:
    strategies = [
        each.model_dump() | {"risk": {"maximum_order_value": 2_000_000} if n else {}}
        for n, each in enumerate(a_channel().strategies)
    ]
    floor = a_floor(tmp_path, strategies=strategies)
    await floor.open()
    (free,) = await floor.trade(a_signal())
    (bound,) = await floor.trade(a_signal(strategy_id="swing", symbol=SAMSUNG))
    assert free.status is OrderStatus.ACCEPTED
    assert bound.status is OrderStatus.DENIED
    assert floor.breaches == ("MAXIMUM_ORDER_VALUE",)


@pytest.mark.parametrize(
    ("risk", "words"),
    [
        ({"maximum_weight": "0.3"}, "at least as strict as the channel's risk.maximum_weight=0.2"),
        ({"maximum_wait": 1}, "strategies.trend.risk"),
        ({"maximum_weight": 0}, "strategies.trend.risk"),
    ],
)
def test_a_strategy_may_not_loosen_nor_misspell_a_limit(risk: dict[str, Any], words: str) -> None:
    first, *others = (each.model_dump() for each in a_channel().strategies)
    document = a_channel().model_dump() | {"strategies": [first | {"risk": risk}, *others]}
    with pytest.raises(InvalidSetting) as refusal:
        parse_channel(document, origin="dev.yaml")
    assert words in str(refusal.value)


async def test_a_stopped_symbol_rests_for_a_session(tmp_path: Path) -> None:
    floor = a_floor(tmp_path, risk={"stop_cooldown_sessions": 2})
    entry = await floor.hold()
    await floor.trade(an_exit(entry))
    floor.hear(*floor.print(390_000))
    for day in range(2):
        tomorrow = floor.night()
        await floor.open()
        signal = on(tomorrow, a_signal(trigger=f"day {day}"))
        (order,) = await floor.trade(signal)
        assert (order.status is OrderStatus.DENIED) is (day == 0)
    assert floor.breaches == ()


async def test_losing_days_and_the_fall_from_the_peak_refuse_buys(tmp_path: Path) -> None:
    floor = a_floor(tmp_path, risk={"losing_days": 2, "drawdown": "0.10"})
    days = [date(2018, 1, 11), date(2018, 1, 12), date(2018, 1, 15)]
    closings = [120_000_000, 110_000_000, 100_000_000]
    with floor.stores.begin() as work:
        opening = 100_000_000
        for day, closing in zip(days, closings, strict=True):
            work.equity.put(EquityPoint(day, opening, closing))
            opening = closing
    await floor.open()
    await floor.trade(a_signal())
    assert floor.breaches == ("DRAWDOWN", "LOSING_STREAK")


async def test_on_a_corporate_action_neither_a_buy_nor_a_stop_leaves(floor: Floor) -> None:
    """A split halves the price over night: the stop would sell for a loss that there is not."""
    entry = await floor.hold()
    tomorrow = floor.night()
    floor.market.set_base(LG_CHEM, 200_500)
    await floor.open()
    orders = await floor.trade(an_exit(on(tomorrow, entry)), on(tomorrow, a_signal(trigger="new")))
    assert [order.status for order in orders] == [OrderStatus.DENIED, OrderStatus.DENIED]
    assert floor.breaches.count("CORPORATE_ACTION") == 2


async def test_no_stop_is_seen_where_a_bonus_issue_halved_the_price(floor: Floor) -> None:
    """The bars were read again and fit the new base price; what was paid is on the old scale (무상증자 권리락)."""
    await floor.hold()
    bought_on = floor.desk.today()
    floor.night()
    raw, adjusted = a_close(LG_CHEM, bought_on, 401_000), a_close(LG_CHEM, bought_on, 200_500)
    noon = seoul(bought_on, "12:00")
    highest = replace(
        a_close(LG_CHEM, bought_on, 402_000), interval=Interval.MINUTE, at=noon, is_adjusted=False
    )
    with floor.stores.begin() as work:
        work.adjustments.put_raw([replace(raw, is_adjusted=False)])
        work.bars.upsert([adjusted, highest])
    floor.market.set_base(LG_CHEM, 200_500)
    await floor.open()
    assert exits_at(floor.desk, {LG_CHEM: 200_500}) == ()
    with floor.stores.begin() as work:
        entry = entries_of("trend", comparable_fills(work))[LG_CHEM]
        peak = highest_since(work, LG_CHEM, entry, floor.desk.today())
    assert (entry.paid, peak) == (200_500, 201_000)
    assert [signal.trigger for signal in exits_at(floor.desk, {LG_CHEM: 190_000})] == ["stop"]


async def test_a_symbol_that_was_halted_for_its_split_is_not_stopped_out_when_it_returns(
    floor: Floor,
) -> None:
    """Trading rests for days before a split: yesterday's bar has no volume, and the old price."""
    entry = await floor.hold()
    tomorrow = floor.night()
    halted = replace(a_close(LG_CHEM, floor.desk.calendar.previous_trading_day(tomorrow)), volume=0)
    with floor.stores.begin() as work:
        work.bars.upsert([halted])
    floor.market.set_base(LG_CHEM, 8_000)
    await floor.open()
    (stop,) = await floor.trade(on(tomorrow, an_exit(entry)))
    assert (stop.status, floor.breaches) == (OrderStatus.DENIED, ("CORPORATE_ACTION",))


async def test_a_price_that_has_just_run_away_is_not_bought_until_it_is_over(floor: Floor) -> None:
    at = seoul(floor.desk.today(), "10:00")
    run = Bar(
        LG_CHEM, Interval.MINUTE, floor.desk.today(), at, *(400_000, 421_000, 399_000, 401_000), 90
    )
    floor.market.load([run])
    await floor.open("10:01")
    (denied,) = await floor.trade(a_signal(trigger="run"))
    assert (denied.status, floor.breaches) == (OrderStatus.DENIED, ("QUICK_MOVE",))
    floor.at("10:05")
    (bought,) = await floor.trade(a_signal(trigger="over"))
    assert bought.status is OrderStatus.ACCEPTED


async def test_losing_trades_in_a_row_end_the_days_buying(tmp_path: Path) -> None:
    floor = a_floor(tmp_path, risk={"losing_trades": 2, "stop_cooldown_sessions": 0})
    await floor.open("10:00")
    for trigger in ("first", "second"):
        await floor.trade(entry := a_signal(trigger=trigger))
        floor.hear(*floor.print(401_000))
        await floor.trade(an_exit(entry, trigger=f"exit {trigger}"))
        floor.hear(*floor.print(400_000))
    assert floor.ledger.held_symbols == ()
    (denied,) = await floor.trade(a_signal(trigger="third"))
    assert (denied.status, floor.breaches) == (OrderStatus.DENIED, ("LOSING_TRADES",))

    tomorrow = floor.night()
    await floor.open()
    (bought,) = await floor.trade(on(tomorrow, a_signal(trigger="third")))
    assert bought.status is OrderStatus.ACCEPTED


async def test_settlement_two_days_later_is_no_result_of_its_day(floor: Floor) -> None:
    """Bought and sold on the first day for 9,624,000 each; the money moves on the third, and no result with it."""
    entry = await floor.hold()
    await floor.trade(an_exit(entry, trigger="target"))
    floor.hear(*floor.print(401_000))
    day, results = floor.desk.today(), []
    for _ in range(3):
        await floor.open("10:00")
        signal = on(day, a_signal(symbol=HYUNDAI, trigger="looked at", strength=Decimal("0.1")))
        (order,) = await floor.trade(signal)
        with floor.stores.begin() as work:
            events = work.risk_events.of_order(order.client_order_id, day)
        (event,) = (event for event in events if event.breach.rule_id == "DAILY_LOSS")
        results.append(int(event.breach.figures["day_result"]))
        day = floor.night()
    # 1,443 of commission each way and 28,872 of tax
    assert results == [-31_758, 0, 0]
