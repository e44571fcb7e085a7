"""This is the symbol master in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.scope import Scope, asked, columns_of, own, pick
from adapters.postgres.tables import symbols
from trading.instruments import Instrument, InstrumentKind, Market, Symbol

_ONE: Final = asked(own(symbols).where(symbols.c.symbol == bindparam("symbol")))


class PostgresInstruments:
    """What is traded on one channel."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def upsert(self, instruments: Iterable[Instrument]) -> None:
        """Write or replace: names and markets change, the code stays."""
        for instrument in instruments:
            columns = columns_of(instrument)
            added = insert(symbols).values(channel=self._scope.channel, **columns)
            key = [symbols.c.channel, symbols.c.symbol]
            self._scope.changes(added.on_conflict_do_update(index_elements=key, set_=columns))

    def get(self, symbol: Symbol) -> Instrument | None:
        """Give one."""
        row = self._scope.row(_ONE, symbol=symbol)
        return _instrument(row) if row else None

    def all(self) -> tuple[Instrument, ...]:
        """Give all, by symbol."""
        rows = self._scope.rows(own(symbols).order_by(symbols.c.symbol))
        return tuple(_instrument(row) for row in rows)


def _instrument(row: Any) -> Instrument:
    kinds = {"market": Market(row.market), "kind": InstrumentKind(row.kind)}
    return Instrument(**pick(row, Instrument) | kinds | {"symbol": Symbol(row.symbol)})
