"""This is the text on the KIS socket: control messages, plain and encrypted data frames, both wire profiles.

The width of a record is the number of fields divided by the count in the frame. It grew in September 2026 and
may grow again, so fields are taken by position from the front (of notices, the last ones from the back); longer
records are welcome, shorter ones are dropped by the caller, which counts them.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from adapters.kis.wire import (
    order_number,
    read_day,
    read_moment,
    read_order_type,
    read_side,
    read_symbol,
)
from trading.errors import InvalidSymbol, MaemaeError, Unavailable
from trading.notices import Notice, NoticeKind
from trading.ticks import TradePrint

TRADES: Final = "H0STCNT0"
NOTICES_REAL: Final = "H0STCNI0"
NOTICES_PAPER: Final = "H0STCNI9"
PING: Final = "PINGPONG"

_FRAME_PARTS: Final = 4
_TRADE_WIDTH: Final = 44
_NOTICE_WIDTH: Final = 23
_AES_BITS: Final = 128
_MOST_DIGITS: Final = 15
_SHOWN: Final = 40
_COUNT: Final = re.compile(r"[0-9]{1,4}")


class BadFrame(MaemaeError):
    """A frame or a record that cannot be read; the connection is fine."""


@dataclass(frozen=True, slots=True)
class Cipherment:
    """The key and iv that a subscription's reply gave; they change with every connection."""

    key: str = field(repr=False)
    iv: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Control:
    """A message in JSON: the reply to a registration, an error, or a ping."""

    tr_id: str
    tr_key: str
    code: str
    text: str
    cipherment: Cipherment | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """A data frame, still as sent."""

    tr_id: str
    count: int
    payload: str = field(repr=False)
    is_encrypted: bool = False


def registration(approval_key: str, tr_id: str, tr_key: str, *, ends: bool = False) -> str:
    """Write the message that subscribes to `tr_id` for a symbol or an HTS login, or `ends` that."""
    header = {
        "approval_key": approval_key,
        "custtype": "P",
        "tr_type": "2" if ends else "1",
        "content-type": "utf-8",
    }
    return json.dumps({"header": header, "body": {"input": {"tr_id": tr_id, "tr_key": tr_key}}})


def read_message(text: str) -> Control | Frame:
    """Take one message apart.

    Raises:
        BadFrame: when it is neither kind.
    """
    return _read_control(text) if text.lstrip().startswith("{") else _read_frame(text)


def records(frame: Frame, cipherment: Cipherment | None) -> Iterator[list[str]]:
    """Give the records of a frame as lists of fields.

    Raises:
        BadFrame: when the fields do not divide by the count, or it cannot be deciphered.
    """
    payload = frame.payload
    if frame.is_encrypted:
        if cipherment is None:
            raise BadFrame(f"{frame.tr_id}: encrypted, and no key came with the registration")
        payload = decipher(payload, cipherment)
    fields = payload.split("^")
    width, rest = divmod(len(fields), max(1, frame.count))
    if rest or not width:
        raise BadFrame(f"{frame.tr_id}: {len(fields)} fields for {frame.count} records")
    for start in range(0, len(fields), width):
        yield fields[start : start + width]


def decipher(payload: str, cipherment: Cipherment) -> str:
    """Decipher base64 of AES-256-CBC with PKCS#7; key and iv are their own ASCII characters.

    Raises:
        BadFrame: when any of it does not fit.
    """
    try:
        cipher = Cipher(algorithms.AES(cipherment.key.encode()), modes.CBC(cipherment.iv.encode()))
        decryptor = cipher.decryptor()
        padded = decryptor.update(b64decode(payload, validate=True)) + decryptor.finalize()
        unpadder = PKCS7(_AES_BITS).unpadder()
        return (unpadder.update(padded) + unpadder.finalize()).decode()
    except (ValueError, Base64Error) as problem:
        raise BadFrame(f"cannot be deciphered: {type(problem).__name__}") from None


def read_trade(fields: Sequence[str]) -> TradePrint:
    """Read one trade (H0STCNT0); mid-point trades may lie between two ticks.

    Raises:
        BadFrame: when the record is too short or a field is no number, time or symbol.
    """
    if len(fields) < _TRADE_WIDTH:
        raise BadFrame(f"{TRADES}: {len(fields)} fields, at least {_TRADE_WIDTH} are needed")
    try:
        return TradePrint(
            symbol=_symbol(fields[0]),
            price=_positive(fields[2]),
            quantity=_positive(fields[12]),
            at=_moment(fields[33], fields[1]),
            cumulative_volume=_whole(fields[13]),
            is_auction=fields[43].strip() not in {"", "0"} or fields[21].strip() == "3",
        )
    except (ValueError, Unavailable, InvalidSymbol) as problem:
        raise BadFrame(f"{TRADES}: {problem}") from None


