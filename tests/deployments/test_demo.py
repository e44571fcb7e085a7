"""The demo: three simulated days through real Prefect runs, and every won of them worked out by hand."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from subprocess import PIPE
from urllib.parse import urlsplit

import pytest
from dotenv import dotenv_values

from adapters.kis.auth import TokenVault
from adapters.kis.files import shared_name
from adapters.postgres import PostgresStores, embedded
from adapters.stores import UnitOfWork
from deployments.demonstrations import missing_events
from deployments.programs import free_port
from deployments.simulator import ACCOUNT
from deployments.state import is_running
from tests.builders import LG_CHEM
from tests.secret_scans import finds_in_database, finds_in_files
from trading.orders import Order, OrderStatus, Side

pytestmark = pytest.mark.timeout(1200)

FIRST, SECOND, THIRD = date(2018, 1, 16), date(2018, 1, 17), date(2018, 1, 18)
PASSWORD = "demo-password-0123456789"  # noqa: S105 - made up
WEBHOOK = "http://127.0.0.1:9/services/T00/B00/demo-webhook-0123456789"
"""Where nobody listens: what cannot be delivered lands in the inbox, and its error in the log."""
DATABASE_FILES = ("postgres/data/",)
"""Looked into by asking the database."""
LOCKED = {
    "MAEMAE_PREFECT_AUTH": f"owner:{PASSWORD}",
    "MAEMAE_SLACK__WEBHOOK_URL": WEBHOOK,
}
DAYS = (FIRST, SECOND, THIRD)
A_DAY_OF_RUNS = [
    "07:50 refresh-token",
    "08:10 ingest-bars",
    "08:40 generate-signals",
    "08:50 place-orders",
    "09:10 reconcile-fills",
    "12:00 reconcile-fills",
    "14:50 generate-signals",
    "14:55 place-orders",
    "08:45 stream-fills",  # told when it ends, five minutes after the close
    "15:35 reconcile-fills",
    "15:45 ingest-bars",
    "15:50 eod-report",
]


@dataclass(frozen=True)
class Shown:
    """What the demo left: its words, its folder, and its books."""

    home: Path
    done: subprocess.CompletedProcess[str]
    stores: PostgresStores
    secrets: Mapping[str, str]
    database_url: str


@pytest.fixture(scope="module")
def shown(open_folder: Path) -> Iterator[Shown]:
    home = open_folder / "demo"
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("MAEMAE_", "PREFECT_"))}
    words = (str(Path(sys.executable).with_name("maemae")), "demo", "--once")
    environment = {"MAEMAE_HOME": str(home), "MAEMAE_PREFECT_PORT": str(free_port()), **LOCKED}
    with subprocess.Popen(  # noqa: S603 - our words
        words, env=clean | environment, stdout=PIPE, stderr=PIPE, text=True
    ) as process:
        variables = wait_for_variables(process, home / "runtime.env")
        done = subprocess.CompletedProcess(words, 0, *process.communicate())
    done.returncode = process.returncode
    assert not is_running(home)
    assert embedded.running(home) is None, "it stops what it started"
    url = embedded.start(home).url_of("maemae_simulated")
    stores = PostgresStores(url, channel="dev", account=ACCOUNT)
    yield Shown(home, done, stores, secrets_of(home, variables), url)
    stores.close()
    embedded.stop(home)


def wait_for_variables(process: subprocess.Popen[str], file: Path) -> Mapping[str, str]:
    """Read what the running stack wrote for its flow runs, keys included; it goes when the stack does."""
    while process.poll() is None:
        variables = dotenv_values(file)
        if "MAEMAE_KIS__APPSECRET" in variables:
            return {name: value or "" for name, value in variables.items()}
        time.sleep(0.1)
    return {}


def secrets_of(home: Path, variables: Mapping[str, str]) -> Mapping[str, str]:
    """Give all that may stand nowhere: keys, the last token, the database's and the server's passwords."""
    appkey = variables["MAEMAE_KIS__APPKEY"]
    vault = TokenVault(home / "tokens", shared_name(variables["MAEMAE_KIS__BASE_URL"], appkey))
    return {
        "appkey": appkey,
        "appsecret": variables["MAEMAE_KIS__APPSECRET"],
        "token": vault.load().token.get_secret_value(),
        "database password": urlsplit(variables["MAEMAE_DATABASE_URL"]).password or "",
        "Prefect password": PASSWORD,
        "Slack webhook": WEBHOOK.rpartition("/")[2],
    }


@pytest.fixture
def work(shown: Shown) -> Iterator[UnitOfWork]:
    with shown.stores.begin() as opened:
        yield opened


def orders_of(work: UnitOfWork, day: date, status: OrderStatus) -> list[Order]:
    return [order for order in work.orders.of_day(day) if order.status is status]


def test_it_ends_well_and_all_that_should_happen_did(shown: Shown, work: UnitOfWork) -> None:
    assert shown.done.returncode == 0, shown.done.stdout + shown.done.stderr
    assert missing_events(work, DAYS) == ()


def test_every_schedule_of_prefect_yaml_fired_at_its_time_on_every_day(shown: Shown) -> None:
    lines = re.findall(r"^(\d\d:\d\d)  ([a-z-]+) +완료", shown.done.stdout, re.MULTILINE)

    assert [" ".join(line) for line in lines] == A_DAY_OF_RUNS * len(DAYS)


def test_the_first_day_to_the_won(work: UnitOfWork) -> None:
    """What 2018-01-16 does to 100,000,000 won.

    051910 crosses on the close of 2018-01-15 (437,000). 15 % of 100,000,000 at a limit of at most 1 % above
    that (441,000) are 34 shares. The opening auction fills 20 of them, no fill of the demo takes more, at
    438,000; the other 14 fill at 441,000:
        8,760,000 + 6,174,000 = 14,934,000 won
    Commission 0.015 %, won fractions dropped: 2,240. A buy pays no tax.
    Cash that will be there on 2018-01-18 (T+2): 100,000,000 - 14,934,000 - 2,240 = 85,063,760.
    """
    (order,) = orders_of(work, FIRST, OrderStatus.FILLED)
    fills = work.executions.of_order(order.client_order_id)

    assert (order.symbol, order.side, order.quantity) == (LG_CHEM, Side.BUY, 34)
    assert [(fill.quantity, fill.value) for fill in fills] == [(20, 8_760_000), (14, 6_174_000)]
    assert sum(fill.commission for fill in fills) == 2_240
    assert sum(fill.tax for fill in fills) == 0
    assert {fill.settles_on for fill in fills} == {THIRD}
    before_the_second = work.ledger.before(SECOND)
    assert before_the_second.positions[LG_CHEM].quantity == 34
    assert before_the_second.positions[LG_CHEM].cost == 14_934_000
    assert before_the_second.cash == 85_063_760


def test_the_second_strategy_is_refused_on_the_third_day_and_told_why(work: UnitOfWork) -> None:
    """The buy alone is looked at: on a slow machine a stop may once be refused for a price gone stale.

    The demo's market runs hundreds of times faster than the wall clock, and the stop is tried again.
    """
    (order,) = (o for o in orders_of(work, THIRD, OrderStatus.DENIED) if o.side is Side.BUY)
    events = work.risk_events.of_day(THIRD)
    reasons = {e.breach.rule_id for e in events if e.client_order_id == order.client_order_id}

    assert order.symbol == LG_CHEM
    assert reasons == {"MAXIMUM_WEIGHT"}


def test_the_stop_sells_everything_on_the_third_day_to_the_won(work: UnitOfWork) -> None:
    """What is left when 051910 has fallen 5 % below 439,235.29 won, whatever the minute and price after that.

    Each fill pays 0.15 % transaction tax and 0.15 % rural tax (KOSPI, 2018), each without its fraction; the
    order pays 0.015 % commission. Nothing is held after it, so cash is what there was, minus cost, plus
    proceeds, minus all charges.
    """
    (order,) = orders_of(work, THIRD, OrderStatus.FILLED)
    fills = work.executions.of_order(order.client_order_id)
    proceeds = sum(fill.value for fill in fills)
    tax = sum(2 * (fill.value * 15 // 10_000) for fill in fills)
    commission = proceeds * 15 // 100_000

    assert (order.symbol, order.side, order.filled_quantity) == (LG_CHEM, Side.SELL, 34)
    (stop,) = (signal for signal in work.signals.of_day(THIRD) if signal.trigger == "stop")
    assert stop.reference_price <= 439_235 * 95 // 100
    assert sum(fill.tax for fill in fills) == tax
    assert sum(fill.commission for fill in fills) == commission
    ledger = work.ledger.load()
    assert ledger.held_symbols == ()
    assert ledger.cash == 85_063_760 + proceeds - tax - commission


def test_ours_and_the_reports_last_figure_agree(shown: Shown, work: UnitOfWork) -> None:
    report = json.loads((shown.home / "reports" / f"{THIRD}.json").read_text("utf-8"))
    curve = work.equity.all()

    assert [point.trading_day for point in curve] == list(DAYS)
    assert curve[-1].closing == work.ledger.load().cash
    assert str(curve[-1].closing) in json.dumps(report)


def test_the_owner_is_shown_the_report_its_page_the_inbox_and_what_to_try(shown: Shown) -> None:
    page = shown.home / "reports" / f"{THIRD}.html"

    assert page.exists()
    for words in (str(page), "/deployments", "inbox.md", "maemae halt", "place-orders"):
        assert words in shown.done.stdout
    assert (shown.home / "inbox.jsonl").read_text("utf-8").count("\n") >= 5


def test_its_start_and_its_stop_are_in_the_log_once(work: UnitOfWork) -> None:
    first, *_, last = work.audit.chain()
    acts = [row.action for row in work.audit.chain()]

    assert (first.action, last.action) == ("demo", "down")
    assert (first.actor, last.actor) == ("operator", "operator")
    assert [acts.count(act) for act in ("demo", "down", "up")] == [1, 1, 0]
    told = [row.entry.detail for row in (first, last)]
    assert [(detail["channel"], detail["version"]) for detail in told] == [
        ("dev", None),
        ("dev", 1),
    ]
    assert {len(detail["commit"]) for detail in told} <= {0, 40}


def test_no_secret_lies_in_anything_that_it_left(shown: Shown) -> None:
    """Logs, inbox, reports, charts, notes and both databases, Prefect's runs and artifacts among them."""
    account = {"account": ACCOUNT}  # its number may stand in our books, and masked elsewhere
    databases = [shown.database_url, shown.database_url.replace("maemae_simulated", "prefect")]

    assert all(len(secret) > 15 for secret in shown.secrets.values()), "or nothing was looked for"
    assert finds_in_files(shown.home, shown.secrets, beside=DATABASE_FILES) == []
    assert [place for url in databases for place in finds_in_database(url, shown.secrets)] == []
    logs = finds_in_files(shown.home / "logs", account, beside=["simulator.log"])
    assert logs == [], "the simulator says whose accounts it has; it is the broker"
    assert finds_in_database(databases[1], account) == []
