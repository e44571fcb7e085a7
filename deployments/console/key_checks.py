"""This is looking at all kept keys: are they there, of which environment, does the broker accept them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from adapters.clock import SystemClock
from adapters.keys.scopes import Scope
from adapters.kis.access import open_kis
from adapters.kis.settings import KisSettings
from adapters.redaction import mask_account
from deployments.console.faults import sentence_of
from flows.kept_keys import Whereabouts, find_keys
from trading.errors import InvalidSetting, MaemaeError, Unauthorized

type Place = Literal["environment", "command", "file"]
type Verdict = Literal["accepted", "refused", "unanswered", "unreadable", "absent"]


@dataclass(frozen=True, slots=True)
class KeyState:
    """What is known of one set of keys; never the keys."""

    scope: str
    place: Place
    verdict: Verdict
    environment: str = ""
    account: str = ""
    message: str = ""

    def row(self) -> dict[str, Any]:
        """Tell it as a row."""
        return {
            "scope": self.scope,
            "place": self.place,
            "environment": self.environment,
            "account": self.account,
            "verdict": self.verdict,
            "message": self.message,
        }


def examine_keys(where: Whereabouts) -> list[KeyState]:
    """Look at the keys in the environment, if there are any, and at those of every scope."""
    own = [_own_state(where)] if where.has_own_keys else []
    return own + [_state_of(where, scope) for scope in Scope]


def _own_state(where: Whereabouts) -> KeyState:
    try:
        broker = KisSettings.model_validate(where.kis)
    except ValidationError as error:
        words = error.errors()[0]["msg"]
        return KeyState("", "environment", "unreadable", message=words)
    return _judged("", "environment", where.home, broker)


def _state_of(where: Whereabouts, scope: Scope) -> KeyState:
    place: Place = "command" if where.keys.command is not None else "file"
    try:
        keys = find_keys(where.home, where.keys, scope)
        if keys is None:
            return KeyState(scope, place, "absent")
        broker = where.broker(scope, keys)
    except InvalidSetting as error:
        return KeyState(scope, place, "unreadable", message=sentence_of(error))
    return _judged(scope, place, where.home, broker)


def _judged(scope: str, place: Place, home: Path, broker: KisSettings) -> KeyState:
    verdict, message = _ask_broker(home, broker)
    account = mask_account(broker.account)
    return KeyState(scope, place, verdict, broker.environment, account, message)


def _ask_broker(home: Path, broker: KisSettings) -> tuple[Verdict, str]:
    try:
        asyncio.run(try_keys(home, broker))
    except (Unauthorized, InvalidSetting) as error:
        return "refused", sentence_of(error)
    except MaemaeError as error:
        return "unanswered", sentence_of(error)
    return "accepted", ""


async def try_keys(home: Path, broker: KisSettings) -> None:
    """Have a token and see the account with it.

    Raises:
        InvalidSetting, Unauthorized: when the broker refuses the keys.
        BrokerError: when it does not answer, or refuses for another reason.
    """
    async with open_kis(broker, home=home, clock=SystemClock()) as kis:
        await kis.broker.get_balance()
