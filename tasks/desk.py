"""This is the desk: everything one flow run works with, as protocols. `flows/desk.py` opens the real ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import structlog

from adapters.broker import Access, BrokerAdapter
from adapters.clock import BrokerClock, Clock
from adapters.halt_files import HaltFile
from adapters.market_data import MarketData, MarketStream
from adapters.notifier import Message, Notifier
from adapters.spools import Spool
from adapters.stores import Stores, UnitOfWork
from adapters.wording import Wording
from plugins.rules import foreign_rules
from risk.gate import RiskRule
from risk.rules import rules_for
from tasks.channels import ChannelSettings
from tasks.polling import POLL_SECONDS
from trading.bookings import Terms
from trading.halts import Halt, united
from trading.instruments import Instrument, Symbol
from trading.sessions import Session, TradingCalendar, seoul_date, session_of

_LOG: Final = structlog.get_logger(__name__)


@dataclass(frozen=True, eq=False)
class Desk:
    """What a flow run works with. Opened for one channel and one account."""

    account: str
    channel: ChannelSettings
    version: int
    clock: Clock
    calendar: TradingCalendar
    stores: Stores
    access: Access
    broker: BrokerAdapter
    market_data: MarketData
    stream: MarketStream
    notifier: Notifier
    wording: Wording
    halt_file: HaltFile
    broker_clock: BrokerClock | None = None
    """None where the broker tells no time of its own."""
    is_relayed: bool = False
    """Whether events leave the outbox: without Kafka it is the log itself, and nothing waits in it."""
    is_file_ahead: bool = False
    """Whether the channel's file says something else than the version in force."""
    spool: Spool | None = None
    """Where the stream keeps what the database cannot take."""
    poll_seconds: float = POLL_SECONDS
    """Between two reads that nobody waits for, so that they take no more than their share of the broker's pace."""
    commit: str = ""
    """The code that runs, "" where nobody can tell."""

    def now(self) -> datetime:
        """Give the market's time."""
        return self.clock.now()

    def today(self) -> date:
        """Give the date in Seoul."""
        return seoul_date(self.now())

    def session(self) -> Session | None:
        """Give today's session, None on a day without one."""
        day = self.today()
        return session_of(day) if self.calendar.is_trading_day(day) else None

    def name(self, symbol: Symbol) -> str:
        """Give the name of `symbol` for people, its code when it is not known."""
        with self.stores.begin() as work:
            instrument = work.instruments.get(symbol)
        return instrument.name if instrument else symbol

    def tell(self, message: Message) -> None:
        """Tell the owner, and the log."""
        _LOG.info(message.title, severity=message.severity.value, text=message.text)
        self.notifier.send(message)

    def halts(self, work: UnitOfWork) -> tuple[Halt, ...]:
        """Give every halt in force once, from the file first and from the row."""
        return united(self.halt_file.read(at=self.now()), work.halts.in_force())

    def rules(self, strategy_id: str) -> tuple[RiskRule, ...]:
        """Give every rule that an order of the strategy is asked about, foreign ones last."""
        ours = rules_for(self.channel.limits_of(strategy_id))
        return (*ours, *foreign_rules(self.channel.plugins))

    def terms(self, work: UnitOfWork, symbol: Symbol, trading_day: date) -> Terms:
        """Give what a fill of `symbol` on that day costs and when it settles."""
        return Terms(
            instrument=work.instruments.get(symbol) or Instrument(symbol, symbol),
            costs=self.channel.costs.schedule,
            trading_day=trading_day,
            settles_on=self.calendar.settlement_day(trading_day),
        )
