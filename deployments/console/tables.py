"""This is how the console shows figures: as JSON for programs, as tables for people, from the same rows."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from deployments.console.speech import say, wording
from trading.sessions import KST

if TYPE_CHECKING:  # a tenth of a second that programs, which read JSON, need not wait
    from rich.console import Console
    from rich.text import Text

type Row = Mapping[str, Any]
"""Domain values by field name; the names are what programs read and never change."""

_RIGHT: Final = {"won", "signed_won", "price", "count", "shares", "percent", "signed_percent"}
_PIPE_WIDTH: Final = 240


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a row and the form of `adapters.wording` in which people read it.

    A heading is the owner's word for the name, or the name itself where it is a word of settings.
    """

    name: str
    form: str = ""
    is_word: bool = False

    def written(self, row: Row) -> Text:
        """Write the row's figure for people."""
        from rich.text import Text  # noqa: PLC0415 - see above

        value = row[self.name]
        return Text("" if value == "" else wording().figure(value, self.form))


def print_json(document: Row) -> None:
    """Print one JSON document: won as integers, rates as decimal text, times as ISO 8601 in Seoul."""
    sys.stdout.write(json.dumps(plain(document), ensure_ascii=False, indent=2, default=str))
    sys.stdout.write("\n")


def print_table(title: str, columns: Sequence[Column], rows: Iterable[Row]) -> None:
    """Print rows for people, and a word where there are none."""
    from rich.table import Table  # noqa: PLC0415 - see above

    table = Table()
    for column in columns:
        is_figure = column.form in _RIGHT
        heading = column.name if column.is_word else say(f"column.{column.name}")
        table.add_column(heading, justify="right" if is_figure else "left")
    for row in rows:
        table.add_row(*(column.written(row) for column in columns))
    if table.row_count:
        paper().print(title, table, sep="\n")
    else:
        paper().print(f"{title}: {say('nothing')}")


def print_facts(title: str, columns: Sequence[Column], row: Row) -> None:
    """Print one row for people, one field below the other."""
    from rich.table import Table  # noqa: PLC0415 - see above

    table = Table(show_header=False)
    for column in columns:
        table.add_row(say(f"column.{column.name}"), column.written(row))
    paper().print(title, table, sep="\n")


def paper(*, is_error: bool = False) -> Console:
    """Give what the console writes on; where no terminal is, lines are not cut."""
    from rich.console import Console  # noqa: PLC0415 - see above

    stream = sys.stderr if is_error else sys.stdout
    width = None if stream.isatty() else _PIPE_WIDTH
    return Console(stderr=is_error, width=width, highlight=False, markup=False)


def plain(value: Any) -> Any:
    """Turn domain values into what JSON knows."""
    match value:
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.astimezone(KST).isoformat()
        case date():
            return value.isoformat()
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
    return value
