"""This is the KIS account: orders, cancels and the broker's book."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final

from adapters.broker import LastLook
from adapters.clock import Clock
from adapters.kis import calls
from adapters.kis.client import KisClient
from adapters.kis.market_data import KisMarketData
from adapters.kis.throttle import Priority
from adapters.kis.wire import (
    ORDER_CODES,
    Reply,
    Row,
    day_text,
    order_number,
    read_moment,
    read_order_type,
    read_side,
)
from trading.broker_books import Acceptance, Balance, BrokerOrder, BrokerPosition, Buyable
from trading.errors import BadInput, Unavailable
from trading.instruments import Symbol
from trading.orders import OrderIntent, OrderType, Side
from trading.sessions import seoul_date, session_of
from trading.ticks import Quote

_LOG = logging.getLogger(__name__)
_EXCHANGE: Final = "KRX"
_RECENT: Final = timedelta(days=85)
"""The broker keeps the last three months under another TR id than what is older."""
_API_CHANNEL: Final = "opnapi"


class KisBroker:
    """`BrokerAdapter` over KIS."""

    def __init__(self, client: KisClient, market_data: KisMarketData, clock: Clock) -> None:
        self._client = client
        self._market_data = market_data
        self._clock = clock

    async def get_price(self, symbol: Symbol) -> Quote:
        """Read the current price of `symbol`."""
        return await self._market_data.quote(symbol)

    def wire_fields(self, intent: OrderIntent) -> dict[str, str]:
        """Give every field of the body that `place` sends."""
        return {
            **self._account(),
            "PDNO": intent.symbol,
            "ORD_DVSN": ORDER_CODES[intent.order_type],
            "ORD_QTY": str(intent.quantity),
            "ORD_UNPR": str(intent.limit_price or 0),
            "EXCG_ID_DVSN_CD": _EXCHANGE,
            "SLL_TYPE": "01" if intent.side is Side.SELL else "",
            "CNDT_PRIC": "",
        }

    async def place(self, intent: OrderIntent, *, last_look: LastLook) -> Acceptance:
        """Send the order, once. KIS knows no order id of ours: a second send is a second order.

        Raises:
            BadInput: when the intent is for another account; nothing is sent.
            whatever `last_look` raises: nothing is sent.
            Rejected, Unauthorized, Throttled, Unavailable: it is certainly not in.
            OutcomeUnknown: it may be in.
        """
        if intent.account != self._client.settings.account:
            raise BadInput("account", intent.account, self._client.settings.account)
        call = calls.SELL if intent.side is Side.SELL else calls.BUY
        body = self.wire_fields(intent)
        return self._accepted(
            await self._client.order(call, body, priority=Priority.ORDER, last_look=last_look)
        )

    async def cancel(
        self, *, broker_order_id: str, branch: str, order_type: OrderType
    ) -> Acceptance:
        """Cancel all that is left of an order; the receipt carries the cancel's own number.

        Raises:
            Rejected: usually because it filled or was cancelled meanwhile: read the order again.
        """
        body = {
            **self._account(),
            "KRX_FWDG_ORD_ORGNO": branch,
            "ORGN_ODNO": broker_order_id,
            "ORD_DVSN": ORDER_CODES[order_type],
            "RVSE_CNCL_DVSN_CD": "02",
            "ORD_QTY": "0",
            "ORD_UNPR": "0",
            "QTY_ALL_ORD_YN": "Y",
            "EXCG_ID_DVSN_CD": _EXCHANGE,
            "CNDT_PRIC": "",
        }
        reply = await self._client.order(calls.CANCEL, body, priority=Priority.CANCEL)
        return self._accepted(reply)

    async def get_balance(self) -> Balance:
        """Read the cash figures: deposit, after tomorrow's settlement, after everything (D+2)."""
        reply = await self._client.read(
            calls.BALANCE, self._balance_parameters(), priority=Priority.ACCOUNT
        )
        row = reply.row("output2")
        return Balance(
            deposit=row.whole("dnca_tot_amt"),
            next_day_cash=row.whole("nxdy_excc_amt"),
            cash=row.whole("prvs_rcdl_excc_amt"),
            securities_value=row.whole("scts_evlu_amt"),
        )

    async def get_positions(self) -> tuple[BrokerPosition, ...]:
        """Read every holding above zero, one per symbol."""
        pages = await self._client.read_pages(
            calls.BALANCE, self._balance_parameters(), priority=Priority.ACCOUNT
        )
        return combine_positions(row for page in pages for row in page.rows("output1"))

    async def orders_of_day(self, trading_day: date) -> tuple[BrokerOrder, ...]:
        """Read all pages of the day's orders, oldest first; complete or an exception."""
        try:
            return await self._read_orders(trading_day)
        except Unavailable as problem:
            _LOG.warning("the day's orders are read once more: %s", problem)
        return await self._read_orders(trading_day)

    async def buyable(self, symbol: Symbol, *, order_type: OrderType, price: int | None) -> Buyable:
        """Read what may be bought without a receivable; market orders count at the upper price limit."""
        parameters = {
            **self._account(),
            "PDNO": symbol,
            "ORD_UNPR": str(price or 0),
            "ORD_DVSN": ORDER_CODES[order_type],
            "CMA_EVLU_AMT_ICLD_YN": "N",
            "OVRS_ICLD_YN": "N",
        }
        reply = await self._client.read(calls.BUYABLE, parameters, priority=Priority.ACCOUNT)
        row = reply.row("output")
        return Buyable(cash=row.whole("nrcvb_buy_amt"), quantity=row.whole("nrcvb_buy_qty"))

    async def _read_orders(self, trading_day: date) -> tuple[BrokerOrder, ...]:
        now = self._clock.now()
        is_recent = seoul_date(now) - trading_day <= _RECENT
        pages = await self._client.read_pages(
            calls.ORDERS if is_recent else calls.OLD_ORDERS,
            self._order_parameters(trading_day),
            priority=Priority.ACCOUNT,
        )
        return read_orders(pages, is_over=now >= session_of(trading_day).closes_at)

    def _account(self) -> dict[str, str]:
        settings = self._client.settings
        return {"CANO": settings.account_number, "ACNT_PRDT_CD": settings.product_code}

    def _balance_parameters(self) -> dict[str, str]:
        return {
            **self._account(),
            "AFHR_FLPR_YN": "N",
            "OFL_YN": "",
            "INQR_DVSN": "02",
            "UNPR_DVSN": "01",
            "FUND_STTL_ICLD_YN": "N",
            "FNCG_AMT_AUTO_RDPT_YN": "N",
            "PRCS_DVSN": "00",
        }

    def _order_parameters(self, day: date) -> dict[str, str]:
        """Ask oldest first, so that orders which come in between two pages move no row to another page."""
        return {
            **self._account(),
            "INQR_STRT_DT": day_text(day),
            "INQR_END_DT": day_text(day),
            "SLL_BUY_DVSN_CD": "00",
            "PDNO": "",
            "CCLD_DVSN": "00",
            "INQR_DVSN": "01",
            "INQR_DVSN_3": "00",
            "ORD_GNO_BRNO": "",
            "ODNO": "",
            "INQR_DVSN_1": "",
            "EXCG_ID_DVSN_CD": _EXCHANGE if self._client.settings.is_paper else "ALL",
        }

    def _accepted(self, reply: Reply) -> Acceptance:
        """Read the receipt. The order is in, so an odd time or branch must not raise any more."""
        row = reply.row("output")
        return Acceptance(
            broker_order_id=order_number(row.text("odno")),
            branch=row.text("krx_fwdg_ord_orgno"),
            accepted_at=_moment_or(row.text("ord_tmd"), self._clock.now()),
        )


