"""This is how connections to Kafka are kept to ourselves: TLS, and the password."""

from __future__ import annotations

import ssl
from typing import Any

from aiokafka.helpers import create_ssl_context

from adapters.kafka.settings import KafkaSettings


def security_of(settings: KafkaSettings) -> dict[str, Any]:
    """Give what a connection of aiokafka is secured with."""
    transport = "SSL" if settings.kafka_tls else "PLAINTEXT"
    context = context_of(settings) if settings.kafka_tls else None
    options: dict[str, Any] = {"security_protocol": transport, "ssl_context": context}
    if settings.kafka_sasl is not None:
        options |= {
            "security_protocol": f"SASL_{transport}",
            "sasl_mechanism": settings.kafka_sasl,
            "sasl_plain_username": settings.kafka_username,
            "sasl_plain_password": settings.kafka_password.get_secret_value(),
        }
    return options


def context_of(settings: KafkaSettings) -> ssl.SSLContext:
    """Believe the certificates of the file that is set, else the machine's."""
    file = settings.kafka_ca_file
    context: ssl.SSLContext = create_ssl_context(cafile=str(file) if file else None)
    return context