def read_notice(fields: Sequence[str], *, received_at: datetime) -> Notice:
    """Read one order or fill notice; 23 and 26 fields agree in the first 18 and, from the back, in the price.

    Raises:
        BadFrame: when the record is too short or a field is not what it should be.
    """
    if len(fields) < _NOTICE_WIDTH:
        raise BadFrame(f"notice: {len(fields)} fields, at least {_NOTICE_WIDTH} are needed")
    try:
        order_price = _whole(fields[-1].strip() or "0")
        return Notice(
            kind=_kind(fields),
            broker_order_id=order_number(f"{_positive(fields[2])}"),
            original_id=order_number(fields[3]),
            symbol=read_symbol(fields[8]),
            side=read_side(fields[4]),
            order_type=read_order_type(fields[6], order_price),
            quantity=_positive(fields[9]),
            price=_whole(fields[10].strip() or "0"),
            order_quantity=_whole(fields[16].strip() or "0"),
            time_text=fields[11].strip(),
            received_at=received_at,
        )
    except (ValueError, Unavailable, InvalidSymbol) as problem:
        raise BadFrame(f"notice: {problem}") from None


def account_of(fields: Sequence[str]) -> str:
    """Return the account number of a notice, ten digits: one HTS login may have several accounts."""
    return fields[1].strip() if len(fields) > 1 else ""


_symbol: Final = lru_cache(maxsize=4096)(read_symbol)


@lru_cache(maxsize=1024)
def _moment(day_text: str, time_text: str) -> datetime:
    """Read a time once for all the trades of its second."""
    return read_moment(read_day(day_text), time_text)


def _whole(text: str) -> int:
    """Read a number of ASCII digits: Python would take signs, underscores and other scripts' digits too."""
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS):
        raise ValueError(f"{text[:_SHOWN]!r} is no whole number")
    return int(digits)


def _positive(text: str) -> int:
    number = _whole(text)
    if number < 1:
        raise ValueError(f"{text!r} is not above 0")
    return number


def _kind(fields: Sequence[str]) -> NoticeKind:
    """Read what happened from RCTF_CLS, RFUS_YN, CNTG_YN and ACPT_YN.

    A cancel or modify that was only taken in (ACPT_YN 1) has not happened yet: its own order is accepted.
    """
    changed, refused, filled, taken = (fields[i].strip() for i in (5, 12, 13, 14))
    if refused in {"1", "Y"}:
        return NoticeKind.REJECTED
    if filled == "2":
        return NoticeKind.FILLED
    if taken == "3" or (changed == "2" and taken == "2"):
        return NoticeKind.CANCELED
    if changed == "1" and taken == "2":
        return NoticeKind.MODIFIED
    return NoticeKind.ACCEPTED


def _read_frame(text: str) -> Frame:
    parts = text.split("|", _FRAME_PARTS - 1)
    if len(parts) < _FRAME_PARTS or parts[0] not in {"0", "1"} or not _COUNT.fullmatch(parts[2]):
        raise BadFrame(f"neither JSON nor a data frame, {len(text)} characters")
    flag, tr_id, count, payload = parts
    return Frame(tr_id, int(count), payload, is_encrypted=flag == "1")


def _read_control(text: str) -> Control:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise BadFrame(f"no readable JSON, {len(text)} characters") from None
    header, body = _part(document, "header"), _part(document, "body")
    output = _part(body, "output")
    key, iv = str(output.get("key") or ""), str(output.get("iv") or "")
    return Control(
        tr_id=str(header.get("tr_id") or ""),
        tr_key=str(header.get("tr_key") or ""),
        code=str(body.get("msg_cd") or ""),
        text=str(body.get("msg1") or "").strip(),
        cipherment=Cipherment(key, iv) if key and iv else None,
    )


def _part(document: Any, name: str) -> dict[str, Any]:
    part = document.get(name) if isinstance(document, dict) else None
    return part if isinstance(part, dict) else {}
