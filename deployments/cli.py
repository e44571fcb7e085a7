"""This is `maemae`, the operator's console: which commands there are, and what happens when one fails."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Final

from cyclopts import App, Group

from deployments.console.faults import OUR_FAULT, exit_code_of, sentence_of
from deployments.console.speech import say
from deployments.console.tables import paper

INTERRUPTED: Final = 130
NOBODY_READS: Final = 141
MANY_OBJECTS: Final = 50_000
"""Made between two looks for garbage; a command makes hundreds of thousands, and keeps almost all."""

COMMANDS: Final[dict[str, dict[str, str]]] = {
    "running": {
        "demo": "demos:demo",
        "up": "stacks:up",
        "down": "stacks:down",
        "sim": "simulators:sim",
        "migrate": "migrations:migrate",
        "doctor": "doctors:doctor",
        "keys": "keys:keys",
    },
    "reading": {
        "status": "status:status",
        "orders": "orders:orders",
        "fills": "books:fills",
        "signals": "books:signals",
        "denials": "books:denials",
        "why": "explanations:why",
        "positions": "positions:positions",
        "reconcile": "doubts:reconcile",
        "events": "events:events",
        "dlq": "letters:dlq",
        "report": "reports:report",
        "backtest": "backtests:backtest",
        "sweep": "sweeps:sweep",
        "walkforward": "walks:walkforward",
        "lookahead": "lookaheads:lookahead",
        "parity": "parities:parity",
        "replay": "replays:replay",
    },
    "changing": {
        "config": "configs:config",
        "promote": "promotions:promote",
        "rollback": "rollbacks:rollback",
        "audit": "audits:audit",
        "plugins": "plugins:plugins",
    },
    "stopping": {
        "halt": "halts:halt",
        "resume": "halts:resume",
    },
}
"""Commands by group, and where they are; a file is imported only when its command runs."""

_OWN_HELP: Final = {"sim"}
"""Commands that read all their arguments themselves."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; give 0, 2 for wrong input or a missing service, 1 for a fault of ours, 130 for Ctrl-C."""
    if arguments is None:
        _collect_seldom()
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        result = _console(words[:1])(
            words, exit_on_error=False, print_error=False, result_action="return_value"
        )
        sys.stdout.flush()
    except SystemExit as ending:  # a command that reads its own arguments has said its word
        return ending.code if isinstance(ending.code, int) else 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOBODY_READS
    except Exception as error:  # noqa: BLE001 - the last line of defence: a sentence, never a traceback
        return _report(error)
    return result if isinstance(result, int) else 0


def _collect_seldom() -> None:
    """Look for garbage seldom, and not at the end: what a command imports stays, and goes with the process."""
    gc.set_threshold(MANY_OBJECTS)
    atexit.register(gc.freeze)


def _console(asked: Sequence[str] = ()) -> App:
    """Put the commands together; where one of them is asked for, it alone."""
    app = App(
        name="maemae",
        help=say("help.maemae"),
        version=lambda: version("maemae"),  # reading it takes as long as numpy
        group_parameters=Group(say("group.options")),
        group_commands=Group(say("group.other")),
        suppress_keyboard_interrupt=False,
    )
    alone = {name for commands in COMMANDS.values() for name in commands}.intersection(asked)
    app["--help"].help = say("help.help")
    app["--version"].help = say("help.version")
    for order, (group, commands) in enumerate(COMMANDS.items()):
        shelf = Group(say(f"group.{group}"), sort_key=order)
        for name, place in commands.items():
            if name in alone or not alone:
                _add(app, name, place, shelf)
    return app


def _add(app: App, name: str, place: str, group: Group) -> None:
    flags: dict[str, Any] = {"help_flags": [], "version_flags": []} if name in _OWN_HELP else {}
    text = say(f"help.{name}")
    app.command(f"deployments.console.{place}", name=name, help=text, group=group, **flags)


def _report(error: Exception) -> int:
    code = exit_code_of(error)
    sentence = sentence_of(error)
    if code == OUR_FAULT:
        from deployments.console.traces import keep  # noqa: PLC0415 - only a fault of ours needs it

        sentence += say("fault.kept", path=keep(error))
    paper(is_error=True).print(sentence, soft_wrap=True)
    return code
