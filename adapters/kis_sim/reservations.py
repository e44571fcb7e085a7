"""This is the box of reserved orders (예약주문): taken outside trading hours, sent at the next opening auction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

from adapters.kis_sim.accounts import Account
from adapters.kis_sim.exchange import Exchange
from adapters.kis_sim.hours import kst
from adapters.kis_sim.orders import BookedOrder, Environment, OrderRequest
from adapters.kis_sim.refusals import Reason, Refused, words

_FROM: Final = time(15, 40)
_UNTIL: Final = time(7, 30)
_PAUSE_FROM: Final = time(23, 40)
_PAUSE_UNTIL: Final = time(0, 10)


@dataclass(slots=True)
class Reservation:
    """One reserved order and what became of it."""

    sequence: int
    account: Account
    request: OrderRequest
    taken_at: datetime
    until: date
    canceled_at: datetime | None = None
    order: BookedOrder | None = None
    refusal: str = ""

    @property
    def is_waiting(self) -> bool:
        """Whether it will still be sent."""
        return self.canceled_at is None and self.order is None and not self.refusal

    @property
    def state(self) -> str:
        """Say it in a word (처리결과)."""
        if self.canceled_at is not None:
            return "취소"
        if self.refusal:
            return "거부"
        return "처리" if self.order else "미처리"


class Reservations:
    """Every reserved order of every account."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._kept: list[Reservation] = []

    def take(
        self, account: Account, request: OrderRequest, at: datetime, until: date
    ) -> Reservation:
        """Keep an order.

        Raises:
            Refused: during the day, and around midnight.
        """
        clock = kst(at).time()
        is_evening = _FROM <= clock < _PAUSE_FROM
        if not is_evening and not _PAUSE_UNTIL <= clock < _UNTIL:
            raise Refused(Reason.RESERVATION_HOURS)
        reservation = Reservation(len(self._kept) + 1, account, request, at, until)
        self._kept.append(reservation)
        return reservation

    def of(self, account: Account) -> list[Reservation]:
        """Return an account's reservations, oldest first."""
        return [each for each in self._kept if each.account is account]

    def find(self, account: Account, sequence: int) -> Reservation:
        """Return a waiting reservation.

        Raises:
            Refused: when there is none of that number.
        """
        for each in self.of(account):
            if each.sequence == sequence and each.is_waiting:
                return each
        raise Refused(Reason.RESERVATION_NUMBER)

    def send(self, at: datetime) -> None:
        """Send what waits, in the order in which it came."""
        for each in self._kept:
            if each.is_waiting:
                try:
                    each.order = self._exchange.place(each.account, each.request, at)
                except Refused as refusal:
                    each.refusal = words(refusal.reason, Environment.REAL)[1]
