"""This is the proof that running code is named by its commit, and a test run by what it ran on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.commits import commit_of
from adapters.evidence_files import EvidenceFolder
from tests.consoles import PROJECT
from tests.repositories import commit, git
from trading.evidence import Evidence, EvidenceKind

CONFTEST = f"""
import runpy
from pathlib import Path
records = runpy.run_path({str(PROJECT / "tests" / "run_records.py")!r})
def pytest_configure(config):
    config.pluginmanager.register(records["RunRecord"](config, Path(__file__).parent.parent))
"""
TESTS = "def test_it(): assert {}\ndef test_more(): assert True\n"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A small project with tests of both kinds, committed."""
    for name, text in {
        "trend.py": "a = 1\n",
        "README.md": "words\n",
        ".gitignore": ".evidence/\n__pycache__/\n",
        "deployments/channels/dev.yaml": "channel: dev\n",
        "pytest.ini": "[pytest]\ntestpaths = tests\naddopts = --import-mode=importlib -p no:cacheprovider\n",
        "tests/conftest.py": CONFTEST,
        "tests/test_a.py": TESTS.format("True"),
        "tests/scenarios/test_b.py": TESTS.format("True"),
    }.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    return tmp_path


def run_tests(clone: Path, *words: str) -> dict[EvidenceKind, Evidence]:
    """Run pytest in the clone; give the evidence that its commit has then."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "PYTEST_ADDOPTS": ""}
    program = (sys.executable, "-m", "pytest", "-q", *words)
    subprocess.run(  # noqa: S603 - our own words
        program, cwd=clone, env=environment, check=False, capture_output=True
    )
    head = git(clone, "rev-parse", "HEAD")
    return {evidence.kind: evidence for evidence in EvidenceFolder(clone).of(head)}


def test_words_and_settings_do_not_change_the_code(clone: Path) -> None:
    code = git(clone, "rev-parse", "HEAD")
    assert commit_of(clone) == code
    (clone / "deployments/channels/dev.yaml").write_text("channel: other\n", "utf-8")
    (clone / "README.md").write_text("other\n", "utf-8")
    assert commit_of(clone) == code
    assert commit(clone) != code
    assert commit_of(clone) == code
    (clone / "trend.py").write_text("a = 2\n", "utf-8")
    assert commit_of(clone) == ""
    assert commit_of(clone) == "" != (changed := commit(clone))
    assert commit_of(clone) == changed


def test_a_file_that_git_does_not_know_makes_the_code_unknown(clone: Path) -> None:
    (clone / "more.py").write_text("b = 1\n", "utf-8")
    assert commit_of(clone) == ""


def test_without_git_nobody_can_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert commit_of(tmp_path) == ""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit_of(PROJECT) == ""


def test_a_whole_run_is_evidence_and_a_part_of_it_is_none(clone: Path) -> None:
    assert run_tests(clone, "-k", "it") == {}
    assert run_tests(clone, "tests/test_a.py") == {}
    assert list(run_tests(clone, "tests/scenarios")) == [EvidenceKind.REPLAY]
    found = run_tests(clone)
    figures = {kind: (one.is_passed, one.figures) for kind, one in found.items()}
    assert figures == {
        EvidenceKind.REPLAY: (True, {"passed": 2}),
        EvidenceKind.TESTS: (True, {"passed": 4}),
    }
    (clone / "tests/test_a.py").write_text(TESTS.format("False"), "utf-8")
    head = git(clone, "rev-parse", "HEAD")
    run_tests(clone)  # on changed code: the evidence of the commit stays as it was
    assert {e.kind: (e.is_passed, e.figures) for e in EvidenceFolder(clone).of(head)} == figures
    commit(clone)
    failed = run_tests(clone)
    assert not failed[EvidenceKind.TESTS].is_passed
    assert failed[EvidenceKind.REPLAY].is_passed


def test_evidence_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    folder = tmp_path / ".evidence" / "c"
    folder.mkdir(parents=True)
    (folder / "TESTS.json").write_text("{", "utf-8")
    (folder / "REPLAY.json").write_text(json.dumps({"kind": "REPLAY"}), "utf-8")
    assert EvidenceFolder(tmp_path).of("c") == ()
    assert EvidenceFolder(tmp_path).of("") == ()
