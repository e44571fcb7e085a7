"""This is the reading of KIS rows, typed in as the broker's documents and captures show them."""

from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kis.broker import combine_positions, read_orders
from adapters.kis.market_data import read_instrument, read_paper_instrument, read_quote
from adapters.kis.wire import Reply, Row, order_number, read_moment, read_symbol
from trading.errors import InvalidSymbol, Unavailable
from trading.instruments import InstrumentKind, Market, Symbol
from trading.orders import OrderStatus, OrderType, Side

HANWHA = "088350"
AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def a_row(**changes: str) -> dict[str, str]:
    """Give the row of inquire-daily-ccld that was captured on the real wire in December 2025."""
    return {
        "ord_dt": "20251217",
        "ord_gno_brno": "03930",
        "odno": "0000085100",
        "orgn_odno": "",
        "ord_dvsn_name": "시장가",
        "sll_buy_dvsn_cd": "02",
        "sll_buy_dvsn_cd_name": "현금매수",
        "pdno": HANWHA,
        "prdt_name": "한화생명",
        "ord_qty": "1",
        "ord_unpr": "0",
        "ord_tmd": "094414",
        "tot_ccld_qty": "1",
        "avg_prvs": "3145",
        "cncl_yn": "",
        "tot_ccld_amt": "3145",
        "ordr_empno": "OpnAPI",
        "ord_dvsn_cd": "01",
        "cncl_cfrm_qty": "0",
        "rmn_qty": "0",
        "rjct_qty": "0",
        "ccld_cndt_name": "없음",
        "excg_id_dvsn_cd": "SOR",
    } | changes


def a_page(*rows: dict[str, str], tr_cont: str = "D", total: str = "0", key: str = "") -> Reply:
    output2 = {"tot_ord_qty": total, "tot_ccld_qty": "0", "tot_ccld_amt": "0"}
    keys = {"ctx_area_fk100": " " * 100, "ctx_area_nk100": key.ljust(100)}
    return Reply({"output1": list(rows), "output2": output2, **keys}, tr_cont)


def test_a_captured_row_is_read_whole() -> None:
    (order,) = read_orders([a_page(a_row())], is_over=False)
    assert order.broker_order_id == "0000085100"
    assert (order.symbol, order.side, order.branch) == (HANWHA, Side.BUY, "03930")
    assert (order.order_type, order.limit_price) == (OrderType.MARKET, None)
    assert (order.quantity, order.filled_quantity, order.filled_value) == (1, 1, 3145)
    assert order.ordered_at == datetime(2025, 12, 17, 0, 44, 14, tzinfo=UTC)
    assert order.is_ours
    assert order.status is OrderStatus.FILLED


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"tot_ccld_qty": "0", "tot_ccld_amt": "0", "rmn_qty": "1"}, OrderStatus.ACCEPTED),
        ({"tot_ccld_qty": "0", "tot_ccld_amt": "0", "rjct_qty": "1"}, OrderStatus.REJECTED),
        ({"tot_ccld_qty": "0", "tot_ccld_amt": "0", "cncl_cfrm_qty": "1"}, OrderStatus.CANCELED),
        ({"ord_qty": "3", "rmn_qty": "2"}, OrderStatus.PARTIALLY_FILLED),
        ({"ord_qty": "3", "cncl_cfrm_qty": "2"}, OrderStatus.CANCELED),
    ],
)
def test_the_state_follows_from_the_quantities(
    changes: dict[str, str], status: OrderStatus
) -> None:
    (order,) = read_orders([a_page(a_row(**changes))], is_over=False)
    assert order.status is status


def test_names_are_read_in_the_spelling_of_the_documents_too() -> None:
    row = a_row(ord_qty="3", ord_unpr="3100", ord_dvsn_cd="00")
    row |= {"cnc_cfrm_qty": "2"}
    del row["cncl_cfrm_qty"]
    upper = {name.upper(): value for name, value in row.items()}
    (order,) = read_orders([a_page(upper)], is_over=False)
    assert (order.canceled_quantity, order.limit_price) == (2, 3100)


def test_an_order_placed_by_hand_is_not_ours() -> None:
    (order,) = read_orders([a_page(a_row(ordr_empno="Nsmart"))], is_over=False)
    assert not order.is_ours


def test_rows_come_oldest_first_and_each_number_once() -> None:
    late = a_row(odno="0000000002", ord_tmd="100000")
    early = a_row(odno="0000000001", ord_tmd="090000")
    pages = [a_page(late, early), a_page(early, late)]
    orders = read_orders(pages, is_over=False)
    assert [order.broker_order_id for order in orders] == ["0000000001", "0000000002"]


