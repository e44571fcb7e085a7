"""This is the peers' figures as tables, in both languages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MEBIBYTE: Final = 1024 * 1024
FILES: Final = {"en": "backtests.md", "ko": "backtests.ko.md"}
WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "head": "| | engine | wall s | CPU s | times ours | peak MiB | away |",
        "absent": "not installed here",
        "unequal": "its plain work ends at other won than ours: no figures",
        "machine": "{cores} cores, load {load}, Python {python}, seed {seed}. ≈: scaled from a sample.",
    },
    "ko": {
        "head": "| | 엔진 | 경과 초 | CPU 초 | 우리의 배수 | 최대 MiB | 차이 |",
        "absent": "여기에 설치되지 않음",
        "unequal": "단순 작업의 결과가 우리와 달라 수치를 싣지 않음",
        "machine": "코어 {cores}개, 부하 {load}, Python {python}, 시드 {seed}. ≈: 표본에서 환산.",
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


def written(
    rows: Sequence[Row], machine: Mapping[str, object], ours: str, docs: Path
) -> dict[Path, str]:
    """Give the table of each document."""
    return {
        docs / FILES[language]: "\n".join(_lines(rows, machine, ours, words)) + "\n"
        for language, words in WORDS.items()
    }


def _lines(
    rows: Sequence[Row], machine: Mapping[str, object], ours: str, words: Mapping[str, str]
) -> Iterator[str]:
    own = {row.variant: row.cpu for row in rows if row.engine == ours}
    yield words["machine"].format(**machine)
    yield ""
    yield words["head"]
    yield "|---|---|--:|--:|--:|--:|--:|"
    for row in sorted((row for row in rows if not row.note), key=lambda row: row.variant):
        yield _line(row, own.get(row.variant))
    for row in rows:
        if row.note:
            yield f"| | {row.engine} | {words[row.note]} | | | | |"


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
