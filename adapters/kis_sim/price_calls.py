"""This is what answers the calls about prices now: quote, book, last trades, rankings."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from adapters.kis_sim.books import DEPTH, Book
from adapters.kis_sim.calls import Values
from adapters.kis_sim.figures import average, day_sign, day_text, percent, sign, time_text
from adapters.kis_sim.histories import DayBar
from adapters.kis_sim.market import Snapshot
from adapters.kis_sim.refusals import Failed
from adapters.kis_sim.replies import Query, Reply
from adapters.kis_sim.tapes import Print
from trading.sessions import Phase

_TRADES_SHOWN: Final = 30
_YEAR_OF_DAYS: Final = 250
_MARKET_DIVISIONS: Final = frozenset({"J", "NX", "UN"})


def seen(query: Query, symbol: str) -> Snapshot | None:
    """Return what quotes of a symbol show: the market now, or earlier when a fault holds it back.

    Raises:
        Failed: for a market division that KIS does not have.
    """
    if query.text("FID_COND_MRKT_DIV_CODE", "J") not in _MARKET_DIVISIONS:
        raise Failed("OPSQ2001", "ERROR : INVALID INPUT_FIELD [FID_COND_MRKT_DIV_CODE]", status=200)
    at = query.simulation.faults.seen_at(symbol, query.at)
    return query.simulation.market.snapshot(symbol, at)


def change_figures(snapshot: Snapshot) -> Values:
    """Return the change against the base, as most replies carry it."""
    return {
        "prdy_vrss": snapshot.change,
        "prdy_vrss_sign": day_sign(snapshot),
        "prdy_ctrt": percent(snapshot.change, snapshot.base),
    }


def ohlc_figures(snapshot: Snapshot) -> Values:
    """Return today's open, high and low; zeros before the first print."""
    today = snapshot.today
    return {
        "stck_oprc": today.first.price if today else 0,
        "stck_hgpr": today.highest.price if today else 0,
        "stck_lwpr": today.lowest.price if today else 0,
    }


def previous_bar(query: Query, snapshot: Snapshot) -> DayBar | None:
    """Return the last day before the one that the snapshot shows."""
    bars = query.simulation.market.history.before(
        snapshot.instrument.symbol, query.simulation.today()
    )
    return bars[-1] if bars else None


def price(query: Query) -> Reply:
    """Give the quote; a symbol that is not traded here has zeros, as KIS answers."""
    snapshot = seen(query, query.text("FID_INPUT_ISCD"))
    if snapshot is None:
        return Reply({"output": query.row("output", {})})
    figures = {
        **_standing(query, snapshot),
        **_traded(query, snapshot),
        **change_figures(snapshot),
        **ohlc_figures(snapshot),
        **_range_figures(query, snapshot),
        "stck_prpr": snapshot.last,
        "stck_mxpr": snapshot.limits.upper,
        "stck_llam": snapshot.limits.lower,
        "stck_sdpr": snapshot.base,
        "rstc_wdth_prc": snapshot.limits.upper - snapshot.base,
        "aspr_unit": snapshot.tick,
        "hts_deal_qty_unit_val": 1,
        "wghn_avrg_stck_prc": average(snapshot.value, snapshot.volume, 2),
        "stck_shrn_iscd": snapshot.instrument.symbol,
    }
    return Reply({"output": query.row("output", figures)})


def price_2(query: Query) -> Reply:
    """Give the second form of the quote."""
    snapshot = seen(query, query.text("FID_INPUT_ISCD"))
    if snapshot is None:
        return Reply({"output": query.row("output", {})})
    faults, symbol = query.simulation.faults, snapshot.instrument.symbol
    before, last = previous_bar(query, snapshot), snapshot.last
    corners = ohlc_figures(snapshot)
    spans: dict[str, object] = {}
    for name in ("oprc", "hgpr", "lwpr"):
        corner = int(str(corners[f"stck_{name}"]))
        gap = last - corner if corner else 0
        spans[f"{name}_vrss_prpr"] = gap
        spans[f"{name}_vrss_prpr_sign"] = sign(gap)
        share = percent(corner - snapshot.base if corner else 0, snapshot.base)
        spans[f"prdy_clpr_vrss_{name}_rate"] = share
    figures = {
        **_traded(query, snapshot),
        **change_figures(snapshot),
        **corners,
        **spans,
        "rprs_mrkt_kor_name": snapshot.instrument.market.value,
        "stck_mxpr": snapshot.limits.upper,
        "stck_llam": snapshot.limits.lower,
        "stck_sdpr": snapshot.base,
        "stck_prdy_clpr": before.close if before else snapshot.base,
        "stck_prpr": last,
        "marg_rate": "20.00",
        "mrkt_warn_cls_code": "00",
        "vi_cls_code": yes(faults.is_interrupted(symbol, query.at)),
        "trht_yn": yes(faults.is_halted(symbol)),
        "prdy_vol": before.volume if before else 0,
    }
    return Reply({"output": query.row("output", figures)})


