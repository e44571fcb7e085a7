"""This is the list of the KIS calls that we make: path, and TR id by environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from adapters.kis.settings import Environment
from trading.errors import Rejected

_TRADING: Final = "/uapi/domestic-stock/v1/trading"
_QUOTATIONS: Final = "/uapi/domestic-stock/v1/quotations"
NOT_ON_PAPER: Final = "EGW02006"


@dataclass(frozen=True, slots=True)
class Call:
    """One call; `paper` is None where the paper host does not offer it."""

    path: str
    real: str
    paper: str | None

    def tr_id(self, environment: Environment) -> str:
        """Return the id to send.

        Raises:
            Rejected: when the environment does not offer the call; nothing is sent.
        """
        if environment is Environment.REAL:
            return self.real
        if self.paper is None:
            raise Rejected(f"{self.path} is not offered on paper", code=NOT_ON_PAPER)
        return self.paper


BUY: Final = Call(f"{_TRADING}/order-cash", "TTTC0012U", "VTTC0012U")
SELL: Final = Call(f"{_TRADING}/order-cash", "TTTC0011U", "VTTC0011U")
CANCEL: Final = Call(f"{_TRADING}/order-rvsecncl", "TTTC0013U", "VTTC0013U")
ORDERS: Final = Call(f"{_TRADING}/inquire-daily-ccld", "TTTC0081R", "VTTC0081R")
OLD_ORDERS: Final = Call(f"{_TRADING}/inquire-daily-ccld", "CTSC9215R", "VTSC9215R")
BALANCE: Final = Call(f"{_TRADING}/inquire-balance", "TTTC8434R", "VTTC8434R")
BUYABLE: Final = Call(f"{_TRADING}/inquire-psbl-order", "TTTC8908R", "VTTC8908R")


def _quotation(name: str, tr_id: str, *, is_on_paper: bool = True) -> Call:
    return Call(f"{_QUOTATIONS}/{name}", tr_id, tr_id if is_on_paper else None)


PRICE: Final = _quotation("inquire-price", "FHKST01010100")
DAILY_CHART: Final = _quotation("inquire-daily-itemchartprice", "FHKST03010100")
INDEX_CHART: Final = _quotation("inquire-daily-indexchartprice", "FHKUP03500100")
MINUTES_TODAY: Final = _quotation("inquire-time-itemchartprice", "FHKST03010200")
MINUTES_PAST: Final = _quotation("inquire-time-dailychartprice", "FHKST03010230", is_on_paper=False)
STOCK_INFO: Final = _quotation("search-stock-info", "CTPF1002R", is_on_paper=False)
HOLIDAYS: Final = _quotation("chk-holiday", "CTCA0903R", is_on_paper=False)
