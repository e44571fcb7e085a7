"""This is the settings: environment first, then what the running stack wrote, then `.env`, then kept keys.

`<home>/runtime.env` (mode 0600) is written by `maemae up` and `maemae demo` when the stack is ready and
removed when it stops, so that flow runs and console commands find the database and the broker with nothing
but MAEMAE_HOME and MAEMAE_CHANNEL in their environment.
"""

from __future__ import annotations

import hashlib
import os
from datetime import timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import yaml
from dotenv import dotenv_values
from pydantic import BaseModel, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from adapters.addresses import is_loopback, is_own_address, is_safe_url
from adapters.audit_files import AUDIT_FILE
from adapters.kafka.settings import KafkaSettings
from adapters.kis.settings import Environment, KisSettings
from flows.kept_keys import KeptKeys, KeysSettings, Whereabouts
from tasks.channels import GUARDED_CHANNEL, ChannelSettings, parse_channel
from trading.errors import InvalidSetting

PROJECT = Path(__file__).resolve().parent.parent
CHANNELS = PROJECT / "deployments" / "channels"
HOME = PROJECT / ".maemae"
HALT_FILE = "halt.json"
LOOPBACK = IPv4Address("127.0.0.1")
SHORTEST_PASSWORD = 12
ENVIRONMENTS = {"dev": None, "paper": Environment.PAPER, "live": Environment.REAL}
"""Whose keys a channel may trade with; dev never leaves this machine."""


