"""This is Kafka behind TLS: a certificate that nobody vouches for is refused in one sentence."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from adapters.clock import SystemClock
from adapters.event_logs import LogUnavailable
from adapters.kafka.clusters import prepare
from adapters.kafka.settings import KafkaSettings


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
    certificate, key = _a_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = await asyncio.start_server(_hang_up, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1], certificate


async def _hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


def _a_certificate(folder: Path) -> tuple[Path, Path]:
    """Make one for 127.0.0.1, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = SystemClock().now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files
