"""This is what one set of keys is, and which of the three places it belongs to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from adapters.kis.settings import Environment
from trading.errors import InvalidSetting


class Scope(StrEnum):
    """What keys are for: real money, the paper account, or looking on; one of them is loaded, never two."""

    REAL = "real"
    PAPER = "paper"
    READ = "read"


class Keys(BaseModel):
    """The keys of one account, as they are kept."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    environment: Environment
    appkey: SecretStr = Field(min_length=1)
    appsecret: SecretStr = Field(min_length=1)
    account: str = Field(pattern=r"^\d{8}-\d{2}$")
    hts_id: str = ""

    def document(self) -> dict[str, str]:
        """Give all of it in plain text; the one place where the keys leave their wrapping."""
        shown = self.model_dump(mode="json")
        return shown | {
            "appkey": self.appkey.get_secret_value(),
            "appsecret": self.appsecret.get_secret_value(),
        }


def parse_keys(content: bytes | Mapping[str, Any], scope: Scope, *, origin: str) -> Keys:
    """Read what is kept for `scope`; `origin` names the place.

    Raises:
        InvalidSetting: when it is no such object, or of the other environment; never with what stands there.
    """
    try:
        document = json.loads(content) if isinstance(content, bytes) else content
        keys = Keys.model_validate(document)
    except ValidationError as error:
        fault = error.errors()[0]
        field = ".".join(str(part) for part in fault["loc"])
        raise InvalidSetting(f"{origin} {field}".strip(), "***", fault["msg"]) from None
    except ValueError:
        expected = "JSON with environment, appkey, appsecret, account and hts_id"
        raise InvalidSetting(origin, "***", expected) from None
    require_environment(scope, keys.environment, origin=origin)
    return keys


def require_environment(scope: Scope, environment: Environment, *, origin: str) -> None:
    """Refuse paper keys where real ones belong, and the other way round; to look on both will do.

    Raises:
        InvalidSetting: naming the place.
    """
    if scope is not Scope.READ and environment.value != scope.value:
        expected = f"keys of the {scope} environment"
        raise InvalidSetting(f"{origin} environment", str(environment), expected)
