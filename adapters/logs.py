"""This is the log: JSON lines in a file, plain lines on the console, and no secret in either."""

from __future__ import annotations

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
) -> Path:
    """Send all logs of this process to `<home>/logs/<name>.jsonl` and to stderr; give the file.

    Works for structlog and for every library that logs in the standard way. Fields bound with
    `structlog.contextvars.bound_contextvars` (client_order_id, flow_run_id) stand on every line within.
    `secrets` and `accounts` are struck wherever they occur, see `Redactor`. A second call replaces the first.
    """
    redact = _redaction(Redactor(secrets=secrets, accounts=accounts))
    path = home / "logs" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handlers = [_file(path, redact), *([_console(redact)] if on_console else [])]
    _install(handlers, level)
    structlog.configure(
        processors=[*_SHARED, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    return path


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
