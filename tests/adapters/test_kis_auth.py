"""This is the one token of all processes: asked for once, kept encrypted, healed when it is refused."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from adapters.clock import FixedClock
from adapters.kis.auth import Auth
from tests.kis_worlds import TOKEN, a_clock, settings_for, token_reply
from tests.odd_servers import HANG_UP, Answer, OddServer, Request, odd_server, reply
from trading.errors import InvalidSetting, Throttled, Unauthorized, Unavailable

ROOT = Path(__file__).parents[2]
TOO_OFTEN = reply(
    {
        "error_code": "EGW00133",
        "error_description": "접근토큰 발급 잠시 후 다시 시도하세요(1분당 1회)",
    },
    status=403,
)

ASKER = """
import asyncio, sys
from pathlib import Path
import httpx
from adapters.kis.auth import Auth
from tests.kis_worlds import a_clock, settings_for

async def main(url, folder):
    async with httpx.AsyncClient(base_url=url) as http:
        auth = Auth(settings_for(url), http=http, folder=Path(folder), clock=a_clock())
        print((await auth.token()).get_secret_value())

asyncio.run(main(*sys.argv[1:]))
"""


@asynccontextmanager
async def an_office(
    folder: Path, clock: FixedClock, answer: Callable[[Request], Answer] | None = None
) -> AsyncIterator[tuple[Callable[[], Auth], OddServer]]:
    """Run a token office; gives a maker of doors, each as a process of its own would open it."""
    async with (
        odd_server(answer or (lambda _: token_reply())) as server,
        httpx.AsyncClient(base_url=server.url) as http,
    ):
        settings = settings_for(server.url)
        yield lambda: Auth(settings, http=http, folder=folder, clock=clock), server


def the_file(folder: Path) -> Path:
    (file,) = folder.glob("*.token")
    return file


async def text_of(auth: Auth) -> str:
    return (await auth.token()).get_secret_value()


async def test_several_processes_at_once_ask_for_one_token(tmp_path: Path) -> None:
    async with odd_server(lambda _: token_reply()) as server:
        askers = [
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", ASKER, server.url, str(tmp_path)),
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
            )
            for _ in range(3)
        ]
        texts = [(await asker.communicate())[0] for asker in askers]
        assert texts == [f"{TOKEN}\n".encode()] * 3
        assert server.count("tokenP") == 1


async def test_a_token_is_asked_for_as_documented(tmp_path: Path) -> None:
    async with an_office(tmp_path, a_clock()) as (open_door, server):
        await open_door().token()
    assert server.requests[0].method == "POST"
    assert set(server.requests[0].document) == {"grant_type", "appkey", "appsecret"}
    assert server.requests[0].document["grant_type"] == "client_credentials"


async def test_a_token_is_used_until_ten_minutes_before_its_end(tmp_path: Path) -> None:
    clock = a_clock("08:50")
    async with an_office(tmp_path, clock) as (open_door, server):
        await open_door().token()
        clock.move_to(clock.now() + timedelta(hours=23, minutes=49))
        await open_door().token()
        assert server.count("tokenP") == 1
        clock.move_to(clock.now() + timedelta(minutes=1))
        server.answer = lambda _: token_reply("next", ends="2018-01-18 08:40:00")
        assert await text_of(open_door()) == "next"
        assert server.count("tokenP") == 2


async def test_the_end_is_read_in_seoul_time(tmp_path: Path) -> None:
    clock = a_clock("20:00")
    answer = token_reply(ends="2018-01-16 21:00:00")
    async with an_office(tmp_path, clock, lambda _: answer) as (open_door, _):
        assert await open_door().ensure() == a_clock("21:00").now()


async def test_a_token_given_again_ends_when_the_broker_says(tmp_path: Path) -> None:
    answer = token_reply(ends="2018-01-17 08:50:00", seconds=72_000)
    async with an_office(tmp_path, a_clock("12:50"), lambda _: answer) as (open_door, _):
        assert await open_door().ensure() == a_clock("12:50").now() + timedelta(hours=20)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (HANG_UP, Unavailable),
        (reply("<html>", status=503), Unavailable),
        (TOO_OFTEN, Throttled),
        (reply({"error_code": "EGW00105", "error_description": "no"}, status=403), Unauthorized),
    ],
)
async def test_after_a_failure_nobody_asks_again_for_a_minute(
    tmp_path: Path, answer: bytes, kind: type[Exception]
) -> None:
    clock = a_clock()
    async with an_office(tmp_path, clock, lambda _: answer) as (open_door, server):
        with pytest.raises(kind):
            await open_door().token()
        for _ in range(3):
            with pytest.raises(Throttled, match="EGW00133"):
                await open_door().token()
        assert server.count("tokenP") == 1
        clock.move_to(clock.now() + timedelta(seconds=60))
        server.answer = lambda _: token_reply()
        assert await text_of(open_door()) == TOKEN


async def test_the_flow_that_refreshes_waits_for_its_turn(tmp_path: Path) -> None:
    clock = a_clock()
    async with an_office(tmp_path, clock, lambda _: TOO_OFTEN) as (open_door, server):
        waiting = asyncio.create_task(open_door().ensure())
        await asyncio.sleep(0.3)
        server.answer = lambda _: token_reply()
        clock.move_to(clock.now() + timedelta(seconds=60))
        assert await asyncio.wait_for(waiting, 5) == a_clock("08:50").now() + timedelta(days=1)


async def test_while_the_old_token_lives_a_failed_renewal_costs_nothing(tmp_path: Path) -> None:
    clock = a_clock("08:50")
    async with an_office(tmp_path, clock) as (open_door, server):
        await open_door().token()
        clock.move_to(clock.now() + timedelta(hours=23, minutes=55))
        server.answer = lambda _: TOO_OFTEN
        assert await text_of(open_door()) == TOKEN
        clock.move_to(clock.now() + timedelta(minutes=6))
        with pytest.raises(Throttled):
            await open_door().token()


async def test_a_dropped_token_is_replaced_and_a_newer_one_is_kept(tmp_path: Path) -> None:
    clock = a_clock()
    async with an_office(tmp_path, clock) as (open_door, server):
        door, late_door = open_door(), open_door()
        refused = await door.token()
        await late_door.token()
        clock.move_to(clock.now() + timedelta(minutes=2))
        server.answer = lambda _: token_reply("next")
        await door.drop(refused)
        assert await text_of(door) == "next"
        await late_door.drop(refused)
        assert await text_of(late_door) == "next"
        assert server.count("tokenP") == 2


async def test_a_damaged_file_is_as_good_as_none(tmp_path: Path) -> None:
    async with an_office(tmp_path, a_clock()) as (open_door, server):
        await open_door().token()
        file = the_file(tmp_path)
        for content in (b"", b"torn", file.read_bytes()[:-5]):
            file.write_bytes(content)
            assert await text_of(open_door()) == TOKEN
        assert server.count("tokenP") == 4


async def test_the_token_of_another_appkey_or_host_is_not_ours(tmp_path: Path) -> None:
    clock = a_clock()
    async with an_office(tmp_path, clock) as (open_door, server):
        await open_door().token()
        async with httpx.AsyncClient(base_url=server.url) as http:
            other = settings_for(server.url, appkey="another")
            await Auth(other, http=http, folder=tmp_path, clock=clock).token()
        assert server.count("tokenP") == 2


async def test_a_process_that_hangs_with_the_lock_does_not_hang_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.kis.auth._LOCK_TRIES", 5)
    async with an_office(tmp_path, a_clock(), lambda _: None) as (open_door, _):
        hanging = asyncio.create_task(open_door().token())
        await asyncio.sleep(0.1)
        with pytest.raises(Unavailable, match="hangs"):
            await open_door().token()
        hanging.cancel()
        await asyncio.gather(hanging, return_exceptions=True)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    def open_door() -> Auth:
        settings, http = settings_for("http://127.0.0.1:9"), httpx.AsyncClient()
        return Auth(settings, http=http, folder=tmp_path / "tokens", clock=a_clock())

    open_door()
    key = tmp_path / "tokens" / "key"
    assert key.stat().st_mode & 0o777 == 0o600
    key.chmod(0o644)
    with pytest.raises(InvalidSetting, match="0600"):
        open_door()


async def test_the_socket_key_is_asked_for_with_the_secret_under_its_other_name(
    tmp_path: Path,
) -> None:
    answer = reply({"approval_key": "approval"})
    async with an_office(tmp_path, a_clock(), lambda _: answer) as (open_door, server):
        assert await open_door().approval_key() == SecretStr("approval")
    assert set(server.requests[0].document) == {"grant_type", "appkey", "secretkey"}
