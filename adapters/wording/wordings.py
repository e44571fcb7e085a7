"""This is what owners and tables are told about orders, signals and whole days, in one language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from adapters.wording.sentences import Language, Sentences

if TYPE_CHECKING:  # the console waits for what is imported
    from trading.day_records import DayRecord
    from trading.order_quality import Latency
    from trading.orders import Order
    from trading.reports import EodReport
    from trading.signals import Signal

__all__ = ["Language", "Wording"]

SHORT_HASH: Final = 12


class Wording(Sentences):
    """A language's sentences, and rows of tables whose headings are in it."""

    def signal_row(self, signal: Signal) -> dict[str, str]:
        """Tell a signal as one row."""
        return {
            self.text("field.strategy"): signal.strategy_id,
            self.text("field.symbol"): signal.symbol,
            self.text("field.signal"): self.term("direction", signal.direction),
            self.text("field.price"): self.won(signal.reference_price),
            self.text("field.reason"): self.reason(signal),
        }

    def order_row(self, order: Order) -> dict[str, str]:
        """Tell an order as one row."""
        price = order.intent.limit_price
        return {
            self.text("field.symbol"): order.symbol,
            self.text("field.side"): self.term("side", order.side),
            self.text("field.quantity"): self.number(order.quantity),
            self.text("field.price"): self.text("price.market")
            if price is None
            else self.won(price),
            self.text("field.filled"): self.number(order.filled_quantity),
            self.text("field.status"): self.term("status", order.status),
            self.text("field.reason"): order.error_message or self.reason(order.intent.reason),
        }

    def report_rows(self, report: EodReport) -> list[dict[str, str]]:
        """Tell the day's main figures as rows of name and value."""
        figure, value = self.text("field.figure"), self.text("field.value")
        return [
            {figure: name, value: written} for name, written in self.report_figures(report).items()
        ]

    def report_figures(self, report: EodReport) -> Mapping[str, str]:
        """Write the day's main figures by their names, the most important first."""
        result = report.result
        figures = {
            "profit": self.won(result.profit, is_signed=True),
            "day_return": self.percent(report.day_return, is_signed=True),
            "total_return": self.percent(report.total_return, is_signed=True),
            "equity": self.won(result.closing),
            "realized": self.won(result.realized, is_signed=True),
            "realized_net": self.won(result.realized_net, is_signed=True),
            "unrealized": self.won(report.unrealized, is_signed=True),
            "commission": self.won(result.commission),
            "tax": self.won(result.tax),
            "slippage": self.won(report.slippage.cost, is_signed=True),
            "drawdown": self.percent(report.drawdown),
            "max_drawdown": self.percent(report.max_drawdown),
            "orders": self.orders_line(report),
            "failure_rate": self.figure(report.failure_rate, "percent"),
            "latency": self.latency_line(report.latency),
            "versions": self.versions_line(report.day),
        }
        return {self.text(f"report.{name}"): written for name, written in figures.items()}

    def orders_line(self, report: EodReport) -> str:
        """Count the day's orders by status in one line."""
        counts = [
            f"{self.term('status', status)} {self.number(count)}"
            for status, count in report.orders_by_status.items()
        ]
        total = self.text("report.orders_total", count=report.funnel.orders)
        return f"{total} ({', '.join(counts)})" if counts else total

    def versions_line(self, day: DayRecord) -> str:
        """Name the settings, the code and each strategy's parameters behind a day, hashes by their beginning."""
        versions = ", ".join(map(str, day.versions)) or None
        hashes = {"digest": day.config_digest, "commit": day.commit}
        short = {name: value[:SHORT_HASH] or None for name, value in hashes.items()}
        parameters = ", ".join(f"{name} {digest[:SHORT_HASH]}" for name, digest in day.parameters)
        return self.text(
            "report.versions_line", versions=versions, parameters=parameters or None, **short
        )

    def latency_line(self, latency: Latency | None) -> str:
        """Tell median and maximum, a dash when nothing was measured."""
        if latency is None:
            return self.figure(None)
        figures = {"median": latency.median, "maximum": latency.maximum}
        return self.text("report.latency_line", **figures)

    def short_amounts(self, amounts: Sequence[int]) -> list[str]:
        """Write amounts of one axis in the largest unit that keeps them exact to two places, round ones in a larger one."""
        units = [unit for unit in self.short_units if any(abs(a) >= unit for a in amounts)]
        for unit in units:
            for places in range(3):
                if all(amount * 10**places % unit == 0 for amount in amounts):
                    return [self._rounder(amount, unit, places=places) for amount in amounts]
        return [self.number(amount) for amount in amounts]

    def _rounder(self, amount: int, unit: int, *, places: int) -> str:
        """Write an amount in a larger unit than the others' where it is a whole number of those: 1억, not 10,000만."""
        for larger in self.short_units:
            if larger > unit and amount and amount % larger == 0:
                return self.short(amount, larger, places=0)
        return self.short(amount, unit, places=places)
