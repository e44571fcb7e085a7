"""This is what the simulator can be told when it starts: options with their defaults, and the command line."""

from __future__ import annotations

import json
import re
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from adapters.kis_sim.faults import FaultTable, read_table
from adapters.kis_sim.gateway import Mode
from adapters.kis_sim.histories import BUNDLED
from adapters.kis_sim.orders import Environment
from adapters.kis_sim.tapes import SPACING
from adapters.kis_sim.tokens import Credential, made_up_key
from trading.errors import BadInput

if TYPE_CHECKING:
    from adapters.wording import Language

APPKEY_LENGTH: Final = 36
APPSECRET_LENGTH: Final = 180
NO_FAULTS: Final = FaultTable()
_ACCOUNT: Final = re.compile(r"\d{8}-\d{2}")

_SPACINGS: Final = range(2, 3601)


class Profile(StrEnum):
    """Which widths the socket's records have: before or since 14 September 2026."""

    CLASSIC = "classic"
    CURRENT = "2026-09"


class Pacing(StrEnum):
    """How time passes, unless it runs at a factor."""

    OPEN = "open"
    STEP = "step"


def default_credential(environment: Environment) -> Credential:
    """Return the made-up key pair of a world, the same at every start."""
    return Credential(
        made_up_key(f"appkey {environment}", APPKEY_LENGTH),
        made_up_key(f"appsecret {environment}", APPSECRET_LENGTH),
        environment,
    )


@dataclass(frozen=True, slots=True)
class Options:
    """Everything the simulator can be told. `factor` counts when `pacing` is None; None limits nothing."""

    host: str = "127.0.0.1"
    port: int = 0
    ws_port: int = 0
    mode: Mode = Mode.BOTH
    profile: Profile = Profile.CURRENT
    accounts: tuple[str, ...] = ("50012345-01",)
    cash: int = 100_000_000
    hts_id: str = ""
    keys: tuple[tuple[str, str], ...] = ()
    is_paced: bool = True
    rate_limit: int | None = None
    token_interval: float = 60
    data: Path = BUNDLED
    day: date | None = None
    pacing: Pacing | None = Pacing.STEP
    factor: float = 0
    seed: int = 1
    spacing: int = SPACING
    faults: FaultTable = NO_FAULTS
    commission_rate: Decimal = Decimal("0.00015")
    ping_seconds: float = 10

    @property
    def calls_per_second(self) -> int | None:
        """The pace of REST calls: KIS's own for the mode unless told otherwise."""
        if not self.is_paced:
            return None
        return self.rate_limit or (1 if self.mode is Mode.PAPER else 18)

    @property
    def credentials(self) -> tuple[Credential, ...]:
        """The key pairs that open this simulator, and in a strict mode the other world's made-up pair."""
        made_up = tuple(default_credential(world) for world in Environment)
        if not self.keys:
            return made_up
        own = None if self.mode is Mode.BOTH else Environment(self.mode.value)
        given = tuple(Credential(key, secret, own) for key, secret in self.keys)
        return (
            given if own is None else (*given, *(one for one in made_up if one.environment != own))
        )

    @property
    def credential(self) -> Credential:
        """The key pair to use first."""
        if self.keys or self.mode is not Mode.PAPER:
            return self.credentials[0]
        return default_credential(Environment.PAPER)


class _Parser(ArgumentParser):
    """Answers a wrong option with one sentence, and tells all of them in a language."""

    language: Language = "en"

    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: {message}", file=sys.stderr)  # noqa: T201 - the command line's voice
        raise SystemExit(2)

    def format_help(self) -> str:
        from adapters.wording import Wording  # noqa: PLC0415 - only who asks for help waits for it

        wording = Wording(self.language)
        self.description = wording.text("sim.description")
        self._optionals.title = wording.text("sim.options")
        for action in self._actions:
            action.help = wording.text(f"sim.{action.dest}")
        return super().format_help().replace("usage:", wording.text("sim.usage"), 1)


