"""This is the shape of a question and an answer: parameters in, blocks of rows, message and page key out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from adapters.kis_sim.accounts import Account
from adapters.kis_sim.calls import Call, Row, Values
from adapters.kis_sim.orders import Environment
from adapters.kis_sim.refusals import Failed
from adapters.kis_sim.simulation import Simulation

OK: Final = ("MCA00000", "정상처리 되었습니다.")
DONE: Final = ("KIOK0510", "조회가 완료되었습니다")
LAST: Final = ("KIOK0460", "조회 되었습니다. (마지막 자료)")
MORE: Final = ("KIOK0500", "조회가 계속됩니다..다음버튼을 Click 하십시오.")
NOTHING: Final = {
    Environment.REAL: ("KIOK0560", "조회할 내용이 없습니다"),
    Environment.PAPER: ("70070000", "모의투자 조회할 내역(자료)이 없습니다."),
}


@dataclass(frozen=True, slots=True)
class Query:
    """One call as it came in, checked: parameter names in upper case, `at` the market time."""

    call: Call
    tr: str
    environment: Environment
    parameters: Mapping[str, str]
    simulation: Simulation
    at: datetime
    account: Account | None = None
    address: str = "127.0.0.1"

    def text(self, name: str, default: str = "") -> str:
        """Return a parameter without blanks around it."""
        return self.parameters.get(name, "").strip() or default

    def day(self, name: str, default: date) -> date:
        """Read a parameter YYYYMMDD; on an always open exchange a later day than today means today.

        Raises:
            Failed: when it is no date.
        """
        written = self.text(name)
        if not written:
            return default
        if written.startswith("0000"):  # some clients ask for everything since the year 0
            return date.min
        try:
            day = datetime.strptime(written, "%Y%m%d").date()  # noqa: DTZ007 - a date, no time
        except ValueError as problem:
            raise wrong_field(name) from problem
        is_open = self.simulation.timetable.is_always_open
        return min(day, self.simulation.today()) if is_open else day

    @property
    def holder(self) -> Account:
        """The account that the call is about; the gateway has found it for every call that names one."""
        if self.account is None:
            raise wrong_field("CANO")
        return self.account

    def row(self, block: str, values: Values) -> Row:
        """Return a full row of one of the call's blocks."""
        return self.call.row(block, values)


@dataclass(frozen=True, slots=True)
class Reply:
    """Blocks by name, the message, and where the next page begins (None: not a paged call, "": last page)."""

    blocks: Mapping[str, Any]
    message: tuple[str, str] = OK
    first_key: str = ""
    next_key: str | None = None
    symbol: str = ""


type Answerer = Callable[[Query], Reply]


def missing_field(name: str) -> Failed:
    """Say that a needed parameter is not there."""
    return Failed("OPSQ2001", f"ERROR : INPUT FIELD NOT FOUND [{name}]", status=200)


def wrong_field(name: str) -> Failed:
    """Say that a parameter cannot be read."""
    return Failed("OPSQ2002", f"ERROR INVALID FIELD LENGTH [{name}]", status=200)


def paged(
    query: Query,
    block: str,
    rows: Sequence[tuple[str, Values]],
    more: Mapping[str, Any],
    *,
    is_descending: bool = False,
) -> Reply:
    """Return the page of `rows` (key of the row, its values; sorted by key) that the query asks for.

    The next page starts behind the key that the client sends back, so that rows which came or went in between
    shift nothing.
    """
    page = query.call.page
    if page is None:
        problem = f"{query.call.name} does not page"
        raise ValueError(problem)
    after = query.text(page.next_key.upper())
    left = [row for row in rows if _is_behind(row[0], after, is_descending=is_descending)]
    shown = left[: page.rows[query.environment]]
    next_key = shown[-1][0] if len(shown) < len(left) else ""
    blocks = {block: [query.row(block, values) for _, values in shown], **more}
    message = _page_message(query.environment, is_empty=not rows, is_last=not next_key)
    return Reply(blocks, message, _first_key(query), next_key)


def _is_behind(key: str, after: str, *, is_descending: bool) -> bool:
    return not after or (key < after if is_descending else key > after)


def _first_key(query: Query) -> str:
    """Repeat what was asked, as KIS does; clients hand it back unread."""
    names = [name for name in query.parameters if not name.startswith("CTX_AREA")]
    return "".join(f"{query.parameters[name]}!^" for name in names)


def _page_message(environment: Environment, *, is_empty: bool, is_last: bool) -> tuple[str, str]:
    if is_empty:
        return NOTHING[environment]
    return LAST if is_last else MORE
