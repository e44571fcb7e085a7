"""This is the table of KIS calls: TR ids of both worlds, needed parameters, paging, and every reply field.

The table itself is `calls.json`. A field's letter says what it holds: i whole number, d decimal number, c code,
t text, D date YYYYMMDD, T time HHMMSS, y Y or N; a field that the simulator has nothing to say about is sent as
"0", "0.00", "" or "N" accordingly, because KIS sends every field of a block.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from adapters.kis_sim.orders import Environment

_EMPTY: Final = {"i": "0", "d": "0.00", "c": "", "t": "", "D": "", "T": "", "y": "N"}

type Row = dict[str, str]
type Values = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Page:
    """How a call pages: names of its two keys in the reply, their width, rows per reply."""

    first_key: str
    next_key: str
    width: int
    rows: Mapping[Environment, int]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the API. `blanks` are the fields of each block with what is sent when nothing is known."""

    name: str
    path: str
    method: str
    trs: Mapping[Environment, tuple[str, ...]]
    needs: tuple[str, ...]
    page: Page | None
    kinds: Mapping[str, str]
    blanks: Mapping[str, Row]

    @property
    def is_trading(self) -> bool:
        """Whether the call concerns an account (the ledger) rather than prices."""
        return self.path.startswith("trading/")

    @property
    def is_order(self) -> bool:
        """Whether the call changes something."""
        return self.method == "POST"

    def row(self, block: str, values: Values) -> Row:
        """Return a row of `block` with every field as text; unknown names are a mistake of ours."""
        blank = self.blanks[block]
        strange = values.keys() - blank.keys()
        if strange:
            message = f"{self.name}.{block} has no {sorted(strange)}"
            raise KeyError(message)
        return {name: str(values.get(name, empty)) for name, empty in blank.items()}


def _read() -> dict[str, Call]:
    table = json.loads(Path(__file__).with_name("calls.json").read_text(encoding="utf-8"))
    return {name: _call(name, entry) for name, entry in table.items()}


def _call(name: str, entry: dict[str, Any]) -> Call:
    return Call(
        name=name,
        path=entry["path"],
        method=entry["method"],
        trs={world: tuple(entry[world].split()) for world in Environment},
        needs=tuple(entry["needs"].split()),
        page=_page(entry["page"]) if "page" in entry else None,
        kinds={block: what["kind"] for block, what in entry["blocks"].items()},
        blanks={block: _blank(what["fields"]) for block, what in entry["blocks"].items()},
    )


def _page(entry: dict[str, Any]) -> Page:
    first_key, next_key = entry["keys"].split()
    rows = {world: int(entry[world]) for world in Environment}
    return Page(first_key, next_key, entry["width"], rows)


def _blank(fields: str) -> Row:
    return {name: _EMPTY[kind] for name, kind in (field.split(":") for field in fields.split())}


CALLS: Final = _read()
CALL_OF_TR: Final = {tr: call for call in CALLS.values() for trs in call.trs.values() for tr in trs}
