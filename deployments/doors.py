"""This is the door of the Prefect server: where it listens, how we come in ourselves, and who else may."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

from pydantic import SecretStr

from flows.settings import LOOPBACK, Settings

CLIENT_VARIABLE: Final = "PREFECT_API_AUTH_STRING"


@dataclass(frozen=True, slots=True)
class Door:
    """One address; whatever knocks without `auth` (user:password), if there is one, is turned away with 401."""

    port: int
    host: IPv4Address = LOOPBACK
    auth: SecretStr | None = None

    @classmethod
    def of(cls, settings: Settings, *, port: int) -> Door:
        """Give the door that the settings want; they refuse one that is open to others without a password."""
        return cls(port, settings.prefect_host, settings.prefect_auth)

    @property
    def url(self) -> str:
        """How programs on this machine reach it."""
        host = LOOPBACK if self.host.is_unspecified else self.host
        return f"http://{host}:{self.port}"

    @property
    def api_url(self) -> str:
        """The same for its API."""
        return f"{self.url}/api"

    @property
    def password(self) -> str | None:
        """What opens it, in plain text."""
        return self.auth.get_secret_value() if self.auth is not None else None

    def server_variables(self) -> dict[str, str]:
        """Return what the server has to know."""
        where = {
            "PREFECT_SERVER_API_HOST": str(self.host),
            "PREFECT_SERVER_API_PORT": str(self.port),
        }
        if not self.host.is_loopback:
            where["PREFECT_UI_API_URL"] = "/api"  # of the address that the browser came by
        if self.password is not None:
            where["PREFECT_SERVER_API_AUTH_STRING"] = self.password
        return where

    def client_variables(self) -> dict[str, str]:
        """Return what a program needs to come in."""
        here = {"PREFECT_API_URL": self.api_url}
        return here if self.password is None else here | {CLIENT_VARIABLE: self.password}
