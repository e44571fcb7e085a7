"""This is the table of order types (주문구분 ORD_DVSN) that the simulated exchange takes, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trading.sessions import Phase


@dataclass(frozen=True, slots=True)
class Division:
    """One order type. `pegs` says whose best price becomes its limit: "" for none, "theirs" or "ours"."""

    code: str
    name: str
    is_market: bool = False
    condition: str = ""
    pegs: str = ""
    phases: frozenset[Phase] = frozenset(
        {Phase.OPENING_AUCTION, Phase.CONTINUOUS, Phase.CLOSING_AUCTION}
    )
    is_at_close_price: bool = False
    is_market_at_close: bool = False
    has_trigger: bool = False

    @property
    def is_on_paper(self) -> bool:
        """Whether paper trading takes it: nothing off-hours, no stops."""
        return Phase.CONTINUOUS in self.phases and not self.has_trigger


_CONTINUOUS: Final = frozenset({Phase.CONTINUOUS})
_AFTER: Final = frozenset({Phase.AFTER_MARKET})

DIVISIONS: Final[dict[str, Division]] = {
    each.code: each
    for each in (
        Division("00", "지정가"),
        Division("01", "시장가", is_market=True),
        Division("02", "조건부지정가", is_market_at_close=True),
        Division("03", "최유리지정가", pegs="theirs", phases=_CONTINUOUS),
        Division("04", "최우선지정가", pegs="ours", phases=_CONTINUOUS),
        Division(
            "05",
            "장전 시간외",
            phases=frozenset({Phase.PRE_MARKET_CLOSE_PRICE}),
            is_at_close_price=True,
        ),
        Division(
            "06",
            "장후 시간외",
            phases=frozenset({Phase.POST_MARKET_CLOSE_PRICE}),
            is_at_close_price=True,
        ),
        Division("11", "IOC지정가", condition="IOC", phases=_CONTINUOUS),
        Division("12", "FOK지정가", condition="FOK", phases=_CONTINUOUS),
        Division("13", "IOC시장가", is_market=True, condition="IOC", phases=_CONTINUOUS),
        Division("14", "FOK시장가", is_market=True, condition="FOK", phases=_CONTINUOUS),
        Division("15", "IOC최유리", condition="IOC", pegs="theirs", phases=_CONTINUOUS),
        Division("16", "FOK최유리", condition="FOK", pegs="theirs", phases=_CONTINUOUS),
        Division("22", "스톱지정가", phases=_CONTINUOUS, has_trigger=True),
        Division("41", "애프터마켓 지정가", phases=_AFTER),
    )
}
"""Left out, and refused as wrong codes: single price (07, ended 2026-09-11), mid-point, NXT's own, and the
finer after-market types. After-market orders (41) are taken and rest: the data has no prices for them."""
