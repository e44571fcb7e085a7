"""This is the index of incidents, checked: each of ours has a test that exists and says so."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.incidents import INCIDENTS, Part

ROOT = Path(__file__).parents[2]
NUMBERS = {str(number) for number in range(1, 57)} | {"13b"}
OURS = [number for number, incident in INCIDENTS.items() if incident.part is Part.ORDERS]
FILES = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("tests/**/test_*.py"))
NODES = sorted({node for incident in INCIDENTS.values() for node in incident.tests})
SAID = re.compile(r"Incidents? ([^:.']+)")


@cache
def docstrings_of(path: str) -> dict[str, str]:
    """Give the docstring of each test of a file by its name."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {
        node.name: ast.get_docstring(node) or ""
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def numbers_in(node: str) -> set[str]:
    """Give the numbers of the incidents that a test says it replays."""
    path, _, name = node.partition("::")
    said = SAID.match(docstrings_of(path)[name])
    return set(re.findall(r"\d+b?", said[1])) if said else set()


def test_every_incident_has_its_place() -> None:
    assert set(INCIDENTS) == NUMBERS
    assert all(incident.tests for incident in INCIDENTS.values())


@pytest.mark.parametrize("node", NODES)
def test_the_test_of_an_incident_exists(node: str) -> None:
    path, _, name = node.partition("::")
    assert name in docstrings_of(path)


@pytest.mark.parametrize("number", OURS)
def test_a_named_scenario_replays_the_incident(number: str) -> None:
    assert any(number in numbers_in(node) for node in INCIDENTS[number].tests)


@pytest.mark.parametrize("path", FILES)
def test_no_test_names_an_incident_that_is_not_in_the_table(path: str) -> None:
    named = {number for name in docstrings_of(path) for number in numbers_in(f"{path}::{name}")}
    assert named <= set(INCIDENTS)
