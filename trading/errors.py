"""This is the exception tree.

MaemaeError
├── BadInput                 what somebody gave us is wrong: field, value, what would be right
│   ├── InvalidSymbol
│   ├── InvalidSetting
│   │   └── NotApproved      the channel's settings wait for the owner's approval
│   ├── InvalidBar
│   └── NotSupported         one way of doing it cannot; another one may
├── InvalidTransition        an order was asked to do what its status does not allow
├── LedgerViolation          a posting would break an invariant of the ledger
├── ReportImbalance          the figures of a day do not add up to the won
├── StoreUnavailable         the database cannot be reached; nothing of the open unit of work is kept
├── DiskFull                 a disk takes nothing more: trading stops
│   └── StoreFull            the database's; it is a StoreUnavailable too
├── LeaseLost                another writer holds the account now: write nothing, send nothing
├── PluginFault              a plug-in failed or broke its contract; nobody else is concerned
├── NotReady                 the account as a whole cannot be trusted yet: order nothing
└── BrokerError              the broker did not do what we asked; named for the next step
    ├── Rejected             a definite business refusal: do not repeat
    ├── Unauthorized         token or key refused: refresh once, then stop
    ├── Throttled            too fast, not accepted: wait
    ├── Unavailable          not accepted or not answered, and nothing was at stake: reads may repeat
    ├── Withheld             we held the order back at the last moment: it certainly never left
    └── OutcomeUnknown       an order may or may not be in: never repeat, settle by inquiry
"""

from __future__ import annotations


class MaemaeError(Exception):
    """Root of every error that maemae raises on purpose."""


class BadInput(MaemaeError, ValueError):
    """Say which field has which wrong value and what would be right."""

    def __init__(self, field: str, value: object, expected: str) -> None:
        super().__init__(f"{field}={value!r}: {expected}")
        self.field = field
        self.value = value
        self.expected = expected


class InvalidSymbol(BadInput):
    """A symbol is not six upper-case letters or digits."""


class InvalidSetting(BadInput):
    """A setting, parameter or configuration file is wrong."""


class NotApproved(InvalidSetting):
    """No version of the channel's settings is approved."""


class InvalidBar(BadInput):
    """A bar is physically impossible or lacks a field."""


class NotSupported(BadInput):
    """An option or a strategy is right, and this engine does not know it."""


class InvalidTransition(MaemaeError):
    """An order cannot go from its status to the one asked for."""


class LedgerViolation(MaemaeError):
    """A posting would leave negative cash or shares."""


class ReportImbalance(MaemaeError):
    """Equity, ledger and trades of a day disagree."""


class StoreUnavailable(MaemaeError):
    """The database cannot be reached or went away; nothing of the open unit of work is kept."""


class DiskFull(MaemaeError):
    """A disk does not take what must be kept, full or broken; trading must stop."""


class StoreFull(StoreUnavailable, DiskFull):
    """The database's disk is full; nothing of the open unit of work is kept."""


class LeaseLost(MaemaeError):
    """Another writer has taken the account since: whoever gets this may write nothing and send nothing."""


class PluginFault(MaemaeError):
    """What a plug-in did cannot be used: it failed, took too long, or gave what its contract does not know.

    `problem` is what is wrong with its files or settings, None when it is something that it did.
    """

    def __init__(self, plugin: str, reason: str | BadInput) -> None:
        super().__init__(f"plug-in {plugin}: {reason}")
        self.plugin = plugin
        self.reason = str(reason)
        self.problem = reason if isinstance(reason, BadInput) else None


class NotReady(MaemaeError):
    """The broker's book contradicts ours as a whole, or ours is not open yet; says where. Order nothing."""


class BrokerError(MaemaeError):
    """The broker refused or failed; `code` and `message` are the broker's own words."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(f"{code} {message}".strip())
        self.code = code
        self.message = message


class Rejected(BrokerError):
    """Refused for a business reason; the order is certainly not in."""


class Unauthorized(BrokerError):
    """Token or key refused; the call certainly had no effect."""


class Throttled(BrokerError):
    """Refused for pace; the call certainly had no effect."""


class Unavailable(BrokerError):
    """Not answered, and nothing was at stake: a read, or an order that certainly never left."""


class Withheld(BrokerError):
    """Held back by us between the commit and the socket write (halt, lost lease, too late): it never left."""


class OutcomeUnknown(BrokerError):
    """An order call got no clear answer: it may be in; only reconciliation may settle it."""
