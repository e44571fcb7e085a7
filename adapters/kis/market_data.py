"""This is KIS market data by request: history, quotes, instruments, the broker's calendar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from adapters.clock import Clock
from adapters.kis import calls
from adapters.kis.charts import INDEX_CODES, read_back, read_index_bar
from adapters.kis.client import KisClient
from adapters.kis.settings import Environment
from adapters.kis.throttle import Priority
from adapters.kis.wire import Reply, Row, day_text, read_day, read_moment
from trading.bars import Bar, Interval
from trading.errors import Rejected, Unavailable
from trading.indices import Index, IndexBar
from trading.instruments import Instrument, InstrumentKind, Market, Symbol
from trading.sessions import KST, Session, seoul_date, session_of
from trading.ticks import Quote

_KRX: Final = "J"
_INDEX: Final = "U"
_ADJUSTED: Final = "0"
_ORIGINAL: Final = "1"
"""Prices of the chart call; the same digits mean the opposite in inquire-daily-price."""
_STOCK_TYPE: Final = "300"
_MINUTE: Final = timedelta(minutes=1)
_YES: Final = "Y"
_UNKNOWN: Final = "UNKNOWN_SYMBOL"
"""Ours: where KIS says nothing, the refusal still has a code."""

_ADMINISTRATIVE: Final = "51"
_HALTED: Final = "58"

_BOARDS: Final = {"STK": Market.KOSPI, "KSQ": Market.KOSDAQ, "KNX": Market.KONEX}
_GROUPS: Final = {
    "EF": InstrumentKind.ETF,
    "EN": InstrumentKind.ETN,
    "EW": InstrumentKind.ELW,
}


class KisMarketData:
    """`MarketData` over KIS."""

    def __init__(self, client: KisClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._names: dict[Symbol, str] = {}

    async def daily_bars(self, symbol: Symbol, *, first: date, last: date) -> tuple[Bar, ...]:
        """Read adjusted daily bars from `first` to `last`, oldest first, through pages of 100.

        Today's bar, and any read before the day's figures are final, is provisional.

        Raises:
            Rejected: for a symbol that KIS does not know.
        """
        return await self._days(symbol, first, last, is_adjusted=True)

    async def raw_daily_bars(self, symbol: Symbol, *, first: date, last: date) -> tuple[Bar, ...]:
        """Read them as they were traded; else as `daily_bars`."""
        return await self._days(symbol, first, last, is_adjusted=False)

    async def index_bars(self, index: Index, *, first: date, last: date) -> tuple[IndexBar, ...]:
        """Read the days of an index from `first` to `last`, oldest first, every page; today's as far as it has come."""

        async def page(until: date) -> list[IndexBar]:
            asked = {
                "FID_COND_MRKT_DIV_CODE": _INDEX,
                "FID_INPUT_ISCD": INDEX_CODES[index],
                "FID_INPUT_DATE_1": day_text(first),
                "FID_INPUT_DATE_2": day_text(until),
                "FID_PERIOD_DIV_CODE": "D",
            }
            reply = await self._client.read(calls.INDEX_CHART, asked, priority=Priority.QUOTE)
            return [read_index_bar(index, row) for row in reply.rows("output2")]

        return await read_back(page, first=first, last=last, of=index)

    async def minute_bars(
        self, symbol: Symbol, *, trading_day: date, since: datetime | None = None
    ) -> tuple[Bar, ...]:
        """Read the closed minute bars of a day, oldest first; the forming one is left out.

        Pages of thirty are read back to the one that holds `since`, else to the opening.

        Raises:
            Rejected: for a past day on paper, where KIS keeps none.
        """
        now = self._clock.now()
        session = session_of(trading_day)
        bars: dict[datetime, Bar] = {}
        label = min(now, session.closes_at)
        first = max(session.opens_at, (since or session.opens_at) - _MINUTE)
        while label >= first:
            rows = await self._minutes(symbol, label, is_today=trading_day == seoul_date(now))
            labels = [
                at for row in rows if (at := _label(row, trading_day)) is not None and at <= label
            ]
            found = [bar for row in rows if (bar := _minute_bar(symbol, row, session))]
            bars.update((bar.at, bar) for bar in found if bar.at <= now)
            if not labels:
                break
            label = min(labels) - _MINUTE
        return tuple(bars[at] for at in sorted(bars))

    async def quote(self, symbol: Symbol) -> Quote:
        """Read the current price, with the flags that stand in the way of an order.

        Raises:
            Rejected: for a symbol that KIS does not know.
        """
        return read_quote(symbol, await self._price(symbol), at=self._clock.now())

    async def instruments(self, symbols: Sequence[Symbol]) -> tuple[Instrument, ...]:
        """Read name, board, kind and standing of each symbol.

        Paper knows no listing day and tells the kind of what it calls ETF, ETN or ELW only.

        Raises:
            Rejected: for a symbol that KIS does not know.
        """
        return tuple([await self._instrument(symbol) for symbol in symbols])

    async def open_days(self, *, first: date) -> dict[date, bool]:
        """Read the broker's calendar for about 25 days from `first` on; empty on paper.

        KIS asks to call this once a day at most, so keep the answer.
        """
        if self._client.settings.environment is Environment.PAPER:
            return {}
        parameters = {"BASS_DT": day_text(first), "CTX_AREA_FK": "", "CTX_AREA_NK": ""}
        reply = await self._client.read(calls.HOLIDAYS, parameters, priority=Priority.QUOTE)
        return {row.day("bass_dt"): _is_yes(row, "opnd_yn") for row in reply.rows("output")}

    async def _days(
        self, symbol: Symbol, first: date, last: date, *, is_adjusted: bool
    ) -> tuple[Bar, ...]:
        today = seoul_date(self._clock.now())

        async def page(until: date) -> list[Bar]:
            rows = await self._chart(symbol, first, until, is_adjusted=is_adjusted)
            return [_daily_bar(symbol, row, today=today, is_adjusted=is_adjusted) for row in rows]

        return await read_back(page, first=first, last=last, of=symbol)

    async def _chart(
        self, symbol: Symbol, first: date, last: date, *, is_adjusted: bool = True
    ) -> tuple[Row, ...]:
        parameters = {
            **_of(symbol),
            "FID_INPUT_DATE_1": day_text(first),
            "FID_INPUT_DATE_2": day_text(last),
            "FID_PERIOD_DIV_CODE": "D",
            "FID_ORG_ADJ_PRC": _ADJUSTED if is_adjusted else _ORIGINAL,
        }
        reply = await self._client.read(calls.DAILY_CHART, parameters, priority=Priority.QUOTE)
        self._names[symbol] = _known_head(symbol, reply).text("hts_kor_isnm")
        return reply.rows("output2")

    async def _minutes(self, symbol: Symbol, at: datetime, *, is_today: bool) -> tuple[Row, ...]:
        local = at.astimezone(KST)
        parameters = {
            **_of(symbol),
            "FID_INPUT_HOUR_1": f"{local:%H%M%S}",
            "FID_PW_DATA_INCU_YN": "N",
        }
        if is_today:
            call, extra = calls.MINUTES_TODAY, {"FID_ETC_CLS_CODE": ""}
        else:
            call, extra = calls.MINUTES_PAST, {"FID_INPUT_DATE_1": day_text(local.date())}
            extra["FID_FAKE_TICK_INCU_YN"] = ""
        reply = await self._client.read(call, {**parameters, **extra}, priority=Priority.QUOTE)
        _known_head(symbol, reply)
        return reply.rows("output2")

    async def _price(self, symbol: Symbol) -> Row:
        reply = await self._client.read(calls.PRICE, _of(symbol), priority=Priority.QUOTE)
        row = reply.row("output")
        if row.whole_or_zero("stck_prpr") == row.whole_or_zero("stck_sdpr") == 0:
            raise Rejected(f"{symbol}: unknown to the broker", code=_UNKNOWN)
        return row

    async def _instrument(self, symbol: Symbol) -> Instrument:
        price = await self._price(symbol)
        if self._client.settings.environment is Environment.REAL:
            return read_instrument(symbol, price, await self._stock_info(symbol))
        if symbol not in self._names:
            today = seoul_date(self._clock.now())
            await self._chart(symbol, today, today)
        return read_paper_instrument(symbol, price, name=self._names[symbol])

    async def _stock_info(self, symbol: Symbol) -> Row:
        parameters = {"PRDT_TYPE_CD": _STOCK_TYPE, "PDNO": symbol}
        reply = await self._client.read(calls.STOCK_INFO, parameters, priority=Priority.QUOTE)
        return reply.row("output")


