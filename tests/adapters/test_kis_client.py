"""This is reads and keys against a server that is wrong on purpose: asked how often, and read as what."""

import asyncio
import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.kis.access import open_kis
from tests.builders import A_DAY, an_intent, looks_good
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
    token_reply,
)
from tests.odd_servers import HALF_AN_ANSWER, HANG_UP, Answer, Request, odd_server, reply
from trading.errors import (
    BrokerError,
    InvalidSetting,
    Rejected,
    Throttled,
    Unauthorized,
    Unavailable,
)

ORDER = "order-cash"
ORDERS = "inquire-daily-ccld"


def in_turn(path: str, answers: list[Answer]) -> Callable[[Request], Answer]:
    """Answer on `path` with each in turn, the last one for ever."""

    def find(request: Request) -> Answer:
        if path in request.path:
            return answers.pop(0) if len(answers) > 1 else answers[0]
        found: Answer = answer_of(path, None)(request)
        return found

    return find


NO_ORDERS = success(output1=[], output2={"tot_ord_qty": "0"})


@pytest.mark.parametrize(
    "trouble",
    [
        HANG_UP,
        HALF_AN_ANSWER,
        refusal("EGW00201"),
        refusal("EGW00215", status=200),
        reply("<html>"),
    ],
    ids=["hang up", "half", "throttled", "ledger throttled", "no JSON"],
)
async def test_a_read_is_repeated_after_trouble(tmp_path: Path, trouble: bytes) -> None:
    async with (
        odd_server(in_turn(ORDERS, [trouble, NO_ORDERS])) as server,
        open_kis(settings_for(server.url), home=tmp_path, clock=a_clock()) as kis,
    ):
        assert await kis.broker.orders_of_day(A_DAY) == ()
        assert server.count(ORDERS) == 2


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusal("EGW00215", status=200), Throttled),
        (refusal("EGW00001"), Unavailable),
        (success(output1=[], output2={"tot_ord_qty": "7"}), Unavailable),
        (success(), Unavailable),
    ],
)
async def test_a_read_that_stays_in_trouble_is_an_error_and_never_an_empty_day(
    tmp_path: Path, answer: bytes, kind: type[BrokerError]
) -> None:
    changes: dict[str, Any] = {"read_attempts": 2}
    async with opened_on(ORDERS, answer, home=tmp_path, **changes) as (kis, _):
        with pytest.raises(kind):
            await kis.broker.orders_of_day(A_DAY)


@pytest.mark.parametrize("code", ["OPSQ2002", "EGW02006", "OPSQ2000"])
async def test_a_read_that_is_refused_is_not_repeated(tmp_path: Path, code: str) -> None:
    async with opened_on("inquire-balance", refusal(code), home=tmp_path) as (kis, server):
        with pytest.raises((Rejected, Unauthorized)):
            await kis.broker.get_positions()
        assert server.count("inquire-balance") == 1


@pytest.mark.parametrize("call", ["get_balance", "get_positions"])
async def test_a_throttled_balance_is_not_an_account_without_holdings(
    tmp_path: Path, call: str
) -> None:
    throttled = refusal("EGW00215", "초당 거래건수", status=200)
    changes: dict[str, Any] = {"read_attempts": 1}
    async with opened_on("inquire-balance", throttled, home=tmp_path, **changes) as (kis, _):
        with pytest.raises(Throttled):
            await getattr(kis.broker, call)()


async def test_a_list_that_never_ends_is_an_error(tmp_path: Path) -> None:
    pages = iter(range(10_000))

    def answer(request: Request) -> Answer:
        if ORDERS not in request.path:
            found: Answer = answer_of(ORDERS, None)(request)
            return found
        keys = {"ctx_area_fk100": "F", "ctx_area_nk100": f"N^{next(pages)}"}
        body = {"rt_cd": "0", "msg_cd": "KIOK0500", "msg1": "", "output1": [], "output2": {}}
        return reply(body | keys, tr_cont="M")

    changes: dict[str, Any] = {"read_attempts": 1}
    async with (
        odd_server(answer) as server,
        open_kis(settings_for(server.url, **changes), home=tmp_path, clock=a_clock()) as kis,
    ):
        with pytest.raises(Unavailable, match="more than 200 pages"):
            await asyncio.wait_for(kis.broker._read_orders(A_DAY), 30)  # noqa: SLF001 - once


async def test_a_refused_token_is_replaced_once_for_a_read(tmp_path: Path) -> None:
    clock = a_clock()
    refused = refusal("EGW00123", "기간이 만료된 token 입니다.")
    async with (
        odd_server(in_turn(ORDERS, [refused, NO_ORDERS])) as server,
        open_kis(settings_for(server.url), home=tmp_path, clock=clock) as kis,
    ):
        clock.move_to(a_clock("09:10").now())
        assert await kis.broker.orders_of_day(A_DAY) == ()
        assert (server.count("tokenP"), server.count(ORDERS)) == (2, 2)


