"""This is the proof that every page is found: linked from its README, and every link leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.consoles import PROJECT

LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
PAGES = [*PROJECT.glob("*.md"), *(PROJECT / "docs").glob("*.md")]


def links(page: Path) -> set[Path]:
    """Give the files that a page leads to."""
    text = page.read_text("utf-8")
    return {(page.parent / found).resolve() for found in LINK.findall(text)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    assert [str(target) for target in links(page) if not target.exists()] == []


@pytest.mark.parametrize(("readme", "ending"), [("README.md", ".md"), ("README.ko.md", ".ko.md")])
def test_each_readme_leads_to_every_page_of_its_language(readme: str, ending: str) -> None:
    pages = {path.resolve() for path in (PROJECT / "docs").glob(f"*{ending}")}
    pages = {path for path in pages if ending != ".md" or not path.name.endswith(".ko.md")}
    assert pages <= links(PROJECT / readme)
