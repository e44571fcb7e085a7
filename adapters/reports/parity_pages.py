"""This is parity as one web page, in the dress of the daily report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adapters.reports.files import put_file
from adapters.reports.html import environment, style_sheets
from adapters.wording import Wording


def render_parity(document: Mapping[str, Any], wording: Wording, *, channel: str) -> str:
    """Give the page of a `tasks.parity.parity_document`."""
    template = environment().get_template("parity.html.j2")
    return template.render(d=document, w=wording, channel=channel, **style_sheets())


def write_parity(
    document: Mapping[str, Any], directory: Path, *, wording: Wording, channel: str
) -> Path:
    """Write `<directory>/parity-<from>-<to>.html`, replacing an earlier one of the same days."""
    path = directory / f"parity-{document['from']}-{document['to']}.html"
    directory.mkdir(parents=True, exist_ok=True)
    put_file(path, render_parity(document, wording, channel=channel))
    return path
