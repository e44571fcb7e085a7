"""This is what a KIS reply means for the next step: one table of codes, read for reads and for orders.

A read that failed may be repeated or not; an order that failed is certainly out or it is in doubt, and only
the classes that the broker refuses before routing (or for a business reason) are certain. Whatever the
table does not know is in doubt. `msg_cd` never proves success: that is `rt_cd` 0, and for orders a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from trading.errors import (
    BrokerError,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Unauthorized,
    Unavailable,
)

type ErrorClass = type[BrokerError]


@dataclass(frozen=True, slots=True)
class Meaning:
    """The exception of one code after a read and after an order."""

    read: ErrorClass
    order: ErrorClass


REFUSED: Final = Meaning(Rejected, Rejected)
"""A business refusal, or a call that the gateway cannot route: certainly out, the same call stays wrong."""
MALFORMED: Final = Meaning(Rejected, OutcomeUnknown)
"""Our call is wrong, and nobody has said that an order answered so is surely out."""
FORBIDDEN: Final = Meaning(Unauthorized, Unauthorized)
"""Token, key, account or environment refused before routing."""
UNCLEAR_KEY: Final = Meaning(Unauthorized, OutcomeUnknown)
"""A refusal of the gateway for who we are, not among the certain ones."""
PACED: Final = Meaning(Throttled, Throttled)
"""Too fast, refused by the gateway before routing."""
LEDGER_PACED: Final = Meaning(Throttled, OutcomeUnknown)
"""Too fast for the ledger (원장) behind the gateway: very likely out, and a look costs little."""
TROUBLED: Final = Meaning(Unavailable, OutcomeUnknown)
"""Something between the gateway and the exchange failed; an order may have passed."""
SUCCESS: Final = Meaning(Unavailable, OutcomeUnknown)
"""A code of success beside an `rt_cd` of failure: the reply contradicts itself."""

_CODES: Final[tuple[tuple[Meaning, str], ...]] = (
    (
        FORBIDDEN,
        """
        EGW00103 EGW00105 EGW00121 EGW00122 EGW00123 EGW00206 EGW00207 EGW00210 EGW00211
        EGW02004 EGW02007 OPSQ2000 APBK1744 40910000
        """,
    ),
    (
        UNCLEAR_KEY,
        """
        EGW00003 EGW00004 EGW00102 EGW00104 EGW00124 EGW00125 EGW00126 EGW00127 EGW00128 EGW00129
        EGW00130 IGW00002
        """,
    ),
    (PACED, "EGW00133 EGW00201"),
    (LEDGER_PACED, "EGW00215"),
    (
        REFUSED,
        """
        EGW00131 EGW00132 EGW00205 EGW00208 EGW00209 EGW00212 EGW00213 EGW00310 EGW02006
        OPSQ0002 OPSQ2001 OPSQ2002 OPSQ2003 MCA05918 KIER3672
        APBK0400 APBK0634 APBK0656 APBK0918 APBK0919 APBK0927 APBK0952 APBK0963
        APBK1058 APBK1234 APBK1269 APBK1663 APBK1664
        40030000 40070000 40100000 40240000 40250000 40330000 40570000 40580000
        """,
    ),
    (
        MALFORMED,
        """
        EGW00101 EGW00106 EGW00107 EGW00108 EGW00109 EGW00110 EGW00111 EGW00112 EGW00113 EGW00114
        EGW00115 EGW00116 EGW00117 EGW00118 EGW00119 EGW00120
        OPSQ9995 OPSQ9996 OPSQ9997 OPSQ9998 OPSQ9999 MCA00124 IGW00009 90000000
        """,
    ),
    (
        TROUBLED,
        """
        EGW00001 EGW00002 EGW00202 EGW00203 EGW00204 EGW00300 EGW00301 EGW00302 EGW00303 EGW00304
        OPSQ0001 OPSQ0003 OPSQ0004 OPSQ0005 OPSQ0006 OPSQ0007 OPSQ0008 OPSQ0009 OPSQ0010 OPSQ0011
        OPSQ1002 OPSQ3001 OPSQ3002 OPSQ3004 90020000
        """,
    ),
    (
        SUCCESS,
        """
        MCA00000 MCA05762 KIOK0420 KIOK0460 KIOK0500 KIOK0510 KIOK0530 KIOK0560
        APBK0013 APBK1631 APBK2938 40590000 40600000 40620000 40630000 70070000
        """,
    ),
)


def _by_code() -> Iterator[tuple[str, Meaning]]:
    for meaning, codes in _CODES:
        for code in codes.split():
            yield code, meaning


CODES: Final[dict[str, Meaning]] = dict(_by_code())
"""Every code that the documents name for REST calls."""

_CERTAIN_REFUSALS: Final = re.compile(r"APBK\d{4}|KIER\d{4}|4\d{7}")
"""Whole families that are business refusals (real: APBK, KIER; paper: eight digits from 4)."""

TOKEN_REFUSED: Final = frozenset({"EGW00121", "EGW00122", "EGW00123"})
WRONG_ENVIRONMENT: Final = frozenset({"EGW02004", "EGW02007"})
ISSUED_TOO_OFTEN: Final = "EGW00133"


def meaning_of(code: str) -> Meaning:
    """Return what `code` (msg_cd, or error_code of the token calls) means beside an `rt_cd` of failure."""
    known = CODES.get(code)
    if known is None and _CERTAIN_REFUSALS.fullmatch(code):
        return REFUSED
    return known or TROUBLED
