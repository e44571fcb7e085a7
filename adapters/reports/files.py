"""This is the report on disk: three files per day, each whole or not there."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.reports.documents import report_document
from adapters.reports.html import render_html
from adapters.reports.markdown import render_markdown
from adapters.wording import Wording
from trading.bars import Bar
from trading.executions import Execution
from trading.instruments import Symbol
from trading.reports import EodReport


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """Where one day's report lies."""

    html: Path
    markdown: Path
    json: Path


def write_report(
    report: EodReport,
    history: Mapping[Symbol, Sequence[Bar]],
    directory: Path,
    *,
    wording: Wording,
    executions: Sequence[Execution] | None = None,
) -> ReportFiles:
    """Write `<directory>/<trading day>.{html,md,json}`, replacing an earlier report of the day.

    `history` gives the bars, oldest first, of every symbol that gets a price chart; `executions` are the fills
    to mark there, those of the day if none are given.
    """
    fills = report.day.executions if executions is None else executions
    contents = {
        "html": render_html(report, history, fills, wording),
        "md": render_markdown(report, wording),
        "json": json.dumps(report_document(report), ensure_ascii=False, indent=2) + "\n",
    }
    directory.mkdir(parents=True, exist_ok=True)
    name = report.day.trading_day.isoformat()
    paths = {ending: directory / f"{name}.{ending}" for ending in contents}
    for ending, path in paths.items():
        put_file(path, contents[ending])
    return ReportFiles(html=paths["html"], markdown=paths["md"], json=paths["json"])


def put_file(path: Path, content: str) -> None:
    """Write beside and rename, so that a reader sees the old file or the new one, never half."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(content, encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
