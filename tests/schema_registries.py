"""This is a schema registry that speaks Confluent's protocol, as far as producers and consumers need it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from aiohttp import web

from adapters.kafka.evolution import faults


@dataclass
class Registry:
    """Schemas by subject; a number is given to each text once."""

    url: str = ""
    subjects: dict[str, list[str]] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    _next: Any = field(default_factory=lambda: count(100_001))

    async def register(self, request: web.Request) -> web.Response:
        """Take a schema that the subject's newest one can be read with, and that reads it."""
        known = self.subjects.setdefault(request.match_info["subject"], [])
        text = (await request.json())["schema"]
        new = json.loads(text)
        if text not in known and any(list(faults(new, json.loads(old))) for old in known):
            words = {"error_code": 409, "message": "Schema being registered is incompatible"}
            return web.json_response(words, status=409)
        if text not in known:
            known.append(text)
            self.numbers.setdefault(text, next(self._next))
        return web.json_response({"id": self.numbers[text]})

    async def look_up(self, request: web.Request) -> web.Response:
        """Give the number of a schema that is there."""
        known = self.subjects.get(request.match_info["subject"], [])
        text = (await request.json())["schema"]
        if text not in known:
            words = {"error_code": 40403, "message": "Schema not found"}
            return web.json_response(words, status=404)
        return web.json_response({"id": self.numbers[text]})


@asynccontextmanager
async def a_registry() -> AsyncIterator[Registry]:
    """Run an empty one."""
    registry, app = Registry(), web.Application()
    app.router.add_post("/subjects/{subject}/versions", registry.register)
    app.router.add_post("/subjects/{subject}", registry.look_up)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    registry.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield registry
    finally:
        await runner.cleanup()
