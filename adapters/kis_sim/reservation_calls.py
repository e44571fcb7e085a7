"""This is what answers the calls for reserved orders (예약주문): kept overnight, sent when the exchange takes orders."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from adapters.kis_sim.calls import Values
from adapters.kis_sim.figures import SIDE_CODE, day_text, time_text
from adapters.kis_sim.hours import kst
from adapters.kis_sim.order_calls import division_of, whole
from adapters.kis_sim.orders import Environment, OrderRequest
from adapters.kis_sim.refusals import Reason, Refused
from adapters.kis_sim.replies import DONE, Query, Reply, paged
from adapters.kis_sim.reservations import Reservation
from trading.orders import Side

_RESERVED: Final = ("APBK2938", "예약주문이 접수되었습니다.")
_CANCEL_TR: Final = "CTSC0009U"


def order_resv(query: Query) -> Reply:
    """Keep an order for the next opening."""
    side = Side.SELL if query.text("SLL_BUY_DVSN_CD") == SIDE_CODE[Side.SELL] else Side.BUY
    request = OrderRequest(
        side=side,
        symbol=query.text("PDNO"),
        division=division_of(query, "ORD_DVSN_CD"),
        quantity=whole(query, "ORD_QTY"),
        price=whole(query, "ORD_UNPR"),
        address=query.address,
        environment=Environment.REAL,
    )
    if request.quantity < 1:
        raise Refused(Reason.QUANTITY)
    until = query.day("RSVN_ORD_END_DT", query.simulation.today())
    reservation = query.simulation.reservations.take(query.holder, request, query.at, until)
    row = query.row("output", {"RSVN_ORD_SEQ": reservation.sequence})
    return Reply({"output": row}, _RESERVED)


def order_resv_rvsecncl(query: Query) -> Reply:
    """Change or cancel a reserved order that has not been sent."""
    reservations, sequence = query.simulation.reservations, whole(query, "RSVN_ORD_SEQ")
    reservation = reservations.find(query.holder, sequence)
    if query.tr == _CANCEL_TR:
        reservation.canceled_at = query.at
    else:
        given = query.text("ORD_DVSN_CD")
        reservation.request = replace(
            reservation.request,
            quantity=whole(query, "ORD_QTY") or reservation.request.quantity,
            price=whole(query, "ORD_UNPR"),
            division=division_of(query, "ORD_DVSN_CD") if given else reservation.request.division,
        )
    return Reply({"output": query.row("output", {"nrml_prcs_yn": "Y"})}, DONE)


def order_resv_ccnl(query: Query) -> Reply:
    """List the reserved orders of a range of days."""
    today = query.simulation.today()
    first, last = query.day("RSVN_ORD_ORD_DT", today), query.day("RSVN_ORD_END_DT", today)
    rows = [
        (f"{each.sequence:010d}", _row(each))
        for each in query.simulation.reservations.of(query.holder)
        if first <= kst(each.taken_at).date() <= last
    ]
    return paged(query, "output", rows, {})


def _row(each: Reservation) -> Values:
    request, order = each.request, each.order
    return {
        "rsvn_ord_seq": each.sequence,
        "rsvn_ord_ord_dt": day_text(kst(each.taken_at).date()),
        "rsvn_ord_rcit_dt": day_text(kst(each.taken_at).date()),
        "pdno": request.symbol,
        "ord_dvsn_cd": request.division.code,
        "ord_rsvn_qty": request.quantity,
        "tot_ccld_qty": order.filled_quantity if order else 0,
        "cncl_ord_dt": day_text(kst(each.canceled_at).date()) if each.canceled_at else "",
        "ord_tmd": time_text(order.at) if order else "",
        "rjct_rson2": each.refusal,
        "odno": order.number if order else "",
        "rsvn_ord_rcit_tmd": time_text(each.taken_at),
        "kor_item_shtn_name": order.instrument.name if order else "",
        "sll_buy_dvsn_cd": SIDE_CODE[request.side],
        "ord_rsvn_unpr": request.price,
        "tot_ccld_amt": order.filled_value if order else 0,
        "cncl_rcit_tmd": time_text(each.canceled_at) if each.canceled_at else "",
        "prcs_rslt": each.state,
        "ord_dvsn_name": request.division.name,
        "rsvn_end_dt": day_text(each.until),
    }
