"""This is what `doctor` checks on this machine alone: Python, disk, files, settings, calendar."""

from __future__ import annotations

import platform
import shutil
import stat
import sys
from datetime import datetime
from pathlib import Path
from typing import Final

from adapters.halt_files import HaltFile
from deployments.console.findings import Finding, Health, found
from deployments.console.speech import PROJECT, variables
from flows.settings import Settings, load_channel
from flows.sources import require_watchable
from trading.sessions import EXAM_DAYS, seoul_date

GIGABYTE: Final = 1_000_000_000
LOW_DISK: Final = 5 * GIGABYTE
FULL_DISK: Final = 1 * GIGABYTE
OLDEST_PYTHON: Final = (3, 12)
PREFIX: Final = "MAEMAE_"
OTHERS: Final = frozenset({"MAEMAE_PG_BIN"})
"""Variables of ours that are no settings."""
_DECEMBER: Final = 12
_NOT_OURS: Final = stat.S_IRWXG | stat.S_IRWXO


def check_python() -> Finding:
    """See that the interpreter is new enough and keeps its bytecode."""
    version = platform.python_version()
    if sys.version_info < OLDEST_PYTHON:
        return found("python", "old", Health.FAIL, version=version)
    if sys.dont_write_bytecode:
        return found("python", "no_bytecode", Health.WARN, version=version)
    return found("python", "fine", version=version)


def check_disk(home: Path) -> Finding:
    """See that there is room for prices, orders and logs."""
    place = next(folder for folder in (home, *home.resolve().parents) if folder.exists())
    free = shutil.disk_usage(place).free
    health = Health.FAIL if free < FULL_DISK else Health.WARN if free < LOW_DISK else Health.OK
    variant = "fine" if health is Health.OK else "low"
    return found("disk", variant, health, gigabytes=free // GIGABYTE, path=home)


def check_files(home: Path) -> Finding:
    """See that files with secrets are the owner's alone."""
    files = (PROJECT / ".env", home / "runtime.env", home / "keys" / "identity")
    open_files = [file for file in files if file.exists() and file.stat().st_mode & _NOT_OURS]
    if open_files:
        return found("files", "open", Health.WARN, path=open_files[0])
    return found("files", "fine")


def check_settings(settings: Settings) -> Finding:
    """Tell which channel and home the settings choose, and which variables none of them knows."""
    unknown = sorted(name for name in variables() if _is_unknown(name))
    if unknown:
        return found("settings", "unknown", Health.WARN, names=", ".join(unknown))
    return found("settings", "fine", channel=settings.channel, home=settings.home)


def _is_unknown(name: str) -> bool:
    field = name.removeprefix(PREFIX).partition("__")[0].lower()
    return name.startswith(PREFIX) and field not in Settings.model_fields and name not in OTHERS


def check_channel(settings: Settings) -> Finding:
    """See that the channel's file says what it may say, and that its prices can be had."""
    channel = load_channel(settings)
    require_watchable(settings, channel)
    names = ", ".join(strategy.id for strategy in channel.strategies)
    return found("channel", "fine", strategies=names, symbols=len(channel.watch_list))


def check_halts(file: Path, at: datetime) -> Finding:
    """See whether the halt file stops trading."""
    halts = HaltFile(file).read(at=at)
    if halts:
        return found("halts", "halted", Health.WARN, reason=halts[0].reason, source=halts[0].source)
    return found("halts", "fine")


def check_calendar(at: datetime) -> Finding:
    """See that the late openings of this year and the next are known."""
    today = seoul_date(at)
    if today.year not in EXAM_DAYS and today.month < _DECEMBER:
        return found("calendar", "unknown", Health.FAIL, year=str(today.year))
    if today.year + 1 not in EXAM_DAYS:
        return found("calendar", "next_unknown", Health.WARN, year=str(today.year + 1))
    return found("calendar", "fine", year=str(today.year + 1))


def check_notices(settings: Settings) -> Finding:
    """Tell where messages go."""
    slack = settings.slack
    if slack.webhook_url or slack.bot_token:
        return found("notices", "slack")
    return found("notices", "inbox", Health.WARN, path=settings.home)
