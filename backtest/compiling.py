"""This is how the fast engine's loops are compiled: by numba, once, kept on disk beside them or where NUMBA_CACHE_DIR says.

Where a function calls one of another file and only the other changes, numba takes what it kept: so no kernel may.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

import numba

type Whole = Any
"""A number in a kernel: numba's int64, of which Python's types know nothing."""


class _Compiler(Protocol):
    """Compiles a function and leaves its signature as it is."""

    def __call__[F: Callable[..., Any]](self, function: F, /) -> F: ...


_njit: Final[Any] = numba.njit  # its types lack the last two options, which halve the compilation

kernel: Final[_Compiler] = _njit(cache=True, error_model="numpy", no_cfunc_wrapper=True)
"""Compiles what Python calls."""
part: Final[_Compiler] = _njit(
    cache=True, error_model="numpy", no_cfunc_wrapper=True, no_cpython_wrapper=True
)
"""Compiles what only kernels of the same file call."""
