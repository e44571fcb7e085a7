"""This is the broker's clock, heard in its replies: right, ahead, behind, slow and silent."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

from adapters.clock import FixedClock, SystemClock
from adapters.kis.hours import DateHeaders
from tests.builders import A_DAY, SAMSUNG, seoul
from tests.kis_worlds import PRICE, opened_on
from tests.odd_servers import Request, odd_server, reply

NOW = seoul(A_DAY, "10:00")


def dated(told: datetime | str) -> bytes:
    """Give a reply that tells this time."""
    date = told if isinstance(told, str) else format_datetime(told, usegmt=True)
    return reply({}).replace(b"Connection:", f"Date: {date}\r\nConnection:".encode(), 1)


async def offset_of(answer: bytes, *, takes: float = 0) -> timedelta | None:
    """Ask once at `NOW` and wait `takes` seconds for the reply; give the offset that was heard."""
    clock = FixedClock(NOW)
    hours = DateHeaders(clock)

    def slowly(_: Request) -> bytes:
        clock.move_to(NOW + timedelta(seconds=takes))
        return answer

    async with odd_server(slowly) as server, httpx.AsyncClient(event_hooks=hours.hooks) as http:
        await http.get(server.url)
    return hours.offset()


@pytest.mark.parametrize(
    ("seconds", "takes", "offset"),
    [
        (0, 0, 0),
        (-1, 0, 0),  # the header has no fractions: it may be a second older than it says
        (6, 0, 6),
        (-6, 0, -5),
        (6, 10, 0),  # it may have been written late
        (16, 10, 6),
    ],
)
async def test_the_offset_is_the_smallest_that_explains_the_header(
    seconds: int, takes: float, offset: int
) -> None:
    told = NOW + timedelta(seconds=seconds)
    assert await offset_of(dated(told), takes=takes) == timedelta(seconds=offset)


@pytest.mark.parametrize("answer", [reply({}), dated("yesterday"), dated("")])
async def test_a_reply_without_a_time_tells_nothing(answer: bytes) -> None:
    assert await offset_of(answer) is None


async def test_an_open_account_hears_the_brokers_clock_in_every_reply(tmp_path: Path) -> None:
    ahead = SystemClock().now() + timedelta(minutes=1)
    date = f"Date: {format_datetime(ahead, usegmt=True)}\r\nConnection:".encode()
    price = reply({"rt_cd": "0", **PRICE}).replace(b"Connection:", date, 1)
    async with opened_on("inquire-price", price, home=tmp_path) as (kis, _):
        await kis.market_data.quote(SAMSUNG)
        offset = kis.clock.offset()
    assert offset is not None
    assert timedelta(seconds=50) < offset < timedelta(seconds=62)
