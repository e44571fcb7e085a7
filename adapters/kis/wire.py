"""This is how KIS writes things down: rows of text, read strictly; a field that is not there is an error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from trading.errors import InvalidSymbol, Unavailable
from trading.instruments import Symbol
from trading.orders import OrderType, Side
from trading.sessions import KST

_ORDER_NUMBER_WIDTH: Final = 10
_LARGEST_POWER: Final = 15
"""More than a quadrillion won or shares is no figure of an account, nor one that the database holds."""
_SHOWN: Final = 40
_STANDARD_CODE_WIDTH: Final = 12
_SYMBOL_WIDTH: Final = 6
_DAY: Final = re.compile(r"[0-9]{8}")
_TIME: Final = re.compile(r"[0-9]{6}")

_NO_ROWS: Final = frozenset({"KIOK0560", "APBK1631", "70070000"})
"""Codes of success that say so in words (조회할 내용이 없습니다)."""

LIMIT_CODE: Final = "00"
MARKET_CODE: Final = "01"
_MARKET_CODES: Final = frozenset({MARKET_CODE, "13", "14"})
"""Market, and market IOC and FOK, which can only come from orders placed by hand."""
SELL_CODE: Final = "01"
BUY_CODE: Final = "02"

ORDER_CODES: Final = {OrderType.LIMIT: LIMIT_CODE, OrderType.MARKET: MARKET_CODE}
_SIDES: Final = {SELL_CODE: Side.SELL, BUY_CODE: Side.BUY}


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a reply, by lower-case field name: KIS spells some names in more than one case."""

    fields: Mapping[str, str]

    @classmethod
    def of(cls, record: object) -> Row:
        """Take a JSON object; anything else has no fields."""
        pairs = record.items() if isinstance(record, Mapping) else ()
        return cls({str(name).lower(): str(value).strip() for name, value in pairs})

    def __bool__(self) -> bool:
        """Whether the record says anything: KIS pads some lists with empty objects."""
        return any(self.fields.values())

    def text(self, *names: str) -> str:
        """Return the first of the spellings that is there, "" when none is or it says nothing."""
        return next((self.fields[name] for name in names if self.fields.get(name)), "")

    def whole(self, *names: str) -> int:
        """Return a whole number (won or shares).

        Raises:
            Unavailable: when it is missing, blank or no whole number; never a guessed zero.
        """
        text = self.text(*names)
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise Unavailable(f"{names[0]}={text!r}: no number in the reply") from None
        # The size first: 1E+999999 is a whole number too, and takes minutes to write out.
        if (
            not number.is_finite()
            or number.adjusted() > _LARGEST_POWER
            or number != number.to_integral_value()
        ):
            raise Unavailable(f"{names[0]}={text[:_SHOWN]!r}: no whole number in the reply")
        return int(number)

    def whole_or_zero(self, *names: str) -> int:
        """Return a whole number where "" means none."""
        return self.whole(*names) if self.text(*names) else 0

    def points(self, name: str) -> Decimal:
        """Return the level of an index.

        Raises:
            Unavailable: when it is missing, no number, not above 0 or beyond all measure.
        """
        text = self.text(name)
        try:
            level = Decimal(text)
        except InvalidOperation:
            level = Decimal("NaN")
        if not level.is_finite() or level <= 0 or level.adjusted() > _LARGEST_POWER:
            raise Unavailable(f"{name}={text[:_SHOWN]!r}: no level in the reply")
        return level

    def day(self, name: str) -> date:
        """Return a date.

        Raises:
            Unavailable: when it is missing or no date.
        """
        try:
            return read_day(self.text(name))
        except Unavailable as problem:
            raise Unavailable(f"{name}: {problem}") from None

    def symbol(self, name: str) -> Symbol:
        """Return a symbol.

        Raises:
            Unavailable: when it is none.
        """
        try:
            return read_symbol(self.text(name))
        except InvalidSymbol as problem:
            raise Unavailable(f"{name}: {problem}") from None

    def moment(self, day_name: str, time_name: str) -> datetime:
        """Return the instant of a KST date and time field, aware UTC."""
        return read_moment(self.day(day_name), self.text(time_name))


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply of success: `rt_cd` was 0. `tr_cont` is the header that says whether more follows."""

    body: Mapping[str, Any]
    tr_cont: str = ""

    def rows(self, block: str) -> tuple[Row, ...]:
        """Return the records of a list, without empty ones.

        Raises:
            Unavailable: when the block is missing or no list, unless the broker says that there are no rows.
        """
        records = self.body.get(block)
        if not records and str(self.body.get("msg_cd")) in _NO_ROWS:
            return ()
        if not isinstance(records, list):
            raise Unavailable(f"{block}: no list in the reply")
        return tuple(row for record in records if (row := Row.of(record)))

    def row(self, block: str) -> Row:
        """Return the one record of a block, given as an object or as a list of one.

        Raises:
            Unavailable: when there is none.
        """
        record = self.body.get(block)
        row = Row.of(record[0] if isinstance(record, list) and record else record)
        if not row:
            raise Unavailable(f"{block}: nothing in the reply")
        return row

    def key(self, name: str) -> str:
        """Return a paging key exactly as received."""
        return next((str(v) for k, v in self.body.items() if str(k).lower() == name), "")

    def has_more(self, key_name: str) -> bool:
        """Tell whether another page follows: not after D or E, nor with a key that says nothing."""
        is_last = self.tr_cont.strip() in {"D", "E"}
        return not is_last and bool(self.key(key_name).strip(" ^"))


def order_number(text: str) -> str:
    """Return an order number in one spelling, ten digits; "" for none (KIS pads with zeros or blanks)."""
    number = text.strip().lstrip("0")
    return number.zfill(_ORDER_NUMBER_WIDTH) if number else ""


def read_symbol(text: str) -> Symbol:
    """Return the symbol in any of its surfaces: 005930, Q500001 (ETN), KR7005930003, 00000A005930.

    Raises:
        InvalidSymbol: when there is none in it.
    """
    code = text.strip()
    is_standard = len(code) == _STANDARD_CODE_WIDTH and code.startswith("KR7")
    return Symbol(code[3:9] if is_standard else code[-_SYMBOL_WIDTH:])


def read_side(code: str) -> Side:
    """Return the side of 01 (sell) or 02 (buy).

    Raises:
        Unavailable: for anything else.
    """
    side = _SIDES.get(code.strip())
    if side is None:
        raise Unavailable(f"{code!r}: neither 01 (sell) nor 02 (buy)")
    return side


def read_order_type(code: str, price: int) -> OrderType:
    """Return how the price was given; what has no price (best price and the like) counts as MARKET."""
    return OrderType.MARKET if code.strip() in _MARKET_CODES or price == 0 else OrderType.LIMIT


def read_moment(day: date, time_text: str) -> datetime:
    """Return the instant of HHMMSS in Seoul, aware UTC.

    Raises:
        Unavailable: when it is no time.
    """
    text = time_text.strip()
    try:
        at = time.fromisoformat(text if _TIME.fullmatch(text) else "")
    except ValueError:
        raise Unavailable(f"{time_text!r}: no time HHMMSS") from None
    return datetime.combine(day, at, KST).astimezone(UTC)


def read_day(text: str) -> date:
    """Return the date of YYYYMMDD.

    Raises:
        Unavailable: when it is none.
    """
    try:
        return date.fromisoformat(text if _DAY.fullmatch(text) else "")
    except ValueError:
        raise Unavailable(f"{text!r}: no date YYYYMMDD") from None


def day_text(day: date) -> str:
    """Write a date as KIS does."""
    return f"{day:%Y%m%d}"
