"""This is a server that speaks Slack: incoming webhooks and chat.postMessage, with Slack's limits and answers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

HOOK = "/services/T0000/B0000/verysecretpath"
TOKEN = "xoxb-1234-verysecrettoken"  # noqa: S105 - of this server only


@dataclass
class SlackServer:
    """What arrived, and how the server is to behave."""

    url: str
    received: list[dict[str, Any]] = field(default_factory=list)
    requests: int = 0
    status: int = 200
    delay: float = 0.0

    @property
    def webhook(self) -> str:
        """The webhook's address."""
        return self.url + HOOK

    def take(self, payload: dict[str, Any]) -> str:
        """Keep a message, or say like Slack why it is none."""
        fault = _fault(payload)
        if not fault:
            self.received.append(payload)
        return fault


@contextmanager
def slack_server() -> Iterator[SlackServer]:
    """Run the server on a free port of this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as server:
        state = SlackServer(f"http://127.0.0.1:{server.server_port}")
        server.RequestHandlerClass.state = state  # type: ignore[attr-defined]  # one server at a time
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()


class _Answers(BaseHTTPRequestHandler):
    state: SlackServer

    def do_POST(self) -> None:
        """Answer a webhook in text and the API in JSON, as Slack does."""
        self.state.requests += 1
        time.sleep(self.state.delay)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.state.status != 200:
            self._answer(self.state.status, "rate_limited")
        elif self.path == HOOK:
            fault = self.state.take(json.loads(body))
            self._answer(400 if fault else 200, fault or "ok")
        elif self.path == "/api/chat.postMessage":
            self._answer(200, json.dumps(self._post_message(body)), "application/json")
        else:
            self._answer(403, "invalid_token")

    def _post_message(self, body: str) -> dict[str, Any]:
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            return {"ok": False, "error": "invalid_auth"}
        if "json" in self.headers["Content-Type"]:
            payload = json.loads(body)
        else:
            payload = {name: values[0] for name, values in parse_qs(body).items()}
            payload["blocks"] = json.loads(payload["blocks"])
        fault = self.state.take(payload)
        return {"ok": False, "error": fault} if fault else {"ok": True, "ts": "1.2"}

    def _answer(self, status: int, text: str, kind: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Stay silent."""


def _fault(payload: dict[str, Any]) -> str:
    """Check what Slack checks: a fallback text, known blocks, lengths."""
    if not payload.get("text"):
        return "no_text"
    parts = payload.get("blocks", [])
    if len(parts) > 50 or not all(_is_valid(part) for part in parts):
        return "invalid_blocks"
    return ""


def _is_valid(part: dict[str, Any]) -> bool:
    if part["type"] == "header":
        return part["text"]["type"] == "plain_text" and 1 <= len(part["text"]["text"]) <= 150
    if part["type"] == "section" and "fields" in part:
        fields = part["fields"]
        return 1 <= len(fields) <= 10 and all(1 <= len(f["text"]) <= 2000 for f in fields)
    return part["type"] == "section" and 1 <= len(part["text"]["text"]) <= 3000
