"""This is `make peers`: variants A to D by us and by others, as tables for docs/backtests.md and its twin.

`--engines` names some, and what is not measured keeps its lines in the docs; ours is run beside them in any case.

Every figure is of a process of its own that ran the work once before, smaller. Who is too slow for the whole is given
a sample, and its times are scaled. An engine has figures only if its plain work (a fixed quantity, no stops, no costs)
ends at the same won as ours in every account.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from bench.markets import DAYS, SEED, a_market
from bench.peers import tables
from bench.peers.tables import Row
from bench.peers.works import Answer, Pair, Work
from bench.variants import PAIR_SYMBOLS, PAIRS, SYMBOLS

ROOT: Final = Path(__file__).resolve().parents[2]
DEFAULT: Final = (20, 60)
OURS: Final = "maemae fast"
FEW_SYMBOLS: Final = 20
"""Of the plain work."""
WHOLE: Final[Mapping[str, tuple[int, int]]] = {
    "A": (1, 1),
    "B": (SYMBOLS, 1),
    "C": (SYMBOLS, 1),
    "D": (PAIR_SYMBOLS, len(PAIRS)),
}
"""Symbols and pairs."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Who works, where, and how much of a variant it is given; what is not named it does not know."""

    name: str
    module: str
    environment: str = ""
    word: str = ""
    works: Mapping[str, tuple[int, int]] = field(default_factory=lambda: WHOLE)
    plain: str = "next open"
    few: int = FEW_SYMBOLS

    @property
    def handle(self) -> str:
        """Give the word by which it is asked for."""
        return self.environment or self.word

    @property
    def is_ours(self) -> bool:
        """Whether its bars are laid out by symbol."""
        return not self.environment

    @property
    def python(self) -> str:
        """Its interpreter."""
        place = ROOT / ".peers" / self.environment / "bin" / "python"
        return str(place) if self.environment else sys.executable


ENGINES: Final = (
    Engine(OURS, "by_maemae", word="fast"),
    Engine(
        "maemae exact",
        "by_maemae",
        word="exact",
        works={"A": (1, 1), "B": (200, 1), "C": (SYMBOLS, 1), "D": (10, 10)},
    ),
    Engine("numba, bare", "by_maemae", word="bare"),
    Engine(
        "vectorbt",
        "by_vectorbt",
        "vectorbt",
        works={"A": (1, 1), "B": (SYMBOLS, 1), "C": (SYMBOLS, 1), "D": (PAIR_SYMBOLS, 140)},
    ),
    Engine(
        "backtesting.py",
        "by_backtesting",
        "backtesting",
        works={"A": (1, 1), "B": (200, 1), "D": (10, 10)},
    ),
    Engine(
        "nautilus_trader",
        "by_nautilus",
        "nautilus",
        works={"A": (1, 1), "B": (20, 1), "D": (5, 4)},
        plain="same close",
    ),
    Engine(
        "backtrader",
        "by_backtrader",
        "backtrader",
        works={"A": (1, 1), "B": (20, 1), "D": (5, 4)},
    ),
    Engine(
        "zipline-reloaded",
        "by_zipline",
        "zipline",
        works={"A": (1, 1), "B": (3, 1), "D": (1, 3)},
        few=2,
    ),
    Engine(
        "bt",
        "by_bt",
        "bt",
        works={"A": (1, 1), "B": (50, 1), "C": (400, 1), "D": (10, 5)},
    ),
    Engine(
        "pandas, plain",
        "by_pandas",
        "pandas",
        works={"A": (1, 1), "B": (SYMBOLS, 1), "C": (SYMBOLS, 1), "D": (PAIR_SYMBOLS, 20)},
    ),
)


