"""This is the commands `halt` and `resume`: the kill switch from a terminal.

Little is imported here, so that the halt lies on disk before anything slow or broken is touched.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from adapters.clock import SystemClock
from adapters.halt_files import HaltFile
from deployments.console.speech import home, option, say
from deployments.console.steps import Step, attempt, fail
from deployments.console.tables import paper
from trading.audits import OPERATOR
from trading.errors import BadInput
from trading.halts import Halt, TradingState
from trading.instruments import Symbol

DONE: Final = 0
NOT_STOPPED: Final = 1
NOT_ALL_DONE: Final = 3

type Reason = Annotated[str, option("reason")]
type Strategy = Annotated[str, option("strategy")]
type OneSymbol = Annotated[str, option("symbol", name="--symbol")]


def halt(
    *,
    strategy: Strategy = "",
    level: Annotated[Literal["halted", "reducing"], option("level")] = "halted",
    symbol: OneSymbol = "",
    cancel_open: Annotated[bool, option("cancel_open")] = False,
    reason: Reason = "operator",
    rehearse: Annotated[bool, option("rehearse")] = False,
) -> int:
    """Stop: first on disk, then in the database and by message, and cancel what is open if asked.

    Gives 0 when everything asked for is done, 3 when trading is stopped but something could not be done, 1
    when it could not be stopped. A rehearsal stops for a moment only, and gives 0 when every level has held.
    """
    if rehearse:
        from deployments.console.rehearsals import rehearse_all  # noqa: PLC0415 - slow, and no emergency

        return DONE if rehearse_all() else NOT_STOPPED
    _check_scope(strategy, symbol)
    at, state = SystemClock().now(), TradingState(level.upper())
    act = Halt(OPERATOR, state, reason, at, strategy, symbol)
    on_disk = attempt("halt_file", lambda: _write(act))
    recorded, *others = _follow_up(act, cancels=cancel_open)
    if not (on_disk.is_done or recorded.is_done):
        paper(is_error=True).print(say("halt.failed"))
        return NOT_STOPPED
    scope = " ".join(part for part in (strategy, symbol) if part)
    paper().print(say("halt.stopped", state=act.state, strategy=scope or say("halt.everything")))
    return DONE if all(step.is_done for step in (on_disk, recorded, *others)) else NOT_ALL_DONE


def resume(
    *,
    reason: Reason,
    strategy: Strategy = "",
    symbol: OneSymbol = "",
    accept_differences: Annotated[bool, option("accept_differences")] = False,
) -> int:
    """Go on: compare both books, lift what stops in the database and on disk, and tell what still stops.

    Gives 0 when trading goes on, 3 when another halt is still in force, 2 when the books disagree as a whole.
    """
    if not reason.strip():
        raise BadInput("--reason", reason, "a few words why trading goes on")
    _check_scope(strategy, symbol)
    from deployments.console.interventions import go_on  # noqa: PLC0415 - slow, and not needed to refuse

    goes_on = go_on(
        reason=reason,
        strategy=strategy,
        symbol=symbol,
        accepts_differences=accept_differences,
    )
    return DONE if goes_on else NOT_ALL_DONE


def _follow_up(act: Halt, *, cancels: bool) -> tuple[Step, ...]:
    """Do what needs database and broker; even an installation that is broken by now is only told."""
    try:
        from deployments.console.interventions import stop  # noqa: PLC0415 - the file comes first

        return stop(act, cancels=cancels)
    except Exception as error:  # noqa: BLE001 - trading is stopped; what could not follow is told
        return (fail("database", error),)


def _write(act: Halt) -> str:
    file = HaltFile(home() / "halt.json")
    file.put(act)
    return str(file.path)


def _check_scope(strategy: str, symbol: str) -> None:
    """Refuse a strategy that the channel does not have; without a name nothing is read, since it may be broken.

    Raises:
        InvalidSetting: naming the strategies that there are.
        InvalidSymbol: when it is no symbol.
    """
    if symbol:
        Symbol(symbol)
    if strategy:
        from deployments.console.strategies import find  # noqa: PLC0415 - not for a halt of everything

        find(strategy)
