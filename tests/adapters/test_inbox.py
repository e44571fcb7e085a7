"""This is the owner's inbox on disk."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from adapters.clock import FixedClock
from adapters.inbox import Inbox
from adapters.notifier import Message, Severity
from adapters.wording import Wording
from tests.builders import A_DAY, seoul


def an_inbox(home: Path) -> Inbox:
    clock = FixedClock(seoul(A_DAY, "09:31:02"))
    return Inbox(home, wording=Wording("ko"), clock=clock)


def test_a_message_is_kept_for_programs_and_for_people(tmp_path: Path) -> None:
    message = Message(
        Severity.WARNING, "주문 거부", "첫째\n둘째", {"전략": "trend"}, "http://127.0.0.1/x"
    )
    inbox = an_inbox(tmp_path / "home")
    inbox.send(message)
    assert json.loads(inbox.lines.read_text("utf-8")) == {
        "at": "2018-01-16T00:31:02+00:00",
        "severity": "WARNING",
        "title": "주문 거부",
        "text": "첫째\n둘째",
        "fields": {"전략": "trend"},
        "link": "http://127.0.0.1/x",
    }
    assert inbox.page.read_text("utf-8") == (
        "## 2018-01-16 09:31:02 [주의] 주문 거부\n"
        "\n"
        "첫째  \n둘째\n"
        "\n"
        "- 전략: trend\n"
        "\n"
        "[열어 보기](http://127.0.0.1/x)\n"
        "\n"
    )


def test_earlier_messages_stay(tmp_path: Path) -> None:
    for title in ("first", "second"):
        an_inbox(tmp_path).send(Message(Severity.INFO, title, ""))
    lines = an_inbox(tmp_path).lines.read_text("utf-8").splitlines()
    assert [json.loads(line)["title"] for line in lines] == ["first", "second"]


def test_messages_of_many_writers_never_mix(tmp_path: Path) -> None:
    text = "가" * 3000

    def write(writer: int) -> None:
        for number in range(25):
            an_inbox(tmp_path).send(Message(Severity.INFO, f"{writer}-{number}", text))

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    lines = an_inbox(tmp_path).lines.read_text("utf-8").splitlines()
    assert len({json.loads(line)["title"] for line in lines}) == 100


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    inbox = an_inbox(tmp_path)
    inbox.send(Message(Severity.INFO, "title", ""))
    assert inbox.lines.stat().st_mode & 0o777 == 0o600
    assert inbox.page.stat().st_mode & 0o777 == 0o600


def test_a_disk_that_refuses_stops_nobody(tmp_path: Path) -> None:
    blocked = tmp_path / "a file where the folder should be"
    blocked.write_text("")
    an_inbox(blocked).send(Message(Severity.CRITICAL, "title", ""))
    assert blocked.read_text() == ""
