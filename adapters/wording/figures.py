"""This is how figures look: won with separators, percent, days and times in Seoul."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from string import Formatter
from typing import Any, Final

from trading.sessions import KST

MINUS: Final = "\N{MINUS SIGN}"
NONE: Final = "\N{EN DASH}"
"""What stands where there is no figure; never a zero."""

_HUNDREDTH: Final = Decimal("0.01")
_SECOND: Final = timedelta(seconds=1)
_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)


def number(value: Decimal | int, *, places: int = 0, is_signed: bool = False) -> str:
    """Write a number with thousands separators, a true minus sign, halves away from zero."""
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    sign = MINUS if rounded < 0 else "+" if is_signed and rounded > 0 else ""
    return f"{sign}{abs(rounded):,f}"


def percent(fraction: Decimal, *, is_signed: bool = False) -> str:
    """Write a fraction as percent with two places: 0.0123 as 1.23%."""
    return number(fraction * 100, places=2, is_signed=is_signed) + "%"


class Figures(Formatter):
    """Fills `{name:form}` in a sentence; text that holds a number is read as one where a form needs it.

    Forms: won, signed_won, price (won, with decimals only if there are any), count, shares, percent,
    signed_percent, points (basis points), day, short_day, time, span, and `@group`, which looks the value up in the catalogue.
    """

    def __init__(self, units: Mapping[str, str], lookup: Callable[[str], str]) -> None:
        """Take the language's units and its catalogue."""
        self._units = units
        self._lookup = lookup
        self._forms: dict[str, Callable[[Any], str]] = {
            "won": lambda value: self._unit("won", number(value)),
            "signed_won": lambda value: self._unit("won", number(value, is_signed=True)),
            "price": lambda value: self._unit("won", _price(value)),
            "count": number,
            "shares": lambda value: self._unit("shares", number(value)),
            "percent": percent,
            "signed_percent": lambda value: percent(value, is_signed=True),
            "points": lambda value: number(value, places=1, is_signed=True) + "bp",
        }

    def format_field(self, value: Any, format_spec: str) -> str:
        """Write one figure in its form; None is a dash in every form."""
        if value is None:
            return NONE
        if format_spec.startswith("@"):
            return self._lookup(f"{format_spec[1:]}.{value}")
        if format_spec in self._forms:
            return self._forms[format_spec](_decimal(value))
        return self._moment(value, format_spec)

    def _moment(self, value: Any, form: str) -> str:
        if isinstance(value, timedelta):
            return self._span(value)
        if isinstance(value, datetime):
            local = value.astimezone(KST)
            return f"{local:%H:%M:%S}" if form == "time" else f"{local:%Y-%m-%d %H:%M:%S}"
        if isinstance(value, date):
            weekday = self._units[f"weekday_{value.isoweekday()}"]
            return f"{value:%m-%d}" if form == "short_day" else f"{value:%Y-%m-%d} ({weekday})"
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return _price(Decimal(value))
        return str(value)

    def _span(self, span: timedelta) -> str:
        if span < _SECOND:
            return self._unit("milliseconds", number(Decimal(span // timedelta(milliseconds=1))))
        if span < _MINUTE:
            return self._unit("seconds", number(_ratio(span, _SECOND), places=1))
        if span < _HOUR:
            return self._unit("minutes", number(_ratio(span, _MINUTE), places=1))
        return self._unit("hours", number(_ratio(span, _HOUR), places=1))

    def _unit(self, unit: str, written: str) -> str:
        return self._units[unit].replace("#", written)


def _decimal(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value).replace(",", ""))


def _price(value: Decimal) -> str:
    return number(value, places=0 if value == value.to_integral_value() else 2)


def _ratio(span: timedelta, unit: timedelta) -> Decimal:
    microsecond = timedelta(microseconds=1)
    return Decimal(span // microsecond) / (unit // microsecond)
