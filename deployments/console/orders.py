"""This is the command `orders`: without a word more it reads, with one it acts on a single order."""

from __future__ import annotations

from typing import Final

from cyclopts import App, Group

from deployments.console import books
from deployments.console.speech import say

ACTS: Final[dict[str, str]] = {
    "cancel": "changes:cancel",
    "modify": "changes:modify",
    "bind": "doubts:bind",
    "absent": "doubts:absent",
}
"""What can be done to one order, and where; imported only when it is done."""


def _app() -> App:
    app = App(name="orders", group_arguments=Group(say("group.arguments")))
    app.default(books.orders)
    for name, place in ACTS.items():
        app.command(f"deployments.console.{place}", name=name, help=say(f"help.orders_{name}"))
    return app


orders: Final = _app()