def _daily_bar(symbol: Symbol, row: Row, *, today: date, is_adjusted: bool) -> Bar:
    day = row.day("stck_bsop_date")
    return Bar(
        symbol=symbol,
        interval=Interval.DAY,
        trading_day=day,
        at=datetime.combine(day, time(), KST).astimezone(UTC),
        open=row.whole("stck_oprc"),
        high=row.whole("stck_hgpr"),
        low=row.whole("stck_lwpr"),
        close=row.whole("stck_clpr"),
        volume=row.whole("acml_vol"),
        value=row.whole_or_zero("acml_tr_pbmn") or None,
        is_provisional=day >= today,
        is_adjusted=is_adjusted,
    )


def read_quote(symbol: Symbol, row: Row, *, at: datetime) -> Quote:
    """Read the reply of inquire-price; `at` is when it was read, for KIS gives no time with it."""
    return Quote(
        symbol=symbol,
        last=row.whole("stck_prpr"),
        open=row.whole_or_zero("stck_oprc"),
        high=row.whole_or_zero("stck_hgpr"),
        low=row.whole_or_zero("stck_lwpr"),
        volume=row.whole("acml_vol"),
        base_price=row.whole("stck_sdpr"),
        upper_limit=row.whole("stck_mxpr"),
        lower_limit=row.whole("stck_llam"),
        at=at,
        is_halted=_is_halted(row),
        is_administrative=_is_administrative(row),
        is_liquidation=_is_yes(row, "sltr_yn"),
        has_volatility_interruption=_is_yes(row, "vi_cls_code"),
    )


