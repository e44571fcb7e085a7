"""This is what a channel file (deployments/channels/<channel>.yaml) may say, typed and with ranges."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from plugins.settings import PluginGroup, PluginSettings
from risk.limits import RiskLimits
from risk.sizing import SizingSettings
from risk.trips import TripLimits
from strategies.faults import first_fault
from strategies.foreign import FOREIGN
from strategies.settings import StrategySettings
from tasks.timetables import Cron
from trading.configs import ConfigVersion, digest_of
from trading.costs import CostSchedule
from trading.errors import InvalidSetting
from trading.instruments import Symbol

KIS: Final = "kis"
GUARDED_CHANNEL: Final = "live"
"""Here nothing that makes trading less safe comes into force by one step."""


class ClockSource(StrEnum):
    """Whose time a channel lives in."""

    SYSTEM = "system"
    SIMULATOR = "simulator"


class ManualOrders(StrEnum):
    """What becomes of orders that the owner gives by hand (HTS, MTS): in no case are they corrected."""

    ADOPT = "adopt"
    """Their fills are booked as the strategy "manual"; no strategy sells them."""
    QUARANTINE = "quarantine"
    """They are named, and their symbol is stopped until the operator resumes it."""


class LateMatch(StrEnum):
    """What becomes of an order that is found after it was declared absent."""

    CANCEL = "cancel"
    KEEP = "keep"


class CostSettings(BaseModel):
    """What the account pays the broker."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    commission_rate: Decimal = Field(
        default=Decimal("0.00015"),
        ge=0,
        lt=Decimal("0.05"),
        description="Commission as a fraction of the traded value, 0.00015 = 0.015 %.",
    )

    @property
    def schedule(self) -> CostSchedule:
        """The domain's cost schedule."""
        return CostSchedule(self.commission_rate)


class CallSettings(BaseModel):
    """How we speak to KIS; what is not given is the adapter's own figure. Times are seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    calls_per_second: int | None = Field(
        default=None, ge=1, le=100, description="Of all processes together."
    )
    timeout_seconds: float | None = Field(default=None, gt=0, le=60)
    read_attempts: int | None = Field(default=None, ge=1, le=10)
    retry_seconds: float | None = Field(
        default=None, gt=0, le=30, description="First pause of a read; doubles."
    )
    silence_seconds: float | None = Field(
        default=None, gt=0, le=600, description="The socket counts as dead after so long."
    )


class ChannelSettings(BaseModel):
    """Everything that decides what is traded and how much: one file per channel, one version per change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channel: str = Field(pattern="^(dev|paper|live)$", description="Must equal the file's name.")
    clock: ClockSource = ClockSource.SYSTEM
    watch_list: tuple[str, ...] = Field(min_length=1, description="Symbols whose bars are kept.")
    strategies: tuple[StrategySettings, ...] = Field(min_length=1)
    broker: str = Field(
        default=KIS, description="Who takes the orders: kis, or plugin:<id> of the section plugins."
    )
    plugins: tuple[PluginSettings, ...] = Field(
        default=(), description="What of others may run, by the hashes of its files."
    )
    risk: RiskLimits = Field(default_factory=RiskLimits)
    trips: TripLimits = Field(default_factory=TripLimits)
    sizing: SizingSettings = Field(default_factory=SizingSettings)
    costs: CostSettings = Field(default_factory=CostSettings)
    calls: CallSettings = Field(default_factory=CallSettings)
    schedules: dict[str, dict[str, Cron]] = Field(
        default_factory=dict,
        description="Flow, schedule's name: cron in Seoul's time; what is not given is prefect.yaml's.",
    )
    manual_orders: ManualOrders = Field(
        default=ManualOrders.ADOPT,
        description="Orders by hand: adopt books their fills, quarantine stops their symbol.",
    )
    late_match: LateMatch = Field(
        default=LateMatch.CANCEL,
        description="An order found after it was declared absent: cancel what is open of it, or keep it.",
    )
    history_days: int = Field(
        default=400, ge=30, le=4000, description="Calendar days of daily bars that ingestion keeps."
    )
    lateness_seconds: int = Field(
        default=300, ge=5, le=3600, description="A run that starts later than this does nothing."
    )

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        for symbol in self.watch_list:
            Symbol(symbol)
        ids = [strategy.id for strategy in self.strategies]
        if len(ids) != len(set(ids)):
            raise InvalidSetting("strategies.id", ids, "each id once")
        strangers = {s for strategy in self.strategies for s in strategy.symbols} - set(
            self.watch_list
        )
        if strangers:
            raise InvalidSetting("strategies.symbols", sorted(strangers), "symbols of watch_list")
        _require_approved(self)
        self.sizing.require_within(self.risk)
        for strategy in self.strategies:
            _require_stricter(self, strategy)
        return self

    def limits_of(self, strategy_id: str) -> RiskLimits:
        """Give the limits of a strategy's orders: its own where it has stricter ones, else the channel's."""
        changes = {strategy.id: strategy.risk for strategy in self.strategies}
        return self.risk.tightened(changes.get(strategy_id, {}))

    @property
    def plugins_by_id(self) -> Mapping[str, PluginSettings]:
        """The plug-ins by their names in the file."""
        return {plugin.id: plugin for plugin in self.plugins}

    @property
    def broker_plugin(self) -> PluginSettings | None:
        """The plug-in that is the broker, None for KIS."""
        return self.plugins_by_id.get(self.broker.removeprefix(FOREIGN))

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """The watch list as symbols."""
        return tuple(Symbol(code) for code in self.watch_list)

    def only(self, strategy_id: str) -> Self:
        """Give the same settings with one strategy, with all of them for "".

        Raises:
            InvalidSetting: naming the strategies that there are.
        """
        chosen = tuple(s for s in self.strategies if strategy_id in {"", s.id})
        if not chosen:
            names = ", ".join(strategy.id for strategy in self.strategies)
            raise InvalidSetting("strategy_id", strategy_id, f"one of {names}")
        return self.model_copy(update={"strategies": chosen})

    @property
    def digest(self) -> str:
        """SHA-256 over the whole content: the version's identity."""
        return digest_of(self.model_dump(mode="json"))


