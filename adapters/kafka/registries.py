"""This is Confluent's schema registry, where one is set: the number by which a message names its schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from adapters.event_logs import LogUnavailable
from adapters.events import TOPICS
from adapters.kafka.envelopes import NO_NUMBERS, Numbers, fingerprint_of, versions_of
from adapters.kafka.security import context_of
from adapters.kafka.settings import KafkaSettings
from trading.errors import InvalidSetting

_TIMEOUT_SECONDS: Final = 5.0
_CONTENT: Final = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
_UNKNOWN: Final = 404


async def numbers_of(settings: KafkaSettings) -> Numbers:
    """Give the registry's number of every schema; what is missing there is registered, if topics may be made, too.

    Raises:
        LogUnavailable: naming the registry and why it does not answer.
        InvalidSetting: when it refuses a schema, or lacks one that may not be registered.
    """
    if settings.kafka_registry is None:
        return NO_NUMBERS
    url = settings.kafka_registry.get_secret_value()
    try:
        async with httpx.AsyncClient(
            base_url=url, timeout=_TIMEOUT_SECONDS, verify=context_of(settings)
        ) as client:
            return await _Registry(client, settings.kafka_create_topics).numbers()
    except (httpx.HTTPError, OSError) as error:
        words = f"schema registry {httpx.URL(url).host}: {str(error) or type(error).__name__}"
        raise LogUnavailable(words) from None


@dataclass(frozen=True)
class _Registry:
    client: httpx.AsyncClient
    may_register: bool

    async def numbers(self) -> Numbers:
        given = {
            (topic, fingerprint_of(schema)): await self._number(f"{topic}-value", schema)
            for topic in TOPICS
            for schema in versions_of(topic)
        }
        return Numbers(given, {(topic, number): mark for (topic, mark), number in given.items()})

    async def _number(self, subject: str, schema: Mapping[str, Any]) -> int:
        """Register a schema; one that is there already keeps its number."""
        path = f"/subjects/{subject}" + ("/versions" if self.may_register else "")
        body = json.dumps({"schema": json.dumps(schema)})
        reply = await self.client.post(path, content=body, headers=_CONTENT)
        answer = _json(reply)
        if reply.is_success and isinstance(answer.get("id"), int):
            return int(answer["id"])
        if reply.status_code == _UNKNOWN and not self.may_register:
            expected = f"true, or the schema registered as {subject}"
            raise InvalidSetting("MAEMAE_KAFKA_CREATE_TOPICS", False, expected)  # noqa: FBT003 - the value
        told = f"{reply.status_code} {answer.get('message', '')}".strip()
        expected = f"a schema registry that takes {subject} ({told})"
        raise InvalidSetting("MAEMAE_KAFKA_REGISTRY", self.client.base_url.host, expected)


def _json(reply: httpx.Response) -> Mapping[str, Any]:
    try:
        answer = reply.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