@pytest.mark.parametrize(
    "changes",
    [
        {"rmn_qty": "1"},
        {"tot_ccld_qty": "0", "tot_ccld_amt": "0"},
        {"tot_ccld_amt": "0"},
        {"odno": "0000000000"},
        {"ord_qty": ""},
        {"tot_ccld_qty": "one"},
        {"rmn_qty": "0.5"},
        {"sll_buy_dvsn_cd": "03"},
        {"ord_tmd": "9:44"},
        {"pdno": "한화"},
    ],
)
def test_a_row_of_ours_that_cannot_be_right_is_an_error(changes: dict[str, str]) -> None:
    with pytest.raises(Unavailable):
        read_orders([a_page(a_row(**changes))], is_over=False)


def test_what_died_at_the_close_needs_no_account() -> None:
    row = a_row(ord_qty="5", tot_ccld_qty="1", rmn_qty="0")
    (order,) = read_orders([a_page(row)], is_over=True)
    assert (order.filled_quantity, order.open_quantity) == (1, 0)


def test_a_total_without_rows_is_no_empty_day() -> None:
    with pytest.raises(Unavailable, match="no row"):
        read_orders([a_page(total="7")], is_over=False)


def test_rows_that_show_fewer_fills_than_their_total_are_not_complete() -> None:
    page = a_page(a_row())
    totals = {"tot_ord_qty": "2", "tot_ccld_qty": "2", "tot_ccld_amt": "6290"}
    with pytest.raises(Unavailable, match="2 shares filled today, the rows show 1"):
        read_orders([Reply({**page.body, "output2": totals})], is_over=False)


@pytest.mark.parametrize("body", [{}, {"output1": None}, {"output1": "x"}, {"output1": {}}])
def test_a_missing_block_is_no_empty_list(body: dict[str, Any]) -> None:
    with pytest.raises(Unavailable):
        read_orders([Reply(body)], is_over=False)


@pytest.mark.parametrize("code", ["KIOK0560", "70070000"])
def test_an_empty_day_that_says_so_is_an_empty_list(code: str) -> None:
    body: dict[str, Any]
    for body in ({}, {"output1": ""}, {"output1": []}):
        assert read_orders([Reply({"msg_cd": code, **body})], is_over=False) == ()


def test_a_code_that_is_no_text_says_nothing() -> None:
    """Found by `make fuzz`, seed 20261123, number 163811."""
    with pytest.raises(Unavailable, match="output1"):
        Reply({"msg_cd": [{"pdno": "088350"}]}).rows("output1")


def test_empty_objects_in_a_list_are_no_rows() -> None:
    assert Reply({"output2": [{}, {"a": ""}, {"a": "1"}]}).rows("output2") == (Row({"a": "1"}),)


@pytest.mark.parametrize(
    ("tr_cont", "key", "more"),
    [
        ("M", "N^1", True),
        ("F", "N^1", True),
        ("D", "N^1", False),
        ("E", "N^1", False),
        ("M", "", False),
        ("M", " ^^ ", False),
        ("", "N^1", True),
        ("", "", False),
    ],
)
def test_a_list_ends_with_d_e_or_a_key_that_says_nothing(
    tr_cont: str, key: str, *, more: bool
) -> None:
    assert a_page(tr_cont=tr_cont, key=key).has_more("ctx_area_nk100") is more


def a_holding(**changes: str) -> Row:
    return Row.of(
        {
            "pdno": "005930",
            "trad_dvsn_name": "현금",
            "hldg_qty": "21",
            "ord_psbl_qty": "20",
            "pchs_avg_pric": "70000.0000",
            "pchs_amt": "1470000",
            "prpr": "71000",
            "loan_dt": "",
        }
        | changes
    )


def test_the_same_holding_sent_twice_is_not_doubled() -> None:
    """Incident 16: the same holding came for two exchanges, and 21 shares became 42."""
    (position,) = combine_positions([a_holding(), a_holding()])
    assert (position.quantity, position.sellable_quantity, position.cost) == (21, 20, 1_470_000)


def test_different_lots_of_one_symbol_add_up() -> None:
    lots = [a_holding(), a_holding(trad_dvsn_name="유통융자", hldg_qty="4", pchs_amt="300000")]
    (position,) = combine_positions(lots)
    assert (position.quantity, position.cost) == (25, 1_770_000)


def test_what_was_sold_out_is_no_position() -> None:
    assert combine_positions([a_holding(hldg_qty="0", pchs_amt="0")]) == ()


@pytest.mark.parametrize("field", ["hldg_qty", "ord_psbl_qty", "pchs_amt"])
def test_a_holding_without_its_figures_is_an_error(field: str) -> None:
    with pytest.raises(Unavailable, match=field):
        combine_positions([a_holding(**{field: ""})])


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0000085100", "0000085100"),
        ("85100", "0000085100"),
        ("     85100", "0000085100"),
        ("", ""),
        ("0000000000", ""),
        ("          ", ""),
    ],
)
def test_order_numbers_have_one_spelling(text: str, number: str) -> None:
    assert order_number(text) == number


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("005930", "005930"),
        (" 0126Z0 ", "0126Z0"),
        ("Q500001", "500001"),
        ("KR7005930003", "005930"),
        ("00000A005930", "005930"),
    ],
)
def test_a_symbol_is_found_in_each_of_its_surfaces(text: str, symbol: str) -> None:
    assert read_symbol(text) == symbol


