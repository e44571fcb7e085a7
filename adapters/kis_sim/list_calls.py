"""This is what answers the calls for many symbols at once: a watch list, and the ranking by volume."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from adapters.kis_sim.calls import Values
from adapters.kis_sim.figures import day_sign, percent
from adapters.kis_sim.histories import DayBar
from adapters.kis_sim.market import Snapshot
from adapters.kis_sim.price_calls import change_figures, ohlc_figures, seen, total
from adapters.kis_sim.replies import Query, Reply, wrong_field
from trading.instruments import Market

_PAIRS: Final = 30
_RANKED: Final = 30


def multprice(query: Query) -> Reply:
    """Give the quotes of up to thirty symbols of a watch list."""
    symbols = [
        query.text(f"FID_INPUT_ISCD_{place}")
        for place in range(1, _PAIRS + 1)
        if _is_pair(query, place)
    ]
    return Reply({"output": [query.row("output", _watched(query, each)) for each in symbols]})


def volume_rank(query: Query) -> Reply:
    """Rank the symbols by today's volume, among those that traded most the day before."""
    market, today = query.simulation.market, query.simulation.today()
    usual: dict[str, Sequence[DayBar]] = {
        symbol: market.history.before(symbol, today) for symbol in market.securities.symbols()
    }
    busiest = sorted(usual, key=lambda symbol: _last_volume(usual[symbol]), reverse=True)
    shown = [snapshot for symbol in busiest[: 2 * _RANKED] if (snapshot := seen(query, symbol))]
    shown.sort(key=lambda snapshot: snapshot.volume, reverse=True)
    rows = [
        query.row("output", _rank_row(place, each, usual[each.instrument.symbol]))
        for place, each in enumerate(shown[:_RANKED], start=1)
    ]
    return Reply({"output": rows})


def _is_pair(query: Query, place: int) -> bool:
    division = query.text(f"FID_COND_MRKT_DIV_CODE_{place}")
    symbol = query.text(f"FID_INPUT_ISCD_{place}")
    if bool(division) != bool(symbol):
        raise wrong_field(f"FID_COND_MRKT_DIV_CODE_{place}")
    return bool(symbol)


def _watched(query: Query, symbol: str) -> Values:
    snapshot = seen(query, symbol)
    if snapshot is None:
        return {"inter_shrn_iscd": symbol}
    book = query.simulation.market.book(symbol, snapshot.at)
    corners, best_ask, best_bid = ohlc_figures(snapshot), book.asks[:1], book.bids[:1]
    board = "코스피" if snapshot.instrument.market is Market.KOSPI else "코스닥"
    return {
        "kospi_kosdaq_cls_name": board,
        "hour_cls_code": "0",
        "inter_shrn_iscd": symbol,
        "inter_kor_isnm": snapshot.instrument.name,
        "inter2_prpr": snapshot.last,
        "inter2_prdy_vrss": snapshot.change,
        "prdy_vrss_sign": day_sign(snapshot),
        "prdy_ctrt": percent(snapshot.change, snapshot.base),
        "acml_vol": snapshot.volume,
        "inter2_oprc": corners["stck_oprc"],
        "inter2_hgpr": corners["stck_hgpr"],
        "inter2_lwpr": corners["stck_lwpr"],
        "inter2_llam": snapshot.limits.lower,
        "inter2_mxpr": snapshot.limits.upper,
        "inter2_askp": best_ask[0].price if best_ask else 0,
        "inter2_bidp": best_bid[0].price if best_bid else 0,
        "seln_rsqn": best_ask[0].quantity if best_ask else 0,
        "shnu_rsqn": best_bid[0].quantity if best_bid else 0,
        "total_askp_rsqn": total(book, is_ask=True),
        "total_bidp_rsqn": total(book, is_ask=False),
        "acml_tr_pbmn": snapshot.value,
        "inter2_prdy_clpr": snapshot.base,
        "inter2_sdpr": snapshot.base,
    }


def _rank_row(place: int, snapshot: Snapshot, past: Sequence[DayBar]) -> Values:
    before = _last_volume(past)
    return {
        "hts_kor_isnm": snapshot.instrument.name,
        "mksc_shrn_iscd": snapshot.instrument.symbol,
        "data_rank": place,
        "stck_prpr": snapshot.last,
        **change_figures(snapshot),
        "acml_vol": snapshot.volume,
        "prdy_vol": before,
        "avrg_vol": snapshot.volume,
        "vol_inrt": percent(snapshot.volume - before, before),
        "avrg_tr_pbmn": snapshot.value,
        "acml_tr_pbmn": snapshot.value,
    }


def _last_volume(past: Sequence[DayBar]) -> int:
    return past[-1].volume if past else 0
