"""This is the commands `keys set`, `keys rotate` and `keys check`: the broker's keys, written and tried, never shown."""

from __future__ import annotations

import asyncio
import sys
from getpass import getpass
from typing import Annotated, Final

from cyclopts import App, Group
from pydantic import SecretStr

from adapters.audit_files import AUDIT_FILE, AuditFile
from adapters.clock import SystemClock
from adapters.keys.safes import KeySafe
from adapters.keys.scopes import Keys, Scope, parse_keys
from adapters.kis.access import give_back_token
from adapters.kis.settings import Environment
from adapters.stores import AuditEntry
from deployments.console.faults import WRONG_INPUT
from deployments.console.halts import DONE, NOT_ALL_DONE
from deployments.console.key_checks import KeyState, examine_keys, try_keys
from deployments.console.speech import option, say
from deployments.console.steps import attempt, attempt_async
from deployments.console.tables import Column, paper, print_json, print_table
from deployments.state import is_running
from flows.kept_keys import Whereabouts, open_safe
from flows.settings import Settings, load_settings, load_whereabouts
from flows.sources import note
from trading.audits import OPERATOR
from trading.errors import BadInput, InvalidSetting

_COLUMNS: Final = (
    Column("scope"),
    Column("place", "@key_place"),
    Column("environment"),
    Column("account"),
    Column("verdict", "@key_verdict"),
    Column("message"),
)

_CHANNELS: Final = {Environment.REAL: "live", Environment.PAPER: "paper"}

type OneScope = Annotated[Scope, option("key_scope")]


def set_keys(
    scope: OneScope,
    /,
    *,
    account: Annotated[str, option("account")],
    hts_id: Annotated[str, option("hts_id")] = "",
    environment: Annotated[str, option("environment")] = "",
) -> None:
    """Ask for appkey and appsecret and keep them encrypted; from a pipe they are read as two lines."""
    where = load_whereabouts()
    document = {"account": account, "hts_id": hts_id, "environment": environment or scope.value}
    parse_keys({**document, "appkey": "-", "appsecret": "-"}, scope, origin="keys set")
    appkey, appsecret = _ask_for_both()
    keys = parse_keys({**document, "appkey": appkey, "appsecret": appsecret}, scope, origin="keys")
    safe = open_safe(where.home, where.keys)
    safe.save(scope, keys)
    _tell(where, safe, scope, keys, "set")


def rotate(scope: OneScope, /) -> int:
    """Replace appkey and appsecret once the broker has accepted the new ones; the old token is given back.

    Gives 0 when all is done, 3 when the old token could not be given back and ends by itself within a day.
    """
    where = load_whereabouts()
    safe = open_safe(where.home, where.keys)
    old = safe.load(scope)
    appkey, appsecret = _ask_for_both()
    new = old.model_copy(update={"appkey": SecretStr(appkey), "appsecret": SecretStr(appsecret)})
    if new == old:
        raise BadInput("appkey", "***", "keys other than the present ones")
    asyncio.run(try_keys(where.home, where.broker(scope, new)))
    safe.save(scope, new)
    _tell(where, safe, scope, new, "rotate")
    return asyncio.run(_give_back(where, scope, old))


def check(*, as_json: Annotated[bool, option("json", name="--json")] = False) -> int:
    """Tell for each scope whether keys are there and whether the broker accepts them.

    Gives 0 when there are some and all of them are accepted, else 2.
    """
    states = examine_keys(load_whereabouts())
    rows = [state.row() for state in states]
    if as_json:
        print_json({"keys": rows})
    else:
        print_table(say("title.keys"), _COLUMNS, rows)
    return 0 if _are_well(states) else WRONG_INPUT


def _are_well(states: list[KeyState]) -> bool:
    verdicts = {state.verdict for state in states} - {"absent"}
    return verdicts == {"accepted"}


def _ask_for_both() -> tuple[str, str]:
    appkey, appsecret = _ask("appkey"), _ask("appsecret")
    for name, secret in (("appkey", appkey), ("appsecret", appsecret)):
        if not secret:
            raise BadInput(name, None, "two lines, appkey and appsecret")
    return appkey, appsecret


def _ask(name: str) -> str:
    """Read one secret, without showing it where somebody types."""
    if sys.stdin.isatty():
        return getpass(f"{name}: ").strip()
    return sys.stdin.readline().strip()


def _tell(where: Whereabouts, safe: KeySafe, scope: Scope, keys: Keys, act: str) -> None:
    paper().print(say(f"keys.{act}", scope=scope, path=str(safe.file(scope))), soft_wrap=True)
    if where.keys.command is not None:
        paper().print(say("keys.command_counts"))
    elif where.has_own_keys:
        paper().print(say("keys.environment_counts"))
    if is_running(where.home):
        paper().print(say("keys.restart"))
    _audit(where, scope, keys, act)


def _audit(where: Whereabouts, scope: Scope, keys: Keys, act: str) -> None:
    """Note the act in the log of the account that the keys are of, at its next act where nobody trades on it now."""
    entry = AuditEntry(OPERATOR, f"keys {act}", {"scope": scope.value})
    channel = _CHANNELS[keys.environment]

    def write() -> str:
        at, settings = SystemClock().now(), _settings_of(channel, keys.account)
        if settings is not None and note(settings, entry, at=at):
            return say("keys.noted")
        if settings is None:
            file = AuditFile(where.home / AUDIT_FILE, channel=channel, account=keys.account)
            file.waiting.keep(entry, at=at)
        return say("keys.noted_later")

    attempt("audit", write)


def _settings_of(channel: str, account: str) -> Settings | None:
    """Give the settings if they are that account's; they may be wrong or another's while keys are cared for."""
    try:
        settings = load_settings()
        owner = settings.channel, settings.account
    except InvalidSetting:
        return None
    return settings if owner == (channel, account) else None


async def _give_back(where: Whereabouts, scope: Scope, old: Keys) -> int:
    async def act() -> str:
        there_was = await give_back_token(
            where.broker(scope, old), home=where.home, clock=SystemClock()
        )
        return say("keys.revoked" if there_was else "keys.no_token")

    step = await attempt_async("old_token", act)
    return DONE if step.is_done else NOT_ALL_DONE


def _app() -> App:
    app = App(name="keys", group_arguments=Group(say("group.arguments")))
    for name, act in (("set", set_keys), ("rotate", rotate), ("check", check)):
        app.command(act, name=name, help=say(f"help.keys_{name}"))
    return app


keys: Final = _app()
