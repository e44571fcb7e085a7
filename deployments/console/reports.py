"""This is the command `report`: the stored report of a day, for reading here, and where the others lie."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Annotated

from rich.markdown import Markdown

from deployments.console.speech import home, option, say
from deployments.console.tables import paper, print_json
from trading.errors import BadInput


def report(
    *,
    day: Annotated[date | None, option("report_day")] = None,
    as_json: Annotated[bool, option("json", name="--json")] = False,
) -> None:
    """Show the report of `day`, the newest one without it."""
    page = _find(home() / "reports", day)
    html, document = page.with_suffix(".html"), page.with_suffix(".json")
    if as_json:
        files = {"html": html, "markdown": page, "json": document}
        print_json({"files": files, "report": json.loads(document.read_text("utf-8"))})
        return
    paper().print(Markdown(_without_pictures(page.read_text("utf-8"))))
    paper().print(say("report_page", path=html), soft_wrap=True)


def _find(folder: Path, day: date | None) -> Path:
    """Give the markdown file of the day.

    Raises:
        BadInput: naming the days that there are.
    """
    pages = {page.stem: page for page in sorted(folder.glob("????-??-??.md"))}
    wanted = day.isoformat() if day else max(pages, default=None)
    if wanted is None or wanted not in pages:
        days = ", ".join(list(pages)[-5:])
        expected = f"a day with a report: {days}" if days else "a first report, from eod-report"
        raise BadInput("--day", wanted, expected)
    return pages[wanted]


def _without_pictures(markdown: str) -> str:
    """Leave out images: they carry their own data, which a terminal cannot show."""
    return "\n".join(line for line in markdown.splitlines() if not line.startswith("!["))
