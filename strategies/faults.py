"""This is what is wrong with a settings document, in one sentence: field, value and what would be right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import ValidationError

from trading.errors import BadInput, InvalidSetting

_PLAINER: Final = {
    "extra_forbidden": "no such setting, remove it or look for a typing mistake",
    "missing": "required",
}


def first_fault(error: ValidationError, *, origin: str = "") -> InvalidSetting:
    """Tell the first fault, e.g. `dev.yaml: strategies.0.parameters.fast=300: fewer days than slow=200`.

    `origin` is the file. A `BadInput` raised by a validator keeps its own field, value and expectation.
    """
    fault = error.errors()[0]
    field, value = ".".join(str(part) for part in fault["loc"]), fault["input"]
    if fault["type"] == "missing":
        value = None  # pydantic gives the whole section
    expected = _PLAINER.get(fault["type"], fault["msg"])
    cause = fault.get("ctx", {}).get("error")
    if isinstance(cause, BadInput):
        expected = cause.expected
        if isinstance(value, Mapping):  # raised about one key of it, not about the whole
            field, value = f"{field}.{cause.field}".removeprefix("."), cause.value
    return InvalidSetting(f"{origin}: {field}" if origin else field, value, expected)
