"""This is the owner's own command that prints the keys: no shell, little time, nothing of it in any log."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from contextlib import suppress
from typing import Final

from pydantic import SecretStr

from adapters.keys.scopes import Keys, Scope, parse_keys
from trading.errors import InvalidSetting

SETTING: Final = "MAEMAE_KEYS__COMMAND"
PATIENCE_SECONDS: Final = 10.0
LARGEST: Final = 1 << 16


def ask_command(command: SecretStr, scope: Scope, *, patience: float = PATIENCE_SECONDS) -> Keys:
    """Run `command` and read the JSON that it prints; `{scope}` in its words becomes real, paper or read.

    Its other output goes nowhere. Whoever is still busy after `patience` seconds is ended, children included.

    Raises:
        InvalidSetting: when it cannot be run, fails, takes too long, or prints something else.
    """
    return parse_keys(_output_of(_words(command, scope), patience), scope, origin=SETTING)


def _words(command: SecretStr, scope: Scope) -> list[str]:
    try:
        words = shlex.split(command.get_secret_value())
    except ValueError:
        words = []
    if not words:
        raise _refusal("a program and its arguments")
    return [word.replace("{scope}", scope) for word in words]


def _output_of(words: list[str], patience: float) -> bytes:
    try:
        running = subprocess.Popen(  # noqa: S603 - the owner's words, no shell
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise _refusal(f"a program that can be run ({error.strerror})") from None
    with running:
        try:
            output, _ = running.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
            raise _refusal(f"a program that ends within {patience:g} s") from None
    if running.returncode != 0:
        raise _refusal(f"a program that ends with 0, not {running.returncode}")
    if len(output) > LARGEST:
        raise _refusal("JSON with environment, appkey, appsecret, account and hts_id")
    return output


def _refusal(expected: str) -> InvalidSetting:
    return InvalidSetting(SETTING, "***", expected)
