"""This is delivery to Slack against a real server that speaks Slack's form."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from adapters.inbox import Inbox
from adapters.messages import report_message
from adapters.notifier import Message, Severity
from adapters.slack import SlackNotifier, open_notifier
from adapters.slack.messages import blocks
from adapters.slack.posts import BotPost, WebhookPost
from adapters.wording import Wording
from tests.report_days import a_day_record
from tests.slack_server import TOKEN, SlackServer, slack_server
from trading.errors import InvalidSetting
from trading.reports import build_report

KOREAN = Wording("ko")


@dataclass(frozen=True)
class Access:
    """Settings of the owner's channel."""

    webhook_url: SecretStr | None = None
    bot_token: SecretStr | None = None
    channel: str = "#maemae"


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with slack_server() as server:
        yield server


def by_webhook(slack: SlackServer, home: Path) -> SlackNotifier:
    post = WebhookPost(SecretStr(slack.webhook))
    return SlackNotifier(post, Inbox(home, wording=KOREAN), wording=KOREAN)


def by_bot(slack: SlackServer, home: Path, token: str = TOKEN) -> SlackNotifier:
    post = BotPost(SecretStr(token), "#maemae", url=f"{slack.url}/api/")
    return SlackNotifier(post, Inbox(home, wording=KOREAN), wording=KOREAN)


def kept(home: Path) -> list[str]:
    lines = home / "inbox.jsonl"
    if not lines.exists():
        return []
    return [json.loads(line)["title"] for line in lines.read_text("utf-8").splitlines()]


def a_message(title: str = "LG화학 매수 23주 체결", text: str = "골든크로스") -> Message:
    return Message(Severity.CRITICAL, title, text, {"수수료": "1,478원"}, "http://127.0.0.1:4200/x")


def test_a_message_arrives_over_the_webhook(slack: SlackServer, tmp_path: Path) -> None:
    by_webhook(slack, tmp_path).send(a_message())
    (payload,) = slack.received
    assert payload["text"] == "LG화학 매수 23주 체결"
    header, text, fields, link = payload["blocks"]
    assert header["text"]["text"] == ":rotating_light: LG화학 매수 23주 체결"
    assert text["text"] == {"type": "mrkdwn", "text": "골든크로스"}
    assert fields["fields"][0]["text"] == "*수수료*\n1,478원"
    assert link["text"]["text"] == "<http://127.0.0.1:4200/x|열어 보기>"
    assert kept(tmp_path) == []


def test_a_message_arrives_as_a_bot_in_its_channel(slack: SlackServer, tmp_path: Path) -> None:
    by_bot(slack, tmp_path).send(a_message())
    (payload,) = slack.received
    assert payload["channel"] == "#maemae"
    assert payload["blocks"][1]["text"]["text"] == "골든크로스"
    assert kept(tmp_path) == []


def test_the_report_of_the_day_fits_into_slack(slack: SlackServer, tmp_path: Path) -> None:
    message = report_message(build_report(a_day_record()), KOREAN, link="http://127.0.0.1/report")
    by_webhook(slack, tmp_path).send(message)
    (payload,) = slack.received
    assert "186,894원" in payload["text"]
    assert sum(len(part.get("fields", ())) for part in payload["blocks"]) == len(message.fields)


@pytest.mark.parametrize("text", ["x" * 10_000, "<!channel> & <b>", ""])
def test_any_text_stays_within_the_limits(slack: SlackServer, tmp_path: Path, text: str) -> None:
    figures = {f"name {n}": "1" for n in range(23)} | {"empty": ""}
    by_webhook(slack, tmp_path).send(Message(Severity.INFO, "t" * 400, text, figures))
    assert len(slack.received) == 1


def test_text_cannot_ring_everybody() -> None:
    _, section, *_ = blocks(a_message(text="<!channel> & co"), KOREAN)
    assert section["text"]["text"] == "&lt;!channel&gt; &amp; co"


