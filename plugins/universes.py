"""This is a universe of bars, and what was decided about it, as blocks of numbers; both ends read them here.

What comes back from a foreign strategy is checked whole before anything of it is used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, Final

import numpy as np

from strategies.base import COLUMNS, BarColumns, Decisions, Values
from trading.instruments import Symbol

MOST_INDICATORS: Final = 16
LONGEST_NAME: Final = 60
_FLAG: Final = np.dtype(np.bool_)
_FIGURE: Final = np.dtype(np.float64)

type Universe = Mapping[Symbol, BarColumns]
type Told = tuple[Mapping[str, Any], bytes | memoryview]


class WrongSchema(Exception):
    """Decisions are not what the contract says; tells where."""


def told_universe(universe: Universe) -> Told:
    """Write every column of every symbol, one after the other."""
    lengths = _lengths(universe)
    table = np.empty((len(COLUMNS), sum(lengths.values())), dtype=np.int64)
    for row, name in zip(table, COLUMNS, strict=True):
        np.concatenate([getattr(columns, name) for columns in universe.values()], out=row)
    return {"symbols": lengths}, memoryview(table).cast("B")


def read_universe(head: Mapping[str, Any], block: memoryview) -> Universe:
    """Read what `told_universe` has written; it was checked there, symbols included."""
    table = list(np.frombuffer(block, dtype=np.int64).reshape(len(COLUMNS), -1))
    return {
        str.__new__(Symbol, symbol): BarColumns.trusted([row[first:last] for row in table])
        for symbol, first, last in _places(head["symbols"])
    }


def largest_answer(universe: Universe) -> int:
    """Give the bytes that decisions about a universe can have at most."""
    return sum(map(len, universe.values())) * (2 + 8 * (MOST_INDICATORS + 1))


def told_decisions(universe: Universe, decisions: Mapping[Symbol, Decisions]) -> Told:
    """Write decisions: the indicators of all symbols, their weights if any, then all entries, then all exits.

    Raises:
        WrongSchema: telling an author what is wrong with which symbol.
    """
    if decisions.keys() != universe.keys():
        raise WrongSchema("it decided about other symbols than it was asked about")
    decisions = {symbol: decisions[symbol] for symbol in universe}
    names = _names(decisions)
    lengths = _lengths(universe)
    blocks = [
        _joined(lengths, [d.indicators.get(name) for d in decisions.values()], name, _FIGURE)
        for name in names
    ]
    weights = [d.weight for d in decisions.values()]
    has_weights = any(weight is not None for weight in weights)
    if has_weights:
        blocks.append(_joined(lengths, weights, "weight", _FIGURE))
    blocks += [
        _joined(lengths, [getattr(d, name) for d in decisions.values()], name, _FLAG)
        for name in ("entry", "exit")
    ]
    head = {"symbols": lengths, "indicators": names, "has_weights": has_weights}
    return head, b"".join(blocks)


def _names(decisions: Mapping[Symbol, Decisions]) -> list[str]:
    for symbol, decided in decisions.items():
        if not isinstance(decided, Decisions):
            raise WrongSchema(f"{symbol}: Decisions expected, not {type(decided).__name__}")
    return list(next(iter(decisions.values())).indicators)


def _joined(
    lengths: Mapping[str, int], columns: Sequence[Any], name: str, kind: np.dtype[Any]
) -> bytes:
    """Join what fits, all in one go; only where something does not, look which."""
    try:
        joined = np.concatenate(columns)
        if joined.dtype == kind and list(map(len, columns)) == list(lengths.values()):
            return joined.tobytes()
    except (TypeError, ValueError):
        pass  # told below
    for (symbol, length), column in zip(lengths.items(), columns, strict=True):
        if np.shape(column) != (length,) or getattr(column, "dtype", None) != kind:
            found = f"{column.dtype}{column.shape}" if isinstance(column, np.ndarray) else column
            raise WrongSchema(f"{symbol} {name}: {kind}({length},) expected, not {str(found)[:80]}")
    raise WrongSchema(f"{name}: {kind} expected")


def read_decisions(
    universe: Universe, head: Mapping[str, Any], block: memoryview, *, warm_up: int
) -> dict[Symbol, Decisions]:
    """Take decisions of a foreign strategy, if they are what the contract says.

    Raises:
        WrongSchema: for another symbol than was asked about, a flag that is neither true nor false, a figure
            that is infinite or missing where there were enough bars, a weight that is no part of equity, or
            anything else than was asked for.
    """
    lengths = _lengths(universe)
    if head.get("symbols") != lengths:
        raise WrongSchema("it decided about other symbols or days than it was asked about")
    names = _required_names(head.get("indicators"))
    has_weights = head.get("has_weights") is True
    total, kinds = sum(lengths.values()), len(names) + has_weights
    if len(block) != total * (2 + 8 * kinds):
        raise WrongSchema(f"{len(block):,} bytes of decisions do not fit {total:,} bars")
    cut = 8 * total * kinds
    values = np.frombuffer(block[:cut], dtype=np.float64).reshape(kinds, total)
    raw = np.frombuffer(block[cut:], dtype=np.uint8).reshape(2, total)
    if (raw > 1).any():
        raise WrongSchema("an entry or exit is neither true nor false")
    places = _places(lengths)
    _require_figures(values[: len(names)], places, warm_up)
    weights = values[-1] if has_weights else None
    _require_parts(weights)
    flags = raw.view(np.bool_)
    return {
        symbol: Decisions(
            entry=flags[0, first:last],
            exit=flags[1, first:last],
            indicators={n: values[k, first:last] for k, n in enumerate(names)},
            weight=None if weights is None else weights[first:last],
        )
        for symbol, (_, first, last) in zip(universe, places, strict=True)
    }


def _required_names(names: object) -> list[str]:
    if isinstance(names, list) and len(names) <= MOST_INDICATORS and all(map(_is_name, names)):
        return names
    raise WrongSchema(f"at most {MOST_INDICATORS} indicators with short names expected")


def _is_name(name: object) -> bool:
    return isinstance(name, str) and name.isidentifier() and len(name) <= LONGEST_NAME


def _require_figures(values: Values, places: Sequence[tuple[str, int, int]], warm_up: int) -> None:
    if np.isinf(values).any():
        raise WrongSchema("an indicator is infinite")
    unknown = np.isnan(values).any(axis=0)
    for symbol, first, last in places:
        if unknown[first + warm_up - 1 : last].any():
            raise WrongSchema(f"{symbol}: an indicator is NaN where there are enough bars")


def _require_parts(weights: Values | None) -> None:
    if weights is None:
        return
    told = weights[~np.isnan(weights)]
    if ((told < 0) | (told > 1)).any():
        raise WrongSchema("a weight is neither NaN nor from 0 to 1")


def _lengths(universe: Universe) -> dict[str, int]:
    return {str(symbol): len(columns) for symbol, columns in universe.items()}


def _places(lengths: Mapping[str, int]) -> list[tuple[str, int, int]]:
    ends = accumulate(lengths.values())
    return [
        (symbol, end - count, end)
        for (symbol, count), end in zip(lengths.items(), ends, strict=True)
    ]
