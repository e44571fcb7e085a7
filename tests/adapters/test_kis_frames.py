"""This is the reading of the KIS socket: captured frames, both wire profiles, and anything else at all."""

import json
from base64 import b64encode
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from hypothesis import given
from hypothesis import strategies as st

from adapters.kis.frames import (
    BadFrame,
    Cipherment,
    Control,
    Frame,
    decipher,
    read_message,
    read_notice,
    read_trade,
    records,
    registration,
)
from trading.notices import NoticeKind
from trading.orders import OrderType, Side

AT = datetime(2026, 9, 14, 6, 0, tzinfo=UTC)
KEYS = Cipherment(key="k" * 32, iv="i" * 16)

# A trade as it was seen on the real wire on 2026-09-14, the first day of the longer record.
TRADE_TEXT = (
    "005930^150746^249250^5^-10250^-3.95^250742.47^249500^254500^248500^249500^249000^1^14871538"
    "^3728926343750^206240^176545^-29695^81.34^7912656^6435830^5^0.44^106.69^090011^5^-250^113225^5"
    "^-5250^145726^2^750^20260914^20^N^85729^141952^343655^1371668^0.25^12052370^123.39^0^^249500^2"
)
TRADE_2026 = TRADE_TEXT.split("^")
TRADE_CLASSIC = TRADE_2026[:46]

NOTICE_TEXT = (
    "hts01^5001234501^0000001001^^02^0^00^0^005930^0000000003^000070500^090105^0^2^2^00950"
    "^0000000010^홍길동^0^1^N^^10^^삼성전자^000070600"
)
NOTICE_26 = NOTICE_TEXT.split("^")
NOTICE_23 = [*NOTICE_26[:18], "1Y", "10", "", "삼성전자", "000070600"]


def encipher(text: str, keys: Cipherment = KEYS) -> str:
    padder = PKCS7(128).padder()
    padded = padder.update(text.encode()) + padder.finalize()
    encryptor = Cipher(algorithms.AES(keys.key.encode()), modes.CBC(keys.iv.encode())).encryptor()
    return b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def a_frame(*rows: list[str], tr_id: str = "H0STCNT0") -> str:
    return f"0|{tr_id}|{len(rows):03d}|{'^'.join('^'.join(row) for row in rows)}"


def taken_apart(text: str, keys: Cipherment | None = None) -> list[list[str]]:
    frame = read_message(text)
    assert isinstance(frame, Frame)
    return list(records(frame, keys))


@pytest.mark.parametrize(
    "row", [TRADE_2026, TRADE_CLASSIC, [*TRADE_2026, "later", "still later"]], ids=len
)
def test_a_trade_reads_the_same_in_every_width(row: list[str]) -> None:
    (fields,) = taken_apart(a_frame(row))
    trade = read_trade(fields)
    assert (trade.symbol, trade.price, trade.quantity) == ("005930", 249_250, 1)
    assert trade.at == datetime(2026, 9, 14, 6, 7, 46, tzinfo=UTC)
    assert trade.cumulative_volume == 14_871_538
    assert not trade.is_auction


def test_one_frame_may_hold_several_records() -> None:
    second = [*TRADE_2026[:2], "249500", *TRADE_2026[3:]]
    prices = [read_trade(fields).price for fields in taken_apart(a_frame(TRADE_2026, second))]
    assert prices == [249_250, 249_500]


def test_a_trade_of_an_auction_says_so() -> None:
    assert read_trade([*TRADE_2026[:43], "C", *TRADE_2026[44:]]).is_auction
    assert read_trade([*TRADE_2026[:21], "3", *TRADE_2026[22:]]).is_auction


@pytest.mark.parametrize(
    ("place", "text"), [(0, "5930"), (1, "25:00"), (2, "0"), (2, ""), (12, "-1"), (33, "2026-9-14")]
)
def test_a_trade_with_a_wrong_field_is_dropped(place: int, text: str) -> None:
    row = [*TRADE_2026]
    row[place] = text
    with pytest.raises(BadFrame):
        read_trade(row)


def test_a_record_that_is_too_short_is_dropped() -> None:
    with pytest.raises(BadFrame, match="43 fields"):
        read_trade(TRADE_2026[:43])
    with pytest.raises(BadFrame, match="22 fields"):
        read_notice(NOTICE_23[:22], received_at=AT)


def test_fields_that_do_not_divide_by_the_count_are_dropped() -> None:
    with pytest.raises(BadFrame, match="47 fields for 2 records"):
        taken_apart("0|H0STCNT0|002|" + "^".join(TRADE_2026))


@pytest.mark.parametrize("row", [NOTICE_26, NOTICE_23], ids=len)
def test_a_fill_reads_the_same_in_both_profiles(row: list[str]) -> None:
    """Incident 21: the fill notice grew from 23 to 26 fields and broke the parser."""
    notice = read_notice(row, received_at=AT)
    assert (notice.kind, notice.broker_order_id) == (NoticeKind.FILLED, "0000001001")
    assert (notice.symbol, notice.side, notice.order_type) == ("005930", Side.BUY, OrderType.LIMIT)
    assert (notice.quantity, notice.price, notice.order_quantity) == (3, 70_500, 10)
    assert (notice.time_text, notice.original_id, notice.received_at) == ("090105", "", AT)