def combine_positions(rows: Iterable[Row]) -> tuple[BrokerPosition, ...]:
    """Give one position per symbol, without those sold out.

    The same row sent twice (a repeated page, one line per exchange) is one holding; rows that differ (cash and
    credit, several loan dates) add up.
    """
    lots: dict[tuple[Symbol, str, str, int, int], BrokerPosition] = {}
    for row in rows:
        lot = _read_position(row)
        kind, loan_day = row.text("trad_dvsn_name"), row.text("loan_dt")
        lots[lot.symbol, kind, loan_day, lot.quantity, lot.cost] = lot
    positions: dict[Symbol, BrokerPosition] = {}
    for lot in lots.values():
        before = positions.get(lot.symbol)
        positions[lot.symbol] = lot if before is None else _add(before, lot)
    return tuple(position for position in positions.values() if position.quantity)


def read_orders(pages: Iterable[Reply], *, is_over: bool) -> tuple[BrokerOrder, ...]:
    """Read the day's rows, each number once, oldest first. `is_over` says that the session has ended.

    Raises:
        Unavailable: when the rows are fewer than their total says, or one does not add up.
    """
    rows: dict[str, Row] = {}
    ordered = filled = 0
    for page in pages:
        rows.update((order_number(row.text("odno")), row) for row in page.rows("output1"))
        totals = Row.of(page.body.get("output2"))
        ordered = max(ordered, totals.whole_or_zero("tot_ord_qty"))
        filled = max(filled, totals.whole_or_zero("tot_ccld_qty"))
    orders = [read_order(row, is_over=is_over) for row in rows.values()]
    if ordered and not orders:
        raise Unavailable(f"{ordered} shares ordered today, and no row that shows them")
    shown = sum(order.filled_quantity for order in orders)
    if shown < filled:
        raise Unavailable(f"{filled} shares filled today, the rows show {shown}")
    return tuple(sorted(orders, key=lambda order: (order.ordered_at, order.broker_order_id)))


