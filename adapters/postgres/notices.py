"""This is the buffer of notices in PostgreSQL: those whose order number belongs to no order of ours yet."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from sqlalchemy import bindparam, delete
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.scope import Scope, asked, columns_of, own, pick
from adapters.postgres.tables import notices
from trading.instruments import Symbol
from trading.notices import Notice, NoticeKind
from trading.orders import OrderType, Side

_WAITING: Final = asked(
    own(notices)
    .where(notices.c.trading_day == bindparam("trading_day"))
    .order_by(notices.c.received_at, notices.c.notice_id)
)


class PostgresNotices:
    """Notices of one account. The account's lock keeps one from being missed by who learns its number."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def keep(self, trading_day: date, notice: Notice) -> None:
        """Write; the same notice again (all fields but its arrival) changes nothing."""
        self._scope.lock_account()
        columns = columns_of(notice) | {"trading_day": trading_day} | self._scope.owner
        self._scope.changes(insert(notices).on_conflict_do_nothing(), columns)

    def waiting(self, trading_day: date) -> tuple[Notice, ...]:
        """Give the day's notices that wait, in order of arrival."""
        self._scope.lock_account()
        return tuple(_notice(row) for row in self._scope.rows(_WAITING, trading_day=trading_day))

    def drop(self, trading_day: date, broker_order_id: str) -> int:
        """Let go of a number's notices; give how many."""
        self._scope.lock_account()
        number = {"trading_day": trading_day, "broker_order_id": broker_order_id}
        return self._scope.changes(delete(notices).filter_by(**self._scope.owner, **number))


def _notice(row: Any) -> Notice:
    names = {
        "kind": NoticeKind(row.kind),
        "symbol": Symbol(row.symbol),
        "side": Side(row.side),
        "order_type": OrderType(row.order_type),
    }
    return Notice(**pick(row, Notice) | names)