@pytest.mark.parametrize("status", [403, 404, 429, 500])
def test_a_refusal_is_kept_in_the_inbox(slack: SlackServer, tmp_path: Path, status: int) -> None:
    slack.status = status
    by_webhook(slack, tmp_path).send(a_message())
    assert kept(tmp_path) == ["LG화학 매수 23주 체결"]


def test_a_wrong_token_is_kept_in_the_inbox(slack: SlackServer, tmp_path: Path) -> None:
    with capture_logs() as logs:
        by_bot(slack, tmp_path, token="xoxb-wrong-token").send(a_message())  # noqa: S106 - wrong on purpose
    assert kept(tmp_path) == ["LG화학 매수 23주 체결"]
    assert logs[0]["error"] == "invalid_auth"


def test_a_server_that_is_gone_raises_nothing_and_loses_nothing(tmp_path: Path) -> None:
    with slack_server() as slack:
        notifier = by_webhook(slack, tmp_path)
    notifier.send(a_message())
    assert kept(tmp_path) == ["LG화학 매수 23주 체결"]


@pytest.mark.timed
def test_a_silent_server_costs_seconds_once_and_not_for_each_message(
    slack: SlackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.slack.posts.PATIENCE_SECONDS", 0.2)
    slack.delay = 1.0
    notifier = by_webhook(slack, tmp_path)
    began = time.monotonic()
    for number in range(20):
        notifier.send(a_message(f"message {number}"))
    assert time.monotonic() - began < 1.0
    assert slack.requests == 1
    assert len(kept(tmp_path)) == 20


def test_after_the_pause_slack_is_tried_again(
    slack: SlackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.slack.notifier.PAUSE_SECONDS", 0.0)
    notifier = by_webhook(slack, tmp_path)
    slack.status = 500
    notifier.send(a_message("first"))
    slack.status = 200
    notifier.send(a_message("second"))
    assert kept(tmp_path) == ["first"]
    assert [payload["text"] for payload in slack.received] == ["second"]


def test_no_secret_reaches_the_log_or_the_inbox(slack: SlackServer, tmp_path: Path) -> None:
    slack.status = 500
    with capture_logs() as logs:
        by_webhook(slack, tmp_path).send(a_message())
        by_bot(slack, tmp_path).send(a_message())
    with slack_server() as gone:
        notifier = by_webhook(gone, tmp_path)
    with capture_logs() as more:
        notifier.send(a_message())
    assert len(logs) == 2
    assert len(more) == 1
    seen = repr((logs, more)) + "".join(p.read_text("utf-8") for p in tmp_path.iterdir())
    assert "verysecret" not in seen


def test_without_a_token_messages_go_to_the_inbox(tmp_path: Path) -> None:
    open_notifier(Access(), home=tmp_path, wording=KOREAN).send(a_message())
    assert kept(tmp_path) == ["LG화학 매수 23주 체결"]


def test_with_a_webhook_messages_go_to_slack(slack: SlackServer, tmp_path: Path) -> None:
    access = Access(webhook_url=SecretStr(slack.webhook))
    open_notifier(access, home=tmp_path, wording=KOREAN).send(a_message())
    assert len(slack.received) == 1


def test_without_slack_its_library_is_not_even_loaded() -> None:
    script = "import sys, adapters.slack; sys.exit('slack_sdk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0  # noqa: S603 - our own


def test_a_bot_token_alone_is_enough(tmp_path: Path) -> None:
    notifier = open_notifier(Access(bot_token=SecretStr(TOKEN)), home=tmp_path, wording=KOREAN)
    assert isinstance(notifier, SlackNotifier)


@pytest.mark.parametrize(
    "url", ["http://hooks.slack.com/services/verysecret", "verysecret", "https://"]
)
def test_messages_never_leave_in_the_clear(tmp_path: Path, url: str) -> None:
    with pytest.raises(InvalidSetting, match="MAEMAE_SLACK__WEBHOOK_URL") as refused:
        open_notifier(Access(webhook_url=SecretStr(url)), home=tmp_path, wording=KOREAN)
    assert "verysecret" not in str(refused.value)
