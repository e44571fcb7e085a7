"""This is the last source of settings: the broker's keys, from the owner's command or the encrypted file.

Keys come whole from one place, the first that has them: environment, what the running stack wrote, `.env`,
command, file. Only the scope that the channel trades with is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from adapters.keys.commands import ask_command
from adapters.keys.safes import KeySafe
from adapters.keys.scopes import Keys, Scope
from adapters.kis.settings import KisSettings
from trading.errors import InvalidSetting

FOLDER: Final = "keys"
_BY_CHANNEL: Final = {"paper": Scope.PAPER, "live": Scope.REAL}


class KeysSettings(BaseModel):
    """Where keys are that are not in the environment, and whether they are for looking on only."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scope: Literal["read"] | None = None
    command: SecretStr | None = None
    identity: Path | None = None


class Whereabouts(BaseSettings):
    """As much of the settings as the care of keys needs, whatever else is missing or wrong."""

    model_config = SettingsConfigDict(
        env_prefix="MAEMAE_", env_nested_delimiter="__", extra="ignore", frozen=True
    )

    home: Path
    keys: KeysSettings = KeysSettings()
    kis: dict[str, str] = {}

    @property
    def has_own_keys(self) -> bool:
        """Whether keys come from the environment, so that no kept ones are asked for."""
        return "appkey" in self.kis

    def broker(self, scope: Scope, keys: Keys) -> KisSettings:
        """Give the way to the broker with kept keys; what the environment says of its own keys is left out.

        Raises:
            InvalidSetting: when another setting of the broker is wrong.
        """
        beside = {} if self.has_own_keys else self.kis
        looks_on = {"is_read_only": scope is Scope.READ}
        try:
            return KisSettings.model_validate({**beside, **keys.document(), **looks_on})
        except ValidationError as error:
            fault = error.errors()[0]
            name = f"MAEMAE_KIS__{fault['loc'][0]}".upper()
            raise InvalidSetting(name, "***", fault["msg"]) from None


class KeptKeys(PydanticBaseSettingsSource):
    """Fills in the section `kis` where the environment names no appkey."""

    def __call__(self) -> dict[str, Any]:
        """Give the keys and what goes with them, or nothing.

        Raises:
            InvalidSetting: when they are there and cannot be read, or the environment variable contradicts them.
        """
        given = self.current_state
        kis = given.get("kis") or {}
        if not isinstance(kis, Mapping) or "appkey" in kis or "home" not in given:
            return {}
        try:
            where = KeysSettings.model_validate(given.get("keys") or {})
        except ValidationError:
            return {}  # whoever asked for the settings is told by them
        scope = scope_of(str(given.get("channel") or "dev"), where)
        keys = None if scope is None else find_keys(Path(given["home"]), where, scope)
        if keys is None:
            return {}
        _require_agreement(keys, kis.get("environment"))
        return {"kis": keys.document()}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Give nothing for a single field: keys come whole."""
        del field
        return None, field_name, False


def scope_of(channel: str, where: KeysSettings) -> Scope | None:
    """Name the scope that a channel trades with; dev has none, its simulator brings its own keys."""
    return Scope(where.scope) if where.scope else _BY_CHANNEL.get(channel)


def find_keys(home: Path, where: KeysSettings, scope: Scope) -> Keys | None:
    """Ask the command if there is one, else open the file if there is one.

    Raises:
        InvalidSetting: when what there is cannot be read.
    """
    if where.command is not None:
        return ask_command(where.command, scope)
    safe = open_safe(home, where)
    return safe.load(scope) if safe.has(scope) else None


def open_safe(home: Path, where: KeysSettings) -> KeySafe:
    """Give the encrypted files of `home`."""
    return KeySafe(home / FOLDER, identity=where.identity)


def _require_agreement(keys: Keys, environment: object) -> None:
    if environment and str(environment) != keys.environment.value:
        expected = f"{keys.environment}, as the keys are, or nothing"
        raise InvalidSetting("MAEMAE_KIS__ENVIRONMENT", str(environment), expected)
