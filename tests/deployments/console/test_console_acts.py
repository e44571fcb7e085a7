"""This is the audit of the operator: whatever he does leaves exactly one row, and what only reads leaves none."""

from __future__ import annotations

import asyncio
import io
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from cyclopts import App

from adapters.postgres import PostgresStores
from deployments.cli import COMMANDS
from deployments.entries import read_entries
from tests.builders import A_DAY, ACCOUNT
from tests.consoles import PROJECT, Console, come_to, wait
from tests.plugin_files import EXAMPLES
from trading.audits import OPERATOR, AuditRow

WHY: Final = ("--reason", "to see")


@dataclass(frozen=True)
class Scene:
    """What an act is prepared with."""

    console: Console
    request: pytest.FixtureRequest
    patch: pytest.MonkeyPatch

    def given(self, fixture: str) -> Any:
        """Have something that other tests have as well."""
        return self.request.getfixturevalue(fixture)

    def channel_file(self, name: str = "dev") -> Path:
        """Give the channel's file."""
        return Path(os.environ["MAEMAE_CHANNELS"]) / f"{name}.yaml"


type Prepared = tuple[str, ...]


def halting(_: Scene) -> Prepared:
    return ("halt", *WHY)


def resuming(scene: Scene) -> Prepared:
    scene.console(*halting(scene))
    return ("resume", *WHY)


def canceling(scene: Scene) -> Prepared:
    return ("orders", "cancel", scene.given("resting").client_order_id, *WHY)


def modifying(scene: Scene) -> Prepared:
    return ("orders", "modify", scene.given("resting").client_order_id, "--quantity", "2", *WHY)


def binding(scene: Scene) -> Prepared:
    order, number = scene.given("doubtful")
    return ("orders", "bind", order.client_order_id, number, *WHY)


def declaring_absent(scene: Scene) -> Prepared:
    order, _ = scene.given("doubtful")
    asyncio.run(come_to(scene.given("at_simulator"), "09:55"))  # it cannot be on its way any more
    return ("orders", "absent", order.client_order_id, *WHY)


def reconciling(_: Scene) -> Prepared:
    return ("reconcile",)


def migrating(_: Scene) -> Prepared:
    return ("migrate",)


def proposing(scene: Scene) -> Prepared:
    file = scene.channel_file()
    text = file.read_text("utf-8")
    file.write_text(text.replace("maximum_holdings: 5", "maximum_holdings: 4"), "utf-8")
    return ("config", "propose", *WHY)


def approving(scene: Scene) -> Prepared:
    """On live, ten minutes after the first start's proposal."""
    text = scene.channel_file().read_text("utf-8")
    scene.channel_file("live").write_text(text.replace("channel: dev", "channel: live"), "utf-8")
    scene.patch.setenv("MAEMAE_CHANNEL", "live")
    scene.console("config", "propose", *WHY)
    wait(scene.patch, minutes=10)
    return ("config", "approve", "1", *WHY)


def returning(scene: Scene) -> Prepared:
    scene.console("config", "propose", *WHY)
    scene.console(*proposing(scene))
    return ("config", "rollback", *WHY)


def building_anew(_: Scene) -> Prepared:
    return ("events", "rebuild")


def keeping_keys(scene: Scene) -> Prepared:
    scene.patch.setenv("MAEMAE_CHANNEL", "paper")
    scene.patch.setattr(sys, "stdin", io.StringIO("an-appkey\nan-appsecret\n"))
    return ("keys", "set", "paper", "--account", ACCOUNT)


def registering(scene: Scene) -> Prepared:
    printed = scene.console("plugins", "approve", f"{EXAMPLES / 'breakout.py'}:Breakout").out
    document = yaml.safe_load(scene.channel_file().read_text("utf-8")) | yaml.safe_load(printed)
    foreign = {"id": "foreign", "kind": "plugin:breakout", "symbols": ["005930"]}
    document["strategies"] = [*document["strategies"], foreign]
    scene.channel_file().write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")
    return ("plugins", "register")


