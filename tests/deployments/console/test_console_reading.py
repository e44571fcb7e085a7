"""This is the proof that reading commands tell what is stored, to programs by names that never change."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import A_DAY, ACCOUNT
from tests.consoles import Console

DAY = A_DAY.isoformat()
HEADING = {"channel", "account", "trading_day"}

ORDER = {
    "client_order_id", "broker_order_id", "strategy_id", "signal_id", "symbol", "name", "side",
    "order_type", "quantity", "limit_price", "filled_quantity", "open_quantity", "average_price",
    "status", "reason", "error_code", "error_message", "created_at", "submitted_at", "accepted_at",
    "updated_at", "parameter_hash", "config_version",
}  # fmt: skip
FILL = {
    "execution_id", "client_order_id", "broker_order_id", "strategy_id", "symbol", "name", "side",
    "quantity", "price", "value", "commission", "tax", "cumulative_quantity", "settles_on",
    "executed_at", "source",
}  # fmt: skip
SIGNAL = {
    "signal_id", "strategy_id", "symbol", "name", "direction", "trigger", "strength", "target_weight",
    "reference_price", "reason", "indicators", "parameter_hash", "created_at", "expires_at",
    "config_version",
}  # fmt: skip
DENIAL = {"client_order_id", "strategy_id", "symbol", "name", "at", "breaches"}
POSITION = {
    "symbol", "name", "quantity", "sellable_quantity", "average_cost", "cost", "price", "price_day",
    "value", "unrealized", "realized", "charges",
}  # fmt: skip
STATUS = {
    "trading_state", "halts", "channel", "account", "at", "trading_day", "is_trading_day", "phase",
    "opens_at", "closes_at", "next_trading_day", "cash", "buyable_cash", "holdings", "signals",
    "orders", "open_orders", "orders_in_doubt", "denials", "fills", "services", "rehearsed_at",
    "config_version", "is_file_ahead", "config_commit", "running_commit",
}  # fmt: skip
GOLDEN = {
    "orders": (("orders", "--day", DAY), HEADING | {"orders"}, ORDER),
    "fills": (("fills", "--day", DAY), HEADING | {"fills"}, FILL),
    "signals": (("signals", "--day", DAY), HEADING | {"signals"}, SIGNAL),
    "denials": (("denials", "--day", DAY), HEADING | {"denials"}, DENIAL),
    "positions": (
        ("positions",),
        HEADING | {"positions", "equity", "cash", "settled_cash", "held_cash", "buyable_cash"},
        POSITION,
    ),
}


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("name", GOLDEN)
def test_field_names_never_change(console: Console, name: str) -> None:
    words, fields, row_fields = GOLDEN[name]
    answer = console(*words, "--json")
    assert (answer.code, answer.err) == (0, "")
    assert answer.document.keys() == fields
    assert answer.document[name]
    for row in answer.document[name]:
        assert row.keys() == row_fields


@pytest.mark.usefixtures("filled")
def test_an_order_is_told_in_won_shares_and_seoul_time(console: Console) -> None:
    done, denied, waiting = console("orders", "--day", DAY, "--json").document["orders"]
    assert (done["quantity"], done["limit_price"], done["status"]) == (23, 428_500, "FILLED")
    # (10 x 428,000 + 13 x 428,500) / 23
    assert done["average_price"] == "428282.6087"
    assert done["accepted_at"] == "2018-01-16T08:50:01.200000+09:00"
    assert (denied["status"], denied["error_message"]) == ("DENIED", "too heavy")
    assert (waiting["status"], waiting["open_quantity"], waiting["average_price"]) == (
        "ACCEPTED",
        1,
        None,
    )


@pytest.mark.usefixtures("filled")
def test_fills_show_what_they_cost_and_when_they_settle(console: Console) -> None:
    first, rest = console("fills", "--day", DAY, "--json").document["fills"]
    # 4,280,000 and 5,570,500 won at 0.015 %, fractions dropped
    assert [(f["value"], f["commission"]) for f in (first, rest)] == [
        (4_280_000, 642),
        (5_570_500, 835),
    ]
    assert (first["price"], first["settles_on"], rest["tax"]) == ("428000.0000", "2018-01-18", 0)


@pytest.mark.usefixtures("filled")
def test_positions_are_valued_at_the_last_close(console: Console) -> None:
    document = console("positions", "--json").document
    (held,) = document["positions"]
    assert (held["quantity"], held["price"], held["price_day"]) == (23, 430_000, DAY)
    assert (held["cost"], held["value"]) == (9_850_500, 9_890_000)
    assert held["unrealized"] == 39_500
    # 100,000,000 - 9,850,500 - 642 - 835
    assert document["cash"] == 90_148_023
    assert document["equity"] == document["cash"] + 9_890_000
    assert document["buyable_cash"] == document["cash"] - document["held_cash"]


@pytest.mark.usefixtures("filled")
def test_a_denial_tells_every_reason(console: Console) -> None:
    (denial,) = console("denials", "--day", DAY, "--json").document["denials"]
    assert [breach["rule_id"] for breach in denial["breaches"]] == ["MAXIMUM_WEIGHT", "CASH"]
    assert denial["breaches"][0]["figures"]["limit"] == "0.2"


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("ko", ("삼성전자", "종목 비중", "주문가능금액")),
        ("en", ("삼성전자", "20.00%", "30,000,000")),
    ],
)
def test_people_read_reasons_in_their_language(
    console: Console, monkeypatch: pytest.MonkeyPatch, language: str, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("MAEMAE_LANGUAGE", language)
    answer = console("denials", "--day", DAY)
    assert answer.code == 0
    for word in words:
        assert word in answer.out


@pytest.mark.usefixtures("filled")
def test_people_see_in_the_orders_why_one_was_refused(console: Console) -> None:
    assert "20.00%" in console("orders", "--day", DAY).out


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("name", GOLDEN)
def test_every_table_has_its_headings_in_words(console: Console, name: str) -> None:
    answer = console(*GOLDEN[name][0])
    assert answer.code == 0
    assert "console." not in answer.out


@pytest.mark.usefixtures("database")
def test_a_day_without_orders_is_an_empty_list(console: Console) -> None:
    answer = console("orders", "--day", "2018-01-17", "--json")
    assert answer.document == {
        "channel": "dev",
        "account": ACCOUNT,
        "trading_day": "2018-01-17",
        "orders": [],
    }


@pytest.mark.usefixtures("filled")
def test_status_has_its_fields_and_names_what_does_not_answer(console: Console) -> None:
    answer = console("status", "--json")
    assert answer.code == 0  # Prefect does not run, which stops nobody from reading
    document: dict[str, Any] = answer.document
    assert document.keys() == STATUS
    assert (document["trading_state"], document["cash"]) == ("ACTIVE", 90_148_023)
    assert (document["open_orders"], document["holdings"]) == (1, 1)
    services = {row["service"]: row["is_reachable"] for row in document["services"]}
    assert services == {"clock": True, "database": True, "prefect": False}


@pytest.mark.usefixtures("filled", "at_simulator")
def test_status_lives_in_the_time_of_the_simulator(console: Console) -> None:
    document = console("status", "--json").document
    assert (document["trading_day"], document["is_trading_day"]) == (DAY, True)
    assert document["opens_at"] == "2018-01-16T09:00:00+09:00"
    assert (document["orders"], document["denials"], document["fills"]) == (2, 1, 2)
    today = console("orders", "--json").document
    assert (today["trading_day"], len(today["orders"])) == (DAY, 3)
