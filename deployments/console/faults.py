"""This is how the console says what is wrong: one sentence with the field, the value and what would be right."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum
from typing import Final, get_args, get_origin

from cyclopts import (
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    UnknownCommandError,
    UnknownOptionError,
)

from adapters.event_logs import LogUnavailable
from adapters.redaction import Redactor
from deployments.console.expectations import needed
from deployments.console.speech import say, wording
from trading.errors import (
    BadInput,
    BrokerError,
    InvalidTransition,
    LedgerViolation,
    MaemaeError,
    PluginFault,
    ReportImbalance,
    StoreUnavailable,
)


class NoAnswer(MaemaeError):
    """A service beside us does not answer."""


WRONG_INPUT: Final = 2
OUR_FAULT: Final = 1
_LONGEST_VALUE: Final = 120
_DISK: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}
_OURS: Final = (InvalidTransition, LedgerViolation, ReportImbalance)
"""Named errors that no input should bring about."""
_NAMED: Final[dict[type[Exception], str]] = {
    BrokerError: "broker",
    StoreUnavailable: "database",
    LogUnavailable: "log",
    NoAnswer: "no_answer",
    MaemaeError: "named",
}
"""The words before an error's own, by kind; the first that fits."""


def exit_code_of(error: Exception) -> int:
    """Give 2 where other input or a running service would help, 1 where we are at fault."""
    is_expected = isinstance(error, MaemaeError | CycloptsError) and not isinstance(error, _OURS)
    return WRONG_INPUT if is_expected or _is_of_a_disk(error) else OUR_FAULT


def _is_of_a_disk(error: Exception) -> bool:
    """Tell whether a disk is full or closed to us: more room or another place would help."""
    return isinstance(error, OSError) and error.errno in _DISK


def sentence_of(error: Exception) -> str:
    """Say in one sentence what is wrong."""
    match error:
        case BadInput():
            return _wrong(error.field, error.value, error.expected)
        case PluginFault():
            return say("fault.named", words=wording().fault(error))
        case CycloptsError():
            return _misuse(error)
        case OSError() if _is_of_a_disk(error):
            place = f"{error.filename}: " if error.filename else ""
            return say("fault.disk", words=f"{place}{error.strerror}")
    for kind, key in _NAMED.items():
        if isinstance(error, kind):
            return say(f"fault.{key}", words=_one_line(str(error)))
    words = Redactor().clean_text(_one_line(str(error)))
    return say("fault.unexpected", kind=type(error).__name__, words=words)


def _wrong(field: str, value: object, expected: str) -> str:
    if value is None:
        return say("fault.missing", field=field, expected=needed(field, expected))
    return say(
        "fault.wrong", field=field, value=_shown(value), expected=wording().own_words(expected)
    )


def _misuse(error: CycloptsError) -> str:
    match error:
        case UnknownOptionError():
            known = [name for argument in error.argument_collection for name in argument.names]
            return _unknown("option", error.token.keyword or error.token.value, known)
        case UnknownCommandError() if error.app and error.unused_tokens:
            return _unknown("command", error.unused_tokens[0], error.app)
        case MissingArgumentError() if error.argument:
            field = error.argument.name
            option = say("fault.an_option", field=field)
            return say("fault.missing", field=field, expected=needed(field, option))
        case CoercionError() if error.argument and error.token:
            field = error.token.keyword or error.argument.name
            return _wrong(field, error.token.value, _kind_of(error.target_type))
    error.verbose = False
    return _one_line(str(error))


def _unknown(what: str, word: str, known: Iterable[str]) -> str:
    names = sorted(name for name in known if name.startswith("--") or what == "command")
    near = get_close_matches(word, names, n=1)
    return say(f"fault.unknown_{what}", word=word, expected=", ".join(near or names))


def _kind_of(kind: object) -> str:
    """Name what a type takes: its choices, or itself."""
    if choices := get_args(kind) if get_origin(kind) else ():
        return ", ".join(each if isinstance(each, str) else _kind_of(each) for each in choices)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(kind)
    return say(f"kind.{getattr(kind, '__name__', kind)}")


def _shown(value: object) -> str:
    written = str(value) if isinstance(value, Decimal | date) else repr(value)
    return written if len(written) <= _LONGEST_VALUE else f"{written[:_LONGEST_VALUE]}…"


def _one_line(words: str) -> str:
    return re.sub(r"\s+", " ", words).strip()
