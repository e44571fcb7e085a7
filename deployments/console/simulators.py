"""This is the command `sim`: the KIS simulator, which reads its own arguments."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from adapters.kis_sim.__main__ import main
from deployments.console.speech import language


def sim(*arguments: Annotated[str, Parameter(allow_leading_hyphen=True)]) -> int | None:
    """Run the simulator until Ctrl-C; `maemae sim --help` tells its arguments."""
    return main(list(arguments), language=language())
