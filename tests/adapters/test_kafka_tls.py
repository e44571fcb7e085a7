"""This is Kafka behind TLS: a certificate that nobody vouches for is refused in one sentence."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from adapters.event_logs import LogUnavailable
from adapters.kafka.clusters import prepare
from adapters.kafka.settings import KafkaSettings
from tests.tls import a_certificate


async def test_a_certificate_that_nobody_vouches_for_is_one_sentence(tmp_path: Path) -> None:
    async with a_tls_server(tmp_path) as (port, certificate):
        wrong = KafkaSettings(kafka_tls=True, kafka_bootstrap=f"127.0.0.1:{port}")
        with pytest.raises(LogUnavailable, match=rf"^Kafka 127\.0\.0\.1:{port}: .*certificate"):
            await prepare(wrong)
        right = wrong.model_copy(update={"kafka_ca_file": certificate})
        with pytest.raises(LogUnavailable) as refused:  # it is trusted, and speaks no Kafka
            await prepare(right)
    assert "certificate" not in str(refused.value)


@asynccontextmanager
async def a_tls_server(folder: Path) -> AsyncIterator[tuple[int, Path]]:
    """Run a server with a certificate of its own that hangs up; give its port and the certificate."""
    certificate, key = a_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = await asyncio.start_server(_hang_up, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1], certificate


async def _hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()