def _require_approved(settings: ChannelSettings) -> None:
    """Check that every plug-in has an id of its own, and that strategies name such as are on the list."""
    ids = [plugin.id for plugin in settings.plugins]
    if len(ids) != len(set(ids)):
        raise InvalidSetting("plugins.id", ids, "each id once")
    there = {p.id for p in settings.plugins if p.group is PluginGroup.STRATEGY}
    for strategy in settings.strategies:
        if strategy.plugin and strategy.plugin not in there:
            expected = f"a strategy of the section plugins: {', '.join(sorted(there)) or '-'}"
            raise InvalidSetting(f"strategies.{strategy.id}.kind", strategy.kind, expected)
    brokers = {f"{FOREIGN}{p.id}" for p in settings.plugins if p.group is PluginGroup.BROKER}
    if settings.broker not in {KIS, *brokers}:
        raise InvalidSetting(
            "broker", settings.broker, f"one of {', '.join((KIS, *sorted(brokers)))}"
        )


def _require_stricter(settings: ChannelSettings, strategy: StrategySettings) -> None:
    """Check a strategy's own limits, and that an entry of the target weight, or of its own weight, can pass them.

    Raises:
        InvalidSetting: naming the strategy.
    """
    origin = f"strategies.{strategy.id}.risk"
    try:
        limits = settings.limits_of(strategy.id)
        settings.sizing.require_within(limits)
    except ValidationError as error:
        raise first_fault(error, origin=origin) from None
    wanted = None if strategy.plugin else strategy.strategy.largest_weight
    if wanted is not None and wanted > limits.maximum_weight:
        expected = f"at most risk.maximum_weight={limits.maximum_weight}"
        raise InvalidSetting(f"strategies.{strategy.id}.parameters.weight", wanted, expected)


def parse_channel(document: Mapping[str, Any], *, origin: str) -> ChannelSettings:
    """Check a channel document.

    Raises:
        InvalidSetting: for the first fault, naming file, field, value and what would be right.
    """
    try:
        return ChannelSettings.model_validate(document)
    except ValidationError as error:
        raise first_fault(error, origin=origin) from None


def read_version(config: ConfigVersion) -> ChannelSettings:
    """Give what a version says.

    Raises:
        InvalidSetting: when it is not what this program understands.
    """
    return parse_channel(config.document, origin=f"configs version {config.version}")
