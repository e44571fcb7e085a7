"""This is what the socket sends: records of fixed width joined with ^, sealed ones for notices, JSON for the rest."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from adapters.kis_sim.books import Book
from adapters.kis_sim.calls import Values
from adapters.kis_sim.faults import Faults
from adapters.kis_sim.figures import (
    SIDE_CODE,
    average,
    day_sign,
    day_text,
    percent,
    sign,
    time_text,
)
from adapters.kis_sim.hours import kst
from adapters.kis_sim.market import Snapshot
from adapters.kis_sim.options import Profile
from adapters.kis_sim.order_calls import BRANCH
from adapters.kis_sim.orders import Notice
from adapters.kis_sim.price_calls import level_figures, operation_code, strength
from adapters.kis_sim.tapes import DaySoFar
from trading.sessions import Phase

TRADES: Final = "H0STCNT0"
UNIFIED_TRADES: Final = "H0UNCNT0"
BOOKS: Final = "H0STASP0"
OPERATION: Final = "H0STMKO0"
REAL_NOTICES: Final = "H0STCNI0"
PAPER_NOTICES: Final = "H0STCNI9"
NOTICES: Final = frozenset({REAL_NOTICES, PAPER_NOTICES})
KEY_BYTES: Final = 32
IV_BYTES: Final = 16

_CLASSIC_WIDTH: Final = {TRADES: 46, UNIFIED_TRADES: 46, BOOKS: 59}
_REGULAR: Final = "2"
"""MARKET_CLS_CODE of the regular session."""
_CASH_ORDER: Final = "10"
_NOT_NUMBERS: Final = ("CODE", "CLS", "YN", "CNTT", "DATE", "NAME", "HOUR", "FILLER", "CNTG_ISNM")


def _read_blanks() -> dict[str, dict[str, str]]:
    """Return the fields of each record, in order, with what is sent where nothing is known."""
    table = json.loads(Path(__file__).with_name("frames.json").read_text(encoding="utf-8"))
    return {tr: {name: _nothing(name) for name in names.split()} for tr, names in table.items()}


def _nothing(name: str) -> str:
    return "" if any(part in name for part in _NOT_NUMBERS) else "0"


_BLANKS: Final = _read_blanks()


@dataclass(frozen=True, slots=True)
class Seal:
    """The key and the vector of one session, as ASCII characters (AES-256-CBC, PKCS#7)."""

    key: str = field(default_factory=lambda: secrets.token_hex(KEY_BYTES // 2), repr=False)
    iv: str = field(default_factory=lambda: secrets.token_hex(IV_BYTES // 2), repr=False)

    def close(self, text: str) -> str:
        """Encrypt and write in base64."""
        padder = PKCS7(AES256.block_size).padder()
        padded = padder.update(text.encode()) + padder.finalize()
        encryptor = Cipher(AES256(self.key.encode()), CBC(self.iv.encode())).encryptor()
        return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def data_frame(tr: str, record: str, seal: Seal | None = None) -> str:
    """Return a frame with one record, sealed when a seal is given."""
    payload = record if seal is None else seal.close(record)
    return f"{0 if seal is None else 1}|{tr}|001|{payload}"


def ping_frame(at: datetime) -> str:
    """Return PINGPONG; short enough for a control frame, in which clients send it back."""
    header = {"tr_id": "PINGPONG", "datetime": f"{kst(at):%Y%m%d%H%M%S}"}
    return json.dumps({"header": header}, separators=(",", ":"))


def reply_frame(
    tr: str, key: str, code: str, text: str, *, rt_cd: str = "1", seal: Seal | None = None
) -> str:
    """Return the answer to a registration."""
    body: dict[str, object] = {"rt_cd": rt_cd, "msg_cd": code, "msg1": text}
    if seal is not None:
        body["output"] = {"iv": seal.iv, "key": seal.key}
    header = {"tr_id": tr, "tr_key": key, "encrypt": "Y" if tr in NOTICES else "N"}
    return json.dumps({"header": header, "body": body})


def trade_record(
    snapshot: Snapshot, today: DaySoFar, book: Book, phase: Phase, profile: Profile
) -> str:
    """Return H0STCNT0 of the last print that `today` has."""
    last = today.last
    asks, bids = book.asks, book.bids
    sells = today.index + 1 - today.buys
    sold = today.volume - today.bought
    values: dict[str, object] = {
        "MKSC_SHRN_ISCD": snapshot.instrument.symbol,
        "STCK_CNTG_HOUR": time_text(last.at),
        "STCK_PRPR": last.price,
        "PRDY_VRSS_SIGN": day_sign(snapshot),
        "PRDY_VRSS": snapshot.change,
        "PRDY_CTRT": percent(snapshot.change, snapshot.base),
        "WGHN_AVRG_STCK_PRC": average(today.value, today.volume, 2),
        "STCK_OPRC": today.first.price,
        "STCK_HGPR": today.highest.price,
        "STCK_LWPR": today.lowest.price,
        "ASKP1": asks[0].price if asks else 0,
        "BIDP1": bids[0].price if bids else 0,
        "CNTG_VOL": last.volume,
        "ACML_VOL": today.volume,
        "ACML_TR_PBMN": today.value,
        "SELN_CNTG_CSNU": sells,
        "SHNU_CNTG_CSNU": today.buys,
        "NTBY_CNTG_CSNU": today.buys - sells,
        "CTTR": strength(snapshot),
        "SELN_CNTG_SMTN": sold,
        "SHNU_CNTG_SMTN": today.bought,
        "CCLD_DVSN": _initiator(today),
        "SHNU_RATE": percent(today.bought, today.volume),
        "BSOP_DATE": day_text(kst(last.at).date()),
        "NEW_MKOP_CLS_CODE": operation_code(phase),
        "TRHT_YN": "N",
        "ASKP_RSQN1": asks[0].quantity if asks else 0,
        "BIDP_RSQN1": bids[0].quantity if bids else 0,
        "TOTAL_ASKP_RSQN": sum(level.quantity for level in asks),
        "TOTAL_BIDP_RSQN": sum(level.quantity for level in bids),
        "HOUR_CLS_CODE": "0",
        "VI_STND_PRC": snapshot.base,
        "MARKET_CLS_CODE": _REGULAR,
    }
    for name, corner in (("OPRC", today.first), ("HGPR", today.highest), ("LWPR", today.lowest)):
        gap = last.price - corner.price
        values[f"{name}_HOUR"] = time_text(corner.at)
        values[f"{name}_VRSS_PRPR_SIGN"] = sign(gap)
        values[f"{name}_VRSS_PRPR"] = gap
    return _record(TRADES, values, profile)


def book_record(snapshot: Snapshot, book: Book, phase: Phase, profile: Profile) -> str:
    """Return H0STASP0."""
    is_closing = phase is Phase.CLOSING_AUCTION
    is_auction = is_closing or phase is Phase.OPENING_AUCTION
    values: dict[str, object] = {
        **{name.upper(): value for name, value in level_figures(book).items()},
        "MKSC_SHRN_ISCD": snapshot.instrument.symbol,
        "BSOP_HOUR": time_text(snapshot.at),
        "HOUR_CLS_CODE": ("A" if is_closing else "B") if is_auction else "0",
        "TOTAL_ASKP_RSQN": sum(level.quantity for level in book.asks),
        "TOTAL_BIDP_RSQN": sum(level.quantity for level in book.bids),
        "ANTC_CNPR": snapshot.last if is_auction else 0,
        "ANTC_CNTG_VRSS": snapshot.change if is_auction else 0,
        "ANTC_CNTG_VRSS_SIGN": day_sign(snapshot) if is_auction else sign(0),
        "ACML_VOL": snapshot.volume,
        "STCK_DEAL_CLS_CODE": "0",
        "MARKET_CLS_CODE": _REGULAR,
    }
    return _record(BOOKS, values, profile)


def operation_record(symbol: str, code: str, faults: Faults, at: datetime) -> str:
    """Return H0STMKO0: what the market does, and whether the symbol is halted or in an interruption."""
    is_halted = faults.is_halted(symbol)
    values = {
        "MKSC_SHRN_ISCD": symbol,
        "TRHT_YN": "Y" if is_halted else "N",
        "MKOP_CLS_CODE": code,
        "ANTC_MKOP_CLS_CODE": "112",
        "ISCD_STAT_CLS_CODE": "58" if is_halted else "00",
        "VI_CLS_CODE": "Y" if faults.is_interrupted(symbol, at) else "N",
        "OVTM_VI_CLS_CODE": "N",
        "EXCH_CLS_CODE": "1",
    }
    return _record(OPERATION, values, Profile.CURRENT)


def notice_record(notice: Notice, customer: str, tr: str, profile: Profile) -> str:
    """Return a notice: 26 fields for real accounts since 2026, 23 for paper and before."""
    order, request = notice.order, notice.order.request
    is_short = tr == PAPER_NOTICES or profile is Profile.CLASSIC
    values: dict[str, object] = {
        "CUST_ID": customer,
        "ACNT_NO": order.account.replace("-", ""),
        "ODER_NO": order.number,
        "OODER_NO": order.original,
        "SELN_BYOV_CLS": SIDE_CODE[order.side],
        "RCTF_CLS": "0" if notice.is_fill else order.act.value,
        "ODER_KIND": request.division.code,
        "ODER_COND": {"": "0", "IOC": "1", "FOK": "2"}[request.division.condition],
        "STCK_SHRN_ISCD": order.symbol,
        "CNTG_QTY": notice.quantity,
        "CNTG_UNPR": notice.price,
        "STCK_CNTG_HOUR": time_text(notice.at),
        "RFUS_YN": "1" if notice.is_refused else "0",
        "CNTG_YN": "2" if notice.is_fill else "1",
        "ACPT_YN": notice.acceptance,
        "BRNC_NO": BRANCH[request.environment],
        "ODER_QTY": order.quantity,
        "ACNT_NAME": "모의고객",
        "CRDT_CLS": _CASH_ORDER,
        "CNTG_ISNM40": order.instrument.name,
        "ODER_PRC": request.price,
    }
    if is_short:
        return _record(PAPER_NOTICES, values | {"CNTG_ISNM": "1Y"}, profile)
    exchange = "3" if request.exchange == "SOR" else "1"
    longer = {"ORD_COND_PRC": request.trigger, "ORD_EXG_GB": exchange, "POPUP_YN": "Y"}
    return _record(REAL_NOTICES, values | longer, profile)


def _initiator(today: DaySoFar) -> str:
    """Say who came to whom: 1 a buyer, 5 a seller, 3 in the opening auction."""
    if today.last.is_auction and today.index == 0:
        return "3"
    return "1" if today.last.is_buy else "5"


def _record(tr: str, values: Values, profile: Profile) -> str:
    """Join the fields of a record; what has no value is 0, or empty where it is no number."""
    blanks = _BLANKS[tr]
    strange = values.keys() - blanks.keys()
    if strange:
        problem = f"{tr} has no {sorted(strange)}"
        raise KeyError(problem)
    width = _CLASSIC_WIDTH.get(tr) if profile is Profile.CLASSIC else None
    fields = [str(values.get(name, nothing)) for name, nothing in blanks.items()]
    return "^".join(fields[:width])