def read_instrument(symbol: Symbol, price: Row, info: Row) -> Instrument:
    """Read inquire-price and search-stock-info together: only the first knows of liquidation trading."""
    board = _BOARDS.get(info.text("mket_id_cd"), _board(price))
    place = "kosdaq_mket_lstg" if board is Market.KOSDAQ else "scts_mket_lstg"
    return Instrument(
        symbol=symbol,
        name=info.text("prdt_abrv_name", "prdt_name") or symbol,
        market=board,
        kind=_GROUPS.get(info.text("scty_grp_id_cd"), InstrumentKind.STOCK),
        is_halted=_is_halted(price) or _is_yes(info, "tr_stop_yn"),
        is_administrative=_is_administrative(price) or _is_yes(info, "admn_item_yn"),
        is_liquidation=_is_yes(price, "sltr_yn"),
        listed_on=_day_or_none(info.text(f"{place}_dt")),
        # Of this board: who moves from KOSDAQ to KOSPI is delisted there and goes on here.
        delisted_on=_day_or_none(info.text(f"{place}_abol_dt", "lstg_abol_dt")),
    )


def read_paper_instrument(symbol: Symbol, price: Row, *, name: str) -> Instrument:
    """Read what inquire-price tells of an instrument."""
    board_name = price.text("rprs_mrkt_kor_name")
    kind = next((kind for kind in _GROUPS.values() if kind in board_name), InstrumentKind.STOCK)
    return Instrument(
        symbol=symbol,
        name=name or symbol,
        market=_board(price),
        kind=kind,
        is_halted=_is_halted(price),
        is_administrative=_is_administrative(price),
        is_liquidation=_is_yes(price, "sltr_yn"),
    )


def _known_head(symbol: Symbol, reply: Reply) -> Row:
    """Return the head of a chart. KIS answers an unknown symbol with success and a price of 0."""
    head = reply.row("output1")
    if head.whole_or_zero("stck_prpr") == 0:
        raise Rejected(f"{symbol}: unknown to the broker", code=_UNKNOWN)
    return head


def _board(price: Row) -> Market:
    name = price.text("rprs_mrkt_kor_name").upper()
    if name.startswith(("KOSDAQ", "KSQ")):
        return Market.KOSDAQ
    return Market.KONEX if "KONEX" in name else Market.KOSPI


def _is_halted(price: Row) -> bool:
    return _is_yes(price, "temp_stop_yn") or price.text("iscd_stat_cls_code") == _HALTED


def _is_administrative(price: Row) -> bool:
    is_flagged = _is_yes(price, "mang_issu_cls_code")
    return is_flagged or price.text("iscd_stat_cls_code") == _ADMINISTRATIVE


def _label(row: Row, trading_day: date) -> datetime | None:
    """Return the minute that a bar is named after; None for a bar of another day."""
    if row.day("stck_bsop_date") != trading_day:
        return None
    return read_moment(trading_day, row.text("stck_cntg_hour"))


def _minute_bar(symbol: Symbol, row: Row, session: Session) -> Bar | None:
    """Read a bar that KIS names after its first second; ours are named after their end.

    Nothing trades while the closing auction collects, so what is shown for those minutes is no bar.
    """
    label = _label(row, session.trading_day)
    if label is None or not _is_trading_minute(label, session):
        return None
    return Bar(
        symbol=symbol,
        interval=Interval.MINUTE,
        trading_day=session.trading_day,
        at=min(label + _MINUTE, session.closes_at),
        open=row.whole("stck_oprc"),
        high=row.whole("stck_hgpr"),
        low=row.whole("stck_lwpr"),
        close=row.whole("stck_prpr"),
        volume=row.whole("cntg_vol"),
        is_adjusted=False,
    )


def _is_trading_minute(label: datetime, session: Session) -> bool:
    return session.opens_at <= label < session.closing_auction_at or label == session.closes_at


def _of(symbol: Symbol) -> dict[str, str]:
    return {"FID_COND_MRKT_DIV_CODE": _KRX, "FID_INPUT_ISCD": symbol}


def _is_yes(row: Row, name: str) -> bool:
    return row.text(name) == _YES


def _day_or_none(text: str) -> date | None:
    try:
        return read_day(text)
    except Unavailable:
        return None
