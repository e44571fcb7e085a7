"""This is what answers the calls about what is traded and when: issues, holidays, interruptions, hours."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from adapters.kis_sim.calls import Values
from adapters.kis_sim.figures import day_text, percent, time_text
from adapters.kis_sim.replies import Query, Reply
from adapters.kis_sim.securities import isin
from trading.instruments import Instrument, Market

_SHARE: Final = "300"
_HOLIDAY_ROWS: Final = 25
_BUSINESS_DAYS: Final = 5
_SATURDAY: Final = 5
_EXCHANGE: Final = {Market.KOSPI: "02", Market.KOSDAQ: "03", Market.KONEX: "04"}
_BOARD: Final = {Market.KOSPI: "STK", Market.KOSDAQ: "KSQ", Market.KONEX: "KNX"}


def search_info(query: Query) -> Reply:
    """Give the basics of a product."""
    symbol = query.text("PDNO")
    instrument = query.simulation.market.instrument(symbol, query.at)
    if instrument is None:
        return Reply({"output": query.row("output", {})})
    figures = {
        "pdno": symbol.zfill(12),
        "prdt_type_cd": _SHARE,
        "std_pdno": isin(symbol),
        "shtn_pdno": symbol,
        "prdt_clsf_cd": "101010",
        "ivst_prdt_type_cd": "01",
        "frst_erlm_dt": day_text(query.simulation.market.securities.listed_on(symbol)),
    }
    return Reply({"output": query.row("output", _named(query, instrument) | figures)})


def search_stock_info(query: Query) -> Reply:
    """Give name, board, listing and standing of a share."""
    symbol, market = query.text("PDNO"), query.simulation.market
    snapshot = market.snapshot(symbol, query.at)
    if snapshot is None:
        return Reply({"output": query.row("output", {})})
    instrument = snapshot.instrument
    listed_on = day_text(market.securities.listed_on(symbol))
    is_kospi = instrument.market is Market.KOSPI
    past = market.history.before(symbol, query.simulation.today())
    figures = {
        "pdno": symbol.zfill(12),
        "prdt_type_cd": _SHARE,
        "mket_id_cd": _BOARD[instrument.market],
        "scty_grp_id_cd": "ST",
        "excg_dvsn_cd": _EXCHANGE[instrument.market],
        "setl_mmdd": "12",
        "scts_mket_lstg_dt" if is_kospi else "kosdaq_mket_lstg_dt": listed_on,
        "stck_kind_cd": "101",
        "std_pdno": isin(symbol),
        "tr_stop_yn": "Y" if query.simulation.faults.is_halted(symbol) else "N",
        "admn_item_yn": "Y" if instrument.is_administrative else "N",
        "thdt_clpr": snapshot.last if snapshot.today else 0,
        "bfdy_clpr": past[-1].close if past else 0,
        "elec_scty_yn": "Y",
        "cptt_trad_tr_psbl_yn": "N",
        "nxt_tr_stop_yn": "N",
    }
    return Reply({"output": query.row("output", _named(query, instrument) | figures)})


def chk_holiday(query: Query) -> Reply:
    """List 25 days from a date on with what is open; the list never ends."""
    start = query.text("CTX_AREA_NK")
    first = query.day("CTX_AREA_NK" if start else "BASS_DT", query.simulation.today())
    days = [first + timedelta(days=offset) for offset in range(_HOLIDAY_ROWS)]
    rows = [query.row("output", _day_row(query, day)) for day in days]
    following = day_text(days[-1] + timedelta(days=1))
    return Reply({"output": rows}, first_key=query.text("BASS_DT"), next_key=following)


def vi_status(query: Query) -> Reply:
    """List the volatility interruptions that are on."""
    simulation, wanted = query.simulation, query.text("FID_INPUT_ISCD")
    symbols = [
        symbol
        for symbol in simulation.market.securities.symbols()
        if wanted in {"", symbol} and simulation.faults.is_interrupted(symbol, query.at)
    ]
    return Reply({"output": [query.row("output", _interruption(query, each)) for each in symbols]})


def market_time(query: Query) -> Reply:
    """Give today, the time, the hours and five business days from today back."""
    simulation = query.simulation
    today, timetable = simulation.today(), simulation.timetable
    is_open = timetable.is_trading_day(today)
    day = today if is_open else timetable.previous_day(today)
    figures: dict[str, object] = {}
    for place in range(1, _BUSINESS_DAYS + 1):
        figures[f"date{place}"] = day_text(day)
        day = timetable.previous_day(day)
    hours = timetable.hours(today)
    figures |= {
        "today": day_text(today),
        "time": time_text(query.at),
        "s_time": time_text(hours.opens_at),
        "e_time": time_text(hours.closes_at),
    }
    return Reply({"output1": query.row("output1", figures)})


def _named(query: Query, instrument: Instrument) -> dict[str, object]:
    """Return the name under every heading that the call has for it."""
    listing = query.simulation.market.securities.listing(
        instrument.symbol, query.simulation.today()
    )
    english = listing.english if listing else instrument.name
    korean_names = ("prdt_name", "prdt_name120", "prdt_abrv_name")
    english_names = ("prdt_eng_name", "prdt_eng_name120", "prdt_eng_abrv_name")
    names = dict.fromkeys(korean_names, instrument.name) | dict.fromkeys(english_names, english)
    return {name: text for name, text in names.items() if name in query.call.blanks["output"]}


def _day_row(query: Query, day: date) -> Values:
    simulation = query.simulation
    is_fault = simulation.faults.is_holiday(day, simulation.today())
    is_open = simulation.timetable.is_trading_day(day) and not is_fault
    is_weekday = day.weekday() < _SATURDAY
    flag = "Y" if is_open else "N"
    return {
        "bass_dt": day_text(day),
        "wday_dvsn_cd": f"{day.isoweekday() % 7 + 1:02d}",
        "bzdy_yn": "Y" if is_open and is_weekday else "N",
        "tr_day_yn": flag,
        "opnd_yn": flag,
        "sttl_day_yn": flag,
    }


def _interruption(query: Query, symbol: str) -> Values:
    faults, market = query.simulation.faults, query.simulation.market
    began = faults.since("volatility_interruption")
    snapshot = market.snapshot(symbol, began)
    if snapshot is None:
        return {}
    return {
        "hts_kor_isnm": snapshot.instrument.name,
        "mksc_shrn_iscd": symbol,
        "vi_cls_code": "Y",
        "bsop_date": day_text(query.simulation.today()),
        "cntg_vi_hour": time_text(began),
        "vi_cncl_hour": time_text(faults.interruption_ends_at()),
        "vi_kind_code": "1",
        "vi_prc": snapshot.last,
        "vi_stnd_prc": snapshot.base,
        "vi_dprt": percent(snapshot.change, snapshot.base),
        "vi_count": 1,
    }