@given(st.text(max_size=14))
def test_no_text_is_read_as_a_wrong_symbol_or_time(text: str) -> None:
    with suppress(InvalidSymbol):
        assert len(read_symbol(text)) == 6
    with suppress(Unavailable):
        assert f"{read_moment(date(2026, 11, 23), text):%M%S}" == text.strip()[2:]


PRICE = {
    "iscd_stat_cls_code": "55",
    "rprs_mrkt_kor_name": "KOSPI200",
    "temp_stop_yn": "N",
    "stck_prpr": "70500",
    "stck_oprc": "70000",
    "stck_hgpr": "71000",
    "stck_lwpr": "69900",
    "stck_mxpr": "91000",
    "stck_llam": "49000",
    "stck_sdpr": "70000",
    "acml_vol": "1234567",
    "vi_cls_code": "N",
    "sltr_yn": "N",
    "mang_issu_cls_code": "N",
}


def test_a_price_is_read_with_its_limits() -> None:
    quote = read_quote(Symbol("005930"), Row.of(PRICE), at=AT)
    assert (quote.last, quote.open, quote.high, quote.low) == (70_500, 70_000, 71_000, 69_900)
    assert (quote.base_price, quote.upper_limit, quote.lower_limit) == (70_000, 91_000, 49_000)
    assert (quote.volume, quote.at) == (1_234_567, AT)
    flags = (quote.is_halted, quote.is_administrative, quote.is_liquidation)
    assert not any(flags)


@pytest.mark.parametrize(
    ("field", "value", "flag"),
    [
        ("temp_stop_yn", "Y", "is_halted"),
        ("iscd_stat_cls_code", "58", "is_halted"),
        ("iscd_stat_cls_code", "51", "is_administrative"),
        ("mang_issu_cls_code", "Y", "is_administrative"),
        ("sltr_yn", "Y", "is_liquidation"),
        ("vi_cls_code", "Y", "has_volatility_interruption"),
    ],
)
def test_what_stands_in_the_way_of_an_order_is_flagged(field: str, value: str, flag: str) -> None:
    quote = read_quote(Symbol("005930"), Row.of(PRICE | {field: value}), at=AT)
    assert getattr(quote, flag) is True


def test_an_instrument_is_read_from_price_and_stock_info() -> None:
    info = {
        "prdt_abrv_name": "에코프로비엠",
        "mket_id_cd": "KSQ",
        "scty_grp_id_cd": "ST",
        "kosdaq_mket_lstg_dt": "20190305",
        "kosdaq_mket_lstg_abol_dt": "20261201",
        "tr_stop_yn": "Y",
        "admn_item_yn": "Y",
    }
    found = read_instrument(Symbol("247540"), Row.of(PRICE), Row.of(info))
    assert (found.name, found.market, found.kind) == (
        "에코프로비엠",
        Market.KOSDAQ,
        InstrumentKind.STOCK,
    )
    assert (found.listed_on, found.delisted_on) == (date(2019, 3, 5), date(2026, 12, 1))
    assert found.is_halted
    assert found.is_administrative


def test_who_left_kosdaq_for_kospi_is_not_delisted() -> None:
    info = {
        "mket_id_cd": "STK",
        "scts_mket_lstg_dt": "20180209",
        "kosdaq_mket_lstg_dt": "20050719",
        "kosdaq_mket_lstg_abol_dt": "20180209",
    }
    found = read_instrument(Symbol("068270"), Row.of(PRICE), Row.of(info))
    assert (found.market, found.delisted_on) == (Market.KOSPI, None)


@pytest.mark.parametrize(
    ("board", "market", "kind"),
    [
        ("KOSPI200", Market.KOSPI, InstrumentKind.STOCK),
        ("KSQ150", Market.KOSDAQ, InstrumentKind.STOCK),
        ("KOSDAQ", Market.KOSDAQ, InstrumentKind.STOCK),
        ("KONEX", Market.KONEX, InstrumentKind.STOCK),
        ("ETF", Market.KOSPI, InstrumentKind.ETF),
    ],
)
def test_on_paper_the_board_comes_with_the_price(
    board: str, market: Market, kind: InstrumentKind
) -> None:
    row = Row.of(PRICE | {"rprs_mrkt_kor_name": board})
    found = read_paper_instrument(Symbol("005930"), row, name="")
    assert (found.market, found.kind, found.name) == (market, kind, "005930")


@pytest.mark.timeout(10)
@pytest.mark.parametrize("text", ["1E+999999", "1E+16", "9" * 17, "9" * 5_000])
def test_a_number_beyond_every_account_is_refused_at_once(text: str) -> None:
    """Found by `make fuzz`: writing out 1E+999999 takes minutes."""
    with pytest.raises(Unavailable):
        Row.of({"cash": text}).whole("cash")