async def test_a_token_that_stays_refused_is_not_asked_for_again_and_again(tmp_path: Path) -> None:
    clock = a_clock()
    async with opened_on(ORDERS, refusal("EGW00121"), home=tmp_path, clock=clock) as (kis, server):
        clock.move_to(a_clock("09:10").now())
        for _ in range(3):
            with pytest.raises((Unauthorized, Throttled)):
                await kis.broker.orders_of_day(A_DAY)
        assert server.count("tokenP") == 2


@pytest.mark.parametrize(
    ("code", "field"),
    [
        ("EGW02004", "environment"),
        ("EGW02007", "environment"),
        ("EGW00103", "appkey"),
    ],
)
async def test_keys_of_the_other_environment_refuse_at_the_start(
    tmp_path: Path, code: str, field: str
) -> None:
    async with odd_server(answer_of("inquire-price", refusal(code))) as server:
        with pytest.raises(InvalidSetting) as caught:
            async with open_kis(settings_for(server.url), home=tmp_path, clock=a_clock()):
                pytest.fail("it opened")
    assert caught.value.field == field
    assert code in str(caught.value)


async def test_a_wrong_appkey_refuses_at_the_start(tmp_path: Path) -> None:
    body = {"error_code": "EGW00103", "error_description": "유효하지 않은 AppKey입니다."}
    async with odd_server(answer_of("tokenP", reply(body, status=403))) as server:
        with pytest.raises(InvalidSetting, match="appkey"):
            async with open_kis(settings_for(server.url), home=tmp_path, clock=a_clock()):
                pytest.fail("it opened")


async def test_a_broker_that_is_down_does_not_keep_the_door_shut(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"read_attempts": 1}
    async with opened_on("", HANG_UP, home=tmp_path, **changes) as (kis, _):
        with pytest.raises((Unavailable, Throttled)):
            await kis.broker.get_balance()


async def test_the_keys_are_proven_once_for_all_processes(tmp_path: Path) -> None:
    clock = a_clock()
    async with odd_server(answer_of("nowhere", None)) as server:
        for _ in range(3):
            async with open_kis(settings_for(server.url), home=tmp_path, clock=clock):
                pass
        assert (server.count("tokenP"), server.count("inquire-price")) == (1, 1)


def our_frames(problem: BaseException) -> list[str]:
    """Show our frames with all their variables, as some reporters of errors do."""
    frames = traceback.walk_tb(problem.__traceback__)
    found = traceback.StackSummary.extract(frames, capture_locals=True)
    ours = [frame for frame in found if "adapters/kis" in frame.filename]
    assert ours
    return traceback.StackSummary.from_list(ours).format()


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (ORDER, HANG_UP),
        (ORDER, refusal("EGW00103", "유효하지 않은 AppKey입니다.")),
        ("inquire-balance", HANG_UP),
        ("inquire-balance", refusal("EGW00121")),
        ("inquire-balance", reply("<html>")),
    ],
)
async def test_no_error_text_log_or_repr_shows_a_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, path: str, answer: Answer
) -> None:
    caplog.set_level(logging.DEBUG)
    changes: dict[str, Any] = {"read_attempts": 2}
    shown: list[str] = []
    async with opened_on(path, answer, home=tmp_path, **changes) as (kis, _):
        for call in (kis.broker.place(an_intent(), last_look=looks_good), kis.broker.get_balance()):
            try:
                await call
            except BrokerError as problem:
                shown += [*traceback.format_exception(problem), *our_frames(problem)]
        shown += [repr(kis), repr(kis.broker.__dict__), repr(kis.auth.__dict__), caplog.text]
    assert shown
    text = "\n".join(shown)
    assert APPKEY not in text
    assert APPSECRET not in text
    assert TOKEN not in text
    assert "50012345" not in caplog.text


def test_no_secret_lies_on_the_disk_in_the_open(tmp_path: Path) -> None:
    async def open_once() -> None:
        async with opened_on("nowhere", None, home=tmp_path) as (kis, _):
            assert (await kis.auth.token()).get_secret_value() == TOKEN

    asyncio.run(open_once())
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert files
    for file in files:
        content = file.read_bytes() + file.name.encode()
        assert not any(word.encode() in content for word in (APPKEY, APPSECRET, TOKEN))
        assert file.stat().st_mode & 0o077 == 0


async def test_a_token_reply_without_a_token_is_trouble(tmp_path: Path) -> None:
    async with opened_on("tokenP", token_reply(""), home=tmp_path) as (kis, _):
        with pytest.raises((Unavailable, Throttled)):
            await kis.broker.get_balance()