class Bench:
    """The market on disk, and the runs over it."""

    def __init__(self, folder: Path, *, is_full: bool) -> None:
        """Make the market."""
        table = a_market(SYMBOLS)
        self._bars = table.bars.reshape(len(table.bars), SYMBOLS, DAYS)
        self._folder, self._is_full = folder, is_full

    def rows(self, engine: Engine, variants: Sequence[str], runs: int) -> Iterator[Row]:
        """Give a row for each variant that an engine knows, if its plain work is right."""
        if not Path(engine.python).exists():
            yield Row(engine.name, "", note="absent")
            return
        if engine.word != "bare" and not self._is_right(engine):
            yield Row(engine.name, "", note="unequal")
            return
        for variant in variants:
            if variant in engine.works:
                yield self._row(engine, variant, runs)

    def _is_right(self, engine: Engine) -> bool:
        pairs = (DEFAULT, (5, 50))
        theirs, ours = (
            self._run(who, engine.plain, engine.few, pairs, is_plain=True).ends
            for who in (engine, ENGINES[0])
        )
        return list(map(round, theirs)) == list(map(round, ours))  # theirs are sums of floats

    def _row(self, engine: Engine, variant: str, runs: int) -> Row:
        whole = WHOLE[variant]
        symbols, pairs = whole if self._is_full else engine.works[variant]
        asked = PAIRS[:: max(1, len(PAIRS) // pairs)][:pairs] if variant == "D" else (DEFAULT,)
        answers = [self._run(engine, variant, symbols, asked) for _ in range(runs)]
        ours = self._run(ENGINES[0], variant, symbols, asked).ends
        scale = whole[0] * whole[1] / (symbols * len(asked))
        away = [abs(a - b) / b for a, b in zip(answers[0].ends, ours, strict=True)]
        return Row(
            engine.name,
            variant,
            wall=scale * median(each.wall for each in answers),
            cpu=scale * median(each.cpu for each in answers),
            peak=None if scale > 1 else max(each.peak for each in answers),
            away=median(away),
            scale=scale,
        )

    def _run(
        self,
        engine: Engine,
        variant: str,
        symbols: int,
        pairs: Sequence[Pair],
        *,
        is_plain: bool = False,
    ) -> Answer:
        """Run one work in a process of its own.

        Raises:
            CalledProcessError: when it fails.
        """
        work = Work(self._market(symbols, is_ours=engine.is_ours), variant, tuple(pairs), is_plain)
        answer = self._folder / "answer.json"
        subprocess.run(  # noqa: S603 - our own words
            (
                *(engine.python, "-m", f"bench.peers.{engine.module}"),
                *(work.written(), str(answer), engine.word),
            ),
            cwd=ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        found = json.loads(answer.read_text("utf-8"))
        return Answer(**{**found, "ends": tuple(found["ends"])})

    def _market(self, symbols: int, *, is_ours: bool) -> str:
        path = self._folder / f"{symbols}-{'symbol' if is_ours else 'day'}.npy"
        if not path.exists():
            bars = self._bars[:, :symbols]
            np.save(
                path,
                np.ascontiguousarray(bars if is_ours else bars.swapaxes(1, 2).astype(np.int64)),
            )
        return str(path)


def main() -> None:
    """Measure, print both tables, and write them into the docs when asked to."""
    words = argparse.ArgumentParser(prog="make peers ARGS=...", description=__doc__)
    words.add_argument("variants", nargs="*", default=[], help=", ".join(WHOLE))
    handles = ", ".join(engine.handle for engine in ENGINES)
    words.add_argument("--engines", default="", help=f"some of {handles}, with commas between")
    words.add_argument("--runs", type=int, default=3, help="of each work; the median counts")
    words.add_argument("--full", action="store_true", help="whole variants for everybody: hours")
    words.add_argument("--write", action="store_true", help="put the tables into docs/")
    asked = words.parse_args()
    variants, named = asked.variants or list(WHOLE), asked.engines.split(",")
    chosen = [each for each in ENGINES if not asked.engines or each.handle in named]
    with TemporaryDirectory() as folder:
        bench = Bench(Path(folder), is_full=asked.full)
        found = [row for engine in chosen for row in bench.rows(engine, variants, asked.runs)]
        own = {each.variant: each.cpu for each in found if each.engine == OURS} or {
            each.variant: each.cpu for each in bench.rows(ENGINES[0], variants, asked.runs)
        }
    machine = {
        "cores": os.cpu_count() or 0,
        "python": platform.python_version(),
        "load": f"{os.getloadavg()[0]:.1f}",
        "seed": SEED,
    }
    order = [engine.name for engine in ENGINES]
    for language, path in tables.FILES.items():
        document = tables.Document.read(ROOT / "docs" / path)
        lines = tables.Lines(language, own, order)
        document.table = lines.table(found, machine, before=document.table)
        sys.stdout.write(f"{document.table}\n")
        if asked.write:
            document.write()


if __name__ == "__main__":
    main()