class SlackSettings(BaseModel):
    """Where messages go; without either they go to the inbox file."""

    webhook_url: SecretStr | None = None
    bot_token: SecretStr | None = None
    channel: str = Field(default="#maemae", description="Slack channel for the bot token.")

    @field_validator("webhook_url")
    @classmethod
    def _is_safe(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not is_safe_url(url.get_secret_value()):
            raise ValueError("an https:// address")
        return url


class Settings(KafkaSettings, BaseSettings):
    """Who we are and where things stand: MAEMAE_* variables, nested names joined by two underscores."""

    model_config = SettingsConfigDict(
        env_prefix="MAEMAE_", env_nested_delimiter="__", extra="ignore", frozen=True
    )

    home: Path = HOME
    channel: Literal["dev", "paper", "live"] = "dev"
    channels: Path = CHANNELS
    language: Literal["ko", "en"] = "ko"
    approval_minutes: int = Field(
        default=10,
        ge=1,
        le=1440,
        description="Between proposal and approval of a looser live setting.",
    )
    database_url: SecretStr | None = None
    kis: KisSettings | None = None
    keys: KeysSettings = KeysSettings()
    account_number: str | None = Field(
        default=None, min_length=1, description="At a broker that is a plug-in."
    )
    simulator_url: str | None = None
    slack: SlackSettings = SlackSettings()
    commit: str = Field(
        default="",
        pattern="^([0-9a-f]{40})?$",
        description="The code that runs; the stack finds it out where there is a clone.",
    )
    prefect_port: int = Field(default=4200, ge=1, le=65535)
    prefect_host: IPv4Address = Field(default=LOOPBACK, description="Where its server listens.")
    prefect_auth: SecretStr | None = Field(default=None, validate_default=True)
    """Who may come in, as user:password; must be set where others than this machine can knock."""
    prefect_api_url: str | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Give the sources; of two that name the same setting the earlier counts."""
        del file_secret_settings
        return init_settings, env_settings, dotenv_settings, KeptKeys(settings_cls)

    @field_validator("database_url")
    @classmethod
    def _is_safe_database(cls, url: SecretStr | None) -> SecretStr | None:
        if url is None:
            return None
        from adapters.postgres.addresses import DATABASE_TLS, is_safe_database  # noqa: PLC0415 - takes its time

        if not is_safe_database(url.get_secret_value()):
            raise ValueError(DATABASE_TLS)
        return url

    @field_validator("simulator_url")
    @classmethod
    def _is_safe_simulator(cls, url: str | None) -> str | None:
        return _safe(url)

    @field_validator("prefect_auth")
    @classmethod
    def _keeps_others_out(cls, auth: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        """Insist on a password where the server can be reached from elsewhere."""
        if auth is None:
            host = info.data.get("prefect_host", LOOPBACK)
            if not is_loopback(str(host)):
                raise ValueError(f"user:password, because MAEMAE_PREFECT_HOST is {host}")
            return None
        user, _, password = auth.get_secret_value().partition(":")
        if not user or len(password) < SHORTEST_PASSWORD:
            raise ValueError(f"user:password, at least {SHORTEST_PASSWORD} characters of password")
        return auth

    @field_validator("prefect_api_url")
    @classmethod
    def _is_safe_prefect(cls, url: str | None, info: ValidationInfo) -> str | None:
        """Let TLS be missing on this machine only, its own address that the server listens at included."""
        host = str(info.data.get("prefect_host"))
        is_own = url is not None and urlsplit(url).hostname == host and is_own_address(host)
        return url if is_own else _safe(url)

    @property
    def account(self) -> str:
        """The broker's account number, e.g. 50012345-01.

        Raises:
            InvalidSetting: when no broker is set.
        """
        return self.account_number or self.broker.account

    @property
    def broker(self) -> KisSettings:
        """The broker's keys. The simulator on this machine serves every channel.

        Raises:
            InvalidSetting: when none are set, or they are for another kind of money than the channel.
        """
        kis, belongs = self.kis, ENVIRONMENTS[self.channel]
        if kis is None:
            expected = "keys of Korea Investment & Securities, or `make demo` for the simulator"
            raise InvalidSetting("MAEMAE_KIS__APPKEY", None, expected)
        if not kis.is_on_this_machine and kis.environment != belongs:
            expected = f"{belongs or 'a simulator on this machine'} for channel {self.channel}"
            raise InvalidSetting("MAEMAE_KIS__ENVIRONMENT", str(kis.environment), expected)
        return kis.model_copy(update={"is_read_only": True}) if self.is_read_only else kis

    @property
    def is_read_only(self) -> bool:
        """Whether nothing may be placed or cancelled, at whatever broker."""
        return self.keys.scope is not None

    @property
    def approval_delay(self) -> timedelta:
        """How long a looser setting waits for its approval."""
        return timedelta(minutes=self.approval_minutes if self.channel == GUARDED_CHANNEL else 0)

    @property
    def prefect_password(self) -> SecretStr | None:
        """The part of `prefect_auth` behind the colon."""
        auth = self.prefect_auth
        return None if auth is None else SecretStr(auth.get_secret_value().partition(":")[2])

    @property
    def secrets(self) -> tuple[str, ...]:
        """Everything that no log may show."""
        kept = [self.database_url, self.slack.webhook_url, self.slack.bot_token]
        kept += [self.prefect_auth, self.prefect_password, self.keys.command]
        kept += [self.kafka_password] if self.kafka_password else []
        kept += [self.kafka_registry]
        if self.kis is not None:
            kept += [self.kis.appkey, self.kis.appsecret]
        return tuple(secret.get_secret_value() for secret in kept if secret is not None)

    @property
    def halt_file(self) -> Path:
        """The kill switch on disk."""
        return self.home / HALT_FILE

    @property
    def spool_file(self) -> Path:
        """What the database could not take of this account's day; its number stands in no name of a file."""
        owner = hashlib.sha256(f"{self.channel} {self.account}".encode()).hexdigest()[:12]
        return self.home / "spool" / f"{owner}.jsonl"

    @property
    def beat_file(self) -> Path:
        """The stream's signs of life."""
        return self.home / "stream.beat"

    @property
    def audit_file(self) -> Path:
        """The newest audit hash on disk."""
        return self.home / AUDIT_FILE

    @property
    def public_prefect_url(self) -> str:
        """The address of the Prefect UI."""
        api = self.prefect_api_url or f"http://127.0.0.1:{self.prefect_port}/api"
        return api.removesuffix("/api")


def load_settings(**overrides: Any) -> Settings:
    """Read the settings.

    Raises:
        InvalidSetting: naming the variable, its value and what would be right.
    """
    home = Path(overrides.get("home") or find_home())
    try:
        return Settings(_env_file=_files(home), **{"home": home, **overrides})
    except ValidationError as error:
        raise _first_fault(error.errors()[0]) from None


def load_whereabouts() -> Whereabouts:
    """Read where keys are kept, from the same places.

    Raises:
        InvalidSetting: naming the variable.
    """
    home = find_home()
    try:
        return Whereabouts(_env_file=_files(home), home=home)
    except ValidationError as error:
        raise _first_fault(error.errors()[0]) from None


def _files(home: Path) -> tuple[Path, Path]:
    return PROJECT / ".env", home / "runtime.env"  # of two, the later counts


def find_home() -> Path:
    """Give the folder of everything on disk: all that a halt needs when other settings are wrong."""
    written = dotenv_values(PROJECT / ".env").get("MAEMAE_HOME")
    return Path(os.environ.get("MAEMAE_HOME") or written or HOME)


def load_channel(settings: Settings) -> ChannelSettings:
    """Read the channel's file.

    Raises:
        InvalidSetting: when it is missing, is not YAML, or has a wrong field.
    """
    path = settings.channels / f"{settings.channel}.yaml"
    if not path.is_file():
        raise InvalidSetting(
            "MAEMAE_CHANNEL", settings.channel, f"a file {path.name} in {path.parent}"
        )
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise InvalidSetting(path.name, _place(error), "valid YAML") from None
    if not isinstance(document, dict):
        raise InvalidSetting(path.name, document, "a mapping of settings")
    channel = parse_channel(document, origin=path.name)
    if channel.channel != settings.channel:
        raise InvalidSetting(
            f"{path.name}: channel", channel.channel, f"the file's name, {settings.channel}"
        )
    return channel


def _safe(url: str | None) -> str | None:
    if url is not None and not is_safe_url(url):
        raise ValueError("an https:// address, or http:// on this machine")
    return url


def _place(error: yaml.YAMLError) -> str:
    """Tell where in the file the reader gave up."""
    mark = getattr(error, "problem_mark", None)
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark else "?"


def _first_fault(fault: ErrorDetails) -> InvalidSetting:
    """Name the variable and its value; of what is missing pydantic gives the whole section, keys and all."""
    variable = "MAEMAE_" + "__".join(str(part).upper() for part in fault["loc"])
    if fault["type"] == "missing":
        return InvalidSetting(variable, None, fault["msg"])
    is_secret = _is_secret(variable) or not isinstance(fault["input"], str | int)
    return InvalidSetting(variable, "***" if is_secret else fault["input"], fault["msg"])


def _is_secret(variable: str) -> bool:
    return any(
        word in variable
        for word in (
            *("APPKEY", "APPSECRET", "TOKEN", "DATABASE_URL", "WEBHOOK_URL"),
            *("PREFECT_AUTH", "KEYS__COMMAND", "KAFKA_PASSWORD", "KAFKA_REGISTRY"),
        )
    )