ACTS: Final[Mapping[str, tuple[str, Callable[[Scene], Prepared]]]] = {
    "halt": ("halt", halting),
    "resume": ("resume", resuming),
    "orders cancel": ("orders cancel", canceling),
    "orders modify": ("orders modify", modifying),
    "orders bind": ("orders bind", binding),
    "orders absent": ("orders absent", declaring_absent),
    "reconcile": ("reconcile", reconciling),
    "migrate": ("migrate", migrating),
    "config propose": ("config propose", proposing),
    "config approve": ("config approve", approving),
    "config rollback": ("config propose", returning),
    "events rebuild": ("events rebuild", building_anew),
    "keys set": ("keys set", keeping_keys),
    "plugins register": ("plugin register", registering),
}
"""Every command that acts and needs no more than a database and a broker: its word in the log, and how it is typed."""
ELSEWHERE: Final = {
    "up": "deployments/test_stack.py: test_each_start_and_each_stop_is_in_the_log_once",
    "down": "deployments/test_stack.py: test_each_start_and_each_stop_is_in_the_log_once",
    "demo": "deployments/test_demo.py: test_its_start_and_its_stop_are_in_the_log_once",
    "rollback": "deployments/test_rollback.py: test_a_return_of_code_and_settings_takes_less_than_a_minute",
    "promote": "deployments/console/test_console_promotions.py: test_what_passes_is_the_next_channels_version",
    "dlq replay": "deployments/console/test_console_events.py: test_bytes_that_lay_in_their_topic_go_back_as_they_are",
    "keys rotate": "deployments/console/test_console_keys.py: test_after_a_rotation_the_new_keys_work_and_the_old_token_does_not",
    "halt --rehearse": "deployments/console/test_console_halts.py: test_a_rehearsal_proves_every_level_and_is_recorded",
    "halt-trading": "flows/test_halting.py: test_a_halt_stops_every_new_order_until_it_is_lifted",
    "resume-trading": "flows/test_halting.py: test_a_halt_stops_every_new_order_until_it_is_lifted",
    "approve-change": "flows/test_approving.py: test_a_filled_in_form_puts_the_version_in_force",
}
"""Every other one, and every form in Prefect: where the row is counted beside what it needs."""
READS: Final = frozenset(
    {
        *("sim", "doctor", "keys check", "status", "orders", "fills", "signals", "denials", "why"),
        *("positions", "events", "dlq list", "dlq show", "report", "backtest", "sweep"),
        *("walkforward", "lookahead", "parity", "replay", "config diff", "config history"),
        *("audit", "audit verify", "plugins show", "plugins approve"),
    }
)
"""Commands after which nothing trades otherwise: they show, reckon, or print lines that others must let in."""
WORK: Final = frozenset(
    {
        *("refresh-token", "ingest-bars", "stream-fills", "generate-signals", "place-orders"),
        *("reconcile-fills", "eod-report", "run-backtest"),
    }
)
"""Flows that are no act of the operator's: what the schedules start, and research."""


def all_commands() -> Iterator[str]:
    """Give every command that can be typed."""
    for name, place in [pair for group in COMMANDS.values() for pair in group.items()]:
        module, _, attribute = place.partition(":")
        found = getattr(import_module(f"deployments.console.{module}"), attribute)
        if not isinstance(found, App):
            yield name
            continue
        if found.default_command:
            yield name
        yield from (f"{name} {word}" for word in found if not word.startswith("-"))


def test_every_command_acts_and_is_tried_or_only_reads() -> None:
    """A new one belongs into `ACTS` or, when it needs more, into `ELSEWHERE`; into `READS` when it changes nothing."""
    acts = {*ACTS, *ELSEWHERE} - {"halt --rehearse", "halt-trading", "resume-trading"}
    assert sorted(all_commands()) == sorted([*(acts - {"approve-change"}), *READS])


def test_every_form_in_prefect_acts_and_is_tried_or_only_works() -> None:
    forms = {entry.name for entry in read_entries()} - WORK
    assert forms == {"halt-trading", "resume-trading", "approve-change"}
    assert forms <= ELSEWHERE.keys()


@pytest.mark.parametrize("act", ELSEWHERE)
def test_what_is_tried_elsewhere_is_there(act: str) -> None:
    file, _, name = ELSEWHERE[act].partition(": ")
    assert f"def {name}(" in (PROJECT / "tests" / file).read_text("utf-8")


@pytest.mark.usefixtures("at_simulator", "database")
@pytest.mark.parametrize("act", ACTS)
def test_an_act_of_the_operator_leaves_exactly_one_row(
    act: str,
    console: Console,
    stores: PostgresStores,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    action, prepare = ACTS[act]
    words = prepare(Scene(console, request, monkeypatch))
    before = len(rows_of(stores))
    answer = console(*words)
    assert answer.code in {0, 3}, answer
    left = [row for row in rows_of(stores)[before:] if row.action == action]
    assert len(left) == 1, [row.action for row in rows_of(stores)]
    who = left[0].actor
    assert who == OPERATOR or (act, who.partition(":")[0]) == ("plugins register", "plugin")


def rows_of(stores: PostgresStores) -> tuple[AuditRow, ...]:
    """Give the account's log, of the channel that the console works on now."""
    if os.environ.get("MAEMAE_CHANNEL", "dev") == "dev":
        with stores.begin() as work:
            return work.audit.chain()
    from flows.settings import load_settings  # noqa: PLC0415 - after the environment is what it is
    from flows.sources import open_stores  # noqa: PLC0415 - likewise

    opened = open_stores(load_settings())
    with opened.begin() as work:
        rows = work.audit.chain()
    opened.close()
    return rows


READING: Final = (
    ("status",),
    ("orders",),
    ("fills",),
    ("signals",),
    ("denials",),
    ("positions",),
    ("why", "denied"),
    ("config", "diff"),
    ("config", "history"),
    ("audit",),
    ("audit", "verify"),
    ("plugins", "show"),
    ("keys", "check"),
    ("reconcile", "--dry-run"),
)


@pytest.mark.usefixtures("at_simulator", "filled")
def test_reading_leaves_no_row(console: Console, stores: PostgresStores) -> None:
    assert console("config", "propose", *WHY).code == 0
    before = len(rows_of(stores))
    for words in READING:
        day = ("--day", A_DAY.isoformat()) if words[0] in {"orders", "fills", "denials"} else ()
        console(*words, *day)
    assert len(rows_of(stores)) == before