def asking_price(query: Query) -> Reply:
    """Give ten levels a side, and the expected price while an auction gathers orders."""
    symbol = query.text("FID_INPUT_ISCD")
    snapshot = seen(query, symbol)
    if snapshot is None:
        return Reply({"output1": query.row("output1", {}), "output2": query.row("output2", {})})
    book = query.simulation.market.book(symbol, snapshot.at)
    asks, bids = total(book, is_ask=True), total(book, is_ask=False)
    levels = {
        **level_figures(book),
        "aspr_acpt_hour": time_text(snapshot.at),
        "total_askp_rsqn": asks,
        "total_bidp_rsqn": bids,
        "ntby_aspr_rsqn": bids - asks,
        "new_mkop_cls_code": operation_code(query.simulation.timetable.phase(query.at)),
    }
    phase = query.simulation.timetable.phase(query.at)
    is_auction = phase in {Phase.OPENING_AUCTION, Phase.CLOSING_AUCTION}
    expected = {
        **ohlc_figures(snapshot),
        "antc_mkop_cls_code": "311" if phase is Phase.OPENING_AUCTION else "112",
        "stck_prpr": snapshot.last,
        "stck_sdpr": snapshot.base,
        "antc_cnpr": snapshot.last if is_auction else 0,
        "antc_cntg_vrss": snapshot.change if is_auction else 0,
        "antc_cntg_vrss_sign": day_sign(snapshot) if is_auction else sign(0),
        "antc_cntg_prdy_ctrt": percent(snapshot.change if is_auction else 0, snapshot.base),
        "stck_shrn_iscd": symbol,
        "vi_cls_code": yes(query.simulation.faults.is_interrupted(symbol, query.at)),
    }
    blocks = {"output1": query.row("output1", levels), "output2": query.row("output2", expected)}
    return Reply(blocks)


def ccnl(query: Query) -> Reply:
    """List the last thirty trades, newest first."""
    symbol = query.text("FID_INPUT_ISCD")
    snapshot = seen(query, symbol)
    if snapshot is None:
        return Reply({"output": []})
    rows = [
        query.row(
            "output",
            {
                **_trade_figures(snapshot, each),
                "stck_prpr": each.price,
                "cntg_vol": each.volume,
                "tday_rltv": strength(snapshot),
            },
        )
        for each in _last_trades(query, symbol, snapshot.at)
    ]
    return Reply({"output": rows})


def time_itemconclusion(query: Query) -> Reply:
    """List thirty trades up to a time of day, newest first."""
    symbol = query.text("FID_INPUT_ISCD")
    snapshot = seen(query, symbol)
    if snapshot is None:
        return Reply({"output1": query.row("output1", {}), "output2": []})
    before = previous_bar(query, snapshot)
    head = {
        **change_figures(snapshot),
        "stck_prpr": snapshot.last,
        "acml_vol": snapshot.volume,
        "prdy_vol": before.volume if before else 0,
        "rprs_mrkt_kor_name": snapshot.instrument.market.value,
    }
    until = query.text("FID_INPUT_HOUR_1") or "240000"
    prints = query.simulation.market.prints_so_far(symbol, snapshot.at)
    shown = [each for each in prints if time_text(each.at) <= until]
    rows = [
        query.row("output2", _conclusion_row(query, symbol, snapshot, each))
        for each in reversed(shown[-_TRADES_SHOWN:])
    ]
    return Reply({"output1": query.row("output1", head), "output2": rows})


def level_figures(book: Book) -> Values:
    """Return the ten levels a side under the names that REST uses; missing ones are 0."""
    figures: dict[str, object] = {}
    for side, levels in (("askp", book.asks), ("bidp", book.bids)):
        for place, level in enumerate(levels[:DEPTH], start=1):
            figures[f"{side}{place}"] = level.price
            figures[f"{side}_rsqn{place}"] = level.quantity
    return figures


