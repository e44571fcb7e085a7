"""This is values as JSON knows them and back again, by the annotations of their fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache, partial
from operator import attrgetter, methodcaller
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints


def document_of(value: Any) -> Any:
    """Write a frozen dataclass, and whatever its fields hold, as JSON knows it; `value_of` reads it."""
    return _writer(value.__class__)(value)


def value_of[T](kind: type[T], document: Any) -> T:
    """Read what `document_of` wrote of a value of this class; a field that is missing takes its default."""
    read: T = _read(kind, document)
    return read


@cache
def _writer(kind: type) -> Callable[[Any], Any]:
    """Find out once how values of a class are written: every order's verdict is kept with hundreds of them."""
    written: Callable[[Any], Any] = _as_it_is
    if issubclass(kind, Enum):
        written = attrgetter("value")
    elif issubclass(kind, str | Decimal):
        written = str
    elif issubclass(kind, date):  # a datetime is one, too
        written = methodcaller("isoformat")
    elif issubclass(kind, Mapping):
        written = _mapping
    elif issubclass(kind, tuple):
        written = _array
    elif is_dataclass(kind):
        written = partial(_fields, _names(kind))
    return written


def _as_it_is(value: Any) -> Any:
    return value  # None, a number, a truth: JSON knows them


def _mapping(value: Mapping[Any, Any]) -> Any:
    return {document_of(key): document_of(item) for key, item in value.items()}


def _array(value: tuple[Any, ...]) -> Any:
    return [document_of(item) for item in value]


def _fields(names: tuple[str, ...], value: Any) -> Any:
    return {name: document_of(getattr(value, name)) for name in names}


@cache
def _names(kind: type) -> tuple[str, ...]:
    if not is_dataclass(kind):
        raise TypeError(f"{kind.__name__} is no dataclass")
    return tuple(each.name for each in fields(kind) if each.init)


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    hints = get_type_hints(kind)
    return {name: hints[name] for name in _names(kind)}


def _read(kind: Any, document: Any) -> Any:
    arguments = get_args(kind)
    match get_origin(kind):
        case None:
            return _plain(kind, document)
        case origin if origin is UnionType:
            (known,) = (each for each in arguments if each is not NoneType)
            return None if document is None else _read(known, document)
        case origin if origin is tuple:
            return tuple(_read(arguments[0], item) for item in document)
    key, value = arguments
    return {_read(key, name): _read(value, item) for name, item in document.items()}


def _plain(kind: Any, document: Any) -> Any:
    if is_dataclass(kind):
        hints = _hints(kind)  # type: ignore[arg-type]  # a class, not an instance
        found = {
            name: _read(hint, document[name]) for name, hint in hints.items() if name in document
        }
        return kind(**found)  # type: ignore[operator]  # the same
    if issubclass(kind, datetime | date):
        return kind.fromisoformat(document)
    return kind(document)
