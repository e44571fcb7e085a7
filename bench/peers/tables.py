"""This is the peers' figures as tables, in both languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

MEBIBYTE: Final = 1024 * 1024
BEGIN: Final = "<!-- peers -->\n"
END: Final = "<!-- /peers -->"
RULER: Final = "|---|---|--:|--:|--:|--:|--:|"
FILES: Final = {"en": "backtests.md", "ko": "backtests.ko.md"}
WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "head": "| | engine | wall s | CPU s | times ours | peak MiB | away |",
        "absent": "not installed here",
        "unequal": "its plain work ends at other won than ours: no figures",
        "machine": "{cores} cores, load {load}, Python {python}, seed {seed}: the latest run. ≈: scaled from a sample.",
    },
    "ko": {
        "head": "| | 엔진 | 경과 초 | CPU 초 | 우리의 배수 | 최대 MiB | 차이 |",
        "absent": "여기에 설치되지 않음",
        "unequal": "단순 작업의 결과가 우리와 달라 수치를 싣지 않음",
        "machine": "코어 {cores}개, 부하 {load}, Python {python}, 시드 {seed}(마지막 실행). ≈: 표본에서 환산.",
    },
}


@dataclass(frozen=True, slots=True)
class Row:
    """What an engine took for a variant: seconds, bytes, and how far its accounts end from ours, the median.

    `peak` is None where a sample stood for the whole. A `note` tells why there are no figures.
    """

    engine: str
    variant: str
    wall: float = 0
    cpu: float = 0
    peak: int | None = None
    away: float = 0
    scale: float = 1
    note: str = ""


@dataclass(slots=True)
class Document:
    """A page of the docs and the table between its marks."""

    path: Path
    before: str
    table: str
    after: str

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read it.

        Raises:
            ValueError: when the marks are not there.
        """
        before, rest = path.read_text("utf-8").split(BEGIN)
        table, after = rest.split(END)
        return cls(path, before, table, after)

    def write(self) -> None:
        """Replace what stands between the marks."""
        self.path.write_text(f"{self.before}{BEGIN}{self.table}{END}{self.after}", "utf-8")


@dataclass(frozen=True, slots=True)
class Lines:
    """How a run is told in a language: `own` CPU seconds by variant, engines in their `order`."""

    language: str
    own: Mapping[str, float]
    order: Sequence[str]

    def table(self, rows: Sequence[Row], machine: Mapping[str, object], *, before: str) -> str:
        """Give the table; lines of `before` stay where nothing was measured anew."""
        words = WORDS[self.language]
        kept = {_key(line): line for line in before.splitlines() if line.startswith("| ")}
        kept.pop(_key(words["head"]), None)
        for row in rows:
            self._put(row, kept)
        lines = [line for _, line in sorted(kept.items(), key=self._place)]
        return "\n".join((words["machine"].format(**machine), "", words["head"], RULER, *lines, ""))

    def _put(self, row: Row, kept: dict[tuple[str, str], str]) -> None:
        """Add a row's line; that an engine is absent says nothing against its older figures."""
        figures = [key for key in kept if key[0] and key[1] == row.engine]
        if row.note == "absent" and figures:
            return
        for key in figures if row.note else [("", row.engine)]:
            kept.pop(key, None)
        kept[row.variant, row.engine] = self._line(row)

    def _place(self, item: tuple[tuple[str, str], str]) -> tuple[bool, str, int]:
        (variant, engine), _ = item
        known = engine in self.order
        return not variant, variant, self.order.index(engine) if known else len(self.order)

    def _line(self, row: Row) -> str:
        if row.note:
            return f"| | {row.engine} | {WORDS[self.language][row.note]} | | | | |"
        return _line(row, self.own.get(row.variant))


def _key(line: str) -> tuple[str, str]:
    """Give variant and engine."""
    variant, engine = line.split("|")[1:3]
    return variant.strip(), engine.strip()


def _line(row: Row, ours: float | None) -> str:
    about = "≈ " if row.scale > 1 else ""
    times = f"{row.cpu / ours:,.2f}" if ours else ""
    peak = "" if row.peak is None else f"{row.peak / MEBIBYTE:,.0f}"
    figures = (f"{about}{_seconds(row.wall)}", f"{about}{_seconds(row.cpu)}", times, peak)
    return f"| {row.variant} | {row.engine} | {' | '.join(figures)} | {_away(row.away)} |"


def _seconds(seconds: float) -> str:
    return f"{seconds:,.1f}" if seconds >= 10 else f"{seconds:.3g}"  # noqa: PLR2004


def _away(part: float) -> str:
    return "0" if part == 0 else f"{part:.2%}"
