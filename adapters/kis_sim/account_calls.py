"""This is what answers the calls about an account: holdings, cash, what can be bought and sold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from adapters.kis_sim.accounts import Account, Holding
from adapters.kis_sim.calls import Values
from adapters.kis_sim.divisions import DIVISIONS
from adapters.kis_sim.figures import average, percent
from adapters.kis_sim.market import Snapshot
from adapters.kis_sim.order_calls import whole
from adapters.kis_sim.replies import DONE, Query, Reply, paged
from trading.orders import Side

_ASSET_CLASSES: Final = 20
"""Rows of inquire-account-balance, one per class without a name; shares are the first."""


@dataclass(frozen=True, slots=True)
class Valued:
    """A holding at the price that is shown now."""

    holding: Holding
    price: int
    base: int

    @property
    def value(self) -> int:
        """Won at the shown price."""
        return self.holding.quantity * self.price

    @property
    def profit(self) -> int:
        """Won above the cost."""
        return self.value - self.holding.cost


def balance(query: Query) -> Reply:
    """List the holdings, sold-out ones until they have settled, and the cash figures."""
    held = _valued(query)
    rows = [(each.holding.symbol, _holding_row(query, each)) for each in held]
    totals = [query.row("output2", _cash_figures(query, held))]
    reply = paged(query, "output1", rows, {"output2": totals})
    return Reply(reply.blocks, DONE, reply.first_key, reply.next_key)


def balance_rlz_pl(query: Query) -> Reply:
    """List the holdings with the day's realised result."""
    held = _valued(query)
    known = query.call.blanks["output1"]
    rows = [(each.holding.symbol, _only(_holding_row(query, each), known)) for each in held]
    sales = query.holder.fills_of(query.simulation.today(), Side.SELL)
    realized, cost = sum(fill.realized for fill in sales), sum(fill.cost for fill in sales)
    open_profit = sum(each.profit for each in held)
    figures = {
        **_cash_figures(query, held),
        "rlzt_pfls": realized,
        "rlzt_erng_rt": percent(realized, cost, 8),
        "real_evlu_pfls": open_profit,
        "real_evlu_pfls_erng_rt": percent(open_profit, _cost(held), 8),
    }
    reply = paged(query, "output1", rows, {"output2": [query.row("output2", figures)]})
    return Reply(reply.blocks, DONE, reply.first_key, reply.next_key)


def account_balance(query: Query) -> Reply:
    """Give the assets by class and in total."""
    held = _valued(query)
    cost, value, cash = _cost(held), _value(held), query.holder.cash
    shares = {
        "pchs_amt": cost,
        "evlu_amt": value,
        "evlu_pfls_amt": value - cost,
        "real_nass_amt": value,
        "whol_weit_rt": percent(value, value + cash),
    }
    classes: list[Values] = [shares, *({} for _ in range(_ASSET_CLASSES - 1))]
    totals = {
        "pchs_amt_smtl": cost,
        "nass_tot_amt": value + cash,
        "evlu_pfls_amt_smtl": value - cost,
        "evlu_amt_smtl": value,
        "tot_asst_amt": value + cash,
        "tot_dncl_amt": query.holder.settled_cash,
        "dncl_amt": query.holder.settled_cash,
    }
    rows = [query.row("output1", each) for each in classes]
    return Reply({"output1": rows, "output2": query.row("output2", totals)}, DONE)


def psbl_order(query: Query) -> Reply:
    """Say what can be bought; market types are reckoned at the upper price limit."""
    admission = query.simulation.exchange.admission
    cash = max(0, admission.available(query.holder, query.at))
    spendable = admission.spendable(query.holder, query.at)
    unit = _unit_price(query)
    quantity = spendable // unit if unit else 0
    figures = {
        "ord_psbl_cash": cash,
        "ruse_psbl_amt": sum(amount for _, amount in query.holder.unsettled if amount > 0),
        "psbl_qty_calc_unpr": unit,
        "nrcvb_buy_amt": spendable,
        "nrcvb_buy_qty": quantity,
        "max_buy_amt": spendable,
        "max_buy_qty": quantity,
    }
    return Reply({"output": query.row("output", figures)}, DONE)


def psbl_sell(query: Query) -> Reply:
    """Say how many shares of a symbol can be sold now."""
    symbol, today = query.text("PDNO"), query.simulation.today()
    holding = query.holder.holdings.get(symbol, Holding(symbol))
    each = _value_of(query, holding)
    figures = {
        "pdno": symbol,
        "prdt_name": _name(query, symbol),
        "buy_qty": _traded(query, symbol, Side.BUY, today),
        "sll_qty": _traded(query, symbol, Side.SELL, today),
        "cblc_qty": holding.quantity,
        "ord_psbl_qty": query.holder.sellable(symbol),
        "pchs_avg_pric": average(holding.cost, holding.quantity),
        "pchs_amt": holding.cost,
        "now_pric": each.price,
        "evlu_amt": each.value,
        "evlu_pfls_amt": each.profit,
        "evlu_pfls_rt": percent(each.profit, holding.cost),
    }
    return Reply({"output": query.row("output", figures)}, DONE)


