"""This is opening the clock and the account's memory alone, for those who need no broker and no messages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime

from adapters.audit_files import AuditFile
from adapters.clock import Clock, SimulatorClock, SystemClock
from adapters.event_stores import BodyOf, OutboxEvent
from adapters.kis.settings import HOSTS, REGISTRATIONS, Environment, KisSettings
from adapters.postgres.crowds import Tell
from adapters.postgres.stores import PostgresStores
from flows.settings import Settings, load_channel
from tasks.channels import ChannelSettings, ClockSource, read_version
from tasks.polling import POLLED_WITHIN, most_polled
from trading.audits import AuditEntry
from trading.configs import ConfigVersion
from trading.errors import InvalidSetting, StoreUnavailable


def channel_in_force(settings: Settings) -> ChannelSettings:
    """Give what the version in force says; the channel's file while there is none or nobody can be asked.

    Raises:
        InvalidSetting: when the version, or the file instead of it, is not what this program understands.
    """
    current = _version_in_force(settings)
    return read_version(current) if current else load_channel(settings)


def _version_in_force(settings: Settings) -> ConfigVersion | None:
    try:
        with closing(open_stores(settings)) as stores, stores.begin() as work:
            return work.configs.in_force()
    except (InvalidSetting, StoreUnavailable):
        return None


def broker_of(settings: Settings, channel: ChannelSettings) -> KisSettings:
    """Give the way to the broker, at the pace and with the patience that the channel says.

    Raises:
        InvalidSetting: when no broker is set.
    """
    return settings.broker.model_copy(update=channel.calls.model_dump(exclude_none=True))


def pace_of(settings: Settings, channel: ChannelSettings) -> int:
    """Give the calls a second that the broker takes; a plug-in's count as KIS's of the real environment."""
    if settings.kis is not None and channel.broker_plugin is None:
        return broker_of(settings, channel).pace
    return channel.calls.calls_per_second or HOSTS[Environment.REAL].calls_per_second


def require_watchable(settings: Settings, channel: ChannelSettings) -> None:
    """Refuse a watch list that KIS's stream does not hear whole and whose rest cannot be asked for in time.

    Raises:
        InvalidSetting: with the figures.
    """
    count, pace = len(set(channel.watch_list)), pace_of(settings, channel)
    heard, polled = REGISTRATIONS - 1, most_polled(pace)  # one registration is for the notices
    if channel.broker_plugin is None and count > heard + polled:
        expected = (
            f"at most {heard + polled} symbols: {heard} that the stream hears, {polled} that can be asked for"
            f" every {POLLED_WITHIN} s at {pace} calls a second"
        )
        raise InvalidSetting(f"{channel.channel}.yaml: watch_list", count, expected)


def open_clock(settings: Settings, channel: ChannelSettings) -> Clock:
    """Give the channel's clock: the computer's, or the running simulator's.

    Raises:
        InvalidSetting: when the channel lives in simulated time and no simulator is set.
    """
    if channel.clock is ClockSource.SYSTEM:
        return SystemClock()
    if settings.simulator_url is None:
        expected = f"the simulator's address (channel {channel.channel} lives in its time); try `make demo`"
        raise InvalidSetting("MAEMAE_SIMULATOR_URL", None, expected)
    return SimulatorClock(settings.simulator_url)


@contextmanager
def ticking_clock(settings: Settings, channel: ChannelSettings) -> Iterator[Clock]:
    """Open the channel's clock and close what it holds open afterwards.

    Raises:
        InvalidSetting: when the channel lives in simulated time and no simulator is set.
    """
    clock = open_clock(settings, channel)
    try:
        yield clock
    finally:
        if isinstance(clock, SimulatorClock):
            clock.close()


def open_stores(settings: Settings, *, on_crowd: Tell | None = None) -> PostgresStores:
    """Open the account's memory; `on_crowd` hears when connections run out.

    Raises:
        InvalidSetting: when no database is set and no stack is running.
    """
    url = database_url(settings)
    file = open_audit_file(settings)
    return PostgresStores(
        url,
        channel=settings.channel,
        account=settings.account,
        audit_file=file,
        on_crowd=on_crowd,
        body_of=_body_of(settings) if settings.has_kafka else None,
    )


def owner_of(settings: Settings) -> dict[str, str]:
    """Say whose events they are."""
    return {"channel": settings.channel, "account": settings.account}


def _body_of(settings: Settings) -> BodyOf:
    """Give what writes an event as the relay will tell it."""
    owner = owner_of(settings)

    def write(event: OutboxEvent) -> bytes:
        from adapters.kafka.envelopes import body_of  # noqa: PLC0415 - most stacks have no Kafka

        return body_of(event, owner)

    return write


def note(settings: Settings, entry: AuditEntry, *, at: datetime) -> bool:
    """Write an act of the account now, or on disk until a database can take it; tell whether it is in the log.

    Raises:
        InvalidSetting: when no broker is set, and so nobody can tell whose act it is.
        DiskFull: when neither takes it.
    """
    if settings.database_url is not None:
        with suppress(StoreUnavailable), closing(open_stores(settings)) as stores:
            with stores.begin() as work:
                work.audit.add(entry, at=at)
            return True
    open_audit_file(settings).waiting.keep(entry, at=at)
    return False


def open_audit_file(settings: Settings) -> AuditFile:
    """Give the place where the newest audit hash of the account is kept.

    Raises:
        InvalidSetting: when no broker is set.
    """
    return AuditFile(settings.audit_file, channel=settings.channel, account=settings.account)


def database_url(settings: Settings) -> str:
    """Give the database's address with its password.

    Raises:
        InvalidSetting: when no database is set and no stack is running.
    """
    if settings.database_url is None:
        expected = "a PostgreSQL address, or start the stack with `make up` or `make demo`"
        raise InvalidSetting("MAEMAE_DATABASE_URL", None, expected)
    return settings.database_url.get_secret_value()
