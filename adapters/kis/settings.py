"""This is how to reach KIS: one environment with its keys and hosts; a mix-up does not validate."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from adapters.addresses import is_loopback


class Environment(StrEnum):
    """Real money (실전) or the broker's paper account (모의); each has its own keys and hosts."""

    REAL = "real"
    PAPER = "paper"


@dataclass(frozen=True, slots=True)
class Hosts:
    """Where an environment answers, and how many calls a second it takes per appkey."""

    rest: str
    socket: str
    calls_per_second: int


HOSTS: Final[dict[Environment, Hosts]] = {
    Environment.REAL: Hosts(
        "https://openapi.koreainvestment.com:9443", "ws://ops.koreainvestment.com:21000", 18
    ),
    Environment.PAPER: Hosts(
        "https://openapivts.koreainvestment.com:29443", "ws://ops.koreainvestment.com:31000", 1
    ),
}
"""KIS offers its sockets without TLS only. Calls per second: the broker's notice of 2026-04-20."""

REGISTRATIONS: Final = 41
"""What KIS takes on one connection to its socket, notices included; a lower cap is learned from its refusal."""


class KisSettings(BaseModel):
    """One account of one environment. The environment chooses TR ids and hosts.

    Other hosts are refused, except on this machine, where the simulator speaks for both. Times are seconds.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, validate_default=True
    )

    environment: Environment
    base_url: str = Field(default="", description="Address of the REST calls; usually left out.")
    ws_url: str = Field(default="", description="Address of the socket; usually left out.")
    appkey: SecretStr = Field(min_length=1)
    appsecret: SecretStr = Field(min_length=1)
    account: str = Field(pattern=r"^\d{8}-\d{2}$", description="Like 12345678-01.")
    hts_id: str = Field(default="", description="HTS login; without it no fill notices come.")
    is_read_only: bool = Field(default=False, description="To look on: orders never leave.")
    calls_per_second: int | None = Field(default=None, ge=1, le=100)
    timeout_seconds: float = Field(default=8, gt=0, le=60)
    read_attempts: int = Field(default=4, ge=1, le=10)
    retry_seconds: float = Field(
        default=1, gt=0, le=30, description="First pause of a read; doubles."
    )
    registration_seconds: float = Field(default=0.1, ge=0, le=1)
    silence_seconds: float = Field(
        default=75, gt=0, le=600, description="The socket counts as dead after so long."
    )

    @field_validator("base_url")
    @classmethod
    def _is_own_host(cls, url: str, info: ValidationInfo) -> str:
        environment = info.data.get("environment")
        return url if environment is None else _own(url, HOSTS[environment].rest, environment)

    @field_validator("ws_url")
    @classmethod
    def _is_own_socket(cls, url: str, info: ValidationInfo) -> str:
        environment = info.data.get("environment")
        return url if environment is None else _own(url, HOSTS[environment].socket, environment)

    @property
    def is_paper(self) -> bool:
        """Whether orders move no money."""
        return self.environment is Environment.PAPER

    @property
    def is_on_this_machine(self) -> bool:
        """Whether it is a simulator on this machine that answers, whatever environment it plays."""
        return self.base_url != HOSTS[self.environment].rest

    @property
    def account_number(self) -> str:
        """The first eight digits (종합계좌번호)."""
        return self.account[:8]

    @property
    def product_code(self) -> str:
        """The last two digits (계좌상품코드)."""
        return self.account[-2:]

    @property
    def pace(self) -> int:
        """Calls a second that all processes together may make with this appkey."""
        return self.calls_per_second or HOSTS[self.environment].calls_per_second


def _own(url: str, official: str, environment: Environment) -> str:
    given = url.strip().rstrip("/") or official
    if given == official or _is_on_this_machine(given, official):
        return given
    message = f"{official} in the {environment} environment, or a simulator on this machine"
    raise ValueError(message)


def _is_on_this_machine(url: str, official: str) -> bool:
    parts = urlsplit(url)
    is_same_kind = parts.scheme.rstrip("s") == urlsplit(official).scheme.rstrip("s")
    return is_same_kind and is_loopback(parts.hostname)
