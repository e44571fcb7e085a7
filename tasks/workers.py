"""This is what every worker of a sweep begins with: the server they are forked from imports it, once for all.

Importing it loads the kernels, or compiles them where they are not kept: what a worker would do by itself at its first
trial.
"""

from __future__ import annotations

from backtest.engine import compile_kernels
from tasks import spreads

__all__ = ["spreads"]

compile_kernels()
