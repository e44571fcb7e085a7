"""This is what is fuzzed: frames and replies as the broker sends them, and every way to break them."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any, Final

from tests.adapters.test_kis_frames import (
    KEYS,
    NOTICE_23,
    NOTICE_26,
    TRADE_2026,
    TRADE_CLASSIC,
    encipher,
)

NASTY: Final = (
    *(
        "",
        " ",
        "0",
        "-1",
        "+5",
        "1_0",
        "1e9",
        "1E+999999",
        "NaN",
        "Infinity",
        "0x10",
        "1.5",
        "1,000",
    ),
    *(
        "99999999",
        "999999999999999999999999",
        "٣",
        "²",
        "삼성전자",
        "\x00",
        "\u200b7",
        "null",
        "\ud7ff",
    ),
    *(
        "240000",
        "096060",
        "20261332",
        "00000000",
        "^",
        "|",
        "{",
        "}",
        '"',
        "\\",
        "[" * 2_000,
        "9" * 5_000,
    ),
)
"""Pieces that have broken readers of numbers, times and JSON somewhere."""
TEXTS: Final = (
    "PINGPONG",
    "H0STCNT0",
    "H0STCNI9",
    "H0STCNI0",
    "OPSP0000",
    "OPSP8996",
    "0",
    "1",
    "001",
    "999",
)


def a_frame(random: Random) -> str:
    """Give a valid frame: trades or notices in either width, one or more, or a message in JSON."""
    match random.randrange(4):
        case 0 | 1:
            row = random.choice((TRADE_2026, TRADE_CLASSIC))
            count = random.randint(1, 4)
            return f"0|H0STCNT0|{count:03d}|{'^'.join(['^'.join(row)] * count)}"
        case 2:
            tr_id, row = random.choice((("H0STCNI9", NOTICE_23), ("H0STCNI0", NOTICE_26)))
            fields = mutate("^".join(row), random) if random.random() < 0.5 else "^".join(row)
            return f"1|{tr_id}|001|{encipher(fields)}"
        case _:
            output = {"iv": KEYS.iv, "key": KEYS.key}
            body = {"rt_cd": "0", "msg_cd": random.choice(TEXTS), "msg1": "x", "output": output}
            header = {"tr_id": random.choice(TEXTS), "tr_key": "005930", "encrypt": "N"}
            return json.dumps({"header": header, "body": body})


ORDER: Final[dict[str, str]] = {
    "ord_dt": "20180116",
    "ord_gno_brno": "03930",
    "odno": "0000085100",
    "orgn_odno": "",
    "ord_dvsn_cd": "00",
    "sll_buy_dvsn_cd": "02",
    "pdno": "088350",
    "ord_qty": "10",
    "ord_unpr": "3145",
    "ord_tmd": "094414",
    "tot_ccld_qty": "4",
    "tot_ccld_amt": "12580",
    "ordr_empno": "OpnAPI",
    "cncl_cfrm_qty": "0",
    "rmn_qty": "6",
    "rjct_qty": "0",
    "inqr_ip_addr": "",
}
POSITION: Final = {
    "pdno": "088350",
    "hldg_qty": "4",
    "ord_psbl_qty": "4",
    "pchs_amt": "12580",
    "prpr": "3145",
}
PRICE: Final = {
    "stck_prpr": "70500",
    "stck_oprc": "70000",
    "stck_hgpr": "71000",
    "stck_lwpr": "69900",
    "stck_sdpr": "70000",
    "stck_mxpr": "91000",
    "stck_llam": "49000",
    "acml_vol": "1000",
}
ACCEPTED: Final = {"KRX_FWDG_ORD_ORGNO": "03930", "ODNO": "0000085100", "ORD_TMD": "094414"}


def a_broken_reply(random: Random) -> tuple[str, bytes]:
    """Give the kind of a call and an answer to it: broken JSON, or whole JSON with a value that is not whole."""
    kind = random.choice(("orders", "positions", "price", "accepted"))
    row: dict[str, Any] = dict(
        {"orders": ORDER, "positions": POSITION, "price": PRICE, "accepted": ACCEPTED}[kind]
    )
    is_broken_outside = random.random() < 0.4
    if not is_broken_outside:
        name = random.choice(list(row))
        row[random.choice((name, name, name.upper()))] = random.choice(
            (*NASTY, None, [], {}, 7, 0.5)
        )
    rows = [row] * random.randint(1, 3) if kind in {"orders", "positions"} else row
    block = "output1" if isinstance(rows, list) else "output"
    head = {"rt_cd": "0", "msg_cd": "MCA00000", "msg1": "ok", "output2": {"tot_ord_qty": "10"}}
    text = json.dumps(head | {block: rows})
    return kind, (mutate(text, random) if is_broken_outside else text).encode(errors="replace")


def mutate(text: str, random: Random) -> str:
    """Break a text in one to three places."""
    for _ in range(random.randint(1, 3)):
        text = random.choice(WAYS)(text, random)
    return text


def _cut(text: str, random: Random) -> str:
    first, last = sorted(random.randrange(len(text) + 1) for _ in range(2))
    return text[:first] + text[last:]


def _end(text: str, random: Random) -> str:
    return text[: random.randrange(len(text) + 1)]


def _repeat(text: str, random: Random) -> str:
    first, last = sorted(random.randrange(len(text) + 1) for _ in range(2))
    return text[:last] + text[first:last] + text[last:]


def _insert(text: str, random: Random) -> str:
    place = random.randrange(len(text) + 1)
    return text[:place] + random.choice(NASTY) + text[place:]


def _replace(text: str, random: Random) -> str:
    """Put something nasty in the place of one field, number or name."""
    separator = random.choice(("^", "|", '"'))
    parts = text.split(separator)
    parts[random.randrange(len(parts))] = random.choice(NASTY + TEXTS)
    return separator.join(parts)


def _swap(text: str, random: Random) -> str:
    """Exchange two fields."""
    parts = text.split("^")
    one, other = random.randrange(len(parts)), random.randrange(len(parts))
    parts[one], parts[other] = parts[other], parts[one]
    return "^".join(parts)


def _change(text: str, random: Random) -> str:
    place = random.randrange(len(text) + 1)
    return text[:place] + chr(random.randrange(0x20, 0x2_000)) + text[place + 1 :]


WAYS: Final[tuple[Callable[[str, Random], str], ...]] = (
    _cut,
    _end,
    _repeat,
    _insert,
    _replace,
    _replace,
    _swap,
    _change,
)
