"""This is how a test run becomes evidence: whole, on committed code that nobody changed meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from adapters.clock import SystemClock
from adapters.commits import commit_of
from adapters.evidence_files import EvidenceFolder
from trading.evidence import Evidence, EvidenceKind

REPLAYS: Final = "tests/scenarios"
"""The replayed trading days."""
_CHOICES: Final = ("keyword", "markexpr", "ignore", "ignore_glob", "deselect", "lf", "last_failed")
_JUDGED: Final = {pytest.ExitCode.OK: True, pytest.ExitCode.TESTS_FAILED: False}


class RunRecord:
    """Counts what a run of pytest does, and writes it down at its end if it was whole."""

    def __init__(self, config: pytest.Config, project: Path) -> None:
        self._project = project
        self._kinds = kinds_of(config)
        self._commit = commit_of(project) if self._kinds else ""
        self._counts: Counter[tuple[bool, str]] = Counter()
        self._is_narrowed = False

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Note that somebody chose among the tests."""
        self._is_narrowed = self._is_narrowed or bool(items)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test by how it went, and whether it replays."""
        if report.when == "call" or not report.passed:
            self._counts[report.nodeid.startswith(REPLAYS), report.outcome] += 1

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Write the evidence."""
        is_passed = _JUDGED.get(pytest.ExitCode(exitstatus))
        if is_passed is None or self._is_narrowed or not self._commit:
            return
        if commit_of(self._project) != self._commit:
            return
        for kind in self._kinds:
            EvidenceFolder(self._project).keep(self._evidence(kind))

    def _evidence(self, kind: EvidenceKind) -> Evidence:
        figures: Counter[str] = Counter()
        for (is_replay, outcome), count in self._counts.items():
            if is_replay or kind is EvidenceKind.TESTS:
                figures[outcome] += count
        is_passed = figures["passed"] > 0 and not figures["failed"]
        at = SystemClock().now()
        return Evidence(kind, self._commit, "", at, is_passed=is_passed, figures=dict(figures))


def kinds_of(config: pytest.Config) -> tuple[EvidenceKind, ...]:
    """Tell what a run with these arguments can be evidence of."""
    if any(config.getoption(name, default=None) for name in _CHOICES):
        return ()
    if config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        return EvidenceKind.TESTS, EvidenceKind.REPLAY
    is_replay = [argument.rstrip("/") for argument in config.args] == [REPLAYS]
    return (EvidenceKind.REPLAY,) if is_replay else ()