def parse(arguments: Sequence[str], prog: str = "maemae sim", language: Language = "en") -> Options:
    """Read a command line; `language` is that of the help.

    Raises:
        SystemExit: 2 for an option that argparse refuses, after one sentence.
        BadInput: naming the option whose value is wrong.
    """
    given = _parser(prog, language).parse_args(arguments)
    keys, secrets = given.appkey or [], given.appsecret or []
    if len(secrets) > len(keys):
        raise BadInput("--appsecret", "", "an --appkey for each --appsecret")
    made_up = made_up_key("appsecret given", APPSECRET_LENGTH)
    secrets += [made_up] * (len(keys) - len(secrets))
    pacing, factor = _clock(given.clock)
    return Options(
        host=given.host,
        port=given.port,
        ws_port=given.ws_port,
        mode=Mode(given.mode),
        profile=Profile(given.profile),
        accounts=_accounts(given),
        cash=_whole("--cash", given.cash),
        hts_id=given.hts_id,
        keys=tuple(zip(keys, secrets, strict=True)),
        is_paced=given.rate_limit != "off",
        rate_limit=None if given.rate_limit in {None, "off"} else _limit(given.rate_limit),
        token_interval=_seconds("--token-interval", given.token_interval),
        data=given.data,
        day=_day(given.day),
        pacing=pacing,
        factor=factor,
        seed=given.seed,
        spacing=_spacing(given.spacing),
        faults=_faults(given.faults),
    )


def _parser(prog: str, language: Language) -> _Parser:
    parser = _Parser(prog=prog)
    parser.language = language
    add = parser.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=29443)
    add("--ws-port", type=int, default=31000)
    add("--mode", choices=[each.value for each in Mode], default="both")
    add("--profile", choices=[each.value for each in Profile], default=Profile.CURRENT.value)
    add("--account", action="append")
    add("--cash", default="100000000")
    add("--hts-id", default="")
    add("--appkey", action="append")
    add("--appsecret", action="append")
    add("--rate-limit", metavar="N|off")
    add("--token-interval", metavar="S|off", default="60")
    add("--data", type=Path, default=BUNDLED)
    add("--day", metavar="YYYY-MM-DD")
    add("--clock", metavar="open|step|FACTOR", default="step")
    add("--seed", type=int, default=1)
    add("--spacing", default=str(SPACING))
    add("--faults", type=Path)
    return parser


def _accounts(given: Namespace) -> tuple[str, ...]:
    accounts = tuple(given.account or Options().accounts)
    for account in accounts:
        if not _ACCOUNT.fullmatch(account):
            raise BadInput("--account", account, "eight digits, a dash, two digits")
    return accounts


def _whole(option: str, text: str) -> int:
    if not text.isdigit():
        raise BadInput(option, text, "a whole number, 0 or more")
    return int(text)


def _spacing(text: str) -> int:
    spacing = _whole("--spacing", text)
    if spacing not in _SPACINGS:
        raise BadInput("--spacing", text, "whole seconds from 2 to 3600")
    return spacing


def _limit(text: str) -> int:
    limit = _whole("--rate-limit", text)
    if limit < 1:
        raise BadInput("--rate-limit", text, "1 or more, or off")
    return limit


def _seconds(option: str, text: str) -> float:
    if text == "off":
        return 0
    try:
        seconds = float(text)
    except ValueError as problem:
        raise BadInput(option, text, "seconds, or off") from problem
    if not 0 <= seconds < float("inf"):
        raise BadInput(option, text, "seconds, 0 or more, or off")
    return seconds


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as problem:
        raise BadInput("--day", text, "a date like 2018-01-16") from problem


def _clock(text: str) -> tuple[Pacing | None, float]:
    if text in {each.value for each in Pacing}:
        return Pacing(text), 0
    try:
        factor = float(text)
    except ValueError as problem:
        raise BadInput("--clock", text, "open, step, or a factor of real time like 60") from problem
    if not 0 < factor < float("inf"):
        raise BadInput("--clock", text, "a factor above 0")
    return None, factor


def _faults(path: Path | None) -> FaultTable:
    if path is None:
        return NO_FAULTS
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise BadInput("--faults", str(path), f"a readable JSON file ({problem})") from problem
    return read_table(document)
