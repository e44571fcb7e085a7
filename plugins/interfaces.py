"""This is the number of the interface that plug-ins are written for, and what older ones have to change."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Final

from trading.errors import InvalidSetting

INTERFACE: Final = 1
CHANGES: Final[Mapping[int, str]] = {
    0: "say `INTERFACE = 1` at the top of the module; a strategy is a subclass of strategies.base.Strategy, "
    "a rule has rule_id, check and figures, a broker is an async context manager (docs/plugins.md)",
}
"""What somebody who wrote for this version has to change for the next one."""


def interface_of(source: bytes) -> int:
    """Read the number that a module says it is written for, without running it; 0 when it says none.

    Raises:
        SyntaxError: when it is no Python.
    """
    for statement in ast.parse(source).body:
        match statement:
            case ast.Assign([ast.Name("INTERFACE")], ast.Constant(int(number))):
                return number
            case ast.AnnAssign(ast.Name("INTERFACE"), _, ast.Constant(int(number))):
                return number
    return 0


def require_interface(
    plugin: str, found: int, *, current: int = INTERFACE, changes: Mapping[int, str] = CHANGES
) -> None:
    """Let nothing in that is written for another interface.

    Raises:
        InvalidSetting: saying what to change, step by step.
    """
    if found == current:
        return
    steps = "; ".join(f"{n + 1}: {changes[n]}" for n in range(found, current) if n in changes)
    expected = f"{current}; {steps}" if found < current else f"{current}, or a newer maemae"
    raise InvalidSetting(f"plugins.{plugin}: INTERFACE", found, expected)
