"""This is the command `doctor`: everything that trading needs, examined one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Final

from rich.text import Text

from adapters.clock import SystemClock
from deployments.console import machine_checks as machine
from deployments.console import service_checks as services
from deployments.console.faults import WRONG_INPUT
from deployments.console.findings import Finding, Health, examine
from deployments.console.speech import home, option, say
from deployments.console.tables import paper, print_json
from flows.settings import Settings, load_settings
from trading.errors import InvalidSetting

_MARKS: Final = {
    Health.OK: ("✓", "green"),
    Health.WARN: ("!", "yellow"),
    Health.FAIL: ("✗", "red"),
}
_SERVICES: Final[dict[str, Callable[[Settings], Finding]]] = {
    "channel": machine.check_channel,
    "notices": machine.check_notices,
    "database": services.check_database,
    "config": services.check_config,
    "trigrams": services.check_trigrams,
    "rehearsal": services.check_rehearsal,
    "database_clock": services.check_database_clock,
    "market_clock": services.check_market_clock,
    "broker": services.check_broker,
    "broker_clock": services.check_broker_clock,
    "kafka": services.check_kafka,
    "prefect": services.check_prefect,
}


def doctor(*, as_json: Annotated[bool, option("json", name="--json")] = False) -> int:
    """Examine everything, one line each; give 0 when nothing fails, else 2."""
    findings = []
    for finding in _findings():
        findings.append(finding)
        if not as_json:
            _print(finding)
    if as_json:
        print_json({"checks": [finding.row() for finding in findings]})
    return WRONG_INPUT if any(finding.health is Health.FAIL for finding in findings) else 0


def _findings() -> Iterator[Finding]:
    at = SystemClock().now()
    yield examine("python", machine.check_python)
    yield examine("disk", lambda: machine.check_disk(home()))
    yield examine("files", lambda: machine.check_files(home()))
    yield examine("calendar", lambda: machine.check_calendar(at))
    yield examine("halts", lambda: machine.check_halts(home() / "halt.json", at))
    yield examine("settings", lambda: machine.check_settings(load_settings()))
    try:
        settings = load_settings()
    except InvalidSetting:
        return  # told already; the rest cannot be asked without them
    for name, check in _SERVICES.items():
        yield examine(name, partial(check, settings))


def _print(finding: Finding) -> None:
    mark, colour = _MARKS[finding.health]
    line = Text.assemble((mark, colour), f" {say(f'check.{finding.check}.name')}: {finding.words}")
    paper().print(line, soft_wrap=True)
    if finding.advice:
        paper().print(f"    → {finding.advice}", soft_wrap=True)
