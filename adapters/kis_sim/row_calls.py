"""This is what answers the calls that list orders: the day's rows with their fills, and what can still be changed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from adapters.kis_sim.calls import Values
from adapters.kis_sim.faults import Fault, GhostRows, RowLag
from adapters.kis_sim.figures import SIDE_CODE, average, day_text, plain_average, time_text
from adapters.kis_sim.ghosts import haunted
from adapters.kis_sim.order_calls import BRANCH
from adapters.kis_sim.orders import Act, BookedOrder, Environment
from adapters.kis_sim.replies import NOTHING, Query, Reply, paged
from trading.orders import Side

_RECENT: Final = timedelta(days=92)
"""The current TR ids look back three months, the others look at what is older."""
_OLDER_TRS: Final = frozenset({"CTSC9215R", "VTSC9215R", "CTSC9115R", "VTSC9115R"})
_SIDE_NAME: Final = {Side.BUY: "매수", Side.SELL: "매도"}
_ACT_NAME: Final = {Act.NEW: "현금{}", Act.MODIFY: "{}정정*", Act.CANCEL: "{}취소*"}
_CHANGE_NAME: Final = {Act.NEW: "현금{}", Act.MODIFY: "{} AMEND*", Act.CANCEL: "{} CANCEL*"}
_ENGLISH_SIDE: Final = {Side.BUY: "BUY", Side.SELL: "SELL"}


def daily_ccld(query: Query) -> Reply:
    """List orders of a range of days with cumulative fills, one row per order number."""
    wanted = [order for order in query.holder.orders if _is_wanted(query, order)]
    faults = query.simulation.faults
    names = (query.tr, query.call.name)
    shown = [order for order in wanted if not _is_late(query, order)]
    totals = {"output2": query.row("output2", _totals(query, shown))}
    if faults.strike(Fault, "orders_empty", query.text("PDNO"), names):
        return Reply({"output1": [], **totals}, NOTHING[query.environment], next_key="")
    is_newest_first = query.text("INQR_DVSN", "00") == "00"
    shown.sort(key=lambda order: order.sequence, reverse=is_newest_first)
    rows = [(_key(order), _ccld_row(query, order)) for order in shown]
    ghosts = faults.strike(GhostRows, "ghost_rows", query.text("PDNO"), names) if rows else None
    if ghosts:
        rows = haunted(rows, ghosts.kinds, is_newest_first=is_newest_first)
    return paged(query, "output1", rows, totals, is_descending=is_newest_first)


def psbl_rvsecncl(query: Query) -> Reply:
    """List the orders that can still be changed."""
    side = {"1": Side.SELL, "2": Side.BUY}.get(query.text("INQR_DVSN_2", "0"))
    shown = [
        order
        for order in query.holder.open_orders()
        if side in {None, order.side} and not _is_late(query, order)
    ]
    rows = [(_key(order), _open_row(query, order)) for order in reversed(shown)]
    return paged(query, "output", rows, {}, is_descending=True)


def _is_wanted(query: Query, order: BookedOrder) -> bool:
    today = query.simulation.today()
    since = today - _RECENT
    is_in_reach = (order.trading_day < since) == (query.tr in _OLDER_TRS)
    first = query.day("INQR_STRT_DT", today)
    last = query.day("INQR_END_DT", today)
    side = query.text("SLL_BUY_DVSN_CD", "00")
    state = query.text("CCLD_DVSN", "00")
    number = query.text("ODNO").lstrip("0")
    return (
        is_in_reach
        and first <= order.trading_day <= last
        and side in {"00", SIDE_CODE[order.side]}
        and query.text("PDNO") in {"", order.symbol}
        and (state != "01" or order.filled_quantity > 0)
        and (state != "02" or order.is_open)
        and number in {"", order.number.lstrip("0")}
    )


def _is_late(query: Query, order: BookedOrder) -> bool:
    """Tell whether a fault still hides the row: it shows when either clock has gone on long enough."""
    lag = query.simulation.faults.active(
        RowLag, "orders_lag", order.symbol, (query.tr, query.call.name)
    )
    if lag is None:
        return False
    by_market = (query.at - order.at).total_seconds()
    passed = max(by_market, query.simulation.seconds_since(order.entered_real))
    return passed < lag.of(order.number)


def _key(order: BookedOrder) -> str:
    return f"{day_text(order.trading_day)}^{order.number}"


def _ccld_row(query: Query, order: BookedOrder) -> Values:
    untouched = "N" if query.environment is Environment.PAPER else ""
    request = order.request
    return {
        "ord_dt": day_text(order.trading_day),
        "ord_gno_brno": BRANCH[query.environment],
        "odno": order.number,
        "orgn_odno": order.original,
        "ord_dvsn_name": request.division.name,
        "sll_buy_dvsn_cd": SIDE_CODE[order.side],
        "sll_buy_dvsn_cd_name": _ACT_NAME[order.act].format(_SIDE_NAME[order.side]),
        "pdno": order.symbol,
        "prdt_name": order.instrument.name,
        "ord_qty": order.quantity,
        "ord_unpr": request.price,
        "ord_tmd": time_text(query.simulation.faults.written_at(order.at)),
        "tot_ccld_qty": order.filled_quantity,
        "avg_prvs": plain_average(order.filled_value, order.filled_quantity),
        "cncl_yn": "Y" if order.is_canceled else untouched,
        "tot_ccld_amt": order.filled_value,
        "ordr_empno": request.channel,
        "ord_dvsn_cd": request.division.code,
        "cncl_cfrm_qty": order.canceled_quantity,
        "rmn_qty": order.open_quantity,
        "rjct_qty": order.rejected_quantity,
        "ccld_cndt_name": request.division.condition or "없음",
        "inqr_ip_addr": request.address,
        "prdt_type_cd": "300",
        "excg_dvsn_cd": "12" if request.exchange == "SOR" else "02",
        "ord_orgno": "00000",
        "excg_id_dvsn_cd": request.exchange,
        "stpm_cndt_pric": request.trigger,
    }


def _totals(query: Query, orders: Iterable[BookedOrder]) -> Values:
    counted = [order for order in orders if order.act is not Act.CANCEL]
    quantity = sum(order.filled_quantity for order in counted)
    value = sum(order.filled_value for order in counted)
    return {
        "tot_ord_qty": sum(order.quantity for order in counted),
        "tot_ccld_qty": quantity,
        "tot_ccld_amt": value,
        "prsm_tlex_smtl": _charges(query),
        "pchs_avg_pric": average(value, quantity),
    }


def _charges(query: Query) -> int:
    """Return the charges of the whole range of days, whatever else was filtered, as KIS does."""
    today: date = query.simulation.today()
    first, last = query.day("INQR_STRT_DT", today), query.day("INQR_END_DT", today)
    fills = (fill for fill in query.holder.fills if first <= fill.trading_day <= last)
    return sum(fill.commission + fill.tax for fill in fills)


def _open_row(query: Query, order: BookedOrder) -> Values:
    request = order.request
    return {
        "ord_gno_brno": BRANCH[query.environment],
        "odno": order.number,
        "orgn_odno": order.original,
        "ord_dvsn_name": request.division.name,
        "pdno": order.symbol,
        "prdt_name": order.instrument.name,
        "rvse_cncl_dvsn_name": _change_name(order),
        "ord_qty": order.quantity,
        "ord_unpr": request.price,
        "ord_tmd": time_text(query.simulation.faults.written_at(order.at)),
        "tot_ccld_qty": order.filled_quantity,
        "tot_ccld_amt": order.filled_value,
        "psbl_qty": order.open_quantity,
        "sll_buy_dvsn_cd": SIDE_CODE[order.side],
        "ord_dvsn_cd": request.division.code,
        "excg_dvsn_cd": "12" if request.exchange == "SOR" else "02",
        "excg_id_dvsn_cd": request.exchange,
        "excg_id_dvsn_name": "SOR" if request.exchange == "SOR" else "한국거래소",
        "stpm_cndt_pric": request.trigger,
    }


def _change_name(order: BookedOrder) -> str:
    names = _SIDE_NAME if order.act is Act.NEW else _ENGLISH_SIDE
    return _CHANGE_NAME[order.act].format(names[order.side])
