"""This is the judge of what was read: nothing is raised but our own errors, and nothing comes out half read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import httpx

from adapters.kis.broker import combine_positions, read_orders
from adapters.kis.client import order_reply, read_reply
from adapters.kis.frames import BadFrame, decipher
from adapters.kis.links import Received
from adapters.kis.market_data import read_quote
from adapters.kis.stream import KisStream
from adapters.market_data import Connected, Notice, StreamEvent, Unreadable
from tests.adapters.test_kis_frames import KEYS
from tests.builders import SAMSUNG
from tests.kis_worlds import a_clock, settings_for
from trading.errors import BrokerError
from trading.ticks import TradePrint

_CIPHERS: Final = {"H0STCNI9": KEYS, "H0STCNI0": KEYS}
_AT: Final = a_clock().now()
_NOBODY: Any = None


def a_reader() -> KisStream:
    """Give a stream that reads without a connection."""
    return KisStream(settings_for("http://127.0.0.1:9"), auth=_NOBODY, clock=a_clock())


def judge_frame(stream: KisStream, text: str) -> int:
    """Read a frame as the stream does; give how many events came of it.

    Raises:
        AssertionError: when an event is no whole record of the frame, or a notice vanished without a word.
    """
    is_notice = "H0STCNI9" in text[:12]
    received = Received(text, _CIPHERS, _AT if is_notice else None)
    events = list(stream._read(received))  # noqa: SLF001 - the reading, without the socket
    rows = list(_rows(text))
    for event in events:
        assert _is_whole(event, rows), f"{event} is in no record of {text!r}"
    if is_notice and any(isinstance(event, Unreadable) for event in events):
        assert any(isinstance(event, Connected) for event in events), "nobody asks for the fill"
    return len(events)


def _rows(text: str) -> Iterator[list[str]]:
    """Split as plainly as can be: every record of the width that the count gives."""
    parts = text.split("|", 3)
    if len(parts) < 4:
        return
    payload = parts[3]
    if parts[0] == "1":
        with suppress(BadFrame):
            payload = decipher(payload, KEYS)
    fields = payload.split("^")
    width = (
        len(fields) // max(1, int(parts[2])) if parts[2].isdecimal() and len(parts[2]) < 5 else 0
    )
    for start in range(0, len(fields), width) if width else ():
        yield fields[start : start + width]


def _is_whole(event: StreamEvent, rows: list[list[str]]) -> bool:
    match event:
        case TradePrint():
            figures = [str(event.price), str(event.quantity), str(event.cumulative_volume)]
            return min(event.price, event.quantity) > 0 and any(
                [_plain(row[at]) for at in (2, 12, 13)] == figures
                and row[0].strip().endswith(event.symbol)
                for row in rows
                if len(row) >= 44
            )
        case Notice():
            figures = [event.broker_order_id.lstrip("0"), str(event.quantity)]
            return event.quantity > 0 and any(
                [_plain(row[at]) for at in (2, 9)] == figures
                and row[8].strip().endswith(event.symbol)
                for row in rows
                if len(row) >= 23
            )
        case _:
            return True


def _plain(text: str) -> str:
    """Write a number as its digits, whatever zeros and blanks surround it; "" when there are other signs."""
    digits = text.strip()
    return str(int(digits)) if digits.isascii() and digits.isdigit() and len(digits) < 30 else ""


def judge_reply(kind: str, status: int, content: bytes) -> bool:
    """Read an answer as the broker adapter does; whether it was understood.

    Raises:
        AssertionError: when what was read is not what stands there.
    """
    response = httpx.Response(status, content=content, headers={"tr_cont": "D"})
    try:
        _read(kind, response)
    except BrokerError:
        return False
    return True


def _read(kind: str, response: httpx.Response) -> None:
    if kind == "accepted":
        number = order_reply(response).row("output").text("odno")
        assert number.strip("0").isdigit(), "accepted without a number"
        return
    reply = read_reply(response)
    if kind == "price":
        quote = read_quote(SAMSUNG, reply.row("output"), at=_AT)
        assert isinstance(quote.last, int)
    elif kind == "positions":
        for position in combine_positions(reply.rows("output1")):
            assert len(position.symbol) == 6
    else:
        for order in read_orders([reply], is_over=False):
            settled = order.filled_quantity + order.canceled_quantity + order.rejected_quantity
            is_own = order.is_ours and not order.original_id
            assert not is_own or settled + order.open_quantity == order.quantity
            assert order.broker_order_id
            assert order.filled_value or not order.filled_quantity
