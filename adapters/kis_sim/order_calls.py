"""This is what answers the calls that send, change and cancel orders."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from adapters.kis_sim.divisions import DIVISIONS, Division
from adapters.kis_sim.figures import time_text
from adapters.kis_sim.orders import BookedOrder, Environment, OrderRequest
from adapters.kis_sim.refusals import Reason, Refused
from adapters.kis_sim.replies import Query, Reply, wrong_field
from trading.orders import Side

BRANCH: Final = {Environment.REAL: "03930", Environment.PAPER: "00950"}
_BUY_TRS: Final = frozenset({"TTTC0012U", "TTTC0802U", "VTTC0012U", "VTTC0802U"})
_ACCEPTED: Final = ("APBK0013", "주문 전송 완료 되었습니다.")
_PAPER_BOUGHT: Final = ("40600000", "모의투자 매수주문이 완료 되었습니다.")
_PAPER_SOLD: Final = ("40590000", "모의투자 매도주문이 완료 되었습니다.")
_PAPER_MODIFIED: Final = ("40620000", "모의투자 정정주문이 완료 되었습니다.")
_PAPER_CANCELED: Final = ("40630000", "모의투자 취소주문이 완료 되었습니다.")
_CANCEL: Final = "02"


def order_cash(query: Query) -> Reply:
    """Take a cash order; the side is in the TR id alone."""
    side = Side.BUY if query.tr in _BUY_TRS else Side.SELL
    request = OrderRequest(
        side=side,
        symbol=query.text("PDNO"),
        division=division_of(query, "ORD_DVSN"),
        quantity=whole(query, "ORD_QTY"),
        price=whole(query, "ORD_UNPR"),
        trigger=whole(query, "CNDT_PRIC"),
        exchange=_exchange(query),
        address=query.address,
        environment=query.environment,
    )
    order = query.simulation.exchange.place(query.holder, request, query.at)
    done = _PAPER_BOUGHT if side is Side.BUY else _PAPER_SOLD
    return _receipt(query, order, done)


def order_rvsecncl(query: Query) -> Reply:
    """Modify or cancel an order; the change gets a number of its own."""
    account, exchange = query.holder, query.simulation.exchange
    original = account.find(query.text("ORGN_ODNO"), query.simulation.today())
    if original is None:
        raise Refused(Reason.ORDER_NUMBER)
    is_all = query.text("QTY_ALL_ORD_YN", "N").upper() == "Y"
    quantity = 0 if is_all else whole(query, "ORD_QTY")
    if not is_all and not quantity:
        raise Refused(Reason.QUANTITY)
    request = replace(
        original.request,
        quantity=quantity,
        address=query.address,
        channel="OpnAPI",
        environment=query.environment,
    )
    if query.text("RVSE_CNCL_DVSN_CD") == _CANCEL:
        order = exchange.cancel(account, original, replace(request, price=0), query.at)
        return _receipt(query, order, _PAPER_CANCELED)
    division = division_of(query, "ORD_DVSN") if query.text("ORD_DVSN") else request.division
    trigger = whole(query, "CNDT_PRIC") or request.trigger
    request = replace(request, division=division, price=whole(query, "ORD_UNPR"), trigger=trigger)
    order = exchange.modify(account, original, request, query.at)
    return _receipt(query, order, _PAPER_MODIFIED)


def division_of(query: Query, name: str) -> Division:
    """Read an order type code.

    Raises:
        Refused: when the exchange has no such type.
    """
    division = DIVISIONS.get(query.text(name))
    is_paper = query.environment is Environment.PAPER
    if division is None or (is_paper and not division.is_on_paper):
        raise Refused(Reason.DIVISION)
    return division


def whole(query: Query, name: str) -> int:
    """Read a whole number, 0 when it is not given.

    Raises:
        Failed: when it is something else.
    """
    written = query.text(name, "0")
    if not (written.isascii() and written.isdigit()):
        raise wrong_field(name)
    return int(written)


def _exchange(query: Query) -> str:
    """Read where the order goes: KRX, or SOR which finds KRX here; nothing is listed on NXT."""
    exchange = query.text("EXCG_ID_DVSN_CD", "KRX")
    allowed = {"KRX"} if query.environment is Environment.PAPER else {"KRX", "SOR"}
    if exchange not in allowed:
        raise Refused(Reason.EXCHANGE)
    return exchange


def _receipt(query: Query, order: BookedOrder, on_paper: tuple[str, str]) -> Reply:
    values = {
        "KRX_FWDG_ORD_ORGNO": BRANCH[query.environment],
        "ODNO": order.number,
        "ORD_TMD": time_text(query.simulation.faults.written_at(order.at)),
    }
    row = query.row("output", values)
    if query.environment is Environment.PAPER:
        del row["SOR_ODNO"]
        return Reply({"output": row}, on_paper, symbol=order.symbol)
    return Reply({"output": row}, _ACCEPTED, symbol=order.symbol)
