"""This is one strategy as a settings file describes it: what runs, with which figures, on which symbols."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Final, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    PrivateAttr,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from strategies.base import Strategy
from strategies.exits import ExitParameters
from strategies.foreign import FOREIGN
from strategies.registry import build_strategy, strategy_class
from trading.bars import Interval
from trading.errors import InvalidSymbol
from trading.instruments import Symbol


def read_symbol(code: object) -> Symbol:
    """Take a symbol from a settings file, where 015760 without quotes is an octal number.

    Raises:
        InvalidSymbol: for anything but six characters.
    """
    if not isinstance(code, str):
        raise InvalidSymbol("symbol", code, 'six characters in quotes, e.g. "005930"')
    return Symbol(code)


type SymbolSetting = Annotated[
    Symbol,
    PlainValidator(read_symbol),
    WithJsonSchema({"type": "string", "pattern": "^[0-9A-Z]{6}$"}),
]


class StrategySettings(BaseModel):
    """One running copy of a strategy. Two of one kind differ by `id`, and each owns only what it bought."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z][a-z0-9-]{1,39}$", description="name in orders and reports")
    kind: str = Field(description="which strategy, e.g. moving_average_cross")
    parameters: dict[str, Any] = Field(default_factory=dict, description="of that kind")
    symbols: tuple[SymbolSetting, ...] = Field(min_length=1, description="what it may buy")
    exits: ExitParameters = ExitParameters()
    risk: dict[str, Any] = Field(
        default_factory=dict,
        description="limits of the channel's risk section that are stricter for this strategy",
    )

    _running: Strategy | None = PrivateAttr(default=None)

    @field_validator("kind")
    @classmethod
    def _is_known(cls, kind: str) -> str:
        strategy_class(kind)
        return kind

    @field_validator("parameters")
    @classmethod
    def _fit_the_kind(cls, parameters: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if "kind" in info.data:  # else the kind itself is the fault to tell
            build_strategy(info.data["kind"], parameters)
        return parameters

    @property
    def plugin(self) -> str:
        """The id of the plug-in that decides, "" for a strategy of ours."""
        return self.kind.removeprefix(FOREIGN) if self.kind.startswith(FOREIGN) else ""

    @property
    def interval(self) -> Interval:
        """Which bars it looks at; a plug-in looks at daily ones."""
        return strategy_class(self.kind).interval

    @property
    def strategy(self) -> Strategy:
        """The strategy itself; of a plug-in the one that runs, where it does."""
        return self._running or self._built

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Give a copy that works out anew what follows from its fields; `update` is not validated."""
        copied = super().model_copy(update=update, deep=deep)
        for name in WORKED_OUT:
            copied.__dict__.pop(name, None)
        if update and not update.keys().isdisjoint({"kind", "parameters"}):
            copied._running = None  # noqa: SLF001 - of our own copy
        return copied

    def run_by(self, running: Strategy) -> Self:
        """Give the same settings with a plug-in that runs."""
        settings = self.model_copy()
        settings._running = running  # noqa: SLF001 - of our own copy
        return settings

    @cached_property
    def _built(self) -> Strategy:
        return build_strategy(self.kind, self.parameters)

    @cached_property
    def parameter_hash(self) -> str:
        """The fingerprint of everything that decides."""
        return parameter_hash(self._built, self.exits)


WORKED_OUT: Final = tuple(
    name for name, value in vars(StrategySettings).items() if isinstance(value, cached_property)
)
"""What settings keep beside their fields once it was asked for."""


def parameter_hash(strategy: Strategy, exits: ExitParameters) -> str:
    """Fingerprint a strategy's kind, parameters and exits: 16 hex digits, equal wherever all three are.

    Defaults count as if written down, and 0.10 equals 0.1.
    """
    parts = {
        "kind": strategy.kind,
        "parameters": strategy.model_dump(),
        "exits": exits.model_dump(exclude=_off(exits)),
    }
    return hashlib.sha256(json.dumps(_canonical(parts), sort_keys=True).encode()).hexdigest()[:16]


def _off(exits: ExitParameters) -> set[str]:
    """Name the option that came later, while it is off: fingerprints from before it stay right."""
    return set() if exits.trailing_stop else {"trailing_stop"}


def _canonical(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _canonical(item) for key, item in value.items()}
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value
