"""This is the log: JSON lines in a file, plain lines on the console, and no secret in either."""

from __future__ import annotations

import copy
import logging
import os
import sys
from collections.abc import Iterable
from io import TextIOWrapper
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Final

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.types import EventDict, Processor, WrappedLogger

from adapters.redaction import Redactor

NOISY: Final = ("httpx", "httpcore", "websockets", "sqlalchemy", "slack_sdk", "aiokafka", "asyncio")
"""Libraries that tell every request; from them only warnings are kept."""

_OURS: Final = "maemae."
_SHARED: Final[tuple[Processor, ...]] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
)


def configure_logs(
    home: Path,
    *,
    name: str,
    level: int = logging.INFO,
    secrets: Iterable[str] = (),
    accounts: Iterable[str] = (),
    on_console: bool = True,
    others: Iterable[logging.Handler] = (),
) -> Path:
    """Send all logs of this process to `<home>/logs/<name>.jsonl` and to stderr; give the file.

    Works for structlog and for every library that logs in the standard way. Fields bound with
    `structlog.contextvars.bound_contextvars` (client_order_id, flow_run_id) stand on every line within.
    `secrets` and `accounts` are struck wherever they occur, see `Redactor`, also from what `others`, handlers
    that some library has set up, write of the same records. A second call replaces the first.
    """
    redactor = Redactor(secrets=secrets, accounts=accounts)
    redact = _redaction(redactor)
    path = home / "logs" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handlers = [_file(path, redact), *([_console(redact)] if on_console else [])]
    _install(handlers, level)
    for other in others:
        _watch(other, redactor)
    structlog.configure(
        processors=[*_SHARED, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    return path


class _Struck(logging.Filter):
    """Hands a handler that is not ours a copy of each record without secrets, traceback included."""

    _plain: Final = logging.Formatter()

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def filter(self, record: logging.LogRecord) -> logging.LogRecord:
        shown = copy.copy(record)
        said = record.msg if isinstance(record.msg, dict) else record.getMessage()
        shown.msg, shown.args = str(self._redactor.clean(said)), None
        if record.exc_info:
            text = record.exc_text or self._plain.formatException(record.exc_info)
            shown.exc_text = self._redactor.clean_text(text)
        return shown


class _PrivateFile(WatchedFileHandler):
    """Appends to a file that only its owner may read, and opens it again when logrotate moved it away."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8")


def _file(path: Path, redact: Processor) -> logging.Handler:
    handler = _PrivateFile(path, delay=True)
    handler.set_name(f"{_OURS}file")
    handler.setFormatter(_formatter(redact, structlog.processors.JSONRenderer(ensure_ascii=False)))
    return handler


def _console(redact: Processor) -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.set_name(f"{_OURS}console")
    renderer = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    handler.setFormatter(_formatter(redact, renderer))
    return handler


def _formatter(redact: Processor, renderer: Processor) -> ProcessorFormatter:
    """Redact last, when exceptions are text too, and whoever logged."""
    return ProcessorFormatter(
        processors=[
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redact,
            renderer,
        ],
        foreign_pre_chain=_SHARED,
    )


def _redaction(redactor: Redactor) -> Processor:
    def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {name: redactor.clean(value, name=name) for name, value in event.items()}

    return redact


def _install(handlers: Iterable[logging.Handler], level: int) -> None:
    """Put our handlers on the root logger in place of those of an earlier call; others stay."""
    root = logging.getLogger()
    for old in [h for h in root.handlers if (h.get_name() or "").startswith(_OURS)]:
        root.removeHandler(old)
        old.close()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)
    for noisy in NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _watch(handler: logging.Handler, redactor: Redactor) -> None:
    """Put the filter on a handler, in place of the one of an earlier call."""
    handler.filters = [one for one in handler.filters if not isinstance(one, _Struck)]
    handler.addFilter(_Struck(redactor))
