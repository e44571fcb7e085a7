"""This is the meaning of KIS codes, written down a second time, by hand, from the broker's documents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kis.errors import CODES, meaning_of
from trading.errors import OutcomeUnknown, Rejected, Throttled, Unauthorized, Unavailable

DOCUMENTED = """
    EGW00001 EGW00002 EGW00003 EGW00004 EGW00101 EGW00102 EGW00103 EGW00104 EGW00105 EGW00106
    EGW00107 EGW00108 EGW00109 EGW00110 EGW00111 EGW00112 EGW00113 EGW00114 EGW00115 EGW00116
    EGW00117 EGW00118 EGW00119 EGW00120 EGW00121 EGW00122 EGW00123 EGW00124 EGW00125 EGW00126
    EGW00127 EGW00128 EGW00129 EGW00130 EGW00131 EGW00132 EGW00133 EGW00201 EGW00202 EGW00203
    EGW00204 EGW00205 EGW00206 EGW00207 EGW00208 EGW00209 EGW00210 EGW00211 EGW00212 EGW00213
    EGW00215 EGW00300 EGW00301 EGW00302 EGW00303 EGW00304 EGW00310 EGW02004 EGW02006 EGW02007
    OPSQ0001 OPSQ0002 OPSQ0003 OPSQ0004 OPSQ0005 OPSQ0006 OPSQ0007 OPSQ0008 OPSQ0009 OPSQ0010
    OPSQ0011 OPSQ1002 OPSQ2000 OPSQ2001 OPSQ2002 OPSQ2003 OPSQ3001 OPSQ3002 OPSQ3004 OPSQ9995
    OPSQ9996 OPSQ9997 OPSQ9998 OPSQ9999 IGW00002 IGW00009 MCA00000 MCA00124 MCA05762 MCA05918
    KIOK0420 KIOK0460 KIOK0500 KIOK0510 KIOK0530 KIOK0560 KIER3672 APBK0013 APBK2938 APBK0918
    APBK0919 APBK0927 APBK0963 APBK0952 APBK0400 APBK0634 APBK0656 APBK1058 APBK1234 APBK1631
    APBK1663 APBK1664 APBK1744 APBK1269 40600000 40590000 40630000 40620000 40570000 40580000
    40100000 40250000 40240000 40330000 40030000 40070000 40910000 70070000 90000000 90020000
"""

CERTAINLY_OUT = """
    EGW00103 EGW00105 EGW00121 EGW00122 EGW00123 EGW00131 EGW00132 EGW00201
    EGW00205 EGW00206 EGW00207 EGW00208 EGW00209 EGW00210 EGW00211 EGW00212 EGW00213
    EGW00310 EGW02004 EGW02006 EGW02007 OPSQ0002 OPSQ2000 OPSQ2001 OPSQ2002 OPSQ2003
    APBK0918 APBK0919 APBK0927 APBK0963 APBK0952 APBK0400 APBK0634 APBK0656 APBK1058 APBK1234
    APBK1663 APBK1744 APBK9999 KIER3672 KIER0001
    40570000 40580000 40100000 40250000 40240000 40330000 40030000 40070000 40910000 49999999
"""

IN_DOUBT = """
    EGW00001 EGW00002 EGW00202 EGW00203 EGW00204 EGW00215 EGW00300 EGW00301 EGW00302 EGW00303
    EGW00304 OPSQ0003 OPSQ0004 OPSQ0005 OPSQ0006 OPSQ0007 OPSQ0008 OPSQ0009 OPSQ0010 OPSQ0011
    OPSQ1002 IGW00002 IGW00009 IGW12345 90020000 90000000 EGW99999 XYZ00000 50000000 4057000 0
    APBK0013 40600000 40590000 40630000
"""


def test_every_documented_code_is_in_the_table() -> None:
    assert sorted(CODES) == sorted(DOCUMENTED.split())


@pytest.mark.parametrize("code", CERTAINLY_OUT.split())
def test_an_order_refused_with_this_code_is_certainly_out(code: str) -> None:
    assert meaning_of(code).order in {Rejected, Unauthorized, Throttled}


@pytest.mark.parametrize("code", [*IN_DOUBT.split(), ""])
def test_an_order_answered_with_this_code_is_in_doubt(code: str) -> None:
    assert meaning_of(code).order is OutcomeUnknown


@pytest.mark.parametrize("code", ["EGW00103", "EGW00105", "EGW00121", "EGW02004", "OPSQ2000"])
def test_a_refused_key_is_not_a_refused_order(code: str) -> None:
    assert (meaning_of(code).read, meaning_of(code).order) == (Unauthorized, Unauthorized)


@pytest.mark.parametrize("code", ["EGW00201", "EGW00215", "EGW00133"])
def test_a_call_that_came_too_fast_may_be_read_again_later(code: str) -> None:
    assert meaning_of(code).read is Throttled


@pytest.mark.parametrize("code", ["EGW00001", "EGW00302", "OPSQ0008", "90020000"])
def test_trouble_behind_the_gateway_may_be_read_again(code: str) -> None:
    assert meaning_of(code).read is Unavailable


@pytest.mark.parametrize("code", ["EGW00101", "OPSQ2002", "EGW02006", "90000000", "MCA00124"])
def test_a_read_that_is_wrong_or_not_offered_is_not_repeated(code: str) -> None:
    assert meaning_of(code).read is Rejected


@given(st.text(max_size=12))
def test_whatever_the_table_does_not_know_is_in_doubt_or_a_business_refusal(code: str) -> None:
    if code not in CODES:
        meaning = meaning_of(code)
        is_like_a_refusal = code.startswith(("APBK", "KIER", "4")) and len(code) == 8
        allowed = {OutcomeUnknown, Rejected} if is_like_a_refusal else {OutcomeUnknown}
        assert meaning.order in allowed
        assert meaning.read is not OutcomeUnknown
