"""This is the log: one line per event for programs, one for people, and no secret in either."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from adapters.logs import configure_logs

APPKEY = "PSabcdefghijklmnopqrstuvwxyz12345678"
ACCOUNT = "50012345-01"


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    """Leave logging as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    for handler in [h for h in root.handlers if h not in handlers]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
    structlog.reset_defaults()


def fail(words: str) -> None:
    raise ValueError(words)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_an_event_is_one_line_of_json_with_a_time_in_utc(tmp_path: Path) -> None:
    path = configure_logs(tmp_path, name="place-orders")
    structlog.get_logger("orders").info("order accepted", symbol="005930", quantity=10)
    (line,) = lines(path)
    assert path == tmp_path / "logs" / "place-orders.jsonl"
    assert datetime.fromisoformat(line.pop("timestamp")).utcoffset() == timedelta(0)
    assert line == {
        "event": "order accepted",
        "level": "info",
        "logger": "orders",
        "symbol": "005930",
        "quantity": 10,
    }


def test_people_read_the_same_on_the_console(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs(tmp_path, name="x")
    structlog.get_logger("orders").info("order accepted", symbol="005930")
    shown = capsys.readouterr().err
    assert "order accepted" in shown
    assert "symbol=005930" in shown


def test_the_console_can_stay_quiet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = configure_logs(tmp_path, name="x", on_console=False)
    structlog.get_logger().warning("hello")
    assert capsys.readouterr().err == ""
    assert len(lines(path)) == 1


def test_every_line_of_an_order_carries_its_id(tmp_path: Path) -> None:
    path = configure_logs(tmp_path, name="x")
    with structlog.contextvars.bound_contextvars(client_order_id="20180116-051910-B-1"):
        structlog.get_logger().info("sent")
        logging.getLogger("a.library").warning("slow")
    structlog.get_logger().info("done")
    sent, slow, done = lines(path)
    assert sent["client_order_id"] == slow["client_order_id"] == "20180116-051910-B-1"
    assert "client_order_id" not in done


def test_an_exception_is_kept_with_its_traceback(tmp_path: Path) -> None:
    path = configure_logs(tmp_path, name="x")
    try:
        fail("broken")
    except ValueError:
        structlog.get_logger().exception("it failed")
    (line,) = lines(path)
    assert line["level"] == "error"
    assert "ValueError: broken" in line["exception"]


def test_no_secret_leaks_by_any_road(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = configure_logs(tmp_path, name="x", secrets=[APPKEY], accounts=[ACCOUNT])
    log, library = structlog.get_logger("kis"), logging.getLogger("httpcore.connection")
    log.info("token for %s", APPKEY, appkey=APPKEY, headers={"authorization": "Bearer verysecret"})
    log.info("reply", body='{"access_token":"verysecret","CANO":"50012345"}', account=ACCOUNT)
    log.bind(appsecret="verysecret").info("bound")
    library.warning("GET /order?CANO=50012345&key=%s", APPKEY)
    library.warning("url https://hooks.slack.com/services/T0/B0/verysecret")
    try:
        fail(f"refused {APPKEY} of {ACCOUNT}, token=verysecret")
    except ValueError:
        log.exception("it failed")
        library.exception("so did this")
    log.info("with the stack", stack_info=True)
    assert len(lines(path)) == 8
    for written in (path.read_text("utf-8"), capsys.readouterr().err):
        assert "it failed" in written
        for secret in (APPKEY, "verysecret", "50012345"):
            assert secret not in written


def test_a_second_call_replaces_the_first(tmp_path: Path) -> None:
    first = configure_logs(tmp_path, name="first")
    second = configure_logs(tmp_path, name="second")
    structlog.get_logger().info("once")
    assert len(lines(second)) == 1
    assert not first.exists()


def test_the_file_survives_rotation_and_is_private(tmp_path: Path) -> None:
    path = configure_logs(tmp_path, name="x")
    structlog.get_logger().info("before")
    path.rename(path.with_suffix(".1"))
    structlog.get_logger().info("after")
    assert [line["event"] for line in lines(path)] == ["after"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_libraries_that_tell_every_request_are_quiet(tmp_path: Path) -> None:
    path = configure_logs(tmp_path, name="x", level=logging.DEBUG)
    logging.getLogger("httpx").info("HTTP Request: GET …")
    structlog.get_logger().debug("ours")
    assert [line["event"] for line in lines(path)] == ["ours"]


def test_handlers_of_others_write_no_secret_either(tmp_path: Path) -> None:
    written = io.StringIO()
    other = logging.StreamHandler(written)
    for secret in ("old-secret-of-a-first-call", APPKEY):
        configure_logs(
            tmp_path,
            name="x",
            secrets=[secret],
            accounts=[ACCOUNT],
            on_console=False,
            others=[other],
        )
    logging.getLogger().addHandler(other)
    structlog.get_logger("tasks").info("reconciled", subject=ACCOUNT, appsecret="short")
    logging.getLogger("lib").warning("asked with %s", APPKEY)
    try:
        fail(f"refused {APPKEY} of {ACCOUNT}")
    except ValueError:
        logging.getLogger("lib").exception("failed for %s", ACCOUNT)

    shown = written.getvalue()
    for words in ("reconciled", "asked with ***", "failed for 50******-01", "Traceback"):
        assert words in shown
    assert "refused *** of 50******-01" in shown
    assert not any(secret in shown for secret in (APPKEY, ACCOUNT, "short"))
    assert len(other.filters) == 1, "a second call replaces the first"
    assert APPKEY not in (tmp_path / "logs" / "x.jsonl").read_text("utf-8")