def operation_code(phase: Phase) -> str:
    """Return the two digits of NEW_MKOP_CLS_CODE: before open 1, open 2, after close 3, later 4."""
    if phase in {Phase.CONTINUOUS, Phase.CLOSING_AUCTION}:
        return "20"
    if phase in {Phase.OPENING_AUCTION, Phase.PRE_MARKET_CLOSE_PRICE}:
        return "10"
    return "40" if phase is Phase.SINGLE_PRICE else "30"


def strength(snapshot: Snapshot) -> str:
    """Return bought against sold volume in percent (체결강도)."""
    today = snapshot.today
    return percent(today.bought, today.volume - today.bought) if today else "0.00"


def _standing(query: Query, snapshot: Snapshot) -> Values:
    faults, symbol = query.simulation.faults, snapshot.instrument.symbol
    return {
        "iscd_stat_cls_code": "58" if faults.is_halted(symbol) else "00",
        "marg_rate": "20.00",
        "rprs_mrkt_kor_name": snapshot.instrument.market.value,
        "temp_stop_yn": yes(faults.is_halted(symbol)),
        "vi_cls_code": yes(faults.is_interrupted(symbol, query.at)),
        "mrkt_warn_cls_code": "00",
        "mang_issu_cls_code": yes(snapshot.instrument.is_administrative),
        "sltr_yn": yes(snapshot.instrument.is_liquidation),
    }


def _traded(query: Query, snapshot: Snapshot) -> Values:
    before = previous_bar(query, snapshot)
    return {
        "acml_vol": snapshot.volume,
        "acml_tr_pbmn": snapshot.value,
        "prdy_vrss_vol_rate": percent(snapshot.volume, before.volume if before else 0),
    }


def _range_figures(query: Query, snapshot: Snapshot) -> Values:
    """Return the highs and lows of 250 days, 52 weeks and the year so far, with their days."""
    bars = query.simulation.market.daily_bars(snapshot.instrument.symbol, snapshot.at)
    traded = [bar for bar in bars[-_YEAR_OF_DAYS:] if bar.is_traded]
    if not traded:
        return {}
    year = [bar for bar in traded if bar.day.year == query.simulation.today().year] or traded[-1:]
    last, figures = snapshot.last, {}
    for span, names in (
        (traded, ("d250_{}", "d250_{}_date", "d250_{}_vrss_prpr_rate")),
        (traded, ("w52_{}", "w52_{}_date", "w52_{}_vrss_prpr_ctrt")),
        (year, ("stck_dryy_{}", "dryy_{}_date", "dryy_{}_vrss_prpr_rate")),
    ):
        top, foot = max(span, key=lambda bar: bar.high), min(span, key=lambda bar: bar.low)
        for corner, worth, day in (("hgpr", top.high, top.day), ("lwpr", foot.low, foot.day)):
            figures[names[0].format(corner)] = str(worth)
            figures[names[1].format(corner)] = day_text(day)
            figures[names[2].format(corner)] = percent(last - worth, worth)
    return figures


def _trade_figures(snapshot: Snapshot, each: Print) -> Values:
    change = each.price - snapshot.base
    return {
        "stck_cntg_hour": time_text(each.at),
        "prdy_vrss": change,
        "prdy_vrss_sign": sign(change),
        "prdy_ctrt": percent(change, snapshot.base),
    }


def _last_trades(query: Query, symbol: str, at: datetime) -> list[Print]:
    prints = query.simulation.market.prints_so_far(symbol, at)
    return list(reversed(prints[-_TRADES_SHOWN:]))


def _conclusion_row(query: Query, symbol: str, snapshot: Snapshot, each: Print) -> Values:
    market = query.simulation.market
    then = market.snapshot(symbol, each.at) or snapshot
    book = market.book(symbol, each.at)
    return {
        **_trade_figures(snapshot, each),
        "stck_pbpr": each.price,
        "askp": book.asks[0].price if book.asks else 0,
        "bidp": book.bids[0].price if book.bids else 0,
        "tday_rltv": strength(then),
        "acml_vol": then.volume,
        "cnqn": each.volume,
    }


def total(book: Book, *, is_ask: bool) -> int:
    """Return the shares on one side."""
    return sum(level.quantity for level in (book.asks if is_ask else book.bids))


def yes(truth: bool) -> str:  # noqa: FBT001 - a word for a truth value
    """Write Y or N."""
    return "Y" if truth else "N"