@pytest.mark.parametrize(
    ("changed", "refused", "filled", "taken", "kind"),
    [
        ("0", "0", "1", "1", NoticeKind.ACCEPTED),
        ("1", "0", "1", "2", NoticeKind.MODIFIED),
        ("2", "0", "1", "2", NoticeKind.CANCELED),
        ("0", "1", "1", "", NoticeKind.REJECTED),
        ("2", "1", "1", "2", NoticeKind.REJECTED),
        ("0", "0", "2", "2", NoticeKind.FILLED),
        ("0", "0", "1", "3", NoticeKind.CANCELED),
        ("2", "0", "1", "1", NoticeKind.ACCEPTED),
    ],
)
def test_a_notice_says_what_happened_in_four_fields(
    changed: str, refused: str, filled: str, taken: str, kind: NoticeKind
) -> None:
    row = [*NOTICE_23]
    row[5], row[12], row[13], row[14] = changed, refused, filled, taken
    assert read_notice(row, received_at=AT).kind is kind


def test_a_notice_of_a_cancel_names_the_order_it_cancels() -> None:
    row = [*NOTICE_23]
    row[2], row[3], row[5], row[13] = "0000001002", "0000001001", "2", "1"
    notice = read_notice(row, received_at=AT)
    assert (notice.broker_order_id, notice.original_id) == ("0000001002", "0000001001")


def test_an_order_without_a_price_is_a_market_order() -> None:
    row = [*NOTICE_26[:25], "000000000"]
    assert read_notice(row, received_at=AT).order_type is OrderType.MARKET


@pytest.mark.parametrize("number", ["", "0000000000", "none"])
def test_a_notice_without_a_number_is_of_no_use(number: str) -> None:
    with pytest.raises(BadFrame):
        read_notice([*NOTICE_26[:2], number, *NOTICE_26[3:]], received_at=AT)


def test_an_encrypted_notice_is_deciphered() -> None:
    frame = f"1|H0STCNI9|001|{encipher('^'.join(NOTICE_23))}"
    assert taken_apart(frame, KEYS) == [NOTICE_23]


def test_an_encrypted_notice_without_or_with_wrong_keys_is_dropped() -> None:
    frame = f"1|H0STCNI9|001|{encipher('^'.join(NOTICE_23))}"
    for keys in (None, replace(KEYS, key="x" * 32), replace(KEYS, key="short"), Cipherment("", "")):
        with pytest.raises(BadFrame):
            taken_apart(frame, keys)


def test_an_acknowledgement_brings_the_keys_and_never_shows_them() -> None:
    text = json.dumps(
        {
            "header": {"tr_id": "H0STCNI9", "tr_key": "hts01", "encrypt": "Y"},
            "body": {
                "rt_cd": "0",
                "msg_cd": "OPSP0000",
                "msg1": "SUBSCRIBE SUCCESS",
                "output": {"iv": KEYS.iv, "key": KEYS.key},
            },
        }
    )
    control = read_message(text)
    assert control == Control("H0STCNI9", "hts01", "OPSP0000", "SUBSCRIBE SUCCESS", KEYS)
    assert KEYS.key not in repr(control)


def test_a_ping_is_a_control_message_too() -> None:
    control = read_message('{"header":{"tr_id":"PINGPONG","datetime":"20261122101112"}}')
    assert isinstance(control, Control)
    assert control.tr_id == "PINGPONG"


def test_a_registration_is_written_as_documented() -> None:
    assert json.loads(registration("approval", "H0STCNT0", "005930")) == {
        "header": {
            "approval_key": "approval",
            "custtype": "P",
            "tr_type": "1",
            "content-type": "utf-8",
        },
        "body": {"input": {"tr_id": "H0STCNT0", "tr_key": "005930"}},
    }


def read_whatever(text: str) -> None:
    """Do all that the stream does with a message."""
    with suppress(BadFrame):
        message = read_message(text)
        if isinstance(message, Frame):
            for fields in records(message, KEYS):
                read_notice(fields, received_at=AT)
                read_trade(fields)


@given(st.text())
def test_no_text_raises_anything_but_a_bad_frame(text: str) -> None:
    read_whatever(text)
    read_whatever("{" + text)


TEXT = st.characters(exclude_characters="^", exclude_categories=["Cs"])  # what a socket can bring
FIELDS = st.one_of(st.sampled_from(TRADE_2026 + NOTICE_26), st.text(alphabet=TEXT))


@given(
    flag=st.sampled_from("01"),
    tr_id=st.sampled_from(["H0STCNT0", "H0STCNI0", "H0STCNI9", "X"]),
    count=st.integers(0, 5),
    fields=st.lists(FIELDS, max_size=120),
)
def test_no_frame_raises_anything_but_a_bad_frame(
    flag: str, tr_id: str, count: int, fields: list[str]
) -> None:
    payload = "^".join(fields)
    read_whatever(f"{flag}|{tr_id}|{count:03d}|{encipher(payload) if flag == '1' else payload}")


@pytest.mark.parametrize("odd", ["+5", "1_0", "٣", "-1", "1.0", "9" * 16, "9" * 5_000, ""])
def test_a_number_is_ascii_digits_of_a_sound_length(odd: str) -> None:
    """Found by `make fuzz`: Python's int takes signs, underscores and the digits of any script."""
    for place in (2, 12, 13):
        fields = [*TRADE_2026[:place], odd, *TRADE_2026[place + 1 :]]
        with pytest.raises(BadFrame):
            read_trade(fields)


@given(row=st.lists(FIELDS, min_size=23, max_size=48), place=st.integers(0, 47))
def test_no_record_raises_anything_but_a_bad_frame(row: list[str], place: int) -> None:
    mixed = [*NOTICE_26[: place % 26], *row]
    for read in (read_trade, lambda fields: read_notice(fields, received_at=AT)):
        with suppress(BadFrame):
            read(mixed)


@given(st.binary(max_size=80))
def test_no_cipher_text_raises_anything_but_a_bad_frame(content: bytes) -> None:
    for payload in (b64encode(content).decode(), content.decode("latin-1")):
        with suppress(BadFrame):
            decipher(payload, KEYS)
