"""This is the exchange's opinion of a symbol as a rule: halted, administrative, about to be delisted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from risk.views import RiskView
from trading.decisions import Breach
from trading.orders import OrderIntent, Side


@dataclass(frozen=True, slots=True)
class Standing:
    """Refuse buys of an administrative issue (관리종목) or in liquidation trading (정리매매), all when halted.

    The symbol master and the quote each may know first; either counts. An unknown symbol is refused.
    """

    rule_id: str = "STANDING"

    def check(self, intent: OrderIntent, view: RiskView) -> Breach | None:
        """Look at the master and at the quote."""
        if intent.symbol not in view.instruments:
            message = f"{intent.symbol} is not in the symbol master"
            return Breach(self.rule_id, message, {"symbol": intent.symbol})
        flags = _flags(intent, view)
        refusing = flags if intent.side is Side.BUY else {"halted": flags["halted"]}
        if not any(refusing.values()):
            return None
        found = ", ".join(name for name, is_set in refusing.items() if is_set)
        return Breach(self.rule_id, f"{intent.symbol} is {found}", self.figures(intent, view))

    def figures(self, intent: OrderIntent, view: RiskView) -> Mapping[str, str]:
        """Give every flag, none for an unknown symbol."""
        if intent.symbol not in view.instruments:
            return {}
        return {name: str(is_set) for name, is_set in _flags(intent, view).items()}


def _flags(intent: OrderIntent, view: RiskView) -> dict[str, bool]:
    sources = (view.instruments[intent.symbol], view.quotes.get(intent.symbol))
    return {
        "halted": any(source and source.is_halted for source in sources),
        "administrative": any(source and source.is_administrative for source in sources),
        "liquidation": any(source and source.is_liquidation for source in sources),
    }