def intgr_margin(query: Query) -> Reply:
    """Give the won part of the integrated margin."""
    admission = query.simulation.exchange.admission
    cash = max(0, admission.available(query.holder, query.at))
    figures = {
        "acmga_rt": "100.00",
        "stck_cash_objt_amt": query.holder.cash,
        "stck_cash_use_amt": query.holder.cash - cash,
        "stck_cash_ord_psbl_amt": cash,
        "stck_cash100_max_ord_psbl_amt": cash,
        "stck_itgr_cash100_ord_psbl_amt": cash,
        "stck_itgr_100_ord_psbl_amt": cash,
    }
    return Reply({"output": query.row("output", figures)}, DONE)


def _unit_price(query: Query) -> int:
    symbol, price = query.text("PDNO"), whole(query, "ORD_UNPR")
    snapshot = _snapshot(query, symbol) if symbol else None
    if snapshot is None:
        return price
    division = DIVISIONS.get(query.text("ORD_DVSN", "00"))
    if division and (division.is_market or division.is_market_at_close):
        return snapshot.limits.upper
    return price or snapshot.last


def _snapshot(query: Query, symbol: str) -> Snapshot | None:
    at = query.simulation.faults.seen_at(symbol, query.at)
    return query.simulation.market.snapshot(symbol, at)


def _name(query: Query, symbol: str) -> str:
    instrument = query.simulation.market.instrument(symbol, query.at)
    return instrument.name if instrument else ""


def _valued(query: Query) -> list[Valued]:
    holdings = query.holder.holdings
    return [_value_of(query, holdings[symbol]) for symbol in sorted(holdings)]


def _value_of(query: Query, holding: Holding) -> Valued:
    snapshot = _snapshot(query, holding.symbol)
    return Valued(holding, snapshot.last, snapshot.base) if snapshot else Valued(holding, 0, 0)


def _cost(held: list[Valued]) -> int:
    return sum(each.holding.cost for each in held)


def _value(held: list[Valued]) -> int:
    return sum(each.value for each in held)


def _traded(query: Query, symbol: str, side: Side, day: date) -> int:
    fills = query.holder.fills_of(day, side)
    return sum(fill.quantity for fill in fills if fill.symbol == symbol)


def _holding_row(query: Query, each: Valued) -> Values:
    holding, today = each.holding, query.simulation.today()
    before = query.simulation.timetable.previous_day(today)
    symbol = holding.symbol
    return {
        "pdno": symbol,
        "prdt_name": _name(query, symbol),
        "trad_dvsn_name": "현금",
        "bfdy_buy_qty": _traded(query, symbol, Side.BUY, before),
        "bfdy_sll_qty": _traded(query, symbol, Side.SELL, before),
        "thdt_buyqty": _traded(query, symbol, Side.BUY, today),
        "thdt_sll_qty": _traded(query, symbol, Side.SELL, today),
        "hldg_qty": holding.quantity,
        "ord_psbl_qty": query.holder.sellable(symbol),
        "pchs_avg_pric": average(holding.cost, holding.quantity),
        "pchs_amt": holding.cost,
        "prpr": each.price,
        "evlu_amt": each.value,
        "evlu_pfls_amt": each.profit,
        "evlu_pfls_rt": percent(each.profit, holding.cost),
        "evlu_erng_rt": percent(each.profit, holding.cost, 8),
        "fltt_rt": percent(each.price - each.base, each.base, 8),
        "bfdy_cprs_icdc": each.price - each.base,
    }


def _cash_figures(query: Query, held: list[Valued]) -> Values:
    account, today = query.holder, query.simulation.today()
    calendar = query.simulation.timetable.calendar
    before, tomorrow = calendar.previous_trading_day(today), calendar.next_trading_day(today)
    cost, value, profit = _cost(held), _value(held), sum(each.profit for each in held)
    assets = account.cash + value
    return {
        "dnca_tot_amt": account.settled_cash,
        "nxdy_excc_amt": account.cash_on(tomorrow),
        "prvs_rcdl_excc_amt": account.cash,
        "bfdy_buy_amt": _amount(account, before, Side.BUY),
        "thdt_buy_amt": _amount(account, today, Side.BUY),
        "bfdy_sll_amt": _amount(account, before, Side.SELL),
        "thdt_sll_amt": _amount(account, today, Side.SELL),
        "bfdy_tlex_amt": _charges(account, before),
        "thdt_tlex_amt": _charges(account, today),
        "scts_evlu_amt": value,
        "tot_evlu_amt": assets,
        "nass_amt": assets,
        "pchs_amt_smtl_amt": cost,
        "evlu_amt_smtl_amt": value,
        "evlu_pfls_smtl_amt": profit,
        "bfdy_tot_asst_evlu_amt": account.opening_equity,
        "asst_icdc_amt": assets - account.opening_equity,
        "asst_icdc_erng_rt": percent(assets - account.opening_equity, account.opening_equity, 8),
    }


def _amount(account: Account, day: date, side: Side) -> int:
    return sum(fill.value for fill in account.fills_of(day, side))


def _charges(account: Account, day: date) -> int:
    return sum(fill.commission + fill.tax for fill in account.fills_of(day))


def _only(values: Values, known: Mapping[str, str]) -> Values:
    return {name: value for name, value in values.items() if name in known}
