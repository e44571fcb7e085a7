"""This is the proof that loops are compiled where nothing can be kept: quietly, each time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.consoles import PROJECT

CODE = """
from backtest.compiling import kernel, part

@part
def twice(number):
    return 2 * number

@kernel
def six(number):
    return 3 * twice(number)

print(six(7))
"""
NOWHERE = {"NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator", "NUMBA_CACHE_DIR": ""}
"""As numba finds it in a folder that is read only, of a user without a home."""


@pytest.mark.parametrize("is_writable", [True, False])
def test_a_loop_runs_whether_it_can_be_kept_or_not(tmp_path: Path, *, is_writable: bool) -> None:
    (tmp_path / "loops.py").write_text(CODE, "utf-8")
    kept = {"NUMBA_CACHE_DIR": str(tmp_path / "kept")}
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-W", "error", str(tmp_path / "loops.py")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(PROJECT), **(kept if is_writable else NOWHERE)},
    )
    assert (done.stdout, done.stderr) == ("42\n", "")
    assert any((tmp_path / "kept").rglob("*.nbi")) == is_writable
