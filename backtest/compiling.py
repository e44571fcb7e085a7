"""This is how the fast engine's loops are compiled: by numba, once, kept on disk beside them or where NUMBA_CACHE_DIR says.

Where nothing can be written, neither there nor in the user's home, every process compiles them anew. Where a function
calls one of another file and only the other changes, numba takes what it kept: so no kernel may.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numba

type Whole = Any
"""A number in a kernel: numba's int64, of which Python's types know nothing."""

_njit: Final[Any] = numba.njit  # its types lack the last two options, which halve the compilation


def kernel[F: Callable[..., Any]](function: F, /) -> F:
    """Compile what Python calls."""
    return _compiled(function)


def part[F: Callable[..., Any]](function: F, /) -> F:
    """Compile what only kernels of the same file call."""
    return _compiled(function, no_cpython_wrapper=True)


def _compiled[F: Callable[..., Any]](function: F, **options: bool) -> F:
    how: dict[str, Any] = {"error_model": "numpy", "no_cfunc_wrapper": True, **options}
    try:
        kept: F = _njit(cache=True, **how)(function)
    except RuntimeError:  # numba found no place to keep it
        kept = _njit(**how)(function)
    return kept
