"""This is one order at a time against a server that is wrong on purpose: sent once, and read as what."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from adapters.kis.access import open_kis
from tests.builders import SAMSUNG, an_intent, looks_good
from tests.kis_worlds import (
    APPKEY,
    APPSECRET,
    TOKEN,
    a_clock,
    answer_of,
    opened_on,
    refusal,
    settings_for,
    success,
)
from tests.odd_servers import HALF_AN_ANSWER, HANG_UP, Answer, Request, odd_server, reply
from trading.errors import (
    BadInput,
    BrokerError,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Unauthorized,
    Unavailable,
    Withheld,
)
from trading.orders import OrderType, Side

ORDER = "order-cash"
CANCEL = "order-rvsecncl"
ORDERS = "inquire-daily-ccld"
ACCEPTED = success(
    output={"KRX_FWDG_ORD_ORGNO": "00950", "ODNO": "0000001001", "ORD_TMD": "090501"}
)


@pytest.mark.parametrize(
    "answer",
    [
        HANG_UP,
        HALF_AN_ANSWER,
        None,
        reply("<html>", status=502),
        reply("", status=301),
        refusal("EGW00302"),
        success(output={"ODNO": ""}),
    ],
    ids=["hang up", "half", "time-out", "gateway", "redirect", "EGW00302", "no number"],
)
async def test_an_order_without_a_clear_answer_is_in_doubt_and_was_sent_once(
    tmp_path: Path, answer: Answer
) -> None:
    async with opened_on(ORDER, answer, home=tmp_path) as (kis, server):
        with pytest.raises(OutcomeUnknown):
            await kis.broker.place(an_intent(), last_look=looks_good)
        assert server.count(ORDER) == 1


@pytest.mark.parametrize("answer", [HANG_UP, refusal("EGW00302")])
async def test_a_cancel_without_a_clear_answer_is_in_doubt_and_was_sent_once(
    tmp_path: Path, answer: Answer
) -> None:
    async with opened_on(CANCEL, answer, home=tmp_path) as (kis, server):
        with pytest.raises(OutcomeUnknown):
            await kis.broker.cancel(
                broker_order_id="0000001001", branch="00950", order_type=OrderType.LIMIT
            )
        assert server.count(CANCEL) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusal("EGW00201"), Throttled),
        (refusal("EGW00201", status=200), Throttled),
        (refusal("EGW00123"), Unauthorized),
        (refusal("40250000", status=200), Rejected),
    ],
)
async def test_even_a_certain_refusal_of_an_order_is_not_sent_again(
    tmp_path: Path, answer: Answer, kind: type[BrokerError]
) -> None:
    async with opened_on(ORDER, answer, home=tmp_path) as (kis, server):
        with pytest.raises(kind):
            await kis.broker.place(an_intent(), last_look=looks_good)
        assert server.count(ORDER) == 1


async def test_an_order_that_finds_no_server_was_never_sent(tmp_path: Path) -> None:
    clock = a_clock()
    async with opened_on(ORDER, None, home=tmp_path, clock=clock) as (_, server):
        gone = settings_for(server.url)
    async with open_kis(gone, home=tmp_path, clock=clock) as kis:
        with pytest.raises(Unavailable, match="not sent"):
            await kis.broker.place(an_intent(), last_look=looks_good)


async def test_an_order_that_the_last_look_holds_back_reaches_the_server_without_a_byte(
    tmp_path: Path,
) -> None:
    """The line is open by then: pace, token and connection are behind the order."""
    seen: list[tuple[int, int]] = []

    async with opened_on(ORDER, ACCEPTED, home=tmp_path) as (kis, server):
        await kis.broker.get_price(SAMSUNG)
        lines = server.connections

        def last_look() -> None:
            seen.append((server.count("tokenP"), server.count(ORDER)))
            raise Withheld("halted", code="HALTED")

        with pytest.raises(Withheld):
            await kis.broker.place(an_intent(), last_look=last_look)
        await asyncio.sleep(0.05)
        assert server.connections == lines + 1
        assert server.count(ORDER) == 0
        assert seen == [(1, 0)]


async def test_the_last_look_comes_after_the_wait_for_the_pace(tmp_path: Path) -> None:
    """A halt that is put while the order waits must still hold it back."""
    looked: list[float] = []
    loop = asyncio.get_running_loop()
    async with opened_on(ORDER, ACCEPTED, home=tmp_path, calls_per_second=1) as (kis, _):
        await kis.broker.get_price(SAMSUNG)
        started = loop.time()
        await kis.broker.place(an_intent(), last_look=lambda: looked.append(loop.time()))
    (moment,) = looked
    assert moment - started > 0.5


async def test_what_is_told_of_an_order_is_what_leaves(tmp_path: Path) -> None:
    async with opened_on(ORDER, ACCEPTED, home=tmp_path) as (kis, server):
        told = kis.broker.wire_fields(an_intent(order_type=OrderType.MARKET, limit_price=None))
        intent = an_intent(order_type=OrderType.MARKET, limit_price=None)
        await kis.broker.place(intent, last_look=looks_good)
    assert server.requests[-1].document == told


async def test_an_order_for_another_account_is_not_sent(tmp_path: Path) -> None:
    async with opened_on(ORDER, ACCEPTED, home=tmp_path) as (kis, server):
        with pytest.raises(BadInput, match="account"):
            await kis.broker.place(an_intent(account="99999999-01"), last_look=looks_good)
        assert server.count(ORDER) == 0


async def test_an_order_goes_out_as_documented(tmp_path: Path) -> None:
    async with opened_on(ORDER, ACCEPTED, home=tmp_path) as (kis, server):
        receipt = await kis.broker.place(an_intent(side=Side.SELL), last_look=looks_good)
    assert (receipt.broker_order_id, receipt.branch) == ("0000001001", "00950")
    assert receipt.accepted_at == a_clock("09:05:01").now()
    request = server.requests[-1]
    assert (request.method, request.path) == ("POST", "/uapi/domestic-stock/v1/trading/order-cash")
    assert request.document == {
        "CANO": "50012345",
        "ACNT_PRDT_CD": "01",
        "PDNO": "051910",
        "ORD_DVSN": "00",
        "ORD_QTY": "23",
        "ORD_UNPR": "428500",
        "EXCG_ID_DVSN_CD": "KRX",
        "SLL_TYPE": "01",
        "CNDT_PRIC": "",
    }
    sent = request.headers
    assert (sent["tr_id"], sent["authorization"]) == ("VTTC0011U", f"Bearer {TOKEN}")
    assert (sent["appkey"], sent["appsecret"], sent["custtype"]) == (APPKEY, APPSECRET, "P")


@pytest.mark.parametrize(
    ("environment", "side", "tr_id"),
    [
        ("real", Side.BUY, "TTTC0012U"),
        ("real", Side.SELL, "TTTC0011U"),
        ("paper", Side.BUY, "VTTC0012U"),
        ("paper", Side.SELL, "VTTC0011U"),
    ],
)
async def test_the_environment_alone_chooses_the_tr_id(
    tmp_path: Path, environment: str, side: Side, tr_id: str
) -> None:
    changes: dict[str, Any] = {"environment": environment}
    async with opened_on(ORDER, ACCEPTED, home=tmp_path, **changes) as (kis, server):
        await kis.broker.place(
            an_intent(side=side, order_type=OrderType.MARKET, limit_price=None),
            last_look=looks_good,
        )
    request = server.requests[-1]
    assert request.headers["tr_id"] == tr_id
    assert (request.document["ORD_DVSN"], request.document["ORD_UNPR"]) == ("01", "0")


async def test_every_order_has_a_connection_of_its_own_and_reads_share_one(tmp_path: Path) -> None:
    """Incident 53: an idle connection that the server had closed failed the next call."""

    def answer(request: Request) -> Answer:
        found = answer_of(ORDER, ACCEPTED)(request)
        return bytes(found or b"").replace(b"Connection: close", b"Connection: keep-alive")

    async with (
        odd_server(answer) as server,
        open_kis(settings_for(server.url), home=tmp_path, clock=a_clock()) as kis,
    ):
        before = server.connections
        for _ in range(3):
            await kis.broker.place(an_intent(), last_look=looks_good)
        assert server.connections == before + 3
        for _ in range(3):
            await kis.broker.get_price(SAMSUNG)
        assert server.connections == before + 3


async def test_a_receipt_with_an_odd_time_is_still_a_receipt(tmp_path: Path) -> None:
    odd = success(output={"ODNO": "0000001001", "ORD_TMD": "soon"})
    async with opened_on(ORDER, odd, home=tmp_path) as (kis, _):
        receipt = await kis.broker.place(an_intent(), last_look=looks_good)
    assert (receipt.broker_order_id, receipt.accepted_at) == ("0000001001", a_clock().now())