def read_order(row: Row, *, is_over: bool) -> BrokerOrder:
    """Read one row.

    Raises:
        Unavailable: when a field is missing, or the quantities of an order of ours do not add up.
    """
    price = row.whole_or_zero("ord_unpr")
    order_type = read_order_type(row.text("ord_dvsn_cd"), price)
    order = BrokerOrder(
        broker_order_id=order_number(row.text("odno")),
        original_id=order_number(row.text("orgn_odno")),
        branch=row.text("ord_gno_brno"),
        symbol=row.symbol("pdno"),
        side=read_side(row.text("sll_buy_dvsn_cd")),
        order_type=order_type,
        limit_price=price if order_type is OrderType.LIMIT else None,
        quantity=row.whole("ord_qty"),
        filled_quantity=row.whole("tot_ccld_qty"),
        filled_value=row.whole("tot_ccld_amt"),
        open_quantity=row.whole("rmn_qty"),
        canceled_quantity=row.whole_or_zero("cncl_cfrm_qty", "cnc_cfrm_qty"),
        rejected_quantity=row.whole_or_zero("rjct_qty"),
        ordered_at=row.moment("ord_dt", "ord_tmd"),
        is_ours=row.text("ordr_empno").lower() in {"", _API_CHANNEL},
        address=row.text("inqr_ip_addr"),
    )
    _check(order, is_over=is_over)
    return order


def _check(order: BrokerOrder, *, is_over: bool) -> None:
    """Refuse a row caught between two states; reading again heals it.

    Rows of cancels and modifies, and orders placed by hand, may count in ways of their own: they are told
    only. So may what the close left unfilled.
    """
    if not order.broker_order_id:
        raise Unavailable("a row without an order number")
    if order.filled_quantity and not order.filled_value:
        raise Unavailable(f"order {order.broker_order_id}: fills for 0 won")
    settled = order.filled_quantity + order.canceled_quantity + order.rejected_quantity
    difference = order.quantity - settled - order.open_quantity
    if not difference:
        return
    message = (
        f"order {order.broker_order_id}: {difference} of {order.quantity} shares unaccounted for"
    )
    if order.is_ours and not order.original_id and not (is_over and difference > 0):
        raise Unavailable(message)
    _LOG.warning(message)


def _read_position(row: Row) -> BrokerPosition:
    return BrokerPosition(
        symbol=row.symbol("pdno"),
        quantity=row.whole("hldg_qty"),
        sellable_quantity=row.whole("ord_psbl_qty"),
        cost=row.whole("pchs_amt"),
        last=row.whole_or_zero("prpr"),
    )


def _add(one: BrokerPosition, other: BrokerPosition) -> BrokerPosition:
    return BrokerPosition(
        symbol=one.symbol,
        quantity=one.quantity + other.quantity,
        sellable_quantity=one.sellable_quantity + other.sellable_quantity,
        cost=one.cost + other.cost,
        last=max(one.last, other.last),
    )


def _moment_or(time_text: str, now: datetime) -> datetime:
    try:
        return read_moment(seoul_date(now), time_text)
    except Unavailable:
        return now
