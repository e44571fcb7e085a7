"""This is how others lost money, orders or sight: 56 incidents, and the test that replays each that is ours.

Collected from public trackers and repositories. Those about orders, fills, restart and halt have a named
scenario here: a test whose docstring says "Incident N". The others name the part of the system they belong to.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Part(StrEnum):
    """What an incident is about; the first is what this table proves, the others have tests of their own."""

    ORDERS = "orders, fills, restart, halt"
    ACCESS = "tokens, keys and calls that an account has or lacks"
    DATA = "bars, calendar and the live stream of prices"
    SIGHT = "reports, alarms and who watches the watchman"
    BACKTEST = "research: costs and fills of a backtest"


@dataclass(frozen=True, slots=True)
class Incident:
    """What happened, and the tests (file::name) that replay it."""

    words: str
    tests: tuple[str, ...] = ()
    part: Part = Part.ORDERS


_SCENARIOS: Final = "tests/scenarios/test_"
_ADAPTERS: Final = "tests/adapters/test_"
_UNIT: Final = "tests/unit/test_"


def _scenario(*names: str) -> tuple[str, ...]:
    return tuple(f"{_SCENARIOS}{name}" for name in names)


def _adapter(*names: str) -> tuple[str, ...]:
    return tuple(f"{_ADAPTERS}{name}" for name in names)


def _unit(*names: str) -> tuple[str, ...]:
    return tuple(f"{_UNIT}{name}" for name in names)


INCIDENTS: Final[dict[str, Incident]] = {
    "1": Incident(
        "a time-out after the broker had accepted was sent again",
        _scenario(
            "incidents_on_the_wire.py::test_no_answer_from_a_broker_that_took_the_order_gives_one_order",
            "doubt.py::test_a_lost_reply_leaves_the_order_in_doubt_and_tells",
        ),
    ),
    "2": Incident(
        "an HTTP library repeated a POST on 504",
        (
            *_adapter("kis_replies.py::test_no_clear_answer_to_an_order_leaves_it_in_doubt"),
            *_scenario(
                "sending_once.py::test_a_business_refusal_is_kept_in_the_brokers_words_and_never_tried_again"
            ),
        ),
    ),
    "3": Incident(
        "throttling of a write was read as in or out by guess",
        _scenario(
            "incidents_on_the_wire.py::test_an_order_refused_for_pace_is_out_and_its_decision_may_come_again",
            "doubt.py::test_a_refusal_does_not_undo_what_an_inquiry_proved",
        ),
    ),
    "4": Incident(
        "accepted without an order number, or with one of all zeros",
        _adapter("kis_replies.py::test_no_clear_answer_to_an_order_leaves_it_in_doubt"),
    ),
    "5": Incident(
        "in flight too long was declared rejected, and lived on",
        _scenario(
            "incidents_on_the_wire.py::test_an_order_whose_row_shows_after_five_minutes_is_found_and_its_fills_booked"
        ),
    ),
    "6": Incident(
        "fills during a disconnect were lost for ever",
        _scenario(
            "incidents_on_the_wire.py::test_fills_that_nobody_heard_of_are_booked_by_the_next_inquiry",
            "streaming.py::test_a_reconnect_asks_for_what_was_missed",
        ),
    ),
    "7": Incident(
        "order numbers were used again, and fills went to the wrong order",
        _scenario(
            "incidents_on_the_wire.py::test_the_same_number_on_another_day_is_another_order",
            "doubt.py::test_yesterdays_doubt_is_settled_with_yesterdays_rows",
        ),
    ),
    "8": Incident(
        "a modify during an outage left two live orders",
        _scenario(
            "incidents_on_the_wire.py::test_a_change_during_an_outage_leaves_no_two_live_orders",
            "cancellations_at_kis.py::test_a_change_leaves_one_order_alive",
        ),
    ),
    "9": Incident(
        "a retry fired after the accept event had arrived",
        _scenario("sending_once.py::test_the_same_signals_traded_twice_give_one_order"),
    ),
    "10": Incident(
        "synthetic duplicates of orders appeared at restart",
        _scenario(
            "incidents_of_state.py::test_starting_again_and_again_makes_no_order_and_no_fill"
        ),
    ),
    "11": Incident(
        "a position mismatch was ignored, or refused the start for ever",
        _scenario("readiness.py::test_a_symbol_that_differs_is_stopped_and_the_others_trade"),
    ),
    "12": Incident(
        "orders went out after stop or kill switch",
        _scenario(
            "stopping.py::test_a_halt_stops_every_signal_and_says_so",
            "last_look.py::test_a_halt_put_while_the_order_waits_for_its_turn_holds_it_back",
        ),
    ),
    "13": Incident(
        "one leg of two was placed, the other raised, nothing was recorded",
        _scenario("sending_once.py::test_one_signal_that_cannot_be_judged_stops_no_other"),
    ),
    "13b": Incident(
        "a cancel raced the fill, and the orphan fill was dropped",
        _scenario(
            "incidents_on_the_wire.py::test_a_cancel_that_races_the_fills_drops_none",
            "notices.py::test_a_fill_after_a_cancel_counts_and_the_rest_stays_canceled",
        ),
    ),
    "14": Incident(
        "the orchestrator started the same run twice",
        _scenario(
            "processes.py::test_the_same_signals_give_one_order_each",
            "sending_once.py::test_five_runs_at_once_give_one_order",
            "copies.py::test_many_copies_at_once_place_each_decision_once",
        ),
    ),
    "15": Incident(
        "twelve late runs were released at once",
        _scenario("sending_once.py::test_late_runs_released_at_once_place_each_signal_once"),
    ),
    "16": Incident(
        "the same holding for two exchanges doubled the quantity",
        _adapter("kis_wire.py::test_the_same_holding_sent_twice_is_not_doubled"),
    ),
    "17": Incident(
        "the token was revoked while the local expiry said valid",
        _adapter("kis_faults.py::test_an_order_with_a_token_that_ended_did_not_get_in"),
    ),
    "18": Incident(
        "one token a minute, and every process asked for its own",
        _adapter("kis_auth.py::test_several_processes_at_once_ask_for_one_token"),
        Part.ACCESS,
    ),
    "19": Incident(
        "the paper host refuses some calls",
        _adapter("kis_market_data.py::test_paper_keeps_no_minutes_of_the_past_and_no_calendar"),
        Part.ACCESS,
    ),
    "20": Incident(
        "a paper key on the real host, and the reverse",
        _adapter("kis_client.py::test_keys_of_the_other_environment_refuse_at_the_start"),
        Part.ACCESS,
    ),
    "21": Incident(
        "the fill notice grew from 23 to 26 fields",
        _adapter("kis_frames.py::test_a_fill_reads_the_same_in_both_profiles"),
    ),
    "22": Incident(
        "ticks went missing without any error",
        _scenario("streaming.py::test_a_reconnect_asks_for_what_was_missed"),
        Part.DATA,
    ),
    "23": Incident(
        "the slow indicator never had enough bars",
        _scenario("trading_days.py::test_a_strategy_that_cannot_look_says_so"),
        Part.DATA,
    ),
    "24": Incident(
        "one naive timestamp made the safety gates pass",
        _unit("gate.py::test_a_naive_time_closes_the_gate_and_does_not_open_it"),
    ),
    "25": Incident(
        "a drawdown ratio halted trading in profit",
        _scenario("incidents_of_state.py::test_a_profit_that_shrinks_halts_nothing"),
    ),
    "26": Incident(
        "a halt was lost at restart, between two files, in a check that raised",
        _scenario(
            "stopping.py::test_a_halt_outlives_the_process",
            "stopping.py::test_a_halt_file_that_cannot_be_read_stops_everything",
        ),
    ),
    "27": Incident(
        "13b once more: fills around a cancel and a lost line",
        _scenario("reconciling.py::test_notices_doubled_lost_and_shuffled_converge_with_inquiries"),
    ),
    "28": Incident(
        "the database was down while orders went out",
        _scenario("doubt.py::test_the_database_goes_down_before_the_commit_and_nothing_is_sent"),
    ),
    "29": Incident(
        "entered again 42 seconds after a stop",
        _scenario("refusals.py::test_a_position_is_not_entered_again_after_its_stop"),
    ),
    "30": Incident(
        "an issue about to be delisted was bought",
        _scenario("refusals.py::test_a_denial_keeps_every_breach_and_tells_them_all"),
    ),
    "31": Incident(
        "holdings were restored from the wrong key: always empty",
        _scenario("trading_days.py::test_a_cross_in_the_bars_becomes_a_position_the_next_morning"),
    ),
    "32": Incident(
        "an exception was swallowed in the sell at the end of the day",
        _scenario("streaming.py::test_a_broker_that_fails_does_not_end_the_session"),
    ),
    "33": Incident(
        "reconciliation inserted sell rows at 0 won",
        _scenario("incidents_of_state.py::test_a_fill_for_no_money_is_never_booked"),
    ),
    "34": Incident(
        "fills were attributed to the wrong strategy",
        _scenario(
            "trading_days.py::test_two_strategies_hold_one_symbol_and_each_sells_its_own",
            "reconciling.py::test_adopted_shares_belong_to_no_strategy",
        ),
    ),
    "35": Incident(
        "two reservations of funds collided, and one was dropped",
        _scenario("trading_days.py::test_two_strategies_never_spend_the_same_cash"),
    ),
    "36": Incident(
        "the urgent alert called a method that did not exist",
        _scenario("incidents_of_state.py::test_an_urgent_matter_reaches_the_owner_at_once"),
    ),
    "37": Incident(
        "the report said all zero, or called gross profit realised",
        _scenario("trading_days.py::test_the_report_shows_the_way_from_signal_to_fill"),
        Part.SIGHT,
    ),
    "38": Incident(
        "one failed read became a hole for ever",
        _scenario("ingestion.py::test_a_hole_is_named_and_closed_when_the_bar_comes"),
        Part.DATA,
    ),
    "39": Incident(
        "halted days counted as failures until nobody looked",
        _unit("bar_defects.py::test_defect_01_a_halted_day_of_zeros_is_a_bar_without_trading"),
        Part.DATA,
    ),
    "40": Incident(
        "prices were split-adjusted, volumes not",
        _unit("bar_defects.py::test_defect_07_a_scale_that_left_the_volumes_alone_is_told"),
        Part.DATA,
    ),
    "41": Incident(
        "a physically impossible bar was traded",
        _scenario("ingestion.py::test_an_impossible_bar_is_refused_and_its_day_missing"),
        Part.DATA,
    ),
    "42": Incident(
        "a state file above its size limit was silently reset",
        _scenario("incidents_of_state.py::test_a_halt_file_of_any_size_is_read_whole"),
    ),
    "43": Incident(
        "settlement two days later was read as a loss and braked trading",
        _scenario("trading_days.py::test_settlement_is_never_a_loss"),
    ),
    "44": Incident(
        "the watchdog lived in the process that died",
        ("tests/deployments/test_processes.py::test_a_keeper_starts_again_what_has_ended",),
        Part.SIGHT,
    ),
    "45": Incident(
        "a manual trade was corrected away, or spent the same cash",
        _scenario(
            "incidents_on_the_wire.py::test_the_owner_and_a_schedule_never_spend_the_same_cash",
            "orders_by_hand.py::test_an_order_by_hand_is_booked_apart_and_never_touched",
        ),
    ),
    "46": Incident(
        "a TypeError was shown as a delay of the broker",
        _scenario(
            "sending_once.py::test_a_defect_is_raised_as_what_it_is_and_leaves_the_order_in_doubt"
        ),
    ),
    "47": Incident(
        "a global lock and a time-out: no orders for three days",
        _adapter("postgres_leases.py::test_a_stopped_holder_is_taken_over_and_wakes_up_to_nothing"),
    ),
    "48": Incident(
        "a wrong table of holidays",
        _unit("calendars.py::test_days_that_calendars_got_wrong_are_right"),
        Part.DATA,
    ),
    "49": Incident(
        "election days and temporary holidays come at short notice",
        _unit("calendars.py::test_the_broker_has_the_last_word"),
        Part.DATA,
    ),
    "50": Incident(
        "the day of the exam and the first of the year open at 10:00",
        _unit("calendars.py::test_the_days_that_open_late_are_those_of_the_exchange"),
        Part.DATA,
    ),
    "51": Incident(
        "a throttled balance was read as no holdings, and stops were dropped",
        _scenario(
            "incidents_on_the_wire.py::test_a_throttled_balance_holds_back_no_stop",
            "reconciling.py::test_an_inquiry_that_fails_changes_nothing",
        ),
    ),
    "52": Incident(
        "a failed sell was reported as sold",
        _scenario(
            "incidents_on_the_wire.py::test_a_refused_sell_is_told_as_refused_and_tried_again"
        ),
    ),
    "53": Incident(
        "an idle connection that the server had closed failed the next call",
        _adapter("kis_orders.py::test_every_order_has_a_connection_of_its_own_and_reads_share_one"),
    ),
    "54": Incident(
        "30,122 signals and 29 fills, and nobody saw the funnel",
        _scenario("trading_days.py::test_the_report_shows_the_way_from_signal_to_fill"),
        Part.SIGHT,
    ),
    "55": Incident(
        "four sell taxes, and the rate depends on the date",
        _unit("costs.py::test_the_tax_changes_with_the_settlement_day"),
        Part.BACKTEST,
    ),
    "56": Incident(
        "a backtest filled at the close of the bar that made the signal",
        _unit("replay.py::test_a_decision_at_a_close_is_traded_at_the_next_opening"),
        Part.BACKTEST,
    ),
}
"""By number."""
