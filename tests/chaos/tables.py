"""This is what came of many runs: kept line by line so that they can be resumed, and added up as a table."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.chaos.scenarios import SPOTS
from tests.chaos.verdicts import Verdict

COLUMNS: Final = ("duplicates", "losses", "wrong_bindings", "unresolved", "blocked", "problem")
UNRESOLVED_LIMIT: Final = 0.01

type Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Results:
    """The finished runs in a folder: one line each, written at once by whoever carried it out."""

    folder: Path

    @property
    def lines(self) -> tuple[Line, ...]:
        """Every finished run, by seed; a line that a death cut off counts for nothing."""
        file = self.folder / "results.jsonl"
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        found = {line["seed"]: line for line in _whole_lines(text)}
        return tuple(found[seed] for seed in sorted(found))

    def keep(self, verdict: Verdict) -> None:
        """Add one finished run."""
        self.folder.mkdir(parents=True, exist_ok=True)
        line = (json.dumps(verdict.as_json(), ensure_ascii=False) + "\n").encode()
        descriptor = os.open(
            self.folder / "results.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600
        )
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)

    def write_tables(self) -> str:
        """Write `table.md` and `table.json`; give the summary that stands on top of both."""
        lines = self.lines
        sums = tuple(summed(lines))
        (self.folder / "table.md").write_text(markdown(sums, lines), encoding="utf-8")
        document = {"summary": total(lines), "rows": sums}
        (self.folder / "table.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
        return told(total(lines))


def never_sprung(lines: Iterable[Line]) -> tuple[str, ...]:
    """Name the steps at which nobody died: so many runs were too few, or a trap does not hold."""
    sprung = {line["spot"] for line in lines if line["was_sprung"]}
    return tuple(str(spot) for spot in SPOTS if str(spot) not in sprung)


def summed(lines: Iterable[Line]) -> Iterator[dict[str, Any]]:
    """Give one row for each pair of step and fault, and how often each column was not empty."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for line in lines:
        key = line["spot"], line["fault"]
        row = rows.setdefault(key, {"step": key[0], "fault": key[1]} | dict.fromkeys(_COUNTED, 0))
        row["runs"] += 1
        row["reached"] += bool(line["was_sprung"])
        for column in COLUMNS:
            row[column] += bool(line[column])
    yield from (rows[key] for key in sorted(rows))


def total(lines: Iterable[Line]) -> dict[str, int]:
    """Add everything up."""
    rows = tuple(summed(lines))
    return {name: sum(row[name] for row in rows) for name in _COUNTED}


def told(figures: Mapping[str, int]) -> str:
    """Say the sums in one line."""
    return ", ".join(f"{figures[name]} {name.replace('_', ' ')}" for name in _COUNTED)


def is_passed(figures: Mapping[str, int]) -> bool:
    """Tell whether nothing was wrong and nearly nothing is unresolved."""
    wrong = sum(figures[name] for name in COLUMNS if name != "unresolved")
    return not wrong and figures["unresolved"] <= UNRESOLVED_LIMIT * figures["runs"]


def markdown(rows: Iterable[Mapping[str, Any]], lines: Iterable[Line]) -> str:
    """Write the table, and every run that was not right below it."""
    lines = tuple(lines)
    names = ("step", "fault", *_COUNTED)
    head = [f"# Chaos: {told(total(lines))}", "", _cells(names), _cells("---" for _ in names)]
    body = [_cells(str(row[name]) for name in names) for row in rows]
    return "\n".join([*head, *body, "", *_stories(lines)]) + "\n"


_COUNTED: Final = ("runs", "reached", *COLUMNS)


def _cells(values: Iterable[str]) -> str:
    return f"| {' | '.join(values)} |"


def _stories(lines: Iterable[Line]) -> Iterator[str]:
    for line in lines:
        found = {column: line[column] for column in COLUMNS if line[column]}
        if found:
            yield f"- seed {line['seed']} ({line['spot']}, {line['fault']}): {found}"


def _whole_lines(text: str) -> Iterator[Line]:
    for line in text.splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue
