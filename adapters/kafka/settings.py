"""This is which Kafka events go to, if any: MAEMAE_KAFKA_BOOTSTRAP and what belongs to it."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator

from adapters.addresses import is_loopback, is_safe_url

EXAMPLE: Final = "host:port, several joined by commas, such as 127.0.0.1:9092"


class KafkaSettings(BaseModel):
    """The variables MAEMAE_KAFKA_*. Without a bootstrap address the outbox is the log, and nothing is sent."""

    kafka_tls: bool = Field(default=False, description="Speak TLS; must be, towards other machines")
    kafka_ca_file: Path | None = Field(default=None, description="Whose certificates to believe")
    kafka_sasl: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    kafka_username: str = ""
    kafka_password: SecretStr = SecretStr("")
    kafka_create_topics: bool = Field(default=True, description="Make the topics that are missing")
    kafka_partitions: int = Field(default=4, ge=1, le=64, description="Of a topic that is made")
    kafka_replication: int = Field(default=1, ge=1, le=5, description="Of a topic that is made")
    kafka_registry: SecretStr | None = Field(
        default=None, description="A Confluent schema registry; messages carry its numbers then"
    )
    kafka_bootstrap: str | None = Field(default=None, description=EXAMPLE)

    @field_validator("kafka_ca_file")
    @classmethod
    def _exists(cls, file: Path | None) -> Path | None:
        if file is not None and not file.is_file():
            raise ValueError("a file with certificates (PEM)")
        return file

    @field_validator("kafka_password")
    @classmethod
    def _is_complete(cls, password: SecretStr, info: ValidationInfo) -> SecretStr:
        if info.data.get("kafka_sasl") and not (info.data.get("kafka_username") and password):
            raise ValueError("with MAEMAE_KAFKA_SASL a MAEMAE_KAFKA_USERNAME and a password")
        return password

    @field_validator("kafka_registry")
    @classmethod
    def _is_safe_registry(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not is_safe_url(url.get_secret_value()):
            raise ValueError("an https:// address, or http:// on this machine")
        return url

    @field_validator("kafka_bootstrap")
    @classmethod
    def _is_safe(cls, bootstrap: str | None, info: ValidationInfo) -> str | None:
        """Insist on TLS towards every other machine."""
        for address in (bootstrap or "").split(",") if bootstrap is not None else ():
            host, separator, port = address.strip().rpartition(":")
            if not (separator and host and port.isdecimal()):
                raise ValueError(EXAMPLE)
            if not info.data.get("kafka_tls") and not is_loopback(host.strip("[]")):
                raise ValueError(f"MAEMAE_KAFKA_TLS=true, because {host} is another machine")
        return bootstrap

    @property
    def has_kafka(self) -> bool:
        """Whether events are relayed at all."""
        return self.kafka_bootstrap is not None
