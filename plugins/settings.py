"""This is the whitelist of plug-ins, as a channel file writes it: what may run, by the hashes of its files."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

LONGEST_REASON: Final = 500
"""Characters of what a plug-in says went wrong."""

type Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class PluginGroup(StrEnum):
    """What a plug-in is."""

    STRATEGY = "strategy"
    RULE = "rule"
    BROKER = "broker"

    @property
    def entry_points(self) -> str:
        """The group under which an installed package offers it."""
        return {"strategy": "maemae.strategies", "rule": "maemae.rules"}.get(self, "maemae.brokers")


class Isolation(StrEnum):
    """What holds a foreign strategy."""

    FULL = "full"
    """seccomp and Landlock beside the limits: no network, no file written, no file of ours read, no process."""
    LIMITS = "limits"
    """Only a process of its own with limits, for machines that have nothing better."""


class SandboxLimits(BaseModel):
    """How much a foreign strategy may use."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    timeout_seconds: int = Field(
        default=5, ge=1, le=60, description="for one evaluation of all its symbols"
    )
    cpu_seconds: int = Field(default=10, ge=1, le=600, description="of its process in one run")
    memory_mb: int = Field(default=1024, ge=256, le=16_384, description="of address space")
    isolation: Isolation = Field(
        default=Isolation.FULL,
        description="full, or limits where the machine has neither seccomp nor Landlock",
    )


class PluginSettings(BaseModel):
    """One plug-in that may run, as long as its files are these."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z][a-z0-9-]{1,39}$", description="its name in this file")
    group: PluginGroup
    source: str = Field(
        min_length=1,
        description="name of an installed entry point, or path:Name, e.g. mine/breakout.py:Breakout",
    )
    files: dict[str, Digest] = Field(min_length=1, description="SHA-256 of each of its files")
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="of a rule or broker; a strategy's stand with it"
    )
    limits: SandboxLimits = SandboxLimits()
