"""This is what changes between two versions of the settings, and which changes make trading less safe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final

from risk.limits import LARGER_IS_STRICTER, RiskLimits


class Tighter(StrEnum):
    """In which direction a figure becomes safer."""

    LOWER = "lower"
    HIGHER = "higher"


_LIMITS: Final = {
    name: Tighter.HIGHER if name in LARGER_IS_STRICTER else Tighter.LOWER
    for name in RiskLimits.model_fields
}
TIGHTER: Final[Mapping[str, Tighter]] = {
    **{f"risk.{name}": side for name, side in _LIMITS.items()},
    **{f"strategies.*.risk.{name}": side for name, side in _LIMITS.items()},
    "trips.reject_streak": Tighter.LOWER,
    "trips.orders_in_doubt": Tighter.LOWER,
    "trips.silence_seconds": Tighter.LOWER,
    "trips.clock_seconds": Tighter.LOWER,
    "trips.waiting_notices": Tighter.LOWER,
    "trips.notice_seconds": Tighter.LOWER,
    "trips.unsent_events": Tighter.LOWER,
    "trips.unsent_seconds": Tighter.LOWER,
    "trips.unsent_events_warning": Tighter.LOWER,
    "trips.unsent_seconds_warning": Tighter.LOWER,
    "sizing.target_weight": Tighter.LOWER,
    "sizing.limit_offset": Tighter.LOWER,
    "strategies.*.exits.stop_loss": Tighter.LOWER,
    "strategies.*.exits.trailing_stop": Tighter.LOWER,
    "lateness_seconds": Tighter.LOWER,
    "history_days": Tighter.HIGHER,  # a strategy without its warm-up is blind
}
"""Where the safe side of each figure lies; null means no limit at all. What is not here loosens."""

SAFER_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "manual_orders": ("adopt", "quarantine"),
    "late_match": ("keep", "cancel"),
}
"""Settings that are words, from the least to the most careful."""


_ENDLESS: Final = Decimal("Infinity")


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that differs: its place, and its values as JSON has them; None is "not set"."""

    path: str
    before: Any
    after: Any

    @property
    def loosens(self) -> bool:
        """Whether trading is less safe with it, as far as we know: what nobody knows counts as less safe."""
        place = _place(self.path)
        if place in SAFER_WORDS:
            return _is_less_careful(SAFER_WORDS[place], self.before, self.after)
        if place not in TIGHTER:
            return True
        is_lower = TIGHTER[place] is Tighter.LOWER
        none = _ENDLESS if is_lower else -_ENDLESS
        before, after = (none if v is None else _figure(v) for v in (self.before, self.after))
        if before is None or after is None:
            return True
        return after > before if is_lower else after < before


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """Give every setting that differs between two documents, by path; figures that are equal do not differ.

    Strategies are compared by their ids, not by their places in the list.
    """
    old, new = dict(_leaves(before)), dict(_leaves(after))
    paths = sorted(old.keys() | new.keys())
    changes = (Change(path, old.get(path), new.get(path)) for path in paths)
    return tuple(change for change in changes if not _is_same(change.before, change.after))


def loosening(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Give those that make trading less safe."""
    return tuple(change for change in changes if change.loosens)


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Give every value that is no mapping, with the names that lead to it."""
    if isinstance(value, Mapping) and value:
        for name, item in value.items():
            yield from _leaves(item, f"{path}.{name}" if path else str(name))
    elif _is_named(value):
        for item in value:
            yield from _leaves(item, f"{path}.{item['id']}")
    else:
        yield path, value


def _is_named(value: Any) -> bool:
    is_list = isinstance(value, Sequence) and not isinstance(value, str) and bool(value)
    return is_list and all(isinstance(item, Mapping) and "id" in item for item in value)


def _place(path: str) -> str:
    """Name the setting whatever the strategy is called; ids have no dots."""
    parts = path.split(".")
    return ".".join(["strategies", "*", *parts[2:]]) if parts[0] == "strategies" else path


def _is_less_careful(words: Sequence[str], before: Any, after: Any) -> bool:
    is_known = before in words and after in words
    return not is_known or words.index(after) < words.index(before)


def _figure(value: Any) -> Decimal | None:
    """Read a figure, None when it is none."""
    if value is None or isinstance(value, bool):
        return None
    try:
        figure = Decimal(str(value))
    except InvalidOperation:
        return None
    return figure if figure.is_finite() else None


def _is_same(before: Any, after: Any) -> bool:
    old = _figure(before)
    return before == after or (old is not None and old == _figure(after))
