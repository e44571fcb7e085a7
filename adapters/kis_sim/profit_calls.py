"""This is what answers the calls about realised results, by day and by day and symbol.

`rlzt_pfls` is net: proceeds less average cost, commission and tax of the sales.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date

from adapters.kis_sim.calls import Values
from adapters.kis_sim.figures import day_text, percent
from adapters.kis_sim.orders import BookedFill
from adapters.kis_sim.replies import Query, Reply, paged
from trading.orders import Side

type Fills = Sequence[BookedFill]


def period_profit(query: Query) -> Reply:
    """List the days of a range with what was bought, sold and realised."""
    return _listed(query, lambda fill: (fill.trading_day, ""), _day_row, "buy_qty_smtl")


def period_trade_profit(query: Query) -> Reply:
    """List the same by day and symbol."""

    def row(fills: Fills) -> Values:
        return _symbol_row(query, fills)

    return _listed(query, lambda fill: (fill.trading_day, fill.symbol), row, "buyqty_smtl")


def _listed(
    query: Query,
    key: Callable[[BookedFill], tuple[date, str]],
    row: Callable[[Fills], Values],
    bought: str,
) -> Reply:
    today = query.simulation.today()
    first, last = query.day("INQR_STRT_DT", today), query.day("INQR_END_DT", today)
    groups: dict[tuple[date, str], list[BookedFill]] = defaultdict(list)
    for fill in query.holder.fills:
        if first <= fill.trading_day <= last and query.text("PDNO") in {"", fill.symbol}:
            groups[key(fill)].append(fill)
    is_newest_first = query.text("SORT_DVSN", "00") != "01"
    order = sorted(groups, reverse=is_newest_first)
    rows = [(f"{day_text(day)}^{symbol}", row(groups[day, symbol])) for day, symbol in order]
    every = [fill for fills in groups.values() for fill in fills]
    totals = query.row("output2", _totals(query, every, bought))
    more = {"output2": totals}
    return paged(query, "output1", rows, more, is_descending=is_newest_first)


def _side(fills: Fills, side: Side) -> list[BookedFill]:
    return [fill for fill in fills if fill.side is side]


def _value(fills: Fills) -> int:
    return sum(fill.value for fill in fills)


def _quantity(fills: Fills) -> int:
    return sum(fill.quantity for fill in fills)


def _shared(fills: Fills) -> dict[str, object]:
    bought, sold = _side(fills, Side.BUY), _side(fills, Side.SELL)
    realized = sum(fill.realized for fill in sold)
    return {
        "trad_dt": day_text(fills[0].trading_day),
        "buy_amt": _value(bought),
        "sll_amt": _value(sold),
        "rlzt_pfls": realized,
        "fee": sum(fill.commission for fill in fills),
        "tl_tax": sum(fill.tax for fill in fills),
        "pfls_rt": percent(realized, sum(fill.cost for fill in sold)),
    }


def _day_row(fills: Fills) -> Values:
    return {
        **_shared(fills),
        "buy_qty1": _quantity(_side(fills, Side.BUY)),
        "sll_qty1": _quantity(_side(fills, Side.SELL)),
    }


def _symbol_row(query: Query, fills: Fills) -> Values:
    bought, sold = _side(fills, Side.BUY), _side(fills, Side.SELL)
    symbol = fills[0].symbol
    instrument = query.simulation.market.instrument(symbol, query.at)
    holding = query.holder.holdings.get(symbol)
    cost, quantity = sum(fill.cost for fill in sold), _quantity(sold)
    return {
        **_shared(fills),
        "pdno": symbol,
        "prdt_name": instrument.name if instrument else "",
        "trad_dvsn_name": "현금",
        "hldg_qty": holding.quantity if holding else 0,
        "pchs_unpr": cost // quantity if quantity else 0,
        "buy_qty": _quantity(bought),
        "sll_pric": _value(sold) // quantity if quantity else 0,
        "sll_qty": quantity,
    }


def _totals(query: Query, fills: Fills, bought_name: str) -> Values:
    bought, sold = _side(fills, Side.BUY), _side(fills, Side.SELL)
    fees = {side: sum(fill.commission for fill in _side(fills, side)) for side in Side}
    tax, realized = sum(fill.tax for fill in sold), sum(fill.realized for fill in sold)
    totals: dict[str, object] = {
        "sll_qty_smtl": _quantity(sold),
        "sll_tr_amt_smtl": _value(sold),
        "sll_fee_smtl": fees[Side.SELL],
        "sll_tltx_smtl": tax,
        "sll_excc_amt_smtl": _value(sold) - fees[Side.SELL] - tax,
        bought_name: _quantity(bought),
        "buy_tr_amt_smtl": _value(bought),
        "buy_fee_smtl": fees[Side.BUY],
        "buy_excc_amt_smtl": _value(bought) + fees[Side.BUY],
        "tot_qty": _quantity(fills),
        "tot_tr_amt": _value(fills),
        "tot_fee": sum(fees.values()),
        "tot_tltx": tax,
        "tot_excc_amt": _value(sold) - _value(bought) - sum(fees.values()) - tax,
        "tot_rlzt_pfls": realized,
    }
    if "tot_pftrt" in query.call.blanks["output2"]:
        totals["tot_pftrt"] = percent(realized, sum(fill.cost for fill in sold))
    return totals
