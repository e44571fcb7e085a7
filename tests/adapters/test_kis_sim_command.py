"""This is the simulator as a command of its own: its ready line, its end, and what it says of wrong options."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.kis_sim.__main__ import main
from adapters.kis_sim.gateway import Mode
from adapters.kis_sim.options import Pacing, Profile, parse
from adapters.wording import Language, Wording

ROOT = Path(__file__).parents[2]


@contextmanager
def started(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Start the command and read its ready line; kill what is left of it."""
    command = [sys.executable, "-m", "adapters.kis_sim", "--port", "0", "--ws-port", "0"]
    with subprocess.Popen(  # noqa: S603 - ours
        [*command, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_ends_at_once_when_told(number: signal.Signals) -> None:
    with started("--day", "2018-01-16") as (process, ready):
        assert ready["pid"] == process.pid
        assert ready["http"].startswith("http://127.0.0.1:")
        assert ready["ws"].startswith("ws://127.0.0.1:")
        health = httpx.get(f"{ready['http']}/sim/health")
        clock = httpx.get(f"{ready['http']}/sim/clock").json()
        asked = time.monotonic()
        process.send_signal(number)
        _, errors = process.communicate(timeout=10)
        waited = time.monotonic() - asked
    assert health.status_code == 200
    assert clock["now"] == "2018-01-16T06:00:00+09:00"
    assert process.returncode == 0
    assert errors == ""
    assert waited < 5


def test_the_keys_of_the_ready_line_open_it() -> None:
    with started("--mode", "paper", "--clock", "open") as (_, ready):
        body = {
            "grant_type": "client_credentials",
            "appkey": ready["appkey"],
            "appsecret": ready["appsecret"],
        }
        token = httpx.post(f"{ready['http']}/oauth2/tokenP", json=body)
    assert token.status_code == 200
    assert (len(ready["appkey"]), len(ready["appsecret"])) == (36, 180)
    assert ready["accounts"] == ["50012345-01"]


@pytest.mark.parametrize("option", ["--port", "--ws-port"])
def test_an_occupied_port_is_named(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        arguments = {"--port": "0", "--ws-port": "0"} | {option: port}
        code = main([word for pair in arguments.items() for word in pair])
    assert code == 2
    message = capsys.readouterr().err
    assert message.startswith(f"maemae sim: {option}='127.0.0.1:{port}': a free port")
    assert message.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--account", "5001234501"], "--account='5001234501'"),
        (["--cash", "much"], "--cash='much'"),
        (["--rate-limit", "0"], "--rate-limit='0'"),
        (["--rate-limit", "fast"], "--rate-limit='fast'"),
        (["--token-interval", "-1"], "--token-interval='-1'"),
        (["--day", "tomorrow"], "--day='tomorrow'"),
        (["--day", "2018-01-20"], "--day='2018-01-20'"),
        (["--day", "2030-01-02"], "--day='2030-01-02'"),
        (["--clock", "slow"], "--clock='slow'"),
        (["--clock", "-3"], "--clock='-3'"),
        (["--data", "nowhere.csv"], "nowhere.csv"),
        (["--faults", "nowhere.json"], "--faults='nowhere.json'"),
        (["--appsecret", "s"], "--appsecret"),
        (["--spacing", "1"], "--spacing='1'"),
    ],
)
def test_a_wrong_value_is_one_sentence_and_exit_code_2(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--port", "0", "--ws-port", "0"]) == 2
    message = capsys.readouterr().err
    assert named in message
    assert message.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--mode", "demo"], ["--nonsense"], ["--port", "x"]])
def test_a_wrong_option_is_one_sentence_too(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_help_says_every_option_in_the_language_asked_for(
    language: Language, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"], language=language)
    told = capsys.readouterr().out
    assert ended.value.code == 0
    assert told.startswith(Wording(language).text("sim.usage"))
    assert Wording(language).text("sim.token_interval") % {"default": 60} in " ".join(told.split())
    assert "sim." not in told


def test_a_file_without_a_column_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bars.csv"
    path.write_text("symbol,date,open,high,low,close\n", encoding="utf-8")
    assert main(["--data", str(path), "--port", "0", "--ws-port", "0"]) == 2
    assert "bars.csv': column 'volume' is missing" in capsys.readouterr().err


def test_unknown_faults_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "faults.json"
    path.write_text('{"hiccup": true}', encoding="utf-8")
    assert main(["--faults", str(path), "--port", "0", "--ws-port", "0"]) == 2
    assert "hiccup=" in capsys.readouterr().err


def test_every_option_is_read(tmp_path: Path) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text('{"halt": true}', encoding="utf-8")
    words = (
        "--host 0.0.0.0 --port 1 --ws-port 2 --mode paper --profile classic --account 11111111-01"
        " --account 22222222-01 --cash 5 --hts-id me --appkey a --appsecret b --rate-limit 3"
        f" --token-interval off --day 2018-01-16 --clock 60 --seed 9 --faults {faults}"
    )
    options = parse(words.split())
    assert (options.host, options.port, options.ws_port) == ("0.0.0.0", 1, 2)  # noqa: S104 - told so
    assert (options.mode, options.profile) == (Mode.PAPER, Profile.CLASSIC)
    assert options.accounts == ("11111111-01", "22222222-01")
    assert (options.cash, options.hts_id, options.keys) == (5, "me", (("a", "b"),))
    assert (options.calls_per_second, options.token_interval) == (3, 0)
    assert (options.pacing, options.factor, options.seed) == (None, 60, 9)
    assert options.faults.halt is not None
    assert parse(["--clock", "open"]).pacing is Pacing.OPEN
    assert parse(["--rate-limit", "off"]).calls_per_second is None
