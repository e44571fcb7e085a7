"""This is the exchange's opinion of a symbol as a rule: halted, administrative, about to be delisted."""

from __future__ import annotations

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
            return Breach(self.rule_id, f"{intent.symbol} is not in the symbol master")
        sources = (view.instruments[intent.symbol], view.quotes.get(intent.symbol))
        flags = {
            "halted": any(source and source.is_halted for source in sources),
            "administrative": any(source and source.is_administrative for source in sources),
            "liquidation": any(source and source.is_liquidation for source in sources),
        }
        refusing = flags if intent.side is Side.BUY else {"halted": flags["halted"]}
        if not any(refusing.values()):
            return None
        found = ", ".join(name for name, is_set in refusing.items() if is_set)
        figures = {name: str(is_set) for name, is_set in flags.items()}
        return Breach(self.rule_id, f"{intent.symbol} is {found}", figures)
